-- State machines and their executions, as their users meet them.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE executions_ann LOGIN;
CREATE ROLE executions_eve LOGIN;
CREATE ROLE executions_team LOGIN;
GRANT executions_team TO executions_ann;
GRANT USAGE ON SCHEMA setup TO executions_ann, executions_eve, executions_team;
CREATE SCHEMA app;
GRANT ALL ON SCHEMA app TO executions_ann;

-- The end of an execution, in a line. Waits for it.
CREATE FUNCTION ended(run bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wait_until(format('(SELECT status <> ''RUNNING'' FROM setup.executions WHERE run_id = %s)', run));
  RETURN (SELECT concat_ws(' ', e.status, e.output, e.error, e.cause) FROM setup.describe_execution(run) e);
END $$;

SELECT plan(106);

-- Making machines

SET SESSION AUTHORIZATION executions_ann;
SELECT is(setup.create_state_machine('pass', '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'), 1,
  'a machine is made in version 1');
SELECT is(setup.create_state_machine('pass', '{"States": {"A": {"End": true, "Type": "Pass"}}, "StartAt": "A"}'), 1,
  'the same definition is no new version');
SELECT is(setup.create_state_machine('pass',
  '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 2, "End": true}}}'), 2, 'another is');
SELECT results_eq('SELECT name, type, version, owner FROM setup.list_state_machines()',
  $$VALUES ('pass', 'STANDARD', 2, 'executions_ann')$$, 'it is listed');
SELECT is((SELECT definition #>> '{States,A,Result}' FROM setup.describe_state_machine('pass')), '2',
  'its present version is described');
SELECT is((SELECT definition #>> '{States,A,Result}' FROM setup.describe_state_machine('pass', 1)), NULL,
  'and an earlier one');

SELECT cmp_ok((SELECT count(*) FROM setup.validate_state_machine('{"StartAt": "B", "States": {
    "A": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:nobody", "Next": "C"},
    "D": {"Type": "Pass", "InputPath": "$.[", "End": true}}}')), '>=', 4::bigint, 'validation finds everything at once');
SELECT is((SELECT count(*) FROM setup.validate_state_machine(
  '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')), 0::bigint, 'and nothing where nothing is wrong');
SELECT is((caught($$SELECT setup.create_state_machine('bad', '{"StartAt": "B", "States": {}}')$$)).code, '42P17',
  'what is not valid is not made');
SELECT alike((caught($$SELECT setup.create_state_machine('bad', '{"StartAt": "A", "States":
  {"A": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:nobody", "End": true}}}')$$)).detail,
  '%/States/A/Resource: %setup.register_task_handler(''nobody''%', 'an unknown function is a finding that says how to register one');
SELECT is((caught($$SELECT setup.create_state_machine('x', '{}', 'FAST')$$)).hint,
  'It is ''STANDARD'' (every step is kept) or ''EXPRESS'' (only the end is).', 'types are two');
SELECT is((caught(format($$SELECT setup.create_state_machine(%L, '{}')$$, name))).code, code, 'a name that is none: ' || code)
  FROM (VALUES ('', '22004'), (E'a\nb', '42602'), (repeat('x', 81), '42602')) AS bad(name, code);
SELECT is((caught($$SELECT setup.create_state_machine(NULL, '{}')$$)).code, '22004', 'nor is null');

-- Executions

SELECT setup.start_execution('pass', '{"a": 1}', 'first') AS first \gset
SELECT is(ended(:first), 'SUCCEEDED 2', 'an execution runs');
SELECT is(setup.start_execution('pass', '{"a": 1.0}', 'first'), :first::bigint, 'started again by its name it is the same');
SELECT is((caught($$SELECT setup.start_execution('pass', '{"a": 2}', 'first')$$)).code, '42710', 'but not with another input');
SELECT setup.start_execution('pass') AS run \gset
SELECT is((SELECT name FROM setup.describe_execution(:run)), :'run', 'without a name it is called as its number');
SELECT is((caught($$SELECT setup.start_execution('none')$$)).code, '42704', 'a machine must be there');
SELECT is((caught($$SELECT setup.start_execution('pass', '1e400')$$)).code, '54000', 'numbers are doubles');
SELECT is((caught($$SELECT setup.start_execution('pass', to_jsonb(repeat('x', 300000)))$$)).code, '54000', 'an input has a largest size');
SELECT is((caught($$SELECT setup.start_execution('pass', (repeat('[', 1001) || repeat(']', 1001))::jsonb)$$)).code, '54000',
  'and depth');
SELECT is((SELECT status FROM setup.load_runs WHERE run_id = :first), 'OK', 'an execution is a run');
SELECT is((SELECT state_machine FROM setup.load_runs WHERE run_id = :first), 'pass', 'which says of which machine');
SELECT is(setup.wait_run(:first), 'OK', 'that can be waited for');
SELECT results_eq(format('SELECT id, previous, type, state FROM setup.execution_history(%s)', :first),
  $$VALUES (1::bigint, 0::bigint, 'ExecutionStarted', NULL), (2, 1, 'PassStateEntered', 'A'), (3, 2, 'PassStateExited', 'A'),
           (4, 3, 'ExecutionSucceeded', 'A')$$, 'its history is complete');

-- Tasks

CREATE TABLE app.done (what text);
CREATE FUNCTION app.act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.done VALUES (input ->> 'what');
  IF input ? 'fail' THEN PERFORM setup.raise_error(input ->> 'fail', 'as it was told'); END IF;
  IF input ? 'divide' THEN RETURN to_jsonb(1 / (input ->> 'divide')::int); END IF;
  IF input ? 'sleep' THEN PERFORM pg_sleep((input ->> 'sleep')::float8); END IF;
  RETURN jsonb_build_object('by', session_user, 'run', current_setting('etl_orchestrator.run_id'),
    'state', current_setting('etl_orchestrator.job'), 'attempt', current_setting('etl_orchestrator.attempt'));
END $$;
SELECT setup.register_task_handler('act', 'app.act(jsonb)');
SELECT lives_ok($$SELECT setup.create_state_machine('act', '{"StartAt": "Act", "States": {
  "Act": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}')$$, 'a task calls a function');
SELECT setup.start_execution('act', '{"what": "one"}') AS run \gset
SELECT is(ended(:run), format('SUCCEEDED {"by": "executions_ann", "run": "%s", "state": "Act", "attempt": "1"}', :run),
  'as the owner of the machine, which knows where it is');
SELECT is((SELECT string_agg(what, ' ') FROM app.done), 'one', 'once');
SELECT results_eq(format('SELECT layer, job_name, attempt, status, owner FROM setup.load_log WHERE run_id = %s', :run),
  $$VALUES ('act', 'Act', 1, 'OK', 'executions_ann')$$, 'the log has it');
SELECT setup.start_execution('act', '{"fail": "My.Error"}') AS run \gset
SELECT is(ended(:run), 'FAILED My.Error as it was told', 'a function names its error');
SELECT setup.start_execution('act', '{"divide": 0}') AS run \gset
SELECT alike(ended(:run), 'FAILED division_by_zero %"errorMessage":"division by zero"%', 'others are called as in PL/pgSQL');
SELECT is((SELECT sqlstate FROM setup.load_log WHERE run_id = :run), '22012', 'the log has the SQLSTATE');
SELECT is((SELECT count(*) FROM app.done), 1::bigint, 'what fails leaves nothing');

SELECT setup.create_state_machine('retried', '{"StartAt": "Act", "States": {"Act": {"Type": "Task",
  "Resource": "arn:aws:lambda:x:1:function:act", "End": true,
  "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}],
  "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}, "Caught": {"Type": "Pass", "End": true}}}');
SELECT setup.start_execution('retried', '{"fail": "Again"}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED {"Cause": "as it was told", "Error": "Again"}', 'a task is retried, then its error caught');
SELECT results_eq(format('SELECT attempt, status FROM setup.load_log WHERE run_id = %s ORDER BY attempt', :run),
  $$VALUES (1, 'ERROR'), (2, 'ERROR'), (3, 'ERROR')$$, 'after three attempts');
SELECT is((SELECT extract(epoch FROM max(started_at) - min(started_at)) >= 2 FROM setup.load_log WHERE run_id = :run), true,
  'a second apart');

SELECT setup.create_state_machine('slow', '{"StartAt": "Act", "States": {"Act": {"Type": "Task", "TimeoutSeconds": 1,
  "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}');
SELECT setup.start_execution('slow', '{"sleep": 60}') AS run \gset
SELECT is(ended(:run), 'FAILED States.Timeout ', 'a task has a timeout');
SELECT setup.create_state_machine('short', '{"TimeoutSeconds": 1, "StartAt": "Act", "States": {"Act": {"Type": "Task",
  "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}');
SELECT setup.start_execution('short', '{"sleep": 60}') AS run \gset
SELECT is(ended(:run), 'TIMED_OUT States.Timeout', 'so has a machine');
SELECT is((SELECT status FROM setup.load_runs WHERE run_id = :run), 'TIMED_OUT', 'its run, too');

-- Ends

SELECT setup.start_execution('act', '{"sleep": 60, "what": "stopped"}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active')$$);
SELECT setup.stop_execution(:run, 'Enough', 'of this');
SELECT is(ended(:run), 'ABORTED Enough of this', 'an execution can be stopped');
SELECT is((SELECT status FROM setup.load_runs WHERE run_id = :run), 'CANCELLED', 'its run is cancelled');
SELECT setup.start_execution('act', '{"sleep": 60, "what": "cancelled"}') AS run \gset
SELECT setup.cancel_run(:run);
SELECT is(ended(:run), 'ABORTED', 'as setup.cancel_run() does it');
SELECT is((SELECT count(*) FROM app.done WHERE what <> 'one'), 0::bigint, 'and nothing is left of their tasks');
SELECT is((caught('SELECT setup.stop_execution(999999)')).code, 'P0002', 'what is not there cannot be stopped');

SELECT setup.create_state_machine('two', '{"StartAt": "One", "States": {
  "One": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "Parameters": {"what": "first"}, "ResultPath": null, "Next": "Two"},
  "Two": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}');
SELECT setup.start_execution('two', '{"what": "second", "fail": "No"}') AS run \gset
SELECT is(ended(:run), 'FAILED No as it was told', 'an execution fails in the middle');
CREATE OR REPLACE FUNCTION app.act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.done VALUES (input ->> 'what');
  RETURN '"mended"';
END $$;
SELECT lives_ok(format('SELECT setup.redrive_execution(%s)', :run), 'and is redriven');
SELECT is(ended(:run), 'SUCCEEDED "mended"', 'from there');
SELECT is((SELECT string_agg(what, ' ' ORDER BY what) FROM app.done WHERE what <> 'one'), 'first second', 'each effect happens once');
SELECT is((SELECT array_agg(rows_loaded ORDER BY log_id) FROM setup.load_log WHERE run_id = :run AND status = 'OK'), '{1,1}',
  'and the log tells how many rows each task wrote');
SELECT is((SELECT redrive_count FROM setup.describe_execution(:run)), 1, 'it says so');
CREATE FUNCTION app.act_or_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.done VALUES (input ->> 'what');
  RETURN CASE WHEN input ->> 'fail' IS NULL THEN input -> 'what' ELSE setup.raise_error('No', 'not yet') END;
END $$;
SELECT setup.register_task_handler('act_or_fail', 'app.act_or_fail(jsonb)');
SELECT setup.create_state_machine('both', '{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
  {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act_or_fail", "Parameters": {"what": "left"}, "End": true}}},
  {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "B"},
    "B": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act_or_fail", "Parameters": {"what": "right", "fail": "No"}, "End": true}}}]}}}');
SELECT setup.start_execution('both') AS both \gset
SELECT is(ended(:both), 'FAILED No not yet', 'a Parallel fails of which one branch has succeeded');
CREATE OR REPLACE FUNCTION app.act_or_fail(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
  INSERT INTO app.done VALUES (input ->> 'what') RETURNING input -> 'what' $$;
SELECT setup.redrive_execution(:both);
SELECT is(ended(:both), 'SUCCEEDED ["left", "right"]', 'redriven it ends');
SELECT is((SELECT string_agg(what, ' ' ORDER BY what) FROM app.done WHERE what IN ('left', 'right')), 'left right',
  'and what had succeeded is not done again');
DELETE FROM app.done WHERE what IN ('left', 'right');
SELECT is((caught(format('SELECT setup.redrive_execution(%s)', :run))).code, '55000', 'what has succeeded cannot be redriven');

-- Tokens

CREATE TABLE app.tokens (token text);
CREATE FUNCTION app.keep(input jsonb) RETURNS jsonb LANGUAGE sql AS
  $$ INSERT INTO app.tokens VALUES (input ->> 'token') RETURNING '{}'::jsonb $$;
SELECT setup.register_task_handler('keep', 'app.keep(jsonb)');
SELECT setup.create_state_machine('token', '{"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "End": true, "HeartbeatSeconds": 2,
  "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
  "Parameters": {"FunctionName": "keep", "Payload": {"token.$": "$$.Task.Token"}}}}}');
SELECT setup.start_execution('token') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM app.tokens)');
SELECT token FROM app.tokens \gset
SELECT lives_ok(format('SELECT setup.send_task_heartbeat(%L)', :'token'), 'a task that waits is told that it is worked on');
SELECT lives_ok(format($$SELECT setup.send_task_success(%L, '{"said": "yes"}')$$, :'token'), 'and what came out');
SELECT is(ended(:run), 'SUCCEEDED {"said": "yes"}', 'which is its result');
SELECT is((caught(format($$SELECT setup.send_task_success(%L, '1')$$, :'token'))).code, 'P0002', 'once');
TRUNCATE app.tokens;
SELECT setup.start_execution('token') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM app.tokens)');
SELECT token FROM app.tokens \gset
SELECT lives_ok(format($$SELECT setup.send_task_failure(%L, 'Refused', 'no')$$, :'token'), 'or why it failed');
SELECT is(ended(:run), 'FAILED Refused no', 'which is its error');
SELECT setup.start_execution('token') AS run \gset
SELECT is(ended(:run), 'FAILED States.Timeout ', 'without a heartbeat it times out');
RESET SESSION AUTHORIZATION;

-- Siblings of what fails

SET SESSION AUTHORIZATION executions_ann;
CREATE FUNCTION app.slowly(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(60);
  INSERT INTO app.done VALUES ('too late');
  RETURN '1';
END $$;
SELECT setup.register_task_handler('slowly', 'app.slowly(jsonb)');
SELECT setup.create_state_machine('tolerant', '{"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true,
  "ToleratedFailurePercentage": 100, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true, "Branches": [
      {"StartAt": "Late", "States": {"Late": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:slowly", "End": true}}},
      {"StartAt": "Soon", "States": {"Soon": {"Type": "Wait", "Seconds": 1, "Next": "Fail"}, "Fail": {"Type": "Fail", "Error": "E"}}}]}}}}}}');
SELECT setup.start_execution('tolerant', '[1]') AS run \gset
SELECT alike(ended(:run), 'SUCCEEDED [{%', 'a Map can tolerate that a branch within it fails');
SELECT wait_until($$NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active')$$);
SELECT is((SELECT count(*) FROM app.done WHERE what = 'too late'), 0::bigint, 'and the others in it are stopped at once');
RESET SESSION AUTHORIZATION;

-- EXPRESS

SET SESSION AUTHORIZATION executions_ann;
SELECT setup.create_state_machine('quick', '{"StartAt": "Act", "States": {"Act": {"Type": "Task", "ResultPath": "$.r",
  "Resource": "arn:aws:lambda:x:1:function:act", "Next": "Wait"}, "Wait": {"Type": "Wait", "Seconds": 0, "End": true}}}', 'EXPRESS');
SELECT setup.start_execution('quick', '{"what": "quick"}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED {"r": "mended", "what": "quick"}', 'an EXPRESS machine runs');
SELECT alike((caught(format($$SELECT setup.create_state_machine('waiting', '{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": %s,
  "Parameters": {"StateMachineArn": "pass", "JobName": "x", "FunctionName": "act"}, "End": true}}}', 'EXPRESS')$$, resource))).detail,
  '%a state machine of type EXPRESS cannot wait%', 'but it cannot wait: ' || resource)
  FROM (VALUES ('"arn:aws:states:::states:startExecution.sync:2"'), ('"arn:aws:states:::lambda:invoke.waitForTaskToken"')) AS waits(resource);
SELECT is((SELECT count(*) FROM setup.execution_history(:run)), 0::bigint, 'and keeps no history');
SELECT is((SELECT count(*) FROM setup.load_log WHERE run_id = :run), 0::bigint, 'nor log');
SELECT is((caught(format('SELECT setup.redrive_execution(%s)', :run))).code, '55000', 'and is not redriven');

-- Errors of odd kinds

CREATE FUNCTION app.odd(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.done VALUES ('odd ' || (input ->> 'kind'));
  IF input ->> 'kind' IN ('57014', '57P01') THEN RAISE EXCEPTION 'odd' USING ERRCODE = input ->> 'kind'; END IF;
  PERFORM pg_sleep((input ->> 'sleep')::float8);
  RETURN '7';
END $$;
SELECT setup.register_task_handler('odd', 'app.odd(jsonb)');
SELECT setup.create_state_machine('odd', '{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,
  "Resource": "arn:aws:lambda:x:1:function:odd", "Catch": [{"ErrorEquals": ["query_canceled", "admin_shutdown"], "Next": "C"}]},
  "C": {"Type": "Pass", "Result": "caught", "End": true}}}');
SELECT setup.start_execution('odd', '{"kind": "57014"}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED "caught"', 'what a task raises as if it was cancelled is its error');
SELECT setup.start_execution('odd', '{"kind": "57P01"}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED "caught"', 'and as if the server was stopped');
SELECT setup.create_state_machine('odd_quick', (SELECT definition FROM setup.describe_state_machine('odd')), 'EXPRESS');
SELECT setup.start_execution('odd_quick', '{"kind": "57014"}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED "caught"', 'also in an EXPRESS machine');
RESET SESSION AUTHORIZATION;
ALTER ROLE executions_ann SET statement_timeout = '300ms';
SET SESSION AUTHORIZATION executions_ann;
SELECT setup.start_execution('odd', '{"sleep": 60}') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED "caught"', 'a statement_timeout is one');
RESET SESSION AUTHORIZATION;
ALTER ROLE executions_ann RESET statement_timeout;
SET SESSION AUTHORIZATION executions_ann;
SELECT setup.create_state_machine('again', '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Task",
  "Resource": "arn:aws:lambda:x:1:function:act", "Output": "{% $states.context.State.RetryCount = 0 ? $error(''not yet'') : 2 %}",
  "Retry": [{"ErrorEquals": ["States.QueryEvaluationError"], "IntervalSeconds": 1, "MaxAttempts": 1}], "End": true}}}');
SELECT setup.start_execution('again') AS run \gset
SELECT is(ended(:run), 'SUCCEEDED 2', 'a state is tried again whose task has succeeded');
SELECT is((SELECT count(*) FROM setup.load_log WHERE run_id = :run AND status = 'OK'), 2::bigint, 'both are in the log');
SELECT setup.create_state_machine('unmade', '{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemsPath": "$.items",
  "ItemSelector": {"a.$": "$.nowhere"}, "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}}}}');
SELECT setup.start_execution('unmade', '{"items": [1, 2]}') AS run \gset
SELECT alike(ended(:run), 'FAILED States.Runtime%', 'items that cannot be made fail');
SELECT setup.redrive_execution(:run);
SELECT alike(ended(:run), 'FAILED States.Runtime%', 'also when they are redriven');
SELECT is((SELECT array_agg(type ORDER BY id DESC) FROM setup.execution_history(:run)) [1], 'ExecutionFailed', 'as their history says');
SELECT is((caught(format('SELECT setup.resume_run(%s)', :run))).hint, format('SELECT setup.redrive_execution(%s); lets it go on.', :run),
  'an execution is not resumed as a run of jobs');
SELECT setup.create_state_machine('slowish', '{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ResultPath": null,
  "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:odd", "End": true}}}}}}');
