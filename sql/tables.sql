-- What users configure, and what the engine remembers of jobs. Who may see or write which row stands in security.sql.

CREATE TABLE setup.layers (
  layer             text PRIMARY KEY CHECK (layer <> '' AND octet_length(layer) < 64 AND layer !~ '[[:cntrl:]]'),
  position          integer NOT NULL UNIQUE,
  execution         text NOT NULL DEFAULT 'parallel' CHECK (execution IN ('parallel', 'sequence')),
  max_concurrent    integer CHECK (max_concurrent > 0),
  timeout           interval CHECK (timeout > '0' AND isfinite(timeout)),
  -- defaults of its jobs
  job_timeout       interval CHECK (job_timeout > '0' AND isfinite(job_timeout)),
  statement_timeout interval CHECK (statement_timeout > '0' AND isfinite(statement_timeout)),
  max_attempts      integer CHECK (max_attempts > 0),
  retry_delay       interval CHECK (retry_delay >= '0' AND isfinite(retry_delay)),
  backoff_rate      double precision CHECK (backoff_rate >= 1 AND backoff_rate <= 1000),
  max_retry_delay   interval CHECK (max_retry_delay >= '0' AND isfinite(max_retry_delay)),
  retry_on          text[],
  never_retry_on    text[]
);

COMMENT ON TABLE setup.layers IS
  'The stages of the warehouse, run in the order of their position. Made by setup.create_layer().';
COMMENT ON COLUMN setup.layers.layer IS 'Name of the layer and of its schema.';
COMMENT ON COLUMN setup.layers.position IS 'Place in the order of layers; gaps are fine.';
COMMENT ON COLUMN setup.layers.execution IS
  'parallel: jobs run at the same time as dependencies allow; sequence: one at a time, in load_order.';
COMMENT ON COLUMN setup.layers.max_concurrent IS
  'Largest number of its jobs at the same time, in all runs together; null: no limit. Takes effect at once.';
COMMENT ON COLUMN setup.layers.timeout IS
  'How long the layer may take in a run, from the start of its first job; then its jobs are stopped (TIMED_OUT). Null: '
  'no limit.';
COMMENT ON COLUMN setup.layers.job_timeout IS 'timeout of its jobs that have none.';
COMMENT ON COLUMN setup.layers.statement_timeout IS 'statement_timeout of its jobs that have none.';
COMMENT ON COLUMN setup.layers.max_attempts IS 'max_attempts of its jobs that have none; null: 3.';
COMMENT ON COLUMN setup.layers.retry_delay IS 'retry_delay of its jobs that have none; null: 1 second.';
COMMENT ON COLUMN setup.layers.backoff_rate IS 'backoff_rate of its jobs that have none; null: 2.';
COMMENT ON COLUMN setup.layers.max_retry_delay IS 'max_retry_delay of its jobs that have none; null: 5 minutes.';
COMMENT ON COLUMN setup.layers.retry_on IS 'retry_on of its jobs that have none.';
COMMENT ON COLUMN setup.layers.never_retry_on IS 'never_retry_on of its jobs that have none.';

CREATE TABLE setup.etl_config (
  config_key   text PRIMARY KEY CHECK (config_key <> ''),
  config_value text NOT NULL
);

COMMENT ON TABLE setup.etl_config IS
  'Configuration by key. base_path_{source} is the directory with the files of bronze tables {source}_{dataset}; '
  'location_{source} names the location with them instead. '
  'Readable by all; writable by superusers and whom they GRANT it to.';
COMMENT ON COLUMN setup.etl_config.config_key IS 'Name of the setting.';
COMMENT ON COLUMN setup.etl_config.config_value IS
  'Its value; a directory without trailing slash for base_path_{source}.';

