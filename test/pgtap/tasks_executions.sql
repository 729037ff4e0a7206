-- Tasks that start executions of other machines, and tasks that somebody fetches: activities.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
CREATE ROLE tasks_member LOGIN;
GRANT tasks_owner TO tasks_member;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other, tasks_member;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SET SESSION AUTHORIZATION tasks_other;
SELECT setup.create_state_machine('theirs', '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}');
SELECT setup.create_activity('their-work');
SET SESSION AUTHORIZATION tasks_owner;
SELECT setup.create_state_machine('double', '{"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"got.$": "$"}, "End": true}}}'),
  setup.create_state_machine('broken', '{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Own", "Cause": "why"}}}'),
  setup.create_state_machine('waits', '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}');

SELECT plan(42);

-- Executions

SELECT task('async', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:double:3", "Input": {"a": 1}, "Name": "one"}'),
  task('sync', 'arn:aws:states:::states:startExecution.sync', '{"StateMachineArn": "double", "Input": "{\"a\": 2}"}'),
  task('sync_2', 'arn:aws:states:::states:startExecution.sync:2', '{"StateMachineArn": "double", "Input": {"a": 3}}'),
  task('failing', 'arn:aws:states:::states:startExecution.sync:2', '{"StateMachineArn": "broken"}'),
  task('unknown', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "nothing"}'),
  task('foreign', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "theirs"}'),
  task('hostile', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "double''; DELETE FROM setup.executions; --"}'),
  task('no_json', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "double", "Input": "{"}'),
  task('sdk_unknown', 'arn:aws:states:::aws-sdk:sfn:startExecution', '{"StateMachineArn": "nothing"}'),
  task('nameless', 'arn:aws:states:::states:startExecution', '{}');
SELECT is(setup.wait_run((output('async') ->> 'ExecutionArn')::bigint), 'OK', 'an execution is started');
SELECT is((SELECT output FROM setup.executions WHERE name = 'one'), '{"got": {"a": 1}}', 'with its name and input');
SELECT is(output('sync') ->> 'Status', 'SUCCEEDED', '.sync waits for its end');
SELECT is((output('sync') ->> 'Output')::jsonb, '{"got": {"a": 2}}', 'its output is JSON in a text');
SELECT is(output('sync_2') -> 'Output', '{"got": {"a": 3}}', 'with .sync:2 it is JSON');
SELECT is((SELECT details ->> 'resource' || ' ' || (details ->> 'resourceType') FROM setup.execution_history(
  (SELECT max(run_id) FROM setup.executions WHERE state_machine = 'sync_2')) WHERE type = 'TaskScheduled'),
  'startExecution.sync:2 states', 'and the history names it as the service does');
SELECT is(error('failing'), 'States.TaskFailed', 'an execution that fails lets the task fail');
SELECT is(cause('failing')::jsonb ->> 'Error', 'Own', 'its cause describes the execution');
SELECT is(error('unknown'), 'StepFunctions.StateMachineDoesNotExistException', 'an unknown machine is an error by its name');
SELECT is(error('foreign'), 'StepFunctions.StateMachineDoesNotExistException', 'as is that of somebody else');
SELECT is(error('hostile'), 'StepFunctions.StateMachineDoesNotExistException', 'a name is only a name');
SELECT is(error('no_json'), 'StepFunctions.InvalidExecutionInputException', 'an input is JSON');
SELECT is(error('sdk_unknown'), 'Sfn.StateMachineDoesNotExistException', 'errors of the SDK have its name');
SELECT is(error('nameless'), 'States.Runtime', 'a task without StateMachineArn is refused');
SELECT task('same', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "double", "Input": {"a": 1}, "Name": "one"}'),
  task('other_input', 'arn:aws:states:::states:startExecution', '{"StateMachineArn": "double", "Input": {"a": 9}, "Name": "one"}');
SELECT is(output('same') ->> 'ExecutionArn', output('async') ->> 'ExecutionArn', 'the same name and input are the same execution');
SELECT is(error('other_input'), 'StepFunctions.ExecutionAlreadyExistsException', 'with another input that is an error');

SELECT setup.create_state_machine('selfish', one_task('arn:aws:states:::states:startExecution.sync', '{"StateMachineArn": "selfish", "Name": "me"}'));
SELECT setup.start_execution('selfish', '{}', 'me');
SELECT is(cause('selfish'), 'an execution cannot wait for its own end', 'nobody waits for itself');
SELECT task('parent', 'arn:aws:states:::states:startExecution.sync', '{"StateMachineArn": "waits"}'),
  task('parent_of_stopped', 'arn:aws:states:::states:startExecution.sync', '{"StateMachineArn": "waits", "Name": "stopped"}'),
  task('parent_of_late', 'arn:aws:states:::states:startExecution.sync', '{"StateMachineArn": "waits", "Name": "late"}', '{"TimeoutSeconds": 1}');
SELECT wait_until($$3 = (SELECT count(*) FROM setup.executions WHERE state_machine = 'waits')$$);
SELECT setup.stop_execution(run_id, 'Enough', 'said so') FROM setup.executions WHERE name = 'stopped';
SELECT is(cause('parent_of_stopped')::jsonb ->> 'Status', 'ABORTED', 'who waits for an execution hears that it was stopped');
SELECT setup.stop_execution(run_id) FROM setup.executions WHERE state_machine = 'parent';
SELECT is(error('parent'), 'ABORTED', 'who waits for an execution can be stopped');
SELECT is(error('parent_of_late'), 'States.Timeout', 'or time out');
SELECT wait_until($$3 = (SELECT count(*) FROM setup.executions WHERE state_machine = 'waits' AND status = 'ABORTED')$$);
SELECT pass('which stops the execution, too');
SELECT setup.start_execution('waits', '{}', 'asked') AS asked \gset
SELECT task('describe', 'arn:aws:states:::aws-sdk:sfn:describeExecution', jsonb_build_object('ExecutionArn', :'asked')),
  task('describe_unknown', 'arn:aws:states:::aws-sdk:sfn:describeExecution', '{"ExecutionArn": "0 OR true"}');
SELECT is(output('describe') ->> 'Status', 'RUNNING', 'an execution is described');
SELECT is(error('describe_unknown'), 'Sfn.ExecutionDoesNotExistException', 'one that is none is not');
SELECT task('stop', 'arn:aws:states:::aws-sdk:sfn:stopExecution', jsonb_build_object('ExecutionArn', :'asked', 'Error', 'E'));
SELECT ok(output('stop') ? 'StopDate', 'or stopped');
SELECT setup.wait_run(:asked);
SELECT is((SELECT status || ' ' || error FROM setup.executions WHERE run_id = :asked), 'ABORTED E', 'with an error');

-- Activities

SELECT is(setup.create_activity('review'), 'arn:aws:states:local:0:activity:review', 'an activity is made');
SELECT is(setup.create_activity('review'), 'arn:aws:states:local:0:activity:review', 'once');
SELECT throws_ok($$SELECT setup.create_activity('their-work')$$, '42501', NULL, 'that of somebody else stays theirs');
SELECT is_empty($$SELECT FROM setup.get_activity_task('review')$$, 'it has no task yet');
SELECT throws_ok($$SELECT setup.get_activity_task('nothing')$$, '42704', NULL, 'what is none has none');
SELECT throws_ok($$SELECT setup.get_activity_task('their-work')$$, '42704', NULL, 'nor is it told of those of others');
SELECT task('reviewed', 'arn:aws:states:us-east-1:1:activity:review', '{"page": 7}'),
  task('unknown_activity', 'arn:aws:states:us-east-1:1:activity:nothing', '{}'),
  task('foreign_activity', 'arn:aws:states:us-east-1:1:activity:their-work', '{}');
SELECT is(error('unknown_activity'), 'ActivityDoesNotExist', 'a task of an unknown activity is an error');
SELECT is(error('foreign_activity'), 'ActivityDoesNotExist', 'as is one of somebody else''s');
SELECT wait_until($$EXISTS (SELECT FROM setup.execution_history((SELECT max(run_id) FROM setup.executions WHERE state_machine = 'reviewed')) WHERE type = 'ActivityScheduled')$$);
BEGIN;
SELECT ok(EXISTS (SELECT FROM setup.get_activity_task('review')), 'a task that was fetched');
ROLLBACK;
SET SESSION AUTHORIZATION tasks_member;
SELECT task_token AS token, input FROM setup.get_activity_task('arn:aws:states:local:0:activity:review', 'me') \gset
SELECT is(:'input'::jsonb, '{"page": 7}', 'is there again for others if the transaction does not commit');
SELECT is_empty($$SELECT FROM setup.get_activity_task('review')$$, 'and for nobody else if it does');
SELECT setup.send_task_success(:'token', '{"fine": true}');
SET SESSION AUTHORIZATION tasks_owner;
SELECT is(output('reviewed'), '{"fine": true}', 'its token ends it');
-- Tokens: any resource can wait for one

SELECT task('token_publish', 'arn:aws:states:::sns:publish.waitForTaskToken', '{"TopicArn": "ask", "Message": {"token.$": "$$.Task.Token"}}'),
  task('token_execution', 'arn:aws:states:::states:startExecution.waitForTaskToken', '{"StateMachineArn": "double", "Input": {"token.$": "$$.Task.Token"}, "Name": "asked for a token"}'),
  task('token_failed', 'arn:aws:states:::states:startExecution.waitForTaskToken', '{"StateMachineArn": "nothing"}');
SELECT wait_until($$EXISTS (SELECT FROM setup.notifications WHERE topic = 'ask')$$);
SELECT setup.send_task_success(message::jsonb ->> 'token', '"told"') FROM setup.notifications WHERE topic = 'ask';
SELECT is(output('token_publish'), '"told"', 'a message carries the token that ends its task');
SELECT wait_until($$EXISTS (SELECT FROM setup.executions WHERE name = 'asked for a token' AND status = 'SUCCEEDED')$$);
SELECT setup.send_task_failure(input ->> 'token', 'No', 'not this one') FROM setup.executions WHERE name = 'asked for a token';
SELECT is(error('token_execution') || ': ' || cause('token_execution'), 'No: not this one', 'so does the input of an execution');
SELECT is(error('token_failed'), 'StepFunctions.StateMachineDoesNotExistException', 'what fails at once waits for nothing');

-- Times of tasks that somebody else ends

SELECT setup.create_state_machine('beats', '{"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:1:activity:review",
  "TimeoutSeconds": 3, "HeartbeatSeconds": 1, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}], "End": true}}}');
SELECT setup.start_execution('beats');
SELECT is(error('beats'), 'States.Timeout', 'a heartbeat that is missed is a timeout');
SELECT is((SELECT string_agg(message || ' ' || (duration_ms >= 1000), ', ' ORDER BY log_id) FROM setup.load_log WHERE run_id = (SELECT max(run_id) FROM setup.executions)),
  'States.HeartbeatTimeout true, States.HeartbeatTimeout true, States.HeartbeatTimeout true',
  'each attempt has its own time, and the log says how long it was');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
SELECT setup.delete_activity('their-work');
DROP OWNED BY tasks_owner, tasks_other, tasks_member;
DROP ROLE tasks_owner, tasks_other, tasks_member;
