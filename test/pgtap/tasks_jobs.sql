-- Tasks that run load jobs: glue:startJobRun and its like, etl:orchestrate.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SELECT setup.create_layer('bronze'), setup.create_layer('silver');
GRANT USAGE ON SCHEMA bronze, silver TO tasks_owner, tasks_other;
CREATE SCHEMA work AUTHORIZATION tasks_owner;
SET SESSION AUTHORIZATION tasks_other;
SELECT setup.add_job('bronze', 'theirs', 'SELECT 1');
SET SESSION AUTHORIZATION tasks_owner;
CREATE TABLE work.loads (what text);
SELECT setup.add_job('bronze', 'load', 'INSERT INTO work.loads VALUES (setup.param(''INPUT_PATH''))'),
  setup.add_job('bronze', 'fail', 'SELECT 1 / 0'),
  setup.add_job('bronze', 'twice', 'SELECT 1'), setup.add_job('silver', 'twice', 'SELECT 2'),
  setup.add_job('bronze', 'slow', 'SELECT pg_sleep(60)'),
  setup.add_job('silver', 'after', 'INSERT INTO work.loads VALUES (''after'')');

SELECT plan(36);

-- One run of one job

SELECT task('load', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "load", "Arguments": {"--INPUT_PATH": "s3://bucket/it''s"}}');
SELECT is(output('load') ->> 'JobRunState', 'SUCCEEDED', 'a job runs');
SELECT is(output('load') ->> 'JobName', 'load', 'the result has its name,');
SELECT is(output('load') -> 'Arguments', '{"INPUT_PATH": "s3://bucket/it''s"}', 'its arguments,');
SELECT ok(output('load') ?& '{Id,ExecutionTime,StartedOn,CompletedOn,Attempt}', 'how long it took and when');
SELECT is(jsonb_typeof(output('load') -> 'StartedOn'), 'number', 'as milliseconds');
SELECT results_eq('SELECT what FROM work.loads', $$VALUES ('s3://bucket/it''s')$$, 'the arguments reach it');
SELECT is((SELECT 'jr_' || r.run_id FROM setup.load_runs r WHERE r.state_machine IS NULL), output('load') ->> 'Id', 'it is a run');

SELECT task('async', 'arn:aws:states:::glue:startJobRun', '{"JobName": "bronze.load"}'),
  task('failing', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "fail"}'),
  task('unknown', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "nothing"}'),
  task('foreign', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "theirs"}'),
  task('several', 'arn:aws:states:::glue:startJobRun', '{"JobName": "twice"}'),
  task('hostile', 'arn:aws:states:::glue:startJobRun', '{"JobName": "load''; DROP TABLE work.loads; --"}'),
  task('wrong_type', 'arn:aws:states:::glue:startJobRun', '{"JobName": 1}'),
  task('wrong_arguments', 'arn:aws:states:::glue:startJobRun', '{"JobName": "load", "Arguments": [1]}'),
  task('nameless', 'arn:aws:states:::glue:startJobRun', '{}');
SELECT matches(output('async') ->> 'JobRunId', '^jr_[0-9]+$', 'without .sync the task has its number at once');
SELECT is(setup.wait_run(substr(output('async') ->> 'JobRunId', 4)::bigint), 'OK', 'and it runs');
SELECT is(error('failing'), 'States.TaskFailed', 'a job that fails lets the task fail');
SELECT is(cause('failing')::jsonb ->> 'JobRunState', 'FAILED', 'its cause is the run of the job');
SELECT matches(cause('failing')::jsonb ->> 'ErrorMessage', 'division by zero', 'and says why');
SELECT is(error('unknown'), 'Glue.EntityNotFoundException', 'an unknown job is an error by its name');
SELECT is(error('foreign'), 'Glue.EntityNotFoundException', 'as is the job of somebody else');
SELECT is(error('several'), 'Glue.InvalidInputException', 'and a name that several layers have');
SELECT is(error('hostile'), 'Glue.EntityNotFoundException', 'a name is only a name');
SELECT is(error('wrong_type'), 'States.Runtime', 'one that is no text is refused');
SELECT is(error('wrong_arguments'), 'States.Runtime', 'as are arguments that are no object');
SELECT is(error('nameless'), 'States.Runtime', 'or a task without JobName');