CREATE TABLE setup.load_jobs (
  layer             text NOT NULL REFERENCES setup.layers,
  job_name          text NOT NULL CHECK (job_name <> '' AND octet_length(job_name) <= 200 AND job_name !~ '[[:cntrl:]]'),
  table_name        text CHECK (table_name <> '' AND octet_length(table_name) <= 300),
  file_path         text CHECK (file_path <> '' AND octet_length(file_path) < 4096),
  command           text CHECK (btrim(command) <> '' AND octet_length(command) <= 1048576),
  load_order        integer NOT NULL DEFAULT 100,
  is_enabled        boolean NOT NULL DEFAULT true,
  depends_on        text[] NOT NULL DEFAULT '{}'
                    CHECK (array_position(depends_on, NULL) IS NULL AND cardinality(depends_on) <= 10000),
  owner             text NOT NULL DEFAULT current_user,
  transaction       text NOT NULL DEFAULT 'single' CHECK (transaction IN ('single', 'each')),
  discovered_as     text CHECK (discovered_as IN ('table', 'procedure', 'materialized view')),
  priority          integer NOT NULL DEFAULT 0,
  max_concurrent    integer NOT NULL DEFAULT 1 CHECK (max_concurrent > 0),
  resources         jsonb NOT NULL DEFAULT '{}'
                    CHECK (jsonb_typeof(resources) = 'object' AND NOT jsonb_path_exists(resources,
                      '$.* ? (@.type() != "number" || @ < 1 || @ > 1000000 || @ != @.floor())')),
  timeout           interval CHECK (timeout > '0' AND isfinite(timeout)),
  statement_timeout interval CHECK (statement_timeout > '0' AND isfinite(statement_timeout)),
  max_attempts      integer CHECK (max_attempts > 0),
  retry_delay       interval CHECK (retry_delay >= '0' AND isfinite(retry_delay)),
  backoff_rate      double precision CHECK (backoff_rate >= 1 AND backoff_rate <= 1000),
  max_retry_delay   interval CHECK (max_retry_delay >= '0' AND isfinite(max_retry_delay)),
  retry_on          text[],
  never_retry_on    text[],
  shares_commit     boolean NOT NULL DEFAULT true,
  -- of files in a location
  location          text REFERENCES setup.locations CHECK (location <> ''),
  load_mode         text NOT NULL DEFAULT 'replace' CHECK (load_mode IN ('replace', 'append', 'upsert')),
  key_columns       text[] CHECK (array_position(key_columns, NULL) IS NULL AND array_position(key_columns, '') IS NULL
                                  AND array_ndims(key_columns) = 1 AND cardinality(key_columns) <= 32),
  skip_unchanged    boolean NOT NULL DEFAULT false,
  reader_options    jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(reader_options) = 'object'),
  on_bad_row        text NOT NULL DEFAULT 'fail' CHECK (on_bad_row IN ('fail', 'reject')),
  reject_limit      bigint CHECK (reject_limit >= 0),
  reject_share      double precision CHECK (reject_share >= 0 AND reject_share <= 1),
  rescue_column     text CHECK (rescue_column <> '' AND octet_length(rescue_column) < 64),
  provenance        boolean NOT NULL DEFAULT false,
  crawler           text,
  owner_oid         oid NOT NULL DEFAULT 0,
  PRIMARY KEY (layer, job_name),
  CONSTRAINT load_jobs_does_one_thing CHECK (num_nonnulls(command, file_path) = 1),
  CONSTRAINT load_jobs_file_has_table CHECK (file_path IS NULL OR table_name IS NOT NULL),
  CONSTRAINT load_jobs_file_is_single CHECK (file_path IS NULL OR transaction = 'single'),
  CONSTRAINT load_jobs_location_has_file CHECK (location IS NULL OR file_path IS NOT NULL),
  CONSTRAINT load_jobs_upsert_has_key CHECK ((load_mode = 'upsert') = (key_columns IS NOT NULL)),
  CONSTRAINT load_jobs_rejects_to_limit CHECK (on_bad_row = 'reject' OR num_nonnulls(reject_limit, reject_share) = 0),
  CONSTRAINT load_jobs_options_need_location CHECK (location IS NOT NULL
    OR load_mode = 'replace' AND NOT skip_unchanged AND reader_options = '{}' AND on_bad_row = 'fail'
       AND rescue_column IS NULL AND NOT provenance)
);

COMMENT ON TABLE setup.load_jobs IS
  'The jobs: units of work of a layer. Each role sees and changes its own and those of roles that it is a member of; '
  'setup.drop_job() deletes. '
  'A running run goes on with the jobs as they were when it started.';
COMMENT ON COLUMN setup.load_jobs.layer IS 'Layer that the job belongs to.';
COMMENT ON COLUMN setup.load_jobs.job_name IS 'Name of the job, unique in its layer.';
COMMENT ON COLUMN setup.load_jobs.table_name IS
  'Table that the job writes, as SQL names it; without a schema, in the layer''s. Checked after the layer has run. '
  'Null: none declared.';
COMMENT ON COLUMN setup.load_jobs.file_path IS
  'File that is loaded into the table. With a location: a path beneath it, or a pattern for several (* ? [..] within a '
  'name, ** for any number of directories). Without: a file that replaces the table''s content, of the type that its '
  'name ends with, or else CSV: an absolute path on the server, or {key}/name with a key of setup.etl_config, where '
  'the name matches without regard to case, and name.* is a file of any known type. Null for a command.';
COMMENT ON COLUMN setup.load_jobs.command IS
  'SQL that the job runs: one or more statements. Null for a file load.';
COMMENT ON COLUMN setup.load_jobs.load_order IS
  'Lower first: the order in a layer that runs in sequence, and among equally urgent jobs elsewhere. No dependency.';
