-- Tables. Who may see or write which row stands in security.sql, what the columns mean in comments.sql.

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

CREATE TABLE setup.etl_config (
  config_key   text PRIMARY KEY CHECK (config_key <> ''),
  config_value text NOT NULL
);

-- Directories with files, what of them is read, and who may use them: locations.sql.
CREATE TABLE setup.locations (
  location_name   text PRIMARY KEY
                  CHECK (location_name <> '' AND octet_length(location_name) < 64 AND location_name !~ '[[:cntrl:]]'),
  url             text NOT NULL CHECK (url LIKE 'file:///%' AND octet_length(url) < 4096),
  file_types      text[] CHECK (file_types <> '{}' AND file_types <@
                    ARRAY['csv', 'csv.gz', 'json', 'json.gz', 'ndjson', 'ndjson.gz', 'parquet']),
  name_pattern    text CHECK (name_pattern <> '' AND octet_length(name_pattern) <= 1000),
  exclusions      text[] NOT NULL DEFAULT '{}'
                  CHECK (array_position(exclusions, NULL) IS NULL AND cardinality(exclusions) <= 1000
                         AND octet_length(array_to_string(exclusions, '')) <= 100000),
  min_size        bigint CHECK (min_size >= 0),
  max_size        bigint CHECK (max_size >= 0),
  stable_for      interval NOT NULL DEFAULT '0' CHECK (stable_for >= '0' AND stable_for <= '10 years'),
  watch           boolean NOT NULL DEFAULT false,
  rescan_interval interval CHECK (rescan_interval > '0' AND rescan_interval <= '10 years'),
  owner           text NOT NULL DEFAULT current_user,
  owner_oid       oid NOT NULL DEFAULT 0,
  CONSTRAINT locations_sizes CHECK (min_size <= max_size)
);

CREATE TABLE setup.location_grants (
  location_name text NOT NULL REFERENCES setup.locations ON DELETE CASCADE,
  grantee       text NOT NULL,
  grantee_oid   oid NOT NULL DEFAULT 0,
  PRIMARY KEY (location_name, grantee)
);

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

-- What jobs may take together: so many units of each resource at the same time.
CREATE TABLE setup.resources (
  resource text PRIMARY KEY CHECK (resource <> '' AND octet_length(resource) <= 200 AND resource !~ '[[:cntrl:]]'),
  capacity integer NOT NULL CHECK (capacity >= 0)
);

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

CREATE TABLE setup.job_history (
  layer       text NOT NULL,
  job_name    text NOT NULL,
  expected_ms double precision NOT NULL,
  successes   bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (layer, job_name)
);

-- Runs, their plans and their log are partitioned by the time at which the run was asked for, so that history leaves
-- by dropping tables: history.sql. Every row carries that time, which makes it part of each key.
CREATE SEQUENCE setup.run_ids;
CREATE SEQUENCE setup.log_ids;

