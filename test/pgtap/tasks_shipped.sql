-- Functions of tasks that come with the extension.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
\setenv FILES :files
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SELECT setup.create_layer('bronze'), setup.create_layer('silver');
CREATE TABLE bronze.orders ();
CREATE TABLE bronze."odd; DROP TABLE bronze.orders; --" ();
SELECT setup.add_job('silver', 'made', 'SELECT 1', table_name => 'made');
\! mkdir -p $FILES/in && printf 'a,b\n1,2\n' > $FILES/in/ok.csv && printf 'a,b\n1,2\n' > "$FILES/in/a b=c.csv" && : > $FILES/in/empty.csv && chmod -R a+rX $FILES
\set url 'file://' :files
SELECT setup.create_location('lake', :'url', min_size => 1);
SELECT setup.grant_location('lake', 'tasks_owner');
SET SESSION AUTHORIZATION tasks_owner;
CREATE FUNCTION pg_temp.shown(resource text) RETURNS text LANGUAGE sql AS
  $$ SELECT count(*)::text FROM setup.validate_state_machine(public.one_task(resource, '{}')) $$;

SELECT plan(27);
SELECT is((SELECT count(*) FROM setup.list_task_handlers() WHERE is_shipped), 3::bigint, 'they are registered');
SELECT is(pg_temp.shown('arn:aws:lambda:us-east-1:1:function:pp-dw-etl-check-tables'), '0', 'under names that pipelines have');

-- Tables

SELECT task('tables', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "pp-dw-etl-check-tables", "Payload": {"database": "pp_dw_bronze", "tables": ["orders", "nothing"]}}'),
  task('other_names', 'arn:aws:lambda:us-east-1:1:function:check-tables', '{"databaseName": "bronze", "expectedTables": ["orders", "odd; DROP TABLE bronze.orders; --"]}'),
  task('of_jobs', 'arn:aws:lambda:us-east-1:1:function:check-tables', '{"layer": "silver"}'),
  task('no_database', 'arn:aws:lambda:us-east-1:1:function:check-tables', '{"tables": ["x"]}'),
  task('unknown_database', 'arn:aws:lambda:us-east-1:1:function:check-tables', '{"database": "nowhere"}'),
  task('odd_tables', 'arn:aws:lambda:us-east-1:1:function:check-tables', '{"database": "bronze", "tables": [1]}');
SELECT is(output('tables') -> 'Payload', '{"exists": false, "database": "pp_dw_bronze", "missingTables": ["nothing"], "existingTables": ["orders"],
  "totalExpected": 2, "totalExisting": 1}', 'tables are looked for in a layer that ends the database''s name');
SELECT is(output('other_names') -> 'exists', 'true', 'fields have several names, and names of tables are only names');
SELECT is(output('of_jobs'), '{"exists": true, "database": "silver", "missingTables": [], "existingTables": [], "totalExpected": 0, "totalExisting": 0}',
  'without tables: those of jobs that the owner sees');
SELECT is(error('no_database'), 'invalid_parameter_value', 'a database must be named');
SELECT is(error('unknown_database'), 'Glue.EntityNotFoundException', 'an unknown one is an error by its name');
SELECT is(error('odd_tables'), 'invalid_parameter_value', 'tables are texts');

-- Crawlers

SELECT task('crawlers', 'arn:aws:lambda:us-east-1:1:function:start-crawlers', '{"crawlers": ["nothing", "x''); DROP TABLE bronze.orders; --"]}'),
  task('no_crawlers', 'arn:aws:lambda:us-east-1:1:function:start-crawlers', '{}'),
  task('odd_crawlers', 'arn:aws:lambda:us-east-1:1:function:start-crawlers', '{"crawlers": "all"}');
