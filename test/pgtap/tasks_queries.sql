-- Tasks that run queries: athena:startQueryExecution and its like.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
CREATE SCHEMA hidden;
CREATE TABLE hidden.secrets AS SELECT 1 AS id;
CREATE SCHEMA work AUTHORIZATION tasks_owner;
SET SESSION AUTHORIZATION tasks_owner;
CREATE TABLE work.trips AS SELECT i AS id, nullif('n' || i, 'n2') AS name, i / 2.0 AS fare FROM generate_series(1, 3) i;

SELECT plan(40);
SELECT task('count', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT count(*) AS total FROM work.trips", "WorkGroup": "primary"}'),
  task('async', 'arn:aws:states:::athena:startQueryExecution', '{"QueryString": "SELECT id, name, fare FROM trips WHERE id < 4 ORDER BY id", "QueryExecutionContext": {"Database": "work"}}'),
  task('insert', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "INSERT INTO work.trips VALUES (4, ''four'', 4)"}'),
  task('failing', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT nothing FROM work.trips"}'),
  task('failing_later', 'arn:aws:states:::athena:startQueryExecution', '{"QueryString": "SELECT 1 / 0"}'),
  task('hidden', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT * FROM hidden.secrets"}'),
  task('become', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SET SESSION AUTHORIZATION postgres"}'),
  task('commit', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "COMMIT"}'),
  task('hostile_database', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT current_schemas(false)::text AS s", "QueryExecutionContext": {"Database": "a\", hidden; --"}}'),
  task('too_many', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT i FROM generate_series(1, 100000000) i"}'),
  task('too_large', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT repeat(''x'', 10000000) FROM generate_series(1, 100000)"}'),
  task('returning', 'arn:aws:states:::athena:startQueryExecution', '{"QueryString": "INSERT INTO work.trips VALUES (5) RETURNING id"}'),
  task('explain', 'arn:aws:states:::athena:startQueryExecution', '{"QueryString": "EXPLAIN SELECT 1"}'),
  task('two', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT 1; DROP TABLE work.trips"}'),
  task('parameters', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT 1", "ExecutionParameters": ["1"]}'),
  task('no_query', 'arn:aws:states:::athena:startQueryExecution.sync', '{}'),
  task('timeout', 'arn:aws:states:::athena:startQueryExecution.sync', '{"QueryString": "SELECT pg_sleep(60)"}', '{"TimeoutSeconds": 1}');
SELECT is(output('count') #>> '{QueryExecution,Status,State}', 'SUCCEEDED', 'a query runs');
SELECT ok(output('count') -> 'QueryExecution' ?& '{QueryExecutionId,Query,Statistics,QueryExecutionContext}', 'the result tells of it');
SELECT matches(output('async') ->> 'QueryExecutionId', '^[0-9a-f-]{36}$', 'without .sync it is the id alone');
SELECT is(output('insert') #>> '{QueryExecution,Status,State}', 'SUCCEEDED', 'a query may write');
SELECT is(error('failing'), 'States.TaskFailed', 'with .sync, one that fails lets the task fail');
SELECT matches(cause('failing')::jsonb #>> '{QueryExecution,Status,StateChangeReason}', 'column "nothing" does not exist', 'the cause says why');
SELECT is((SELECT state FROM setup.query_executions WHERE query_id = (cause('failing')::jsonb #>> '{QueryExecution,QueryExecutionId}')::uuid), 'FAILED', 'and its row is kept');
SELECT ok(output('failing_later') ? 'QueryExecutionId', 'without, the task succeeds');
SELECT matches(cause('hidden'), 'permission denied', 'queries run with the rights of the owner');
SELECT is(error('become'), 'States.TaskFailed', 'and cannot become anybody else');
SELECT is(error('commit'), 'States.TaskFailed', 'nor commit');
SELECT is(output('hostile_database') #>> '{QueryExecution,QueryExecutionContext,Database}', 'a", hidden; --', 'the name of a database is only a name');
SELECT matches(cause('too_many'), 'more than 100000 rows', 'a result has a bound');
SELECT matches(cause('too_large'), 'more than [0-9]+ bytes', 'in bytes, too');
SELECT is(error('two') || (to_regclass('work.trips') IS NULL), 'Athena.InvalidRequestExceptionfalse', 'a query is one statement');
SELECT is(error('parameters'), 'Athena.InvalidRequestException', 'ExecutionParameters are refused');
SELECT is(error('no_query'), 'States.Runtime', 'as is a task without a query');
SELECT is(error('timeout'), 'States.Timeout', 'TimeoutSeconds ends a query');
SELECT is((SELECT rows FROM setup.query_executions WHERE query_id = (output('returning') ->> 'QueryExecutionId')::uuid), '[["id"], ["5"]]', 'RETURNING gives rows');
SELECT is((SELECT rows #>> '{0,0}' FROM setup.query_executions WHERE query_id = (output('explain') ->> 'QueryExecutionId')::uuid), 'QUERY PLAN', 'so does EXPLAIN');
SELECT output('async') ->> 'QueryExecutionId' AS id, output('failing_later') ->> 'QueryExecutionId' AS failed_id,
  output('insert') #>> '{QueryExecution,QueryExecutionId}' AS insert_id \gset

SELECT task('get', 'arn:aws:states:::athena:getQueryExecution', jsonb_build_object('QueryExecutionId', :'id')),
  task('get_failed', 'arn:aws:states:::aws-sdk:athena:getQueryExecution', jsonb_build_object('QueryExecutionId', :'failed_id')),
  task('results', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'id')),
  task('page', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'id', 'MaxResults', 2)),
  task('next_page', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'id', 'MaxResults', 2, 'NextToken', '2')),
  task('wrong_token', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'id', 'NextToken', '-1')),
  task('insert_results', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'insert_id')),
  task('failed_results', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'failed_id')),
  task('no_results', 'arn:aws:states:::athena:getQueryResults', '{"QueryExecutionId": "x'' OR true"}'),
  task('stop', 'arn:aws:states:::athena:stopQueryExecution', jsonb_build_object('QueryExecutionId', :'id'));
SELECT is(output('get') #>> '{QueryExecution,QueryExecutionContext,Database}', 'work', 'getQueryExecution tells of a query');
SELECT is(jsonb_typeof(output('get') #> '{QueryExecution,Status,CompletionDateTime}'), 'number', 'with times as milliseconds');
SELECT is(output('get_failed') #>> '{QueryExecution,Status,State}', 'FAILED', 'also of one that failed');
SELECT is(jsonb_typeof(output('get_failed') #> '{QueryExecution,Status,CompletionDateTime}'), 'string', 'as the SDK, with times as text');
SELECT is(output('results') #> '{ResultSet,Rows}', '[{"Data": [{"VarCharValue": "id"}, {"VarCharValue": "name"}, {"VarCharValue": "fare"}]},
  {"Data": [{"VarCharValue": "1"}, {"VarCharValue": "n1"}, {"VarCharValue": "0.50000000000000000000"}]},
  {"Data": [{"VarCharValue": "2"}, {}, {"VarCharValue": "1.00000000000000000000"}]},
  {"Data": [{"VarCharValue": "3"}, {"VarCharValue": "n3"}, {"VarCharValue": "1.5000000000000000"}]}]', 'rows are texts, the first the names of the columns; null is nothing');
SELECT is((SELECT string_agg(c ->> 'Type', ' ') FROM jsonb_array_elements(output('results') #> '{ResultSet,ResultSetMetadata,ColumnInfo}') c),
  'integer varchar decimal', 'columns have types');
SELECT is(jsonb_array_length(output('page') #> '{ResultSet,Rows}'), 2, 'a page has as many rows as asked for');
SELECT is(output('page') ->> 'NextToken', '2', 'and says where the next one begins');
SELECT is(output('next_page') #>> '{ResultSet,Rows,0,Data,0,VarCharValue}', '2', 'which has the rest');
SELECT ok(NOT output('next_page') ? 'NextToken', 'and no next one');
SELECT is(error('wrong_token'), 'Athena.InvalidRequestException', 'a token is one that was given');
SELECT is(output('insert_results') -> 'UpdateCount', '1', 'a query that wrote says how many rows');
SELECT is(error('failed_results'), 'Athena.InvalidRequestException', 'one that failed has no results');
SELECT is(error('no_results'), 'Athena.InvalidRequestException', 'nor has what is no id');
SELECT is(output('stop'), '{}', 'one that has ended can be stopped');
SELECT is((SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT state, count(*) n FROM setup.query_executions GROUP BY state) s),
  'FAILED 5, SUCCEEDED 6', 'queries are kept');

SET SESSION AUTHORIZATION tasks_other;
SELECT is_empty('SELECT FROM setup.query_executions', 'nobody else sees them');
SELECT task('steal', 'arn:aws:states:::athena:getQueryResults', jsonb_build_object('QueryExecutionId', :'id'));
SELECT is(error('steal'), 'Athena.InvalidRequestException', 'nor reads their results');
RESET SESSION AUTHORIZATION;
SELECT ok(setup.drop_history('infinity') > 0, 'when history goes');
SELECT is_empty('SELECT FROM setup.query_executions', 'they go with it');
SELECT * FROM finish();
DROP OWNED BY tasks_owner, tasks_other;
DROP ROLE tasks_owner, tasks_other;