CREATE TABLE setup.load_runs (
  run_id            bigint NOT NULL DEFAULT nextval('setup.run_ids'),
  status            text NOT NULL DEFAULT 'QUEUED'
                    CHECK (status IN ('QUEUED', 'RUNNING', 'OK', 'ERROR', 'SKIPPED', 'CANCELLED', 'TIMED_OUT')),
  layer             text,
  started_by        text NOT NULL,
  requested_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at        timestamptz,
  finished_at       timestamptz,
  jobs_total        integer NOT NULL,
  jobs_ok           integer NOT NULL DEFAULT 0,
  jobs_failed       integer NOT NULL DEFAULT 0,
  jobs_skipped      integer NOT NULL DEFAULT 0,
  message           text,
  params            jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(params) = 'object'),
  on_error          text NOT NULL DEFAULT 'continue' CHECK (on_error IN ('continue', 'stop')),
  max_parallel      integer CHECK (max_parallel > 0),
  priority          integer NOT NULL DEFAULT 0,
  timeout           interval CHECK (timeout > '0' AND isfinite(timeout)),
  statement_timeout interval CHECK (statement_timeout > '0' AND isfinite(statement_timeout)),
  if_running        text NOT NULL DEFAULT 'queue' CHECK (if_running IN ('queue', 'skip', 'error')),
  pipeline          text NOT NULL,
  resumed           integer NOT NULL DEFAULT 0,
  started_by_oid    oid NOT NULL,
  database_oid      oid NOT NULL,
  PRIMARY KEY (run_id, requested_at),
  CHECK ((finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING')))
) PARTITION BY RANGE (requested_at);

-- The conductor asks for these at every wake-up for new work.
CREATE INDEX load_runs_unfinished ON setup.load_runs (run_id) WHERE finished_at IS NULL;

-- Requests for cancellation, apart from the runs: a request that is not committed must not hold up the conductor.
CREATE TABLE setup.run_cancellations (
  run_id       bigint NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX run_cancellations_by_run ON setup.run_cancellations (run_id);

-- The plan of a run as it was when the run was started: what recovery and workers read. Where a column is null, neither
-- the job nor its layer says anything.
CREATE TABLE setup.run_steps (
  run_id               bigint NOT NULL,
  run_at               timestamptz NOT NULL,
  step_id              integer NOT NULL,
  layer_no             integer NOT NULL,
  layer                text NOT NULL,
  in_sequence          boolean NOT NULL,
  job_name             text NOT NULL,
  owner                text NOT NULL,
  owner_oid            oid NOT NULL,
  load_order           integer NOT NULL,
  depends_on           integer[] NOT NULL,
  follows_layer        boolean NOT NULL,
  table_name           text,
  file_path            text,
  command              text,
  transaction          text NOT NULL,
  discovered_as        text,
  priority             integer NOT NULL,
  max_concurrent       integer NOT NULL,
  resources            jsonb NOT NULL,
  layer_timeout_ms     bigint,
  timeout_ms           bigint,
  statement_timeout_ms bigint,
  max_attempts         integer,
  retry_delay_ms       bigint,
  backoff_rate         double precision,
  max_retry_delay_ms   bigint,
  retry_on             text[],
  never_retry_on       text[],
  shares_commit        boolean NOT NULL,
  expected_ms          double precision,
  location             text,
  load_mode            text NOT NULL,
  key_columns          text[],
  skip_unchanged       boolean NOT NULL,
  reader_options       jsonb NOT NULL,
  on_bad_row           text NOT NULL,
  reject_limit         bigint,
  reject_share         double precision,
  rescue_column        text,
  provenance           boolean NOT NULL,
  round                integer NOT NULL DEFAULT 0,
  attempts_before      integer NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, step_id, run_at)
) PARTITION BY RANGE (run_at);

CREATE TABLE setup.load_log (
  log_id      bigint NOT NULL DEFAULT nextval('setup.log_ids'),
  run_id      bigint NOT NULL,
  layer       text NOT NULL,
  job_name    text NOT NULL,
  attempt     integer NOT NULL,
  status      text NOT NULL CHECK (status IN ('OK', 'ERROR', 'SKIPPED', 'CANCELLED', 'TIMED_OUT')),
  table_name  text,
  file_path   text,
  rows_loaded bigint,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  duration_ms numeric(14, 3) NOT NULL,
  sqlstate    text,
  message     text,
  detail      text,
  hint        text,
  context     text,
  notices     text[],
  retry_at    timestamptz,
  delivery    text NOT NULL DEFAULT 'exactly once' CHECK (delivery IN ('exactly once', 'at least once')),
  owner       text NOT NULL,
  step_id     integer NOT NULL,
  round       integer NOT NULL,
  owner_oid   oid NOT NULL,
  run_at      timestamptz NOT NULL,
  PRIMARY KEY (run_id, log_id, run_at)
) PARTITION BY RANGE (run_at);

-- Exactly once: a step of a run succeeds one time in each round. The second of two attempts that both reach their end
-- fails here, and its effect is rolled back with its row.
CREATE UNIQUE INDEX load_log_one_success ON setup.load_log (run_id, step_id, round, run_at) WHERE status = 'OK';

CREATE TABLE setup.notifications (
  notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  topic           text NOT NULL,
  subject         text NOT NULL,
  message         text NOT NULL,
  run_id          bigint,
  layer           text,
  job_name        text,
  owner_oid       oid NOT NULL
);

SELECT pg_catalog.pg_extension_config_dump('setup.layers', '');
SELECT pg_catalog.pg_extension_config_dump('setup.etl_config', '');
SELECT pg_catalog.pg_extension_config_dump('setup.resources', '');
SELECT pg_catalog.pg_extension_config_dump('setup.locations', '');
SELECT pg_catalog.pg_extension_config_dump('setup.location_grants', '');
SELECT pg_catalog.pg_extension_config_dump('setup.load_jobs', '');
SELECT pg_catalog.pg_extension_config_dump('setup.job_holds', 'WHERE hold IS NOT NULL');