SELECT setup.start_execution('slowish', (SELECT jsonb_agg('{"kind": "slowish", "sleep": 0.02}'::jsonb) FROM generate_series(1, 200))) AS run \gset
SELECT alike(ended(:run), 'SUCCEEDED%', 'many tasks that are too long to share a commit come to their end');
SELECT is((SELECT count(*) FROM app.done WHERE what = 'odd slowish'), 200::bigint, 'each once');
SELECT (setup.start_execution('pass', name => (SELECT (max(run_id) + 2)::text FROM setup.load_runs))) AS run \gset
SELECT setup.start_execution('pass') AS run \gset
SELECT is((SELECT name FROM setup.describe_execution(:run)), :'run' || '-2', 'a name that is taken is left to its execution');
BEGIN READ ONLY;
SELECT is((caught($$SELECT setup.start_execution('pass')$$)).code, '25006', 'a transaction that only reads starts nothing');
COMMIT;

-- One state

CALL setup.test_state('{"Type": "Choice", "Default": "Other", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "One"}]}',
  '{"x": 1}') \gset tried_
SELECT is(:'tried_status' || ' ' || :'tried_next_state', 'SUCCEEDED One', 'a state can be tried by itself');
CALL setup.test_state('{"Type": "Map", "Next": "After", "ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"},
  "B": {"Type": "Pass", "Result": 7, "End": true}}}}', '[1, 2]') \gset tried_
