-- Jobs that are held back: paused by their owners, or quarantined by the engine. How a job gets into quarantine is the
-- subject of crash/009_quarantine.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE holds_owner LOGIN;
CREATE ROLE holds_other LOGIN;
GRANT USAGE ON SCHEMA setup TO PUBLIC;
CREATE FUNCTION wait_for_reason(run bigint, job text, reason text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('EXISTS (SELECT FROM setup.why_waiting(%s) WHERE job_name = %L AND reason = %L)', run, job, reason))
$$;
CREATE FUNCTION wait_for_end(run bigint, job text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('EXISTS (SELECT FROM setup.load_log WHERE run_id = %s AND job_name = %L)', run, job))
$$;

SELECT plan(33);

SELECT setup.create_layer('work'), setup.create_layer('after');
SELECT setup.add_job('work', 'held', 'SELECT 1', owner => 'holds_owner'),
  setup.add_job('work', 'child', 'SELECT 1', depends_on => '{held}'),
  setup.add_job('work', 'free', 'SELECT 1'), setup.add_job('after', 'later', 'SELECT 1'),
  setup.add_job('after', 'of_free', 'SELECT 1', depends_on => '{work.free}');

-- Who may

SET ROLE holds_other;
SELECT throws_ok('SELECT setup.pause_job(''work'', ''held'')', '42501', NULL, 'nobody pauses a job of somebody else');
SELECT throws_ok('SELECT setup.release_job(''work'', ''held'')', '42501', NULL, 'nor releases one');
SELECT throws_ok('SELECT setup.pause_job(''work'', ''none'')', '42704', NULL, 'a job that is paused must be there');
SELECT throws_ok('SELECT setup.release_job(''none'', ''held'')', '42704', NULL, 'and so must one that is released');
SELECT throws_ok('DELETE FROM setup.job_holds', '42501', NULL, 'nobody writes holds himself');
SET ROLE holds_owner;
SELECT lives_ok('SELECT setup.pause_job(''work'', ''held'')', 'its owner pauses a job');
SELECT results_eq('SELECT layer, job_name, hold, held_by, crashes FROM setup.job_holds',
  $$VALUES ('work', 'held', 'paused', 'holds_owner', 0)$$, 'setup.job_holds tells that, and who did');
SELECT lives_ok('SELECT setup.pause_job(''work'', ''held'')', 'to pause it again is no error');
SET ROLE holds_other;
SELECT is((SELECT count(*) FROM setup.job_holds), 0::bigint, 'others do not see it');
RESET ROLE;

-- A pause

SELECT setup.start_run() AS run \gset
SELECT wait_for_end(:run, 'free');
SELECT wait_for_reason(:run, 'held', 'paused');
SELECT is(outcome(), 'free OK', 'a paused job does not start, nor what depends on it or follows its layer');
SELECT is(setup.wait_run(:run, '10 ms'), 'RUNNING', 'the run waits for it');
SELECT results_eq(format('SELECT job_name, reason, waits_for FROM setup.why_waiting(%s) ORDER BY job_name', :run),
  $$VALUES ('child', 'dependency', '{work.held}'::text[]), ('held', 'paused', NULL),
           ('later', 'layer', '{work.held,work.child}'), ('of_free', 'layer', '{work.held,work.child}')$$,
  'and says so');
SET ROLE holds_owner;
SELECT setup.release_job('work', 'held');
RESET ROLE;
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'when it is released the run goes on to its end');
SELECT is(outcome(), 'child OK, free OK, held OK, later OK, of_free OK', 'with all that had waited');
SELECT is((SELECT count(*) FROM setup.job_holds WHERE hold IS NOT NULL), 0::bigint, 'nothing is held any more');
SELECT lives_ok('SELECT setup.release_job(''work'', ''held'')', 'to release what is not held is no error');

SELECT setup.pause_job('work', 'held');
SELECT setup.start_run('work') AS run \gset
SELECT wait_for_reason(:run, 'held', 'paused');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run, '20 s'), 'CANCELLED', 'a run that waits for a paused job can be cancelled');
SELECT setup.start_run('work', timeout => '300 ms') AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'TIMED_OUT', 'and times out');
SELECT is((SELECT string_agg(job_name || ' ' || status, ', ' ORDER BY job_name) FROM setup.load_log
            WHERE run_id = :run AND job_name <> 'free'), 'child SKIPPED, held SKIPPED', 'without the job and what waits for it');
SELECT setup.release_job('work', 'held');

BEGIN;
SELECT setup.pause_job('work', 'held');
ROLLBACK;
SELECT setup.start_run('work') AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'a pause that is rolled back holds nothing');

-- What is running goes on

SELECT setup.add_job('work', 'held', $$SELECT public.wait_until('pg_try_advisory_xact_lock(11)')$$);
SELECT pg_advisory_lock(11);
SELECT setup.start_run('work') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM setup.running_jobs WHERE job_name = ''held'')');
SELECT setup.pause_job('work', 'held');
SELECT pg_advisory_unlock(11);
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'a job that is running when it is paused goes on');
SELECT setup.start_run('work') AS run \gset
SELECT wait_for_reason(:run, 'held', 'paused');
SELECT pass('and is held in the next run');
SELECT setup.release_job('work', 'held');
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'until it is released');

-- In a sequence

SELECT setup.create_layer('row', execution => 'sequence');
SELECT setup.add_job('row', 'r1', 'SELECT 1', load_order => 1), setup.add_job('row', 'r2', 'SELECT 1', load_order => 2);
SELECT setup.pause_job('row', 'r1');
SELECT setup.start_run('row') AS run \gset
SELECT wait_for_reason(:run, 'r1', 'paused');
SELECT is((SELECT reason FROM setup.why_waiting(:run) WHERE job_name = 'r2'), 'layer', 'in a sequence a paused job keeps its turn');
SELECT setup.release_job('row', 'r1');
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'released, it takes it');
SELECT is((SELECT string_agg(job_name, ' ' ORDER BY started_at) FROM setup.load_log WHERE run_id = :run), 'r1 r2',
  'and the next comes after it');

-- Quarantine

INSERT INTO setup.job_holds (layer, job_name, crashes, hold, held_since)
  VALUES ('work', 'held', 3, 'quarantined', clock_timestamp());
SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'ERROR', 'a run does not wait for a quarantined job, and ends ERROR');
SELECT is((SELECT string_agg(job_name || ' ' || status, ', ' ORDER BY job_name) FROM setup.load_log
            WHERE run_id = :run AND layer <> 'row'), 'child SKIPPED, free OK, held SKIPPED, later SKIPPED, of_free OK',
  'the rest of it runs');
SELECT is((SELECT message FROM setup.load_log WHERE run_id = :run AND job_name = 'held'),
  'quarantined: it took the server down again and again; setup.release_job() lets it run', 'the job is SKIPPED for that reason');
SELECT setup.pause_job('work', 'held');
SELECT is((SELECT hold FROM setup.job_holds WHERE job_name = 'held'), 'quarantined', 'a pause does not end a quarantine');
SELECT setup.release_job('work', 'held');
SELECT is((SELECT count(*) FROM setup.job_holds WHERE job_name = 'held'), 0::bigint, 'a release does, and forgets the crashes');
SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'in the next run the job runs');
SELECT setup.pause_job('work', 'free');
SELECT setup.drop_job('work', 'free');
SELECT setup.add_job('work', 'free', 'SELECT 1');
SELECT is((SELECT count(*) FROM setup.job_holds WHERE job_name = 'free'), 0::bigint, 'a job that is dropped takes its pause along');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY holds_owner, holds_other;
DROP ROLE holds_owner, holds_other;
