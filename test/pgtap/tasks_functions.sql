-- Tasks that call functions, publish, run SQL.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other;
CREATE SCHEMA work AUTHORIZATION tasks_owner;
CREATE SCHEMA hidden;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
CREATE TABLE hidden.secrets AS SELECT 1 AS id;
CREATE FUNCTION public.for_all(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('by', current_user, 'in', $1) $$;
CREATE FUNCTION public.for_nobody(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
REVOKE EXECUTE ON FUNCTION public.for_nobody(jsonb) FROM PUBLIC;
SELECT setup.register_task_handler('for-all', 'public.for_all(jsonb)'), setup.register_task_handler('for-nobody', 'public.for_nobody(jsonb)');
SET SESSION AUTHORIZATION tasks_other;
CREATE FUNCTION pg_temp.mine(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SET SESSION AUTHORIZATION tasks_owner;
CREATE FUNCTION work.echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('got', input) $$;
CREATE FUNCTION work.fail(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT setup.raise_error(input ->> 'error', 'because') $$;
CREATE FUNCTION work.divide(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(1 / (input ->> 'by')::integer) $$;
CREATE FUNCTION work.resource(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"ours"'::jsonb $$;
CREATE FUNCTION work.wrong(input text) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb($1)';
CREATE TABLE work.notes (note text);
CREATE PROCEDURE work.double(INOUT n integer, IN label text, OUT said text) LANGUAGE plpgsql AS
  $$ BEGIN n := 2 * n; said := label; INSERT INTO work.notes VALUES (label); END $$;

SELECT plan(46);

-- The registry

SELECT lives_ok($$SELECT setup.register_task_handler('echo', 'work.echo(jsonb)'), setup.register_task_handler('fail', 'work.fail(jsonb)'),
  setup.register_task_handler('divide', 'work.divide(jsonb)'), setup.register_task_handler('arn:aws:states:::sqs:*', 'work.resource(jsonb)')$$,
  'functions are registered by a name, or by a pattern of resources');
SELECT throws_ok($$SELECT setup.register_task_handler('x', 'work.wrong(text)')$$, '42809', NULL, 'one of another form is refused');
SELECT throws_ok($$SELECT setup.register_task_handler('x', 'public.for_nobody(jsonb)')$$, '42501', NULL, 'one that the role may not call is refused');
SELECT throws_ok($$SELECT setup.register_task_handler('', 'work.echo(jsonb)')$$, '22004', NULL, 'as is no name');
SELECT throws_ok($$SELECT setup.unregister_task_handler('for-all')$$, '42704', NULL, 'nobody takes back what others registered');
SELECT results_eq($$SELECT resource FROM setup.list_task_handlers() WHERE NOT is_shipped ORDER BY resource COLLATE "C"$$,
  $$VALUES ('arn:aws:states:::sqs:*'), ('divide'), ('echo'), ('fail'), ('for-all'), ('for-nobody')$$, 'they are listed');

-- Functions

SELECT task('direct', 'arn:aws:lambda:us-east-1:123456789012:function:echo', '{"a": 1}'),
  task('versioned', 'arn:aws:lambda:us-east-1:123456789012:function:echo:$LATEST', '{"a": 2}'),
  task('invoke', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:echo:7", "Payload": {"a": 3}}'),
  task('invoke_plain', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "echo"}'),
  task('unknown', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "nothing"}'),
  task('nameless', 'arn:aws:states:::lambda:invoke', '{}'),
  task('hostile', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "echo''); DROP TABLE work.notes; --", "Payload": {}}'),
  task('named_error', 'arn:aws:lambda:us-east-1:1:function:fail', '{"error": "My.Own"}'),
  task('server_error', 'arn:aws:lambda:us-east-1:1:function:divide', '{"by": 0}'),
  task('shared', 'arn:aws:lambda:us-east-1:1:function:for-all', '{"n": 1}'),
  task('pattern', 'arn:aws:states:::sqs:sendMessage', '{"QueueUrl": "q"}'),
  task('forbidden', 'arn:aws:states:::lambda:invoke', '{"FunctionName": "for-nobody"}');
SELECT is(output('direct'), '{"got": {"a": 1}}', 'a function gets the parameters of the task, and gives its result');
SELECT is(output('versioned'), '{"got": {"a": 2}}', 'a version in the ARN is ignored');
SELECT is(output('invoke'), '{"ExecutedVersion": "$LATEST", "Payload": {"got": {"a": 3}}, "StatusCode": 200}', 'lambda:invoke puts an envelope around it');
SELECT is(output('invoke_plain') -> 'Payload', '{"got": {}}', 'without Payload it gets an empty object');
SELECT is(error('unknown'), 'Lambda.ResourceNotFoundException', 'a function that is not registered is an error by its name');
SELECT is(error('nameless'), 'States.Runtime', 'as is a task without FunctionName');
SELECT is(error('hostile'), 'Lambda.ResourceNotFoundException', 'a name is only a name');
SELECT is(error('named_error'), 'My.Own', 'setup.raise_error() names the error');
SELECT is(cause('named_error'), 'because', 'and its cause');
SELECT is(error('server_error'), 'division_by_zero', 'errors of the server are called as PL/pgSQL calls them');
SELECT is(cause('server_error')::jsonb ->> 'sqlstate', '22012', 'their cause says the SQLSTATE');
SELECT is(output('shared'), '{"by": "tasks_owner", "in": {"n": 1}}', 'what a superuser registered runs as the machine''s owner');
SELECT is(output('pattern'), '"ours"', 'a pattern takes all resources that fit');
SELECT is(error('forbidden'), 'Lambda.ResourceNotFoundException', 'what the owner may not call is not there for it');
SELECT results_eq($$SELECT code FROM setup.validate_state_machine(one_task('arn:aws:lambda:us-east-1:1:function:nothing', '{}'))$$,
  $$SELECT code FROM setup.validate_state_machine(one_task('arn:aws:states:::dynamodb:putItem', '{}'))$$, 'unknown functions and resources are findings');
SELECT matches((SELECT min(message) FROM setup.validate_state_machine(one_task('arn:aws:states:::dynamodb:putItem', '{}'))),
  'setup\.register_task_handler', 'that say how to register one');
SET SESSION AUTHORIZATION tasks_other;
SELECT throws_ok($$SELECT task('steal', 'arn:aws:lambda:us-east-1:1:function:echo')$$, '42P17', NULL, 'another role does not find it');
SELECT throws_ok($$SELECT setup.start_execution('direct')$$, '42704', NULL, 'and does not start machines that are not its own');
SET SESSION AUTHORIZATION tasks_owner;
ALTER FUNCTION work.echo(jsonb) RENAME TO echo_again;
SELECT setup.start_execution('direct');
SELECT is(error('direct'), 'undefined_function', 'a function that is gone is an error');
ALTER FUNCTION work.echo_again(jsonb) RENAME TO echo;

-- Notifications

SELECT task('publish', 'arn:aws:states:::sns:publish', '{"TopicArn": "arn:aws:sns:us-east-1:1:news", "Subject": "Done", "Message": {"n": 1}}'),
  task('publish_text', 'arn:aws:states:::sns:publish', '{"TopicArn": "plain", "Message": "it is", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}}'),
  task('no_topic', 'arn:aws:states:::sns:publish', '{"Message": "it is"}'),
  task('no_message', 'arn:aws:states:::sns:publish', '{"TopicArn": "plain"}'),
  task('two_lines', 'arn:aws:states:::sns:publish', '{"TopicArn": "plain", "Subject": "a\nb", "Message": "it is"}');
SELECT ok(output('publish') ? 'MessageId', 'a message gets a number');
SELECT results_eq($$SELECT topic, subject, message::jsonb, layer, job_name FROM setup.notifications WHERE topic = 'news'$$,
  $$VALUES ('news', 'Done', '{"n": 1}'::jsonb, 'publish', 'Work')$$, 'and is kept');
SELECT ok(output('publish_text') ? 'MessageId', 'a text is one, too');
SELECT results_eq($$SELECT message, attributes #>> '{a,StringValue}' FROM setup.notifications WHERE topic = 'plain'$$,
  $$VALUES ('it is', 'b')$$, 'as it is, with its attributes');
SELECT is(error('no_topic'), 'SNS.InvalidParameterException', 'without a topic it is refused');
SELECT is(error('no_message'), 'States.Runtime', 'as it is without a message');
SELECT is(error('two_lines'), 'SNS.InvalidParameterException', 'or with a subject of two lines');
SET SESSION AUTHORIZATION tasks_other;
SELECT is_empty('SELECT FROM setup.notifications', 'nobody else reads them');
SET SESSION AUTHORIZATION tasks_owner;

-- SQL

SELECT task('query', 'arn:aws:states:::sql:query', '{"Query": "SELECT i, $1 ->> ''k'' AS k FROM generate_series(1, 2) i -- all", "Arguments": {"k": "v"}}'),
  task('too_many', 'arn:aws:states:::sql:query', '{"Query": "SELECT i FROM generate_series(1, 100000000) i"}'),
  task('execute', 'arn:aws:states:::sql:execute', '{"Command": "INSERT INTO work.notes VALUES (''a''); INSERT INTO work.notes VALUES (''b'')"}'),
  task('call', 'arn:aws:states:::sql:call', '{"Procedure": "work.double", "Arguments": {"n": 21, "label": "it''s", "said": null}}'),
  task('call_list', 'arn:aws:states:::sql:call', '{"Procedure": "work.double", "Arguments": [4, "list", null]}'),
  task('call_hostile', 'arn:aws:states:::sql:call', '{"Procedure": "work.double(1); DROP TABLE work.notes; --"}'),
  task('read_hidden', 'arn:aws:states:::sql:query', '{"Query": "SELECT * FROM hidden.secrets"}'),
  task('commit', 'arn:aws:states:::sql:execute', '{"Command": "INSERT INTO work.notes VALUES (''lost''); COMMIT"}'),
  task('become', 'arn:aws:states:::sql:execute', '{"Command": "SET ROLE postgres"}'),
  task('break_out', 'arn:aws:states:::sql:query', '{"Query": "SELECT 1) q; DROP TABLE work.notes; SELECT (1"}'),
  task('timeout', 'arn:aws:states:::sql:execute', '{"Command": "SELECT pg_sleep(60)"}', '{"TimeoutSeconds": 1}');
SELECT is(output('query'), '{"Rows": [{"i": 1, "k": "v"}, {"i": 2, "k": "v"}], "RowCount": 2}', 'a query gives rows as objects');
SELECT is(error('too_many'), 'States.DataLimitExceeded', 'no more of them are gathered than a payload can hold');
SELECT is(output('execute'), '{"RowsAffected": 2}', 'statements give the number of rows that they wrote');
SELECT is(output('call') - 'said', '{"n": 42}', 'a procedure gives its output parameters');
SELECT is(output('call_list') ->> 'said', 'list', 'also by place');
SELECT isnt(error('call_hostile'), 'SUCCEEDED', 'its name is only a name');
SELECT is(error('read_hidden'), 'insufficient_privilege', 'SQL runs with the rights of the owner');
SELECT is(error('commit'), 'invalid_transaction_termination', 'it cannot commit');
SELECT is_empty($$SELECT FROM work.notes WHERE note = 'lost'$$, 'and leaves nothing where it tried');
SELECT is(error('become'), 'insufficient_privilege', 'it becomes nobody else');
SELECT isnt(error('break_out'), 'SUCCEEDED', 'a query is one statement');
SELECT is(error('timeout'), 'States.Timeout', 'TimeoutSeconds ends it');
SELECT results_eq($$SELECT note FROM work.notes ORDER BY note$$, $$VALUES ('a'), ('b'), ('it''s'), ('list')$$, 'each effect is there once');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DROP OWNED BY tasks_owner, tasks_other;
DROP ROLE tasks_owner, tasks_other;
