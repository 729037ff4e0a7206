-- What setup.running_jobs, setup.why_waiting() and graphs tell of executions while they are open.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE looking_alice LOGIN;
CREATE ROLE looking_bob LOGIN;
CREATE TABLE gate ();
GRANT ALL ON gate TO looking_alice;
GRANT USAGE ON SCHEMA setup TO looking_alice, looking_bob;
SET SESSION AUTHORIZATION looking_alice;
SELECT plan(16);

SELECT setup.create_activity('approval');
SELECT setup.create_state_machine('works', '{"StartAt": "Before", "States": {"Before": {"Type": "Pass", "Next": "Locks"},
  "Locks": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "Parameters": {"Command": "LOCK TABLE public.gate"}, "End": true}}}');
SELECT setup.create_state_machine('pauses', '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}');
SELECT setup.create_state_machine('waits', '{"StartAt": "All", "States": {"All": {"Type": "Parallel", "End": true, "Branches": [
  {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 600, "End": true}}},
  {"StartAt": "Asks", "States": {"Asks": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
    "Parameters": {"TopicArn": "ask", "Message": {"token.$": "$$.Task.Token"}}, "End": true}}},
  {"StartAt": "Approval", "States": {"Approval": {"Type": "Task", "Resource": "arn:aws:states:eu-west-1:1:activity:approval", "End": true}}},
  {"StartAt": "Again", "States": {"Again": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "Parameters": {"Command": "SELECT 1/0"},
    "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600}], "End": true}}},
  {"StartAt": "Other", "States": {"Other": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync",
    "Parameters": {"StateMachineArn": "pauses"}, "End": true}}}]}}}');

-- A task that a worker is at, and that waits for a lock.
RESET SESSION AUTHORIZATION;
BEGIN;
LOCK TABLE gate;
\setenv PGUSER looking_alice
\set run `psql -XqAt -d :'DBNAME' -c "SELECT setup.start_execution('works')"`
SELECT wait_until(format('EXISTS (SELECT FROM setup.why_waiting(%s) WHERE reason = ''lock'')', :run));
SELECT results_eq(format('SELECT layer, job_name, reason, pid FROM setup.why_waiting(%s)', :run),
  $$VALUES ('works', 'Locks', 'lock', pg_backend_pid())$$, 'why_waiting says who holds the lock that a task waits for');
SELECT results_eq(format('SELECT run_id, layer, job_name, attempt, owner FROM setup.running_jobs WHERE run_id = %s', :run),
  format($$VALUES (%s::bigint, 'works', 'Locks', 1, 'looking_alice')$$, :run), 'running_jobs has the task');
SELECT alike((SELECT query FROM setup.running_jobs), '%LOCK TABLE public.gate%', 'with its query');
SELECT matches(setup.state_machine_graph('works', 'mermaid', :run), 'Locks.*:::running|class .*running', 'a graph shows the state as running');
SELECT results_eq(format('SELECT id, previous, type, details FROM setup.execution_history(%s)', :run),
  $$VALUES (1::bigint, 0::bigint, 'ExecutionStarted', '{"input": {}}'::jsonb)$$, 'the history tells that it has begun');
SET LOCAL SESSION AUTHORIZATION looking_bob;
SELECT is((SELECT count(*) FROM setup.running_jobs), 0::bigint, 'other roles see nothing of it');
SELECT is((caught(format('SELECT setup.why_waiting(%s)', :run))).code, 'P0002', 'nor why it waits');
COMMIT;
SELECT wait_until(format('(SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = %s)', :run));
SELECT is((SELECT status FROM setup.load_runs WHERE run_id = :run), 'OK', 'it goes on');
SELECT is_empty('SELECT * FROM setup.running_jobs', 'and is not running any more');
SELECT is_empty(format('SELECT * FROM setup.why_waiting(%s)', :run), 'nothing waits in what has ended');

-- What waits for no worker.
SET SESSION AUTHORIZATION looking_alice;
SELECT setup.start_execution('waits') AS run \gset
SELECT wait_until(format('(SELECT count(*) = 5 FROM setup.why_waiting(%s))', :run));
SELECT results_eq(format('SELECT job_name, reason FROM setup.why_waiting(%s) ORDER BY job_name', :run),
  $$VALUES ('Again', 'retry'), ('Approval', 'token'), ('Asks', 'token'), ('Other', 'run'), ('Pause', 'time')$$,
  'each branch says for what it waits');
SELECT ok((SELECT bool_and(retry_at BETWEEN now() + interval '8 minutes' AND now() + interval '11 minutes') FROM setup.why_waiting(:run)
   WHERE reason IN ('retry', 'time')), 'and until when, where that is known');
SELECT is((SELECT count(*) FROM setup.why_waiting(:run) WHERE explanation IS NULL), 0::bigint, 'in words, too');
SELECT matches((SELECT explanation FROM setup.why_waiting(:run) WHERE job_name = 'Approval'), 'get_activity_task', 'an activity waits for its worker');
SELECT is_empty('SELECT * FROM setup.running_jobs', 'none of them is running');
SELECT setup.stop_execution(run_id) FROM setup.executions WHERE status = 'RUNNING';
SELECT wait_until('NOT EXISTS (SELECT FROM setup.executions WHERE status = ''RUNNING'')');
SELECT is_empty(format('SELECT * FROM setup.why_waiting(%s)', :run), 'nor what was stopped');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DROP OWNED BY looking_alice, looking_bob;
DROP ROLE looking_alice, looking_bob;
