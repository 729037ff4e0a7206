-- Two runs of the same pipeline: the second one waits, or does nothing, or is an error, as it was asked to.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE TABLE gates (gate text);
SELECT setup.create_layer('piped'), setup.create_layer('aside');
SELECT setup.add_job('piped', 'gated', $$SELECT public.wait_until('EXISTS (SELECT FROM public.gates)')$$),
  setup.add_job('piped', 'quick', 'SELECT 1'), setup.add_job('aside', 'quick', 'SELECT 1');

-- Starts a run that does not end before its gate is open.
CREATE FUNCTION start_gated() RETURNS bigint LANGUAGE sql AS $$DELETE FROM gates; SELECT setup.start_run('piped')$$;
CREATE FUNCTION begins(run bigint) RETURNS void LANGUAGE sql AS
  $$SELECT wait_until(format('EXISTS (SELECT FROM setup.running_jobs WHERE run_id = %s)', run))$$;
CREATE FUNCTION status(run bigint) RETURNS text LANGUAGE sql AS
  'SELECT status FROM setup.load_runs WHERE run_id = status.run';

SELECT plan(31);

SELECT start_gated() AS first \gset
SELECT begins(:first);

-- Nothing, or an error

SELECT setup.start_run('piped', if_running => 'skip') AS run \gset
SELECT is(setup.wait_run(:run), 'SKIPPED', 'a run that skips while its pipeline is running ends SKIPPED');
SELECT results_eq(format('SELECT message, jobs_total, jobs_ok, jobs_skipped FROM setup.load_runs WHERE run_id = %s', :run),
  format($$VALUES ('run %s of the same pipeline is running', 2, 0, 2)$$, :first), 'says why, and counts its jobs as skipped');
SELECT is((SELECT count(*) FROM setup.load_log WHERE run_id = :run), 0::bigint, 'without a log of each');
CALL setup.orchestrate_layer('piped', if_running => 'skip');
SELECT is(:'SQLSTATE'::text || ' ' || status(last_run()), '00000 SKIPPED', 'for a call that is no error');
SELECT results_eq($$SELECT code, message, hint FROM caught('SELECT setup.start_run(''piped'', if_running => ''error'')')$$,
  format($$VALUES ('OR004', 'run %s of the same pipeline is running',
    'Wait for it with setup.wait_run(), or say if_running => ''queue'' or ''skip''.')$$, :first),
  'a run that must be the only one is refused');
SELECT last_run() AS before \gset
CALL setup.orchestrate_layer('piped', if_running => 'error');
SELECT is(:'SQLSTATE'::text, 'OR004', 'and so is such a call');
SELECT is(last_run(), :before::bigint, 'of which nothing remains');
CALL setup.orchestrate_layer('piped', if_running => 'panic');
SELECT is(:'SQLSTATE'::text || ' ' || :'LAST_ERROR_MESSAGE', '22023 if_running "panic" is not known',
  'anything else is refused');

-- What is not the same pipeline

SELECT setup.start_run('aside', if_running => 'error') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'another layer is another pipeline');
SELECT setup.start_run('piped', jobs => '{quick}', if_running => 'error') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'and so is another selection of jobs');
UPDATE setup.load_jobs SET is_enabled = layer = 'aside';
SELECT setup.add_job('piped', 'new', 'SELECT 1');
SELECT setup.start_run('piped', if_running => 'error') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'and so is the same layer when it has no job in common any more');
SELECT setup.drop_job('piped', 'new');
UPDATE setup.load_jobs SET is_enabled = true;
SELECT is(status(:first), 'RUNNING', 'all that while the first run was running');
INSERT INTO gates VALUES ('');
SELECT is(setup.wait_run(:first), 'OK', 'and it has not minded');
SELECT setup.start_run('piped', if_running => 'error') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'once it has ended, the pipeline is free');

-- The same selection in another order