SELECT is(:'tried_output' || ' ' || :'tried_next_state', '[7, 7] After', 'also one with others in it');
CALL setup.test_state('{"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true,
  "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Oh"}]}', '[]') \gset tried_
SELECT is(:'tried_status' || ' ' || :'tried_output', 'SUCCEEDED "mended"', 'for real');
CALL setup.test_state('{"Type": "Fail", "Error": "Mine", "Cause": "so"}') \gset tried_
SELECT is(:'tried_status' || ' ' || :'tried_error' || ' ' || :'tried_cause', 'FAILED Mine so', 'with its error');
SELECT is((SELECT count(*) FROM setup.list_state_machines() WHERE name LIKE 'test of a state%'), 0::bigint, 'and leaves no machine');

-- Others

RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION executions_eve;
SELECT is((SELECT count(*) FROM setup.list_state_machines()), 0::bigint, 'another role sees no machine');
SELECT is((SELECT count(*) FROM setup.list_executions()), 0::bigint, 'no execution');
SELECT is((SELECT count(*) FROM setup.execution_history(:first)), 0::bigint, 'no history');
SELECT is((SELECT count(*) FROM setup.state_machine_versions), 0::bigint, 'no definition');
SELECT is((caught($$SELECT setup.start_execution('pass')$$)).code, '42704', 'starts none');
SELECT is((caught(format('SELECT setup.stop_execution(%s)', :first))).code, 'P0002', 'stops none');
SELECT is((caught(format('SELECT setup.redrive_execution(%s)', :first))).code, 'P0002', 'redrives none');
SELECT is((caught($$SELECT setup.create_state_machine('pass', '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')$$)).code,
  '42501', 'and does not replace one');
