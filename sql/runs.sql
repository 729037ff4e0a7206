-- Starting, waiting for and cancelling runs. The engine does the work: src/engine.

CREATE FUNCTION setup.start_run(
  layer text DEFAULT NULL, on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL,
  params jsonb DEFAULT '{}', jobs text[] DEFAULT NULL, upstream boolean DEFAULT false, downstream boolean DEFAULT false,
  priority integer DEFAULT 0, timeout interval DEFAULT NULL, statement_timeout interval DEFAULT NULL,
  if_running text DEFAULT 'queue'
) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_start_run';
COMMENT ON FUNCTION setup.start_run IS
  'Starts a run in the background and returns its run_id; it begins when the transaction commits. layer null: all. '
  'Validates first, like setup.orchestrate_all(), whose arguments it shares.';

CREATE FUNCTION setup.wait_run(run_id bigint, timeout interval DEFAULT NULL) RETURNS text
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_wait_run';
COMMENT ON FUNCTION setup.wait_run IS
  'Waits until a run has ended and returns its status, or after the timeout the present one (null: no timeout). Raises '
  'no_data_found for an unknown run, object_not_in_prerequisite_state where its start is not committed yet or it was '
  'copied together with its database, read_only_sql_transaction on a standby.';

CREATE FUNCTION setup.cancel_run(run_id bigint) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_cancel_run';
COMMENT ON FUNCTION setup.cancel_run IS
  'Cancels a run when the transaction commits: running jobs are stopped, others do not start. A notice if it has '
  'ended. Raises no_data_found for an unknown run.';

CREATE FUNCTION setup.resume_run(
  run_id bigint, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false, downstream boolean DEFAULT false
) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_resume_run';
COMMENT ON FUNCTION setup.resume_run IS
  'Runs again what has not succeeded in a run that has ended, in new attempts of the same run, when the transaction '
  'commits, with the commands as they were when the run started; with jobs, exactly these, succeeded or not, widened '
  'by upstream and downstream. Lets a run go on that was copied together with its database. Raises no_data_found for '
  'an unknown run, object_not_in_prerequisite_state for one that has not ended, insufficient_privilege where a job is '
  'somebody else''s.';

CREATE PROCEDURE setup.orchestrate_layer(
  layer text, on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_layer';
COMMENT ON PROCEDURE setup.orchestrate_layer IS 'Runs the jobs of one layer; otherwise like setup.orchestrate_all().';

CREATE PROCEDURE setup.orchestrate_all(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_all';
COMMENT ON PROCEDURE setup.orchestrate_all IS
  'Runs the jobs that the caller may run, layer by layer, and waits; reports each as a NOTICE. on_error: continue or '
  'stop; max_parallel: jobs at the same time; params: for setup.param(); dry_run: prints the plan only; jobs: exactly '
  'these, widened by upstream and downstream; priority: runs of higher priority come first; timeout: of the whole run; '
  'statement_timeout: of each statement, where neither job nor layer sets one; if_running: what to do while the same '
  'pipeline is running: queue, skip or error. Raises OR002 with every problem before anything runs, OR001 with every '
  'failed job, OR004 where it is running already, OR005 after its timeout, 25001 inside a transaction block. Ctrl-C '
  'cancels the run.';

CREATE PROCEDURE setup.orchestrate_bronze(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_bronze';
COMMENT ON PROCEDURE setup.orchestrate_bronze IS
  'Runs the jobs of layer bronze; otherwise like setup.orchestrate_all().';

CREATE PROCEDURE setup.orchestrate_silver(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_silver';
COMMENT ON PROCEDURE setup.orchestrate_silver IS
  'Runs the jobs of layer silver; otherwise like setup.orchestrate_all().';

CREATE PROCEDURE setup.orchestrate_gold(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_gold';
COMMENT ON PROCEDURE setup.orchestrate_gold IS 'Runs the jobs of layer gold; otherwise like setup.orchestrate_all().';