SELECT is(output('crawlers') - 'failed', '{"ok": false, "started": [], "running": []}', 'crawlers that are not there fail');
SELECT is(output('crawlers') #>> '{failed,0,message}', 'crawler "nothing" does not exist', 'each with its reason');
SELECT is(output('no_crawlers') -> 'ok', 'true', 'none is none');
SELECT is(error('odd_crawlers'), 'invalid_parameter_value', 'names are a list');

-- Files

SELECT task('valid', 'arn:aws:lambda:us-east-1:1:function:etl-orchestrator-validate-input', '{"bucket": "123456789012-lake", "key": "in/ok.csv"}'),
  task('event', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"Records": [{"s3": {"bucket": {"name": "lake"}, "object": {"key": "in/a+b%3Dc.csv"}}}]}'),
  task('bridge_event', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"detail": {"bucket": {"name": "lake"}, "object": {"key": "in/ok.csv"}}}'),
  task('prefix', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"input": {"bucket": "lake", "key": "in/ok.csv"}, "prefix": "raw/"}'),
  task('empty', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"bucket": "lake", "key": "in/empty.csv"}'),
  task('missing', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"bucket": "lake", "key": "in/nothing.csv"}'),
  task('outside', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"bucket": "lake", "key": "../../../etc/passwd"}'),
  task('no_bucket', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"bucket": "sea", "key": "in/ok.csv"}'),
  task('nothing', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{}');
SELECT is(output('valid') - 'lastModified', '{"valid": true, "errors": [], "bucket": "123456789012-lake", "key": "in/ok.csv", "location": "lake",
  "fileType": "csv", "fileSize": 8}', 'a file that is fine is valid');
SELECT is(output('event') -> 'key', '"in/a b=c.csv"', 'the key of an event is decoded');
SELECT is(output('event') -> 'valid', 'true', 'and the file found');
SELECT is(output('bridge_event') -> 'valid', 'true', 'events of both kinds are read');
SELECT matches(output('prefix') #>> '{errors,0}', 'does not begin with "raw/"', 'a key begins with the prefix');
SELECT is(output('empty') -> 'valid', 'false', 'the rules of the location hold');
SELECT is(output('missing') -> 'valid', 'false', 'a file that is not there is not valid');
SELECT isnt(coalesce(output('outside') -> 'valid', 'false'), 'true', 'nor one outside of the location');
SELECT is(output('no_bucket') -> 'errors', '["there is no location \"sea\""]', 'nor one in no location');
SELECT is(output('nothing') -> 'errors', '["the input has no bucket", "the input has no key"]', 'nor no file');

-- Others

SET SESSION AUTHORIZATION tasks_other;
SELECT task('no_grant', 'arn:aws:lambda:us-east-1:1:function:validate-input', '{"bucket": "lake", "key": "in/ok.csv"}');
SELECT isnt(coalesce(output('no_grant') -> 'valid', 'false'), 'true', 'who may not use a location learns nothing of its files');
SELECT ok(output('no_grant')::text !~ 'fileSize', 'not even their size');
RESET SESSION AUTHORIZATION;
CREATE SCHEMA own AUTHORIZATION tasks_owner;
SET SESSION AUTHORIZATION tasks_owner;
CREATE FUNCTION own.check_tables(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"mine": true}'::jsonb $$;
SELECT setup.register_task_handler('check-tables', 'own.check_tables(jsonb)');
SELECT setup.start_execution('of_jobs');
SELECT is(output('of_jobs'), '{"mine": true}', 'what a role registers goes before them');
SELECT setup.unregister_task_handler('check-tables');
SELECT setup.start_execution('of_jobs');
SELECT is(output('of_jobs') -> 'exists', 'true', 'until it takes it back');
SELECT throws_ok($$SELECT setup.unregister_task_handler('*check-tables')$$, '42704', NULL, 'nobody takes back what is shipped');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DELETE FROM setup.load_jobs;
DROP OWNED BY tasks_owner, tasks_other CASCADE;
DROP ROLE tasks_owner, tasks_other;
