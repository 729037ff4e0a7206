-- Runs the state machines whose definitions are in state_machines/.
--
--   psql -d warehouse -f setup/demo/state_machines.sql -v definitions=DIR     the absolute path of state_machines
--     -v lake=DIR        a directory with raw/taxi/, for the workflow of a file that arrives
--     -v workshop=DIR    a directory that the server may write to, for the workshop's pipeline
--
-- Without lake and workshop these two are left out.

\set ON_ERROR_STOP on
\if :{?definitions}
\else
  DO $$
  BEGIN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'the directory of the definitions is not given',
      HINT = 'Call psql with -v definitions=DIRECTORY, the absolute path of state_machines.';
  END
  $$;
\endif
\setenv DEFINITIONS :definitions

-- All layers, one after the other: their jobs, then a check of their tables.

\set definition `cat "$DEFINITIONS"/bootstrap_orchestration.json`
SELECT setup.create_state_machine('bootstrap-orchestration', :'definition') AS version;

SELECT jsonb_build_object('layers', jsonb_agg(layer ORDER BY position)) AS input
FROM (SELECT l.position, jsonb_build_object(
        'database', l.layer,
        'concurrency', CASE WHEN l.layer = 'gold' THEN 1 ELSE 0 END,
        'jobs', jsonb_agg(j.layer || '.' || j.job_name ORDER BY j.load_order, j.job_name),
        'tables', coalesce(jsonb_agg(j.table_name ORDER BY j.table_name) FILTER (WHERE j.table_name NOT LIKE '%.%'), '[]'),
        'crawlers', '[]'::jsonb) AS layer
      FROM setup.layers l JOIN setup.load_jobs j USING (layer) WHERE j.is_enabled GROUP BY l.layer, l.position) layers
\gset

CALL setup.run_execution('bootstrap-orchestration', :'input');

-- Extract, transform, load: three functions that hand each other keys.

\ir state_machines/etl_pipeline.sql
INSERT INTO staging.source_data VALUES ('item-001', 'Test Item 1', 100, now() - interval '1 hour'),
  ('item-002', 'Test Item 2', 200, now()) ON CONFLICT DO NOTHING;

\set definition `cat "$DEFINITIONS"/etl_pipeline.json`
SELECT setup.create_state_machine('etl-pipeline', :'definition') AS version;
CALL setup.run_execution('etl-pipeline');

-- A file that has arrived. Crawlers have crawled when their task ends here: the waits for them are made short.

\if :{?lake}
\ir state_machines/file_workflow.sql
\set definition `sed -E 's/"Seconds": [0-9]+/"Seconds": 1/' "$DEFINITIONS"/file_workflow.json`
SELECT setup.create_state_machine('etl-pipeline-workflow', :'definition') AS version;
CALL setup.run_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/yellow_tripdata_2024-01.csv"}');
CALL setup.run_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/missing.csv"}');
\endif

-- Files, crawlers, jobs, and a query that validates.

\if :{?workshop}
\ir state_machines/workshop_pipeline.sql
\set definition `sed -E 's/"Seconds": [0-9]+/"Seconds": 1/' "$DEFINITIONS"/workshop_pipeline.json`
SELECT setup.create_state_machine('workshop-pipeline', :'definition') AS version;
CALL setup.run_execution('workshop-pipeline');
\endif

SELECT state_machine, status, output FROM setup.executions ORDER BY run_id;
SELECT topic, subject, message FROM setup.notifications ORDER BY notification_id;
