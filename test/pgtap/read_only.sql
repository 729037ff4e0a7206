-- Transactions that may only read: what writes is refused there by its name, what reads goes on.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE FUNCTION returned() RETURNS text LANGUAGE sql AS $$SELECT 'returned'$$;
CREATE FUNCTION in_read_only(statement text) RETURNS text
  LANGUAGE plpgsql
  AS $$
BEGIN
  SET LOCAL transaction_read_only = on;
  EXECUTE statement;
  RAISE '%', returned();
EXCEPTION WHEN OTHERS THEN  -- takes the setting back, too
  RETURN CASE WHEN SQLERRM = returned() THEN '' ELSE SQLSTATE || ' ' END || SQLERRM;
END
$$;
CREATE FUNCTION handler(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';

SELECT setup.create_layer('bronze'), setup.create_location('files', :'files', writable => true),
  setup.add_job('bronze', 'job', 'SELECT 1'), setup.create_crawler('crawler', 'files', 'bronze'),
  setup.create_resource('resource', 1), setup.create_activity('activity'), setup.register_task_handler('handler', 'handler(jsonb)'),
  setup.create_state_machine('machine', '{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}');
CREATE TABLE bronze.data AS SELECT 1 AS id;
CALL setup.orchestrate_all();
SELECT last_run() AS run \gset

CREATE TABLE writers (name text, arguments text);
INSERT INTO writers VALUES
  ('add_job', $$'bronze', 'other', 'SELECT 1'$$), ('drop_job', $$'bronze', 'job'$$), ('pause_job', $$'bronze', 'job'$$),
  ('release_job', $$'bronze', 'job'$$), ('create_resource', $$'x', 1$$), ('drop_resource', $$'resource'$$),
  ('create_layer', $$'silver'$$), ('drop_layer', $$'bronze'$$), ('write_layer', $$'bronze', '{}'$$), ('write_job', $$'(bronze,x)'$$),
  ('create_location', $$'more', '/tmp'$$), ('drop_location', $$'files'$$), ('grant_location', $$'files', 'postgres'$$),
  ('revoke_location', $$'files', 'postgres'$$), ('create_crawler', $$'c', 'files', 'bronze'$$), ('write_crawler', $$'c', '{}'$$),
  ('drop_crawler', $$'crawler'$$), ('crawl', $$'crawler'$$), ('export_table', $$'bronze.data', 'files'$$), ('drop_expired_files', ''),
  ('reset_bookmark', $$'bronze', 'job'$$), ('reload_file', $$'bronze', 'job', 'a.csv'$$), ('seed_load_jobs', ''),
  ('import_orchestration_config', $$'{"silver_jobs": ["a"]}'$$), ('start_run', ''), ('cancel_run', '1'), ('resume_run', '1'),
  ('create_state_machine', $$'m', '{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}'$$), ('delete_state_machine', $$'machine'$$),
  ('start_execution', $$'machine'$$), ('stop_execution', '1'), ('redrive_execution', '1'), ('send_task_success', $$'token'$$),
  ('send_task_failure', $$'token'$$), ('send_task_heartbeat', $$'token'$$), ('register_task_handler', $$'x', 'handler(jsonb)'$$),
  ('unregister_task_handler', $$'handler'$$), ('create_activity', $$'x'$$), ('delete_activity', $$'activity'$$),
  ('get_activity_task', $$'activity'$$), ('schedule', $$'x', '* * * * *'$$), ('unschedule', $$'x'$$),
  ('make_partitions', $$'2020-01-01'$$), ('drop_history', $$'2020-01-01'$$);
CREATE TABLE readers (name text, arguments text);
INSERT INTO readers VALUES
  ('wait_run', :'run'), ('run_plan', ''), ('why_waiting', :'run'), ('running_attempts', ''), ('location_files', $$'files'$$),
  ('validate_file', $$'files', 'a.csv'$$), ('is_crawling', $$'crawler'$$), ('crawl', $$'crawler', true$$),
  ('data_set_files', $$'{base}/a.*'$$), ('require_location_use', $$'files', 10$$), ('handle_validate_input', $$'{"bucket": "files"}'$$);

SELECT plan(6);

SELECT is_empty($$SELECT w.name, in_read_only(format(CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END || ' setup.%s(%s)',
                                                     w.name, w.arguments))
                    FROM writers w JOIN pg_proc p ON p.pronamespace = 'setup'::regnamespace AND p.proname = w.name
                   WHERE in_read_only(format(CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END || ' setup.%s(%s)',
                                             w.name, w.arguments))
                         <> '25006 cannot execute setup.' || w.name || '() in a read-only transaction'$$,
  'what writes says that it cannot');
SELECT is_empty($$SELECT name, arguments, in_read_only(format('SELECT setup.%s(%s)', name, arguments)) FROM readers
                   WHERE in_read_only(format('SELECT setup.%s(%s)', name, arguments)) LIKE '25006%'$$,
  'what reads does so');
SELECT set_eq($$SELECT proname FROM pg_proc WHERE pronamespace = 'setup'::regnamespace AND provolatile = 'v'
                   AND prorettype <> 'trigger'::regtype$$,
  $$SELECT name FROM writers UNION SELECT name FROM readers UNION SELECT unnest(ARRAY[
      'attach_view', 'make_load_jobs_view', 'make_load_log_view',  -- for the two above
      'orchestrate_all', 'orchestrate_layer', 'orchestrate_bronze', 'orchestrate_silver', 'orchestrate_gold', 'run_execution',
      'test_state', 'raise_error', 'handle_start_crawlers'])$$, 'these are all functions');
SELECT is((SELECT string_agg(job_name, ' ') FROM setup.load_jobs), 'job', 'and nothing was written');

-- The whole session, database or server

\setenv DB :DBNAME
\set output `psql -XqAtd "$DB" -c 'SET default_transaction_read_only = on' -c 'CALL setup.orchestrate_all()' 2>&1`
SELECT is(:'output'::text, 'ERROR:  cannot execute CALL in a read-only transaction', 'nothing can be run either');
ALTER DATABASE :"DBNAME" SET default_transaction_read_only = on;
\set output `psql -XqAtd "$DB" -c 'SET default_transaction_read_only = off' -c 'SET etl_orchestrator.progress = layer' -c 'CALL setup.orchestrate_all()' 2>&1`
SELECT alike(:'output'::text, '%OK: 1 job%', 'a database that is read-only by default does not hinder the engine');
ALTER DATABASE :"DBNAME" RESET default_transaction_read_only;

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
