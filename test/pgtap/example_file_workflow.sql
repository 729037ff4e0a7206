-- The workflow of a file that arrives: setup/demo/state_machines/file_workflow.json. Its waits are made short.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif
CREATE ROLE taxi_owner LOGIN;
GRANT USAGE ON SCHEMA setup TO taxi_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SELECT setup.create_layer('bronze');
GRANT USAGE, CREATE ON SCHEMA bronze TO taxi_owner;
\! mkdir -p $FILES/raw/taxi $FILES/other && cd $FILES && printf 'id,fare\n1,2.5\n2,3\n' > raw/taxi/yellow_tripdata_2024-01.csv && printf 'id,fare\n3,9\n' > other/yellow.csv && printf 'PAR1' > raw/taxi/notes.txt && chmod -R a+rX .
\set url 'file://' :files
SELECT setup.create_location('oubt-datalake', :'url', file_types => '{csv,csv.gz,parquet}');
SELECT setup.grant_location('oubt-datalake', 'taxi_owner');
CREATE FUNCTION told(OUT subject text, OUT message jsonb) LANGUAGE sql AS $$
  SELECT n.subject, n.message::jsonb FROM setup.notifications n JOIN setup.executions e USING (run_id)
   WHERE n.topic = 'etl-pipeline-notifications' AND e.run_id = (SELECT max(run_id) FROM setup.executions) $$;
SET SESSION AUTHORIZATION taxi_owner;
CREATE TABLE bronze.trips (id integer, fare numeric);
SELECT setup.add_job('bronze', 'job-process-taxi-data', table_name => 'trips', location => 'oubt-datalake', file_path => 'raw/taxi/*.csv',
  load_mode => 'append', max_attempts => 2, retry_on => '{all}',
  retry_delay => '10 ms');
SELECT setup.create_crawler('crawler-taxi-raw', 'oubt-datalake', 'bronze', path => 'raw/taxi', table_prefix => 'catalog_');
\set definition `cat ../../setup/demo/state_machines/file_workflow.json`

SELECT plan(24);
SELECT is_empty(format('SELECT * FROM setup.validate_state_machine(%L)', :'definition'), 'the definition is valid as it is');
SELECT setup.create_state_machine('etl-pipeline-workflow', regexp_replace(:'definition', '("(Interval)?Seconds": )[0-9]+', '\11', 'g')::jsonb);

-- Success

SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "123456789012-oubt-datalake", "key": "raw/taxi/yellow_tripdata_2024-01.csv"}') AS run \gset
SELECT is(error('etl-pipeline-workflow'), 'SUCCEEDED', 'a file that is fine goes through');
SELECT results_eq('SELECT * FROM bronze.trips ORDER BY id', $$VALUES (1, 2.5), (2, 3)$$, 'is loaded');
SELECT isnt(to_regclass('bronze.catalog_yellow_tripdata')::text || to_regclass('bronze.catalog_taxi')::text, '', 'and cataloged');
SELECT is((told()).subject, 'ETL Pipeline Success', 'success is told');
SELECT is((told()).message - '{jobRunId,executionTimeSeconds,timestamp,workflowExecutionId}'::text[], '{"status": "SUCCESS",
  "message": "ETL pipeline completed successfully", "jobName": "job-process-taxi-data", "crawlerState": "READY",
  "bucket": "123456789012-oubt-datalake", "key": "raw/taxi/yellow_tripdata_2024-01.csv"}', 'with what was done');
SELECT ok((told()).message ->> 'jobRunId' ~ '^jr_[0-9]+$' AND (told()).message ->> 'workflowExecutionId' = :'run', 'and by which run');
SELECT is((SELECT count(*) FROM setup.notifications), 1::bigint, 'once');

-- The event of a bucket is an input, too, as far as validation goes

SELECT is(setup.handle_validate_input('{"Records": [{"s3": {"bucket": {"name": "oubt-datalake"}, "object": {"key": "raw/taxi/yellow%5Ftripdata_2024-01.csv"}}}]}')
  -> 'valid', 'true', 'an event names the file, too');

-- Input that is not valid

SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/nothing.csv"}');
SELECT is(error('etl-pipeline-workflow'), 'SUCCEEDED', 'a file that is missing ends the workflow');
SELECT is((told()).subject, 'ETL Pipeline Validation Failure', 'and is told');
SELECT is((told()).message #>> '{error,Error}', 'ValidationFailed', 'as what it is');
SELECT matches((told()).message #>> '{error,Cause}', 'does not exist', 'with what is wrong');
SELECT is((told()).message -> 'input', '{"bucket": "oubt-datalake", "key": "raw/taxi/nothing.csv"}', 'and the input');
SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "other/yellow.csv"}');
SELECT is(error('etl-pipeline-workflow') || (told()).subject, 'SUCCEEDEDETL Pipeline Validation Failure', 'so is one with another prefix');
SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/notes.txt"}');
SELECT is(error('etl-pipeline-workflow') || (told()).subject, 'SUCCEEDEDETL Pipeline Validation Failure', 'and one of another type');

-- A job that fails, after its retries

ALTER TABLE bronze.trips ADD CONSTRAINT cheap CHECK (fare < 100);
\! printf 'id,fare\n4,1000\n' > $FILES/raw/taxi/yellow_tripdata_2024-02.csv && chmod a+r $FILES/raw/taxi/*
SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/yellow_tripdata_2024-02.csv"}');
SELECT is(error('etl-pipeline-workflow'), 'SUCCEEDED', 'a job that fails ends the workflow');
SELECT is((SELECT max(attempt) FROM setup.load_log WHERE job_name = 'job-process-taxi-data' AND status = 'ERROR'), 2, 'after its retries');
SELECT is((told()).subject || ((told()).message ->> 'status'), 'ETL Pipeline FailureFAILED', 'and is told');
SELECT is((told()).message #>> '{error,Error}', 'States.TaskFailed', 'with the error');
SELECT matches(((told()).message #>> '{error,Cause}')::jsonb ->> 'ErrorMessage', 'could not be loaded', 'and its cause, the run of the job');

-- A crawler that fails: partial success

\! rm $FILES/raw/taxi/yellow_tripdata_2024-02.csv
SELECT setup.drop_crawler('crawler-taxi-raw');
SELECT setup.start_execution('etl-pipeline-workflow', '{"bucket": "oubt-datalake", "key": "raw/taxi/yellow_tripdata_2024-01.csv"}');
SELECT is(error('etl-pipeline-workflow'), 'SUCCEEDED', 'a crawler that fails does not fail the workflow');
SELECT is((told()).subject || ((told()).message ->> 'status'), 'ETL Pipeline Partial SuccessPARTIAL_SUCCESS', 'partial success is told');
SELECT is((told()).message #>> '{error,Error}', 'Glue.EntityNotFoundException', 'with what went wrong');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DELETE FROM setup.load_jobs;
DROP OWNED BY taxi_owner CASCADE;
DROP ROLE taxi_owner;