DELETE FROM gates;
SELECT setup.start_run(jobs => '{piped.gated,piped.quick}') AS first \gset
SELECT begins(:first);
SELECT is((SELECT code FROM caught('SELECT setup.start_run(jobs => ''{piped.quick,piped.gated}'', if_running => ''error'')')),
  'OR004', 'the same jobs in another order are the same pipeline');
INSERT INTO gates VALUES ('');
SELECT is(setup.wait_run(:first), 'OK', 'whose run ends');

-- A queue

SELECT start_gated() AS first \gset
SELECT begins(:first);
SELECT setup.start_run('piped') AS second \gset
SELECT setup.start_run('piped') AS third \gset
SELECT setup.start_run('piped') AS fourth \gset
SELECT results_eq(format('SELECT job_name, reason, explanation FROM setup.why_waiting(%s)', :second),
  format($$VALUES ('gated', 'run', 'run %1$s of the same pipeline is running'),
                  ('quick', 'run', 'run %1$s of the same pipeline is running')$$, :first),
  'a run that says nothing waits, and why_waiting tells for what');
SELECT is(setup.wait_run(:second, '10 ms'), 'QUEUED', 'it is QUEUED');
SELECT setup.cancel_run(:third), clock_timestamp() AS cancelled_at \gset
SELECT is(setup.wait_run(:third, '20 s'), 'CANCELLED', 'a run that is cancelled while it waits ends CANCELLED');
SELECT is((SELECT finished_at - :'cancelled_at' < interval '1 s' FROM setup.load_runs WHERE run_id = :third), true,
  'within a second');
SELECT is(outcome || ': ' || reason, 'gated SKIPPED, quick SKIPPED: the run was cancelled', 'its jobs are SKIPPED')
  FROM (SELECT string_agg(job_name || ' ' || status, ', ' ORDER BY job_name) AS outcome, min(message) AS reason
          FROM setup.load_log WHERE run_id = :third) log;
SELECT is((SELECT jobs_skipped FROM setup.load_runs WHERE run_id = :third), 2, 'and counted so');
SELECT is(status(:first) || ' ' || status(:second), 'RUNNING QUEUED', 'the others stay what they are');
INSERT INTO gates VALUES ('');
SELECT is(setup.wait_run(:first) || ' ' || setup.wait_run(:second) || ' ' || setup.wait_run(:fourth), 'OK OK OK',
  'the others run');
SELECT is((SELECT bool_and(a.finished_at <= b.started_at) FROM setup.load_runs a JOIN setup.load_runs b
             ON (a.run_id, b.run_id) IN ((:first, :second), (:second, :fourth))), true,
  'one after the other, in the order in which they were asked for');
SELECT cmp_ok((SELECT max(b.started_at - a.finished_at) FROM setup.load_runs a JOIN setup.load_runs b
             ON (a.run_id, b.run_id) IN ((:first, :second), (:second, :fourth))), '<', interval '0.8 s',
  'each as soon as the one before has ended');

SELECT start_gated() AS first \gset
SELECT begins(:first);
SELECT setup.start_run('piped') AS second \gset
SELECT is(setup.wait_run(:second, '10 ms'), 'QUEUED', 'a run waits');
SELECT setup.cancel_run(:first);
SELECT begins(:second);
SELECT is(status(:first), 'CANCELLED', 'until the one before is cancelled');
INSERT INTO gates VALUES ('');
SELECT is(setup.wait_run(:second), 'OK', 'and then runs');

-- Whoever waits for it

DELETE FROM gates;
SELECT start_gated() AS first \gset
SELECT begins(:first);
\setenv DATABASE :DBNAME
\! psql -Xq -d "$DATABASE" -c "CALL setup.orchestrate_layer('piped', if_running => 'queue')" >/dev/null 2>&1 &
SELECT wait_until(format('public.last_run() > %s', :first));
SELECT last_run() AS second \gset
SELECT is(status(:second), 'QUEUED', 'a call waits, too');
INSERT INTO gates VALUES ('');
SELECT wait_until(format('(SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = %s)', :second));
SELECT is(status(:second), 'OK', 'and runs when it is its turn');

SELECT * FROM finish();
