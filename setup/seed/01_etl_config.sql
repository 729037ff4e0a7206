-- Tells the loader where each source system delivers its files.
--
--   psql -d warehouse -v base_path_crm=/data/source_crm -v base_path_erp=/data/source_erp \
--        -f setup/seed/01_etl_config.sql
--
-- The paths are the server's, absolute, and its operating system user must be able to read them. A
-- bronze table {source}_{dataset} is loaded from {base_path_{source}}/{dataset}.csv, or another file type.
-- Run again to move.

\set ON_ERROR_STOP on
\set both_are_set no
\if :{?base_path_crm}
  \if :{?base_path_erp}
    \set both_are_set yes
  \endif
\endif
\if :both_are_set
\else
  DO $$
  BEGIN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'the directories of the source files are not given',
      HINT = 'Call psql with -v base_path_crm=DIRECTORY -v base_path_erp=DIRECTORY.';
  END
  $$;
\endif

INSERT INTO setup.etl_config (config_key, config_value)
VALUES
  ('base_path_crm', rtrim(:'base_path_crm', '/')),
  ('base_path_erp', rtrim(:'base_path_erp', '/'))
ON CONFLICT (config_key) DO UPDATE
SET config_value = EXCLUDED.config_value;
