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
  state_machine     text,
  PRIMARY KEY (run_id, requested_at),
  CHECK ((finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING')))
) PARTITION BY RANGE (requested_at);

COMMENT ON TABLE setup.load_runs IS
  'The runs, one row each, written by the engine. Each role sees those that it started, and those of roles that it is '
  'a member of.';
COMMENT ON COLUMN setup.load_runs.run_id IS 'Number of the run.';
COMMENT ON COLUMN setup.load_runs.status IS
  'QUEUED, RUNNING, OK, ERROR, SKIPPED (the same pipeline was running), CANCELLED or TIMED_OUT.';
COMMENT ON COLUMN setup.load_runs.layer IS 'Layer that was asked for; null: all.';
COMMENT ON COLUMN setup.load_runs.started_by IS 'Role that asked for the run.';
COMMENT ON COLUMN setup.load_runs.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN setup.load_runs.started_at IS 'When the conductor took it up; null: not yet.';
COMMENT ON COLUMN setup.load_runs.finished_at IS 'When it ended; null: not yet.';
COMMENT ON COLUMN setup.load_runs.jobs_total IS 'Jobs in the run.';
COMMENT ON COLUMN setup.load_runs.jobs_ok IS 'Jobs that ended OK; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.jobs_failed IS 'Jobs that failed or were cancelled; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.jobs_skipped IS 'Jobs that did not start; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.message IS
  'What went wrong beside the jobs themselves, such as missing tables; null: nothing.';
COMMENT ON COLUMN setup.load_runs.params IS 'Parameters, for setup.param() in the jobs.';
COMMENT ON COLUMN setup.load_runs.on_error IS
  'continue: whatever does not depend on a failure still runs; stop: nothing new starts after the first failure.';
COMMENT ON COLUMN setup.load_runs.max_parallel IS
  'Largest number of jobs of the run at the same time; null: no limit of its own.';
COMMENT ON COLUMN setup.load_runs.priority IS 'Runs of higher priority are served first.';
COMMENT ON COLUMN setup.load_runs.timeout IS 'How long the run may take; null: no limit.';
COMMENT ON COLUMN setup.load_runs.statement_timeout IS
  'Of statements, where neither job nor layer sets one; null: none.';
COMMENT ON COLUMN setup.load_runs.if_running IS
  'What it does while the same pipeline is running: queue, skip or error.';
COMMENT ON COLUMN setup.load_runs.pipeline IS
  'What was asked for. Two runs are of the same pipeline if that is the same and they have a job in common.';
COMMENT ON COLUMN setup.load_runs.resumed IS 'How often the run was resumed.';
COMMENT ON COLUMN setup.load_runs.started_by_oid IS 'Role that started_by names.';
COMMENT ON COLUMN setup.load_runs.database_oid IS
  'Database in which it was started. In a copy of that database it waits for setup.resume_run().';

COMMENT ON COLUMN setup.load_runs.state_machine IS 'State machine whose execution it is; null: a run of jobs.';

-- The conductor asks for these at every wake-up for new work.
CREATE INDEX load_runs_unfinished ON setup.load_runs (run_id) WHERE finished_at IS NULL AND state_machine IS NULL;

-- Requests for cancellation, apart from the runs: a request that is not committed must not hold up the conductor.
CREATE TABLE setup.run_cancellations (
  run_id       bigint NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE setup.run_cancellations IS
  'Runs whose cancellation was asked for. Written by setup.cancel_run() and by Ctrl-C.';
COMMENT ON COLUMN setup.run_cancellations.run_id IS 'Run to be cancelled.';
COMMENT ON COLUMN setup.run_cancellations.requested_at IS 'When it was asked for.';
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

COMMENT ON TABLE setup.run_steps IS
  'The plan of each run as it was when the run started: its jobs, one row each. Written by the engine; what workers '
  'run and what a restarted server goes on with.';
COMMENT ON COLUMN setup.run_steps.run_id IS 'Run that the step belongs to.';
COMMENT ON COLUMN setup.run_steps.run_at IS 'requested_at of the run.';
COMMENT ON COLUMN setup.run_steps.step_id IS 'Number of the step in its run, from 0.';
COMMENT ON COLUMN setup.run_steps.layer_no IS 'Place of its layer in the run, from 0.';
COMMENT ON COLUMN setup.run_steps.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.run_steps.in_sequence IS 'Whether the layer runs one job at a time.';
COMMENT ON COLUMN setup.run_steps.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.run_steps.owner IS 'Role that the job runs as.';
COMMENT ON COLUMN setup.run_steps.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.run_steps.load_order IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.depends_on IS 'Steps of the run that must have ended OK before.';
COMMENT ON COLUMN setup.run_steps.follows_layer IS
  'Whether the job follows the whole previous layer, having no dependencies.';
COMMENT ON COLUMN setup.run_steps.table_name IS 'Table that the job declares, with its schema; null: none.';
COMMENT ON COLUMN setup.run_steps.file_path IS 'File that is loaded; null for a command.';
COMMENT ON COLUMN setup.run_steps.command IS 'SQL that is run; null for a file load.';
COMMENT ON COLUMN setup.run_steps.transaction IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.discovered_as IS
  'As in setup.load_jobs; the object must still be its owner''s when it runs.';
COMMENT ON COLUMN setup.run_steps.priority IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.max_concurrent IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.resources IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.layer_timeout_ms IS 'How long its layer may take, in milliseconds; null: no limit.';
COMMENT ON COLUMN setup.run_steps.timeout_ms IS 'How long an attempt may take, in milliseconds; null: no limit.';
COMMENT ON COLUMN setup.run_steps.statement_timeout_ms IS
  'Of each statement, in milliseconds; null: as the owner''s settings say.';
COMMENT ON COLUMN setup.run_steps.max_attempts IS 'As the job or its layer says; null: 3.';
COMMENT ON COLUMN setup.run_steps.retry_delay_ms IS 'As the job or its layer says; null: 1000.';
COMMENT ON COLUMN setup.run_steps.backoff_rate IS 'As the job or its layer says; null: 2.';
COMMENT ON COLUMN setup.run_steps.max_retry_delay_ms IS 'As the job or its layer says; null: 300000.';
COMMENT ON COLUMN setup.run_steps.retry_on IS 'As the job or its layer says.';
COMMENT ON COLUMN setup.run_steps.never_retry_on IS 'As the job or its layer says.';
COMMENT ON COLUMN setup.run_steps.shares_commit IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.expected_ms IS
  'How long it was expected to take, in milliseconds; null: it had never succeeded.';
COMMENT ON COLUMN setup.run_steps.location IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.load_mode IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.key_columns IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.skip_unchanged IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reader_options IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.on_bad_row IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reject_limit IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reject_share IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.rescue_column IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.provenance IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.round IS 'How often setup.resume_run() has opened the step again.';
COMMENT ON COLUMN setup.run_steps.attempts_before IS 'Attempts before the present round.';

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

COMMENT ON TABLE setup.load_log IS
  'The attempts that have ended, one row each, written by the engine; the row of a success commits together with its '
  'effect. Each role sees its own jobs and those of roles that it is a member of. Live states: setup.load_runs.';
COMMENT ON COLUMN setup.load_log.log_id IS 'Number of the row.';
COMMENT ON COLUMN setup.load_log.run_id IS 'Run that the attempt belongs to.';
COMMENT ON COLUMN setup.load_log.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.load_log.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.load_log.attempt IS 'Number of the attempt, from 1; 0: the job was skipped.';
COMMENT ON COLUMN setup.load_log.status IS 'OK, ERROR, SKIPPED, CANCELLED or TIMED_OUT.';
COMMENT ON COLUMN setup.load_log.table_name IS 'Table that the job declares, with its schema; null: none.';
COMMENT ON COLUMN setup.load_log.file_path IS 'File that was loaded; null for a command.';
COMMENT ON COLUMN setup.load_log.rows_loaded IS
  'Rows inserted and updated in the declared table, or without one by all statements (but not by their WITH clauses); '
  'null where the attempt did not succeed.';
COMMENT ON COLUMN setup.load_log.started_at IS 'When the attempt began; for a skipped job, when it was skipped.';
COMMENT ON COLUMN setup.load_log.finished_at IS 'When it ended, just before its commit.';
COMMENT ON COLUMN setup.load_log.duration_ms IS
  'From start to end, in milliseconds; right also where the clock was set meanwhile.';
COMMENT ON COLUMN setup.load_log.sqlstate IS 'SQLSTATE of the error; null where there was none.';
COMMENT ON COLUMN setup.load_log.message IS
  'Message of the error, reason of a skip, or a note on a success; null: none.';
COMMENT ON COLUMN setup.load_log.detail IS 'Detail of the error; null: none.';
COMMENT ON COLUMN setup.load_log.hint IS 'Hint of the error; null: none.';
COMMENT ON COLUMN setup.load_log.context IS 'Where in the command the error was raised; null: nothing to tell.';
COMMENT ON COLUMN setup.load_log.notices IS
  'NOTICEs and WARNINGs that the attempt raised, as its client_min_messages let them pass; the first 20. Null: none.';
COMMENT ON COLUMN setup.load_log.retry_at IS 'After a failure: when the next attempt may start; null: there is none.';
COMMENT ON COLUMN setup.load_log.delivery IS
  'exactly once, or at least once for a job whose statements commit by themselves: a crash can make it run again.';
COMMENT ON COLUMN setup.load_log.owner IS 'Role that the job ran as.';
COMMENT ON COLUMN setup.load_log.step_id IS 'Step of the run, as in setup.run_steps.';
COMMENT ON COLUMN setup.load_log.round IS 'How often setup.resume_run() had opened the step before.';
COMMENT ON COLUMN setup.load_log.owner_oid IS 'Role that owner names.';
COMMENT ON COLUMN setup.load_log.run_at IS 'requested_at of the run; the table is partitioned by it.';

-- Exactly once: a step of a run succeeds one time in each round. The second of two attempts that both reach their end
-- fails here, and its effect is rolled back with its row.
CREATE UNIQUE INDEX load_log_one_success ON setup.load_log (run_id, step_id, round, run_at) WHERE status = 'OK';

-- Runs stay behind when a database is dumped, but what files say of them comes along: their numbers are not used again.
SELECT pg_catalog.pg_extension_config_dump('setup.run_ids', '');
