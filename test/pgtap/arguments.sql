-- Arguments that cannot be: each is refused by a sentence that stands for itself.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE FUNCTION handler(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT setup.create_layer('bronze'), setup.add_job('bronze', 'job', 'SELECT 1');

-- As caught(), but for the context.
CREATE FUNCTION context_of(statement text) RETURNS text
  LANGUAGE plpgsql
  AS $$
DECLARE
  context text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
  RETURN context;
END
$$;

SELECT plan(33);

-- Null, or empty

CREATE TABLE nulls (statement text, argument text);
INSERT INTO nulls VALUES
  ('add_job(NULL, ''a'', ''SELECT 1'')', 'layer'), ('add_job(''bronze'', NULL, ''SELECT 1'')', 'job_name'), ('drop_job(NULL, ''a'')', 'layer'),
  ('drop_job(''bronze'', NULL)', 'job_name'), ('pause_job(NULL, ''a'')', 'layer'), ('release_job(''bronze'', NULL)', 'job_name'),
  ('create_resource(''x'', NULL)', 'capacity'), ('create_resource('''', 1)', 'resource'), ('drop_resource(NULL)', 'resource'),
  ('create_layer(NULL)', 'layer'), ('drop_layer(NULL)', 'layer'), ('check_tables(NULL)', 'layer'), ('create_location(NULL)', 'name'),
  ('drop_location(NULL)', 'name'), ('grant_location(''x'', NULL)', 'role_name'), ('location_files(NULL)', 'location'),
  ('create_crawler(NULL)', 'name'), ('drop_crawler(NULL)', 'name'), ('crawl(NULL)', 'name'),
  ('export_table(NULL, ''x'')', 'table_name'), ('reset_bookmark(NULL, ''x'')', 'layer'), ('reload_file(''bronze'', NULL, ''x'')', 'job_name'),
  ('reload_file(''bronze'', ''job'', NULL)', 'path'), ('wait_run(NULL)', 'run_id'), ('cancel_run(NULL)', 'run_id'),
  ('resume_run(NULL)', 'run_id'), ('why_waiting(NULL)', 'run_id'), ('create_state_machine(NULL, ''{}'')', 'name'),
  ('create_state_machine(''x'', NULL)', 'definition'), ('delete_state_machine(NULL)', 'name'), ('validate_state_machine(NULL)', 'definition'),
  ('start_execution(NULL)', 'state_machine'), ('stop_execution(NULL)', 'run_id'), ('redrive_execution(NULL)', 'run_id'),
  ('send_task_success(NULL)', 'task_token'), ('send_task_failure(NULL)', 'task_token'), ('send_task_heartbeat(NULL)', 'task_token'),
  ('register_task_handler(NULL, ''handler(jsonb)'')', 'resource'), ('register_task_handler(''x'', NULL)', 'function'),
  ('unregister_task_handler(NULL)', 'resource'), ('create_activity(NULL)', 'name'), ('delete_activity(NULL)', 'name'),
  ('get_activity_task(NULL)', 'activity'), ('schedule(NULL, ''* * * * *'')', 'schedule_name'), ('schedule('''', ''* * * * *'')', 'schedule_name'),
  ('schedule(''x'', NULL)', 'schedule'), ('unschedule(NULL)', 'schedule_name'),
  ('import_orchestration_config(NULL)', 'config'), ('drop_history(NULL)', 'older_than');
SELECT is_empty($$SELECT statement, argument, it.code, it.message FROM nulls, caught('SELECT * FROM setup.' || statement) it
                   WHERE (it.code, it.message) IS DISTINCT FROM ('22004', format('argument "%s" must be given', argument))$$,
  'what must be given is asked for by its name');

-- Values that cannot be

CREATE TABLE refused (no int GENERATED ALWAYS AS IDENTITY, statement text, code text, message text, hint text);
INSERT INTO refused (statement, code, message, hint) VALUES
  ('start_run(timeout => ''-1 s'')', '22023', 'timeout must be longer than 0, and finite', 'Leave it out for none.'),
  ('start_run(statement_timeout => ''0'')', '22023', 'statement_timeout must be longer than 0, and finite', 'Leave it out for none.'),
  (E'add_job(''bronze'', E''a\\nb'', ''SELECT 1'')', '23514', E'job "bronze.a\nb": its name must have 1 to 200 bytes, and no control character',
   'What a job can be told is explained by \d+ setup.load_jobs.'),
  ('add_job(''bronze'', ''a'', ''  '')', '23514', 'job "bronze.a": command must be SQL', 'What a job can be told is explained by \d+ setup.load_jobs.'),
  ('add_job(''bronze'', ''a'', ''SELECT 1'', depends_on => ''{NULL}'')', '23514',
   'job "bronze.a": depends_on must be a list of up to 10000 jobs, none of them null', 'What a job can be told is explained by \d+ setup.load_jobs.'),
  ('create_resource(''x'', -1)', '22023', 'capacity of resource "x" must not be negative',
   'It is the number of units that jobs can take at the same time; with 0 they wait.'),
  (E'create_resource(E''a\\tb'', 1)', '22023', E'"a\tb" cannot be the name of a resource', 'It has 1 to 200 bytes, and no control character.'),
  ('create_layer(repeat(''x'', 70))', '22023', '"' || repeat('x', 70) || '" cannot be a layer',
   'The name of a layer, which is that of its schema, has 1 to 63 bytes, and no control character.'),
  ('create_layer(''bronze'', settings => ''[]'')', '22023', 'settings must be a JSON object',
   'For example settings => ''{"max_attempts": 5, "timeout": "2 hours"}''.'),
  ('create_layer(''bronze'', settings => ''{"max_attempts": 0}'')', '23514', 'layer "bronze": max_attempts must be at least 1',
   'What a layer can be told is explained by \d+ setup.layers.'),
  ('create_layer(''bronze'', settings => ''{"timeout": "-1 s"}'')', '23514', 'layer "bronze": timeout must be longer than 0',
   'What a layer can be told is explained by \d+ setup.layers.');
SELECT is(it.code || ' ' || it.message || ' ' || it.hint, r.code || ' ' || r.message || ' ' || r.hint, r.statement)
  FROM refused r, caught('SELECT setup.' || r.statement) it ORDER BY no;

-- No statement of the extension's own

SELECT unalike(context_of('SELECT setup.' || statement), '%INSERT%', 'no INSERT: ' || statement) FROM refused ORDER BY no;
SELECT alike(context_of($$SELECT setup.add_job('bronze', 'a', 'SELECT 1', max_attempts => 0)$$),
  E'SQL statement "SELECT setup.write_job(job::text)"\nPL/pgSQL function setup.add_job(%) line % at PERFORM\n%',
  'an error of a row says who wrote it');
SELECT is((caught($$INSERT INTO bronze.load_jobs (job_name) VALUES ('a')$$)).message,
  'job "bronze.a": it must have either a command or a file_path', 'who writes the row himself is told as well');
SELECT unalike(context_of($$SELECT setup.create_location('x', '/tmp', min_size => -1)$$), '%UPDATE%', 'nothing else');
CREATE FUNCTION mine() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM setup.create_location('x', '/tmp', min_size => -1); END$$;
SELECT alike(context_of('SELECT mine()'), '%PL/pgSQL function mine() line 1 at PERFORM%', 'but what a user called it from');

-- Two at the same time

CREATE EXTENSION dblink;
SELECT dblink_connect('other', format('dbname=%s host=%s port=%s', current_database(),
                                      current_setting('unix_socket_directories'), current_setting('port')));
BEGIN;
SELECT setup.create_location('both', '/tmp');
SELECT dblink_send_query('other', $$SELECT setup.create_location('both', '/tmp', max_size => 1)$$);
SELECT wait_until('EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = ''Lock'' AND query LIKE ''%max_size => 1)'')');
COMMIT;
SELECT lives_ok($$SELECT * FROM dblink_get_result('other') AS done(nothing text)$$, 'who makes a location second changes it');
SELECT is((SELECT max_size FROM setup.locations WHERE location_name = 'both'), 1::bigint, 'so that it is as both said');
SELECT * FROM dblink_get_result('other') AS done(nothing text);
BEGIN;
SELECT setup.create_state_machine('both', '{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}');
SELECT dblink_send_query('other', $$SELECT setup.create_state_machine('both', '{"StartAt": "b", "States": {"b": {"Type": "Succeed"}}}')$$);
SELECT wait_until('EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = ''Lock'' AND query LIKE ''%"StartAt": "b"%'')');
COMMIT;
SELECT results_eq($$SELECT * FROM dblink_get_result('other') AS done(version int)$$, 'SELECT 2',
  'who makes a state machine second makes its second version');
SELECT * FROM dblink_get_result('other') AS done(version int);
BEGIN;
SELECT setup.create_layer('both');
SELECT dblink_send_query('other', $$SELECT setup.create_layer('both', settings => '{"max_attempts": 2}')$$);
SELECT wait_until('EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = ''Lock'' AND query LIKE ''%max_attempts": 2}%'')');
COMMIT;
SELECT lives_ok($$SELECT * FROM dblink_get_result('other') AS done(nothing text)$$, 'who makes a layer second changes it');
SELECT * FROM dblink_get_result('other') AS done(nothing text);
BEGIN;
SELECT setup.create_layer('one');
SELECT dblink_send_query('other', $$SELECT setup.create_layer('another')$$);
SELECT wait_until('EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = ''Lock'' AND query LIKE ''%another%'')');
COMMIT;
SELECT throws_ok($$SELECT * FROM dblink_get_result('other') AS done(nothing text)$$, '23505',
  'position 5 was taken by another layer meanwhile', 'two new layers do not go to the same place');
SELECT * FROM dblink_get_result('other') AS done(nothing text);
BEGIN;
SELECT setup.create_crawler('both', 'both', 'bronze');
SELECT dblink_send_query('other', $$SELECT setup.create_crawler('both', 'both', 'bronze', load_mode => 'append')$$);
SELECT wait_until('EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = ''Lock'' AND query LIKE ''%append%'')');
COMMIT;
SELECT throws_ok($$SELECT * FROM dblink_get_result('other') AS done(nothing text)$$, '42710',
  'crawler "both" was made by another session meanwhile', 'who makes a crawler second is told');
SELECT dblink_disconnect('other');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
