-- Timeouts of statements, jobs, layers and runs: which of them counts, how long they may be, what comes after one; and
-- cancels of runs that wait. How fast whatever a job does is stopped is the subject of crash/010_stopping.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE TABLE found (job text, statement_timeout text);
CREATE VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();
CREATE VIEW ended AS SELECT * FROM setup.load_runs WHERE run_id = last_run();

SELECT plan(41);

-- Which statement_timeout counts

SELECT setup.create_layer('plain'), setup.create_layer('strict', settings => '{"statement_timeout": "20 min"}');
SELECT setup.add_job(layer, job, format('INSERT INTO public.found VALUES (%L, current_setting(''statement_timeout''))', job),
  statement_timeout => timeout)
  FROM (VALUES ('plain', 'of_run', NULL), ('strict', 'of_layer', NULL), ('strict', 'of_job', interval '10 min'))
    AS jobs(layer, job, timeout);
SELECT setup.start_run(statement_timeout => '30 min') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'a run sets a statement_timeout');
SELECT results_eq('SELECT * FROM found ORDER BY job',
  $$VALUES ('of_job', '10min'), ('of_layer', '20min'), ('of_run', '30min')$$,
  'a job''s counts before its layer''s, and that before the run''s');
SELECT setup.start_run('plain') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'another run sets none');
SELECT is((SELECT statement_timeout FROM found WHERE job = 'of_run' ORDER BY ctid DESC LIMIT 1), '0', 'and its jobs have none');

-- What comes after one

SELECT setup.create_layer('late');
SELECT setup.add_job('late', 'statement', 'SELECT 1; SELECT pg_sleep(60)', statement_timeout => '200 ms');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'a run ends ERROR when a statement takes too long');
SELECT results_eq('SELECT status, sqlstate, message, context, retry_at FROM log',
  $$VALUES ('TIMED_OUT', '57014', 'canceling statement due to statement timeout', 'statement 2 of the job''s command',
            NULL::timestamptz)$$,
  'its job is TIMED_OUT, and not tried again');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', statement_timeout => '200 ms', retry_on => '{timeout}',
  max_attempts => 2, retry_delay => '0');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(), 'ERROR: statement TIMED_OUT, statement TIMED_OUT',
  'unless its policy says so');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', timeout => '200 ms');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(), 'ERROR: statement TIMED_OUT',
  'a job that takes too long is not tried again');
SELECT is((SELECT message FROM log), 'took longer than its timeout of 200 ms', 'its message says how long it might take');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', timeout => '200 ms', retry_on => '{57014}',
  max_attempts => 3, retry_delay => '0');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(),
  'ERROR: statement TIMED_OUT, statement TIMED_OUT, statement TIMED_OUT', 'unless its policy says so');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', retry_on => '{timeout}', max_attempts => 3,
  retry_delay => '0');
SELECT setup.start_run('late', timeout => '300 ms') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(), 'TIMED_OUT: statement TIMED_OUT',
  'after the timeout of its run nothing is tried again');
SELECT is((SELECT retry_at FROM log), NULL, 'and not said to be');
SELECT setup.create_layer('late', settings => '{"timeout": "300 ms"}');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(), 'ERROR: statement TIMED_OUT',
  'nor after that of its layer');
SELECT is((SELECT retry_at FROM log), NULL, 'nor said to be');
SELECT setup.create_layer('late', settings => '{"timeout": null, "job_timeout": "100 ms"}');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'a job without a timeout has that of its layer''s jobs');
SELECT is((SELECT DISTINCT message FROM log), 'took longer than its timeout of 100 ms', 'which is in its message');
SELECT setup.create_layer('late', settings => '{"job_timeout": null}');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)');
CALL setup.orchestrate_layer('late', timeout => '300 ms');
SELECT is(:'SQLSTATE'::text, 'OR005', 'a call whose run times out raises OR005');
SELECT alike(:'LAST_ERROR_MESSAGE'::text, format('run %s timed out: 1 job: 0 OK, 1 failed, %%', last_run()),
  'with a message that counts the jobs');

-- Very long and very short ones

SELECT setup.create_layer('long', settings => '{"timeout": "170000000 years", "statement_timeout": "170000000 years"}');
SELECT setup.add_job('long', 'job', 'SELECT pg_sleep(0.1)', timeout => '170000000 years', max_attempts => 2,
  retry_delay => '170000000 years', max_retry_delay => '170000000 years', retry_on => '{all}');
