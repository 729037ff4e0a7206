-- Files that jobs have loaded from locations: what was loaded, what failed, and what need not be loaded again.
--
-- A row is one load of one file. While is_current, it is the job's bookmark for that path, too: it says which version of
-- the file the table holds. It commits together with the rows of the file.

CREATE SEQUENCE setup.file_ids;

CREATE TABLE setup.load_files (
  file_id       bigint PRIMARY KEY DEFAULT nextval('setup.file_ids'),
  layer         text NOT NULL,
  job_name      text NOT NULL,
  location      text NOT NULL,
  path          text NOT NULL CHECK (octet_length(path) <= 2000),  -- an index has it
  size          bigint NOT NULL,
  modified_at   timestamptz NOT NULL,
  modified_ns   bigint NOT NULL,
  content_hash  text CHECK (content_hash ~ '^[0-9a-f]{64}$'),
  status        text NOT NULL CHECK (status IN ('LOADED', 'FAILED')),
  rows_loaded   bigint,
  rows_rejected bigint,
  run_id        bigint NOT NULL,
  attempt       integer NOT NULL,
  loaded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  sqlstate      text,
  message       text,
  is_current    boolean NOT NULL DEFAULT false,
  reload        boolean NOT NULL DEFAULT false,
  row_stamp     timestamptz,
  FOREIGN KEY (layer, job_name) REFERENCES setup.load_jobs ON UPDATE CASCADE ON DELETE CASCADE,
  CHECK (status = 'LOADED' OR NOT is_current)
);

COMMENT ON TABLE setup.load_files IS
  'Loads of files from locations, one row each. A current row is the job''s bookmark, too: that version of the file is '
  'in the table. Each role sees those of the jobs that it sees.';
COMMENT ON COLUMN setup.load_files.file_id IS 'Number of the row.';
COMMENT ON COLUMN setup.load_files.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.load_files.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.load_files.location IS 'Location that the file is in.';
COMMENT ON COLUMN setup.load_files.path IS 'Its path beneath the location; the present one where it was renamed.';
COMMENT ON COLUMN setup.load_files.size IS 'Its size in bytes.';
COMMENT ON COLUMN setup.load_files.modified_at IS 'When it was last modified.';
COMMENT ON COLUMN setup.load_files.modified_ns IS 'The same, exactly: nanoseconds since 1970.';
COMMENT ON COLUMN setup.load_files.content_hash IS 'SHA-256 of its content; null where it was not needed.';
COMMENT ON COLUMN setup.load_files.status IS 'LOADED or FAILED.';
COMMENT ON COLUMN setup.load_files.rows_loaded IS 'Rows that it brought; null where it failed.';
COMMENT ON COLUMN setup.load_files.rows_rejected IS 'Rows that were put aside; null where it failed.';
COMMENT ON COLUMN setup.load_files.run_id IS 'Run that loaded it.';
COMMENT ON COLUMN setup.load_files.attempt IS 'Attempt of the job in that run.';
COMMENT ON COLUMN setup.load_files.loaded_at IS 'When it was loaded or failed.';
COMMENT ON COLUMN setup.load_files.sqlstate IS 'SQLSTATE of the error; null: there was none.';
COMMENT ON COLUMN setup.load_files.message IS
  'Why it failed, or what is to be known of the load: that the file was replaced, renamed or touched. Null: nothing.';
COMMENT ON COLUMN setup.load_files.is_current IS
  'Whether this is the version that the table holds. False for failures, for versions that were replaced since, and '
  'after setup.reset_bookmark().';
COMMENT ON COLUMN setup.load_files.reload IS 'Whether setup.reload_file() has asked to load it once more.';
COMMENT ON COLUMN setup.load_files.row_stamp IS
  'Value of _loaded_at in the rows that it brought: together with the path it tells them from those of other loads, also '
  'of other jobs. Null: it was loaded without provenance.';

-- Of two loads of the same file that both reach their end, the second fails here, and its rows are rolled back.
CREATE UNIQUE INDEX load_files_one_load ON setup.load_files (layer, job_name, location, path) WHERE is_current;
CREATE INDEX load_files_by_content ON setup.load_files (layer, job_name, location, size, content_hash) WHERE is_current;
CREATE INDEX load_files_failed ON setup.load_files (layer, job_name, location, path, size, modified_ns) WHERE status = 'FAILED';
CREATE INDEX load_files_by_job ON setup.load_files (layer, job_name, file_id);
CREATE INDEX load_files_left_behind ON setup.load_files (loaded_at) WHERE NOT is_current;
CREATE INDEX load_files_by_run ON setup.load_files (run_id);

GRANT SELECT ON setup.load_files TO PUBLIC;
ALTER TABLE setup.load_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.load_files FOR SELECT USING (EXISTS (  -- of a job that the user sees
  SELECT FROM setup.load_jobs j WHERE j.layer = load_files.layer AND j.job_name = load_files.job_name));

CREATE FUNCTION setup.reset_bookmark(layer text, job_name text) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_reset_bookmark';
COMMENT ON FUNCTION setup.reset_bookmark IS
  'Makes a job forget which files it has loaded, so that its next run loads all that are there; returns how many. The '
  'rows stay: empty the table first unless it is to have them twice. Raises undefined_object where there is no such '
  'job, insufficient_privilege where it is somebody else''s.';

CREATE FUNCTION setup.reload_file(layer text, job_name text, path text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_reload_file';
COMMENT ON FUNCTION setup.reload_file IS
  'Has the next run of a job load a file once more, which it has loaded before. With provenance, the rows that it '
  'brought are deleted then. Raises what setup.reset_bookmark() does, and no_data_found where the job has not loaded '
  'the file.';

-- A job that replaces what its table holds does it in another way now: what was loaded before is not unchanged.
CREATE FUNCTION setup.forget_files() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF TG_RELID <> 'setup.load_jobs'::regclass THEN
    RAISE insufficient_privilege USING MESSAGE = 'setup.forget_files() is a trigger of setup.load_jobs only';
  END IF;
  UPDATE setup.load_files f SET is_current = false, reload = false
   WHERE f.layer = NEW.layer AND f.job_name = NEW.job_name AND f.is_current;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION setup.forget_files IS 'Trigger: a job that replaces reads or writes in another way now.';
REVOKE EXECUTE ON FUNCTION setup.forget_files() FROM PUBLIC;  -- on a table of one's own it would reach all jobs
CREATE TRIGGER forget_files AFTER UPDATE ON setup.load_jobs
  FOR EACH ROW WHEN (NEW.load_mode = 'replace' AND
    (NEW.table_name, NEW.reader_options, NEW.on_bad_row, NEW.reject_limit, NEW.reject_share, NEW.rescue_column,
     NEW.provenance, NEW.load_mode) IS DISTINCT FROM
    (OLD.table_name, OLD.reader_options, OLD.on_bad_row, OLD.reject_limit, OLD.reject_share, OLD.rescue_column,
     OLD.provenance, OLD.load_mode))
  EXECUTE FUNCTION setup.forget_files();

-- A restored table is not to be loaded once more.
SELECT pg_catalog.pg_extension_config_dump('setup.load_files', '');
SELECT pg_catalog.pg_extension_config_dump('setup.file_ids', '');