-- What became of runs

SELECT task('get', 'arn:aws:states:::aws-sdk:glue:getJobRun', jsonb_build_object('JobName', 'load', 'RunId', output('load') ->> 'Id')),
  task('get_unknown', 'arn:aws:states:::aws-sdk:glue:getJobRun', '{"JobName": "load", "RunId": "jr_999999"}'),
  task('get_garbage', 'arn:aws:states:::aws-sdk:glue:getJobRun', '{"JobName": "load", "RunId": "jr_1 OR true"}'),
  task('list', 'arn:aws:states:::aws-sdk:glue:getJobRuns', '{"JobName": "load", "MaxResults": 1}');
SELECT is(output('get') #>> '{JobRun,JobRunState}', 'SUCCEEDED', 'getJobRun tells of a run');
SELECT is(jsonb_typeof(output('get') #> '{JobRun,StartedOn}'), 'string', 'with times as text');
SELECT is(error('get_unknown'), 'Glue.EntityNotFoundException', 'not of one that never was');
SELECT is(error('get_garbage'), 'Glue.EntityNotFoundException', 'nor of what is no number');
SELECT is(jsonb_array_length(output('list') -> 'JobRuns'), 1, 'getJobRuns gives as many as asked for');
SELECT ok(output('list') ? 'NextToken', 'and where the next ones begin');

-- How many run at the same time; stopping

SELECT task('slow', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "slow"}');
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE job_name = 'slow')$$);
SELECT task('second', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "slow"}');
SELECT is(error('second'), 'Glue.ConcurrentRunsExceededException', 'more runs than the job allows are an error by its name');
SELECT setup.stop_execution(max(run_id)) FROM setup.executions WHERE state_machine = 'slow';
SELECT is(error('slow'), 'ABORTED', 'an execution that waits for a run can be stopped');
SELECT wait_until($$EXISTS (SELECT FROM setup.load_runs r JOIN setup.run_steps s USING (run_id) WHERE s.job_name = 'slow' AND r.status = 'CANCELLED')$$);
SELECT pass('and the run is cancelled with it');
SELECT task('late', 'arn:aws:states:::glue:startJobRun.sync', '{"JobName": "slow"}', '{"TimeoutSeconds": 1}');
SELECT is(error('late'), 'States.Timeout', 'a task that waits for a run can time out');
SELECT wait_until($$2 = (SELECT count(*) FROM setup.load_runs r JOIN setup.run_steps s USING (run_id) WHERE s.job_name = 'slow' AND r.status = 'CANCELLED')$$);
SELECT pass('which cancels the run, too');

-- Layers

TRUNCATE work.loads;
SELECT task('layer', 'arn:aws:states:::etl:orchestrate.sync', '{"Layer": "silver"}'),
  task('jobs', 'arn:aws:states:::etl:orchestrate.sync', '{"Jobs": ["bronze.load"], "Params": {"INPUT_PATH": "p"}}'),
  task('no_layer', 'arn:aws:states:::etl:orchestrate.sync', '{"Layer": "nothing"}'),
  task('failed_run', 'arn:aws:states:::etl:orchestrate.sync', '{"Jobs": ["bronze.fail"]}'),
  task('wrong_policy', 'arn:aws:states:::etl:orchestrate', '{"OnError": "ignore"}');
SELECT is(output('layer') - '{RunId,StartedOn,CompletedOn}'::text[],
  '{"Status": "OK", "JobsTotal": 2, "JobsOk": 2, "JobsFailed": 0, "JobsSkipped": 0}', 'etl:orchestrate.sync runs a layer');
SELECT is(output('jobs') ->> 'Status', 'OK', 'or jobs');
SELECT results_eq('SELECT what FROM work.loads ORDER BY what', $$VALUES ('after'), ('p')$$, 'with parameters');
SELECT isnt(error('no_layer'), 'SUCCEEDED', 'an unknown layer is an error');
SELECT is(cause('failed_run')::jsonb ->> 'JobsFailed', '1', 'a run that failed lets the task fail');
SELECT is(error('wrong_policy'), 'States.Runtime', 'a policy is continue or stop');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DELETE FROM setup.load_jobs;
DROP OWNED BY tasks_owner, tasks_other;
DROP ROLE tasks_owner, tasks_other;