SELECT setup.start_run('long', timeout => '170000000 years', statement_timeout => '170000000 years') AS run \gset
SELECT is(setup.wait_run(:run), 'OK',
  'timeouts of 170 million years are long enough');
SELECT setup.add_job('long', 'job', 'SELECT 1/0', timeout => '30 days', max_attempts => 2,
  retry_delay => '170000000 years', max_retry_delay => '170000000 years', retry_on => '{all}');
SELECT setup.start_run('long') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM log)');
SELECT is((SELECT retry_at > now() + interval '1 day' FROM log), true, 'a retry may be as far away');
SELECT setup.cancel_run(last_run()), clock_timestamp() AS cancelled_at \gset
SELECT is(setup.wait_run(last_run(), '20 s'), 'CANCELLED', 'a run that waits for it can be cancelled');
SELECT is((SELECT finished_at - :'cancelled_at' < interval '1 s' FROM ended), true, 'within a second');
SELECT is(outcome(), 'job ERROR, job SKIPPED', 'its job has failed, and is not tried again');
SELECT is((SELECT message FROM log WHERE status = 'SKIPPED'), 'the run was cancelled', 'for that reason');
SELECT setup.start_run('long', timeout => '300 ms') AS run \gset
SELECT is(setup.wait_run(:run) || ': ' || outcome(), 'TIMED_OUT: job ERROR, job SKIPPED',
  'or it times out');
SELECT is((SELECT message FROM log WHERE status = 'SKIPPED'), 'the run took longer than its timeout of 300 ms',
  'and says so');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', timeout => '1 microsecond');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run, '20 s') || ': ' || outcome(), 'ERROR: statement TIMED_OUT',
  'a timeout of a microsecond is short, and not none');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)', statement_timeout => '1 microsecond');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run, '20 s') || ': ' || outcome(), 'ERROR: statement TIMED_OUT',
  'for statements, too');
SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)');
SELECT setup.start_run('late', timeout => '1 microsecond') AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'TIMED_OUT', 'and for runs');
SELECT setup.create_layer('late', settings => '{"timeout": "1 microsecond"}');
SELECT setup.start_run('late') AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'ERROR', 'and for layers');
SELECT alike((SELECT message FROM log), 'layer "late" took longer than its timeout%', 'which is then the reason');
SELECT setup.create_layer('late', settings => '{"timeout": null}');
SELECT throws_ok(format('SELECT setup.add_job(''late'', ''none'', ''SELECT 1'', %s => ''%s'')', argument, value), '23514',
    NULL, format('%s => ''%s'' is refused', argument, value))
  FROM (VALUES ('timeout', '0'), ('timeout', '-1 s'), ('statement_timeout', '0')) AS refused(argument, value);
SELECT isnt((SELECT code FROM caught('SELECT setup.start_run(''late'', timeout => ''0'')')), '00000',
  'nor may a run take no time');

-- What took its time, but not too much

SELECT setup.create_layer('quick', settings => '{"timeout": "1 hour"}');
SELECT setup.add_job('quick', 'job', 'SELECT 1', timeout => '1 hour');
SELECT setup.start_run('quick', timeout => '1 hour') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'what is done in time is not stopped');

-- A cancel of somebody else's

SELECT setup.add_job('late', 'statement', 'SELECT pg_sleep(60)');
SELECT setup.start_run('late') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND backend_type LIKE 'etl%')$$);
SELECT pg_cancel_backend(pid) FROM setup.running_jobs WHERE job_name = 'statement';
SELECT is(setup.wait_run(last_run(), '20 s'), 'ERROR', 'a run goes on when somebody cancels the process of a job');
SELECT results_eq('SELECT status, sqlstate, message FROM log',
  $$VALUES ('ERROR', '57014', 'canceling statement due to user request')$$, 'which is an ERROR, and not tried again');

-- Two cancels

SELECT setup.start_run('late') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM setup.running_jobs)');
SELECT setup.cancel_run(last_run()), setup.cancel_run(last_run());
SELECT is(setup.wait_run(last_run(), '20 s'), 'CANCELLED', 'a run can be cancelled twice');
SELECT is((SELECT count(*) FROM log), 1::bigint, 'and its job ends once');
SELECT throws_ok('SELECT setup.add_job(''late'', ''x'', ''SELECT 1'', retry_on => ''{timeouts}'')', '22023', NULL,
  'a policy speaks of timeouts in one word only');

SELECT * FROM finish();
