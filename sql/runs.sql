-- Starting, waiting for and cancelling runs. The engine does the work: src/engine.

CREATE FUNCTION setup.start_run(
  layer text DEFAULT NULL, on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL,
  params jsonb DEFAULT '{}', jobs text[] DEFAULT NULL, upstream boolean DEFAULT false, downstream boolean DEFAULT false,
  priority integer DEFAULT 0, timeout interval DEFAULT NULL, statement_timeout interval DEFAULT NULL,
  if_running text DEFAULT 'queue'
) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_start_run';

CREATE FUNCTION setup.wait_run(run_id bigint, timeout interval DEFAULT NULL) RETURNS text
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_wait_run';

CREATE FUNCTION setup.cancel_run(run_id bigint) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_cancel_run';

CREATE FUNCTION setup.resume_run(
  run_id bigint, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false, downstream boolean DEFAULT false
) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_resume_run';

CREATE PROCEDURE setup.orchestrate_layer(
  layer text, on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_layer';

CREATE PROCEDURE setup.orchestrate_all(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_all';

CREATE PROCEDURE setup.orchestrate_bronze(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_bronze';

CREATE PROCEDURE setup.orchestrate_silver(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_silver';

CREATE PROCEDURE setup.orchestrate_gold(
  on_error text DEFAULT 'continue', max_parallel integer DEFAULT NULL, params jsonb DEFAULT '{}',
  dry_run boolean DEFAULT false, jobs text[] DEFAULT NULL, upstream boolean DEFAULT false,
  downstream boolean DEFAULT false, priority integer DEFAULT 0, timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL, if_running text DEFAULT 'queue'
) LANGUAGE c AS 'MODULE_PATHNAME', 'etl_orchestrate_gold';

