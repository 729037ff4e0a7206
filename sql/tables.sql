-- Tables. Who may see or write which row stands in security.sql, what the columns mean in comments.sql.

CREATE TABLE setup.layers (
  layer     text PRIMARY KEY CHECK (layer <> '' AND octet_length(layer) < 64 AND layer !~ '[[:cntrl:]]'),
  position  integer NOT NULL UNIQUE,
  execution text NOT NULL DEFAULT 'parallel' CHECK (execution IN ('parallel', 'sequence'))
);

CREATE TABLE setup.etl_config (
  config_key   text PRIMARY KEY CHECK (config_key <> ''),
  config_value text NOT NULL
);

CREATE TABLE setup.load_jobs (
  layer         text NOT NULL REFERENCES setup.layers,
  job_name      text NOT NULL CHECK (job_name <> '' AND octet_length(job_name) <= 200 AND job_name !~ '[[:cntrl:]]'),
  table_name    text CHECK (table_name <> '' AND octet_length(table_name) <= 300),
  file_path     text CHECK (file_path <> '' AND octet_length(file_path) < 4096),
  command       text CHECK (btrim(command) <> '' AND octet_length(command) <= 1048576),
  load_order    integer NOT NULL DEFAULT 100,
  is_enabled    boolean NOT NULL DEFAULT true,
  depends_on    text[] NOT NULL DEFAULT '{}'
                CHECK (array_position(depends_on, NULL) IS NULL AND cardinality(depends_on) <= 10000),
  owner         text NOT NULL DEFAULT current_user,
  transaction   text NOT NULL DEFAULT 'single' CHECK (transaction IN ('single', 'each')),
  discovered_as text CHECK (discovered_as IN ('table', 'procedure', 'materialized view')),
  owner_oid     oid NOT NULL DEFAULT 0,
  PRIMARY KEY (layer, job_name),
  CONSTRAINT load_jobs_does_one_thing CHECK (num_nonnulls(command, file_path) = 1),
  CONSTRAINT load_jobs_file_has_table CHECK (file_path IS NULL OR table_name IS NOT NULL),
  CONSTRAINT load_jobs_file_is_single CHECK (file_path IS NULL OR transaction = 'single')
);

CREATE TABLE setup.load_runs (
  run_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  status           text NOT NULL DEFAULT 'QUEUED'
                   CHECK (status IN ('QUEUED', 'RUNNING', 'OK', 'ERROR', 'CANCELLED', 'TIMED_OUT')),
  layer            text,
  started_by       text NOT NULL,
  requested_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at       timestamptz,
  finished_at      timestamptz,
  jobs_total       integer NOT NULL,
  jobs_ok          integer NOT NULL DEFAULT 0,
  jobs_failed      integer NOT NULL DEFAULT 0,
  jobs_skipped     integer NOT NULL DEFAULT 0,
  message          text,
  params           jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(params) = 'object'),
  on_error         text NOT NULL DEFAULT 'continue' CHECK (on_error IN ('continue', 'stop')),
  max_parallel     integer CHECK (max_parallel > 0),
  started_by_oid   oid NOT NULL,
  CHECK ((finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING')))
);

-- The conductor asks for these at every wake-up for new work.
CREATE INDEX load_runs_unfinished ON setup.load_runs (run_id) WHERE finished_at IS NULL;

-- Requests for cancellation, apart from the runs: a request that is not committed must not hold up the conductor.
CREATE TABLE setup.run_cancellations (
  run_id       bigint NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX run_cancellations_by_run ON setup.run_cancellations (run_id);

-- The plan of a run as it was when the run was started: what recovery and workers read.
CREATE TABLE setup.run_steps (
  run_id         bigint NOT NULL REFERENCES setup.load_runs ON DELETE CASCADE,
  step_id        integer NOT NULL,
  layer_no       integer NOT NULL,
  layer          text NOT NULL,
  in_sequence    boolean NOT NULL,
  job_name       text NOT NULL,
  owner          text NOT NULL,
  owner_oid      oid NOT NULL,
  load_order     integer NOT NULL,
  depends_on     integer[] NOT NULL,
  follows_layer  boolean NOT NULL,
  table_name     text,
  file_path      text,
  command        text,
  transaction    text NOT NULL,
  discovered_as  text,
  PRIMARY KEY (run_id, step_id)
);

CREATE TABLE setup.load_log (
  log_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id      bigint NOT NULL,
  layer       text NOT NULL,
  job_name    text NOT NULL,
  attempt     integer NOT NULL,
  status      text NOT NULL CHECK (status IN ('OK', 'ERROR', 'SKIPPED', 'CANCELLED', 'TIMED_OUT')),
  table_name  text,
  file_path   text,
  rows_loaded bigint,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration_ms numeric(14, 3) NOT NULL
              GENERATED ALWAYS AS (extract(epoch FROM finished_at - started_at) * 1000) STORED,
  sqlstate    text,
  message     text,
  detail      text,
  hint        text,
  context     text,
  delivery    text NOT NULL DEFAULT 'exactly once' CHECK (delivery IN ('exactly once', 'at least once')),
  owner       text NOT NULL,
  step_id     integer NOT NULL,
  owner_oid   oid NOT NULL
);

-- Exactly once: a step of a run succeeds one time. The second of two attempts that both reach their end fails here,
-- and its effect is rolled back with its row.
CREATE UNIQUE INDEX load_log_one_success ON setup.load_log (run_id, step_id) WHERE status = 'OK';
CREATE INDEX load_log_by_run ON setup.load_log (run_id, log_id);

SELECT pg_catalog.pg_extension_config_dump('setup.layers', '');
SELECT pg_catalog.pg_extension_config_dump('setup.etl_config', '');
SELECT pg_catalog.pg_extension_config_dump('setup.load_jobs', '');

