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
  FOREIGN KEY (layer, job_name) REFERENCES setup.load_jobs ON UPDATE CASCADE ON DELETE CASCADE,
  CHECK (status = 'LOADED' OR NOT is_current)
);

-- Of two loads of the same file that both reach their end, the second fails here, and its rows are rolled back.
CREATE UNIQUE INDEX load_files_one_load ON setup.load_files (layer, job_name, location, path) WHERE is_current;
CREATE INDEX load_files_by_content ON setup.load_files (layer, job_name, location, content_hash) WHERE is_current;
CREATE INDEX load_files_by_job ON setup.load_files (layer, job_name, file_id);
CREATE INDEX load_files_left_behind ON setup.load_files (loaded_at) WHERE NOT is_current;
CREATE INDEX load_files_by_run ON setup.load_files (run_id);

GRANT SELECT ON setup.load_files TO PUBLIC;
ALTER TABLE setup.load_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.load_files FOR SELECT USING (EXISTS (  -- of a job that the user sees
  SELECT FROM setup.load_jobs j WHERE j.layer = load_files.layer AND j.job_name = load_files.job_name));

CREATE FUNCTION setup.reset_bookmark(layer text, job_name text) RETURNS bigint
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_reset_bookmark';

CREATE FUNCTION setup.reload_file(layer text, job_name text, path text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_reload_file';

-- A job that replaces what its table holds does it in another way now: what was loaded before is not unchanged.
CREATE FUNCTION setup.forget_files() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  UPDATE setup.load_files f SET is_current = false, reload = false
   WHERE f.layer = NEW.layer AND f.job_name = NEW.job_name AND f.is_current;
  RETURN NULL;
END
$$;
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