COMMENT ON COLUMN setup.load_jobs.is_enabled IS 'Whether runs include the job.';
COMMENT ON COLUMN setup.load_jobs.depends_on IS
  'Jobs that must have ended OK before this one starts: job of the same layer, or layer.job of the same or an earlier '
  'one. Empty: the job follows the whole previous layer.';
COMMENT ON COLUMN setup.load_jobs.owner IS 'Role that the job runs as. Defaults to the current user.';
COMMENT ON COLUMN setup.load_jobs.transaction IS
  'single: all or nothing, in one transaction with its log row (exactly once); each: every statement commits by '
  'itself, procedures may COMMIT (at least once).';
COMMENT ON COLUMN setup.load_jobs.discovered_as IS
  'Kind of object that setup.seed_load_jobs() made the job from: table, procedure or materialized view. Null: made by '
  'hand.';
COMMENT ON COLUMN setup.load_jobs.priority IS
  'Higher first, among the jobs of a layer that could start; no dependency.';
COMMENT ON COLUMN setup.load_jobs.max_concurrent IS 'How often the job may run at the same time, in all runs together.';
COMMENT ON COLUMN setup.load_jobs.resources IS
  'Units that it takes of setup.resources while it runs, such as {"warehouse_io": 2}.';
COMMENT ON COLUMN setup.load_jobs.timeout IS
  'How long an attempt may take; then it is stopped (TIMED_OUT). Null: as its layer says.';
COMMENT ON COLUMN setup.load_jobs.statement_timeout IS
  'How long each statement of its command may take. Null: as its layer says, or the run, or its owner''s settings.';
COMMENT ON COLUMN setup.load_jobs.max_attempts IS
  'How often it is tried in a run, where its errors are worth it. Null: as its layer says, or 3.';
COMMENT ON COLUMN setup.load_jobs.retry_delay IS
  'Delay before the second attempt. Each delay is a random time between zero and this, so that jobs that failed '
  'together do not come back together. Null: as its layer says, or 1 second.';
COMMENT ON COLUMN setup.load_jobs.backoff_rate IS
  'How many times longer each delay is than the one before. Null: as its layer says, or 2.';
COMMENT ON COLUMN setup.load_jobs.max_retry_delay IS 'Longest delay. Null: as its layer says, or 5 minutes.';
COMMENT ON COLUMN setup.load_jobs.retry_on IS
  'Errors after which it is tried again, besides transient ones: SQLSTATEs (23505), classes of them (23), or '
  'transient, permanent, timeout, all. The most specific one that fits decides, also against never_retry_on. Null: as '
  'its layer says.';
COMMENT ON COLUMN setup.load_jobs.never_retry_on IS
  'Errors after which it is not tried again, in the same words as retry_on. Null: as its layer says.';
COMMENT ON COLUMN setup.load_jobs.shares_commit IS
  'Whether the job, when it is known to be short, may share a transaction with others (each in its own '
  'subtransaction).';
COMMENT ON COLUMN setup.load_jobs.location IS
  'Location that file_path is beneath; null: file_path is absolute. The owner needs the location, and no other right '
  'on files.';
COMMENT ON COLUMN setup.load_jobs.load_mode IS
  'Of files in a location: replace (all of them together replace the table''s content), append (each file once), or '
  'upsert (each file once, rows that are there already by key_columns are updated; of two rows of a file with the same '
  'key the later one counts).';
COMMENT ON COLUMN setup.load_jobs.key_columns IS
  'For upsert: the columns by which a row is known. The table needs a unique index on them.';
COMMENT ON COLUMN setup.load_jobs.skip_unchanged IS
  'For replace: do nothing while the files are those of the last load, and the table was not emptied since.';
COMMENT ON COLUMN setup.load_jobs.reader_options IS
  'How files are read: an object with any of format, compression, delimiter, quote, escape, header, skip, null_string, '
  'encoding, decimal_separator, date_format, timestamp_format, columns and new_columns (ignore: a column that the table '
  'has not is left out).';
COMMENT ON COLUMN setup.load_jobs.on_bad_row IS
  'fail: a row that does not fit fails its file; reject: it is put aside into a table {table}_rejects, which the job '
  'makes (of a table with a long name, its beginning and a hash of it stand for {table}). One that is there already must belong to the job''s owner, to the owner of the table, or to a superuser. '
  'Each load adds the rows that it finds; nothing removes them.';
COMMENT ON COLUMN setup.load_jobs.reject_limit IS
  'So many rows of a file may be put aside; with more it fails. Null: any number.';
COMMENT ON COLUMN setup.load_jobs.reject_share IS
  'Such a share of a file''s rows may be put aside, from 0 to 1; with more it fails. Null: any.';