SELECT is((caught($$SELECT setup.delete_state_machine('pass')$$)).code, '42704', 'nor delete it');
SELECT is((caught($$SELECT * FROM setup.execution_branches$$)).code, '42501', 'tokens and positions are nobody''s to see');
RESET SESSION AUTHORIZATION;

-- Deleting

SET SESSION AUTHORIZATION executions_ann;
SELECT setup.create_state_machine('wait', '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": true}}}');
SELECT setup.start_execution('wait') AS run \gset
SELECT setup.delete_state_machine('wait');
SELECT is((SELECT count(*) FROM setup.describe_state_machine('wait')), 0::bigint, 'a machine can be deleted');
SELECT is(ended(:run), 'SUCCEEDED {}', 'what runs goes on to its end');
RESET SESSION AUTHORIZATION;
SELECT alike(setup.state_machine_graph('two', run_id => (SELECT max(run_id) FROM setup.executions WHERE state_machine = 'two')),
  E'flowchart TD\n%class s1 succeeded%', 'a machine can be drawn, coloured by an execution');
SELECT is((caught($$SELECT setup.state_machine_graph('two', 'png')$$)).hint, 'It is ''mermaid'' or ''dot''.', 'in two formats');

CREATE VIEW left_over AS SELECT FROM setup.state_machine_versions v
  WHERE NOT EXISTS (SELECT FROM setup.state_machines m WHERE m.machine_id = v.machine_id);
SELECT isnt_empty('SELECT FROM left_over', 'definitions of deleted machines are kept for their executions');
SELECT setup.drop_history('infinity');
SELECT is_empty('SELECT FROM left_over', 'and go with them');

SELECT * FROM finish();
DROP OWNED BY executions_ann, executions_eve, executions_team CASCADE;
DROP ROLE executions_ann, executions_eve, executions_team;
