-- Extract, transform, load as three functions: setup/demo/state_machines/etl_pipeline.json.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
\o /dev/null
\ir ../../setup/demo/state_machines/etl_pipeline.sql
\o
\set ON_ERROR_STOP off
\set definition `cat ../../setup/demo/state_machines/etl_pipeline.json`
INSERT INTO staging.source_data VALUES ('item-001', 'One', 100, now() - interval '1 hour'), ('item-002', 'Two', 200, now()),
  ('item-003', 'Empty', NULL, now()), ('item-004', 'Old', 1, now() - interval '2 days');

CREATE FUNCTION told(OUT subject text, OUT message jsonb) LANGUAGE sql AS $$
  SELECT n.subject, n.message::jsonb FROM setup.notifications n ORDER BY n.notification_id DESC LIMIT 1 $$;

SELECT plan(13);
SELECT is_empty(format('SELECT * FROM setup.validate_state_machine(%L)', :'definition'), 'the definition is valid');
SELECT setup.create_state_machine('etl-pipeline', :'definition');
SELECT setup.start_execution('etl-pipeline');
SELECT is(output('etl-pipeline'), '{"status": "SUCCESS", "records": 2}', 'what is new, and complete, is loaded');
SELECT is((told()).message - 'workflowExecutionId', '{"status": "SUCCESS", "records": 2}', 'and told');
SELECT results_eq('SELECT id, is_large FROM staging.destination_data ORDER BY id', $$VALUES ('item-001', false), ('item-002', true)$$,
  'with a computed field');
SELECT is((SELECT string_agg(split_part(key, '/', 1) || ' ' || jsonb_array_length(data), ', ' ORDER BY key) FROM staging.batches),
  'extract 3, transform 2', 'each stage leaves what it made');
SELECT setup.start_execution('etl-pipeline');
SELECT is(output('etl-pipeline') ->> 'status', 'SUCCESS', 'it runs again');
SELECT is((SELECT count(*) FROM staging.destination_data), 2::bigint, 'and repeats nothing');
UPDATE staging.batches SET staged_at = now() - interval '31 days';
SELECT setup.start_execution('etl-pipeline');
SELECT is(output('etl-pipeline') ->> 'status', 'SUCCESS', 'and again');
SELECT is((SELECT count(*) FROM staging.batches), 2::bigint, 'what is older than 30 days goes');
ALTER TABLE staging.destination_data ADD CONSTRAINT small CHECK (value < 150) NOT VALID;
SELECT setup.start_execution('etl-pipeline');
SELECT is(error('etl-pipeline'), 'check_violation', 'a stage that fails lets the pipeline fail');
SELECT is((told()).subject || ((told()).message #>> '{error,Error}'), 'ETL Pipeline Failurecheck_violation', 'which is told');
SELECT matches((told()).message #>> '{error,Cause}', 'small', 'with the reason');
SELECT is((SELECT count(*) FROM setup.load_log WHERE run_id = (SELECT max(run_id) FROM setup.executions) AND job_name = 'Load'), 1::bigint,
  'an error that no retrier names is not retried');
SELECT * FROM finish();