COMMENT ON COLUMN setup.load_jobs.rescue_column IS
  'Column of type jsonb that takes what a file has in columns that the table has not; null: they are an error.';
COMMENT ON COLUMN setup.load_jobs.provenance IS
  'Whether to fill _source_file, _source_row and _loaded_at of the table: path and row that a row comes from, and '
  'when. Then rows of a file that has been replaced are deleted before it is loaded again: those whose _source_file and '
  '_loaded_at are of that load of this job.';
COMMENT ON COLUMN setup.load_jobs.crawler IS 'Crawler that made the job; null: none did.';
COMMENT ON COLUMN setup.load_jobs.owner_oid IS 'Role that owner names; follows from it when owner is written.';

-- What jobs may take together: so many units of each resource at the same time.
CREATE TABLE setup.resources (
  resource text PRIMARY KEY CHECK (resource <> '' AND octet_length(resource) <= 200 AND resource !~ '[[:cntrl:]]'),
  capacity integer NOT NULL CHECK (capacity >= 0)
);

COMMENT ON TABLE setup.resources IS
  'What jobs share: so many units at the same time, in all runs together. Made by setup.create_resource().';
COMMENT ON COLUMN setup.resources.resource IS 'Name of the resource, as in setup.load_jobs.resources.';
COMMENT ON COLUMN setup.resources.capacity IS
  'Units that jobs may take together. A job that takes more than that runs when no other takes any.';

-- What the engine remembers of jobs from one run to the next: kept apart from load_jobs, which belongs to the users.
CREATE TABLE setup.job_holds (
  layer      text NOT NULL,
  job_name   text NOT NULL,
  crashes    integer NOT NULL DEFAULT 0,
  hold       text CHECK (hold IN ('paused', 'quarantined')),
  held_since timestamptz,
  held_by    text,
  PRIMARY KEY (layer, job_name)
);

COMMENT ON TABLE setup.job_holds IS
  'Jobs that are held back: paused by setup.pause_job(), or quarantined after they took the server down again and '
  'again. setup.release_job() lets them go.';
COMMENT ON COLUMN setup.job_holds.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.job_holds.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.job_holds.crashes IS 'How often it took the server down since it last succeeded.';
COMMENT ON COLUMN setup.job_holds.hold IS 'paused or quarantined; null: it runs.';
COMMENT ON COLUMN setup.job_holds.held_since IS 'Since when it is held.';
COMMENT ON COLUMN setup.job_holds.held_by IS 'Who paused it; null: the engine held it.';

CREATE TABLE setup.job_history (
  layer       text NOT NULL,
  job_name    text NOT NULL,
  expected_ms double precision NOT NULL,
  successes   bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (layer, job_name)
);

COMMENT ON TABLE setup.job_history IS 'How long jobs take, as a moving average. Kept by the engine, for itself.';
COMMENT ON COLUMN setup.job_history.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.job_history.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.job_history.expected_ms IS 'Milliseconds that it is expected to take.';
COMMENT ON COLUMN setup.job_history.successes IS 'Runs in which it succeeded.';

CREATE TABLE setup.notifications (
  notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  topic           text NOT NULL,
  subject         text NOT NULL,
  message         text NOT NULL,
  attributes      jsonb NOT NULL DEFAULT '{}',
  run_id          bigint,
  layer           text,
  job_name        text,
  owner_oid       oid NOT NULL
);

COMMENT ON TABLE setup.notifications IS
  'What somebody should hear of. When a row is committed, channel etl_orchestrator is notified with its topic and '
  'number. Each role sees those about its own jobs and those of roles that it is a member of.';
COMMENT ON COLUMN setup.notifications.notification_id IS 'Number of the row.';
COMMENT ON COLUMN setup.notifications.created_at IS 'When it was written.';
COMMENT ON COLUMN setup.notifications.topic IS 'What it is about: quarantine, or the topic of a state machine''s task.';
COMMENT ON COLUMN setup.notifications.subject IS 'It in one line.';
COMMENT ON COLUMN setup.notifications.message IS 'What happened, and what can be done.';
COMMENT ON COLUMN setup.notifications.attributes IS 'MessageAttributes of the task that published it.';
COMMENT ON COLUMN setup.notifications.run_id IS 'Run that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.layer IS 'Layer of the job, or state machine, that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.job_name IS 'Job, or state of the machine, that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.owner_oid IS 'Role whose members may read it.';

SELECT pg_catalog.pg_extension_config_dump('setup.layers', '');
SELECT pg_catalog.pg_extension_config_dump('setup.etl_config', '');
SELECT pg_catalog.pg_extension_config_dump('setup.resources', '');
SELECT pg_catalog.pg_extension_config_dump('setup.load_jobs', '');
SELECT pg_catalog.pg_extension_config_dump('setup.job_holds', 'WHERE hold IS NOT NULL');
