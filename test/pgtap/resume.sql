-- setup.resume_run(): the same run once more, for what has not succeeded in it or for what is named.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv DB :DBNAME
CREATE ROLE resume_ann LOGIN;
CREATE ROLE resume_team LOGIN;
GRANT resume_team TO resume_ann;
GRANT USAGE ON SCHEMA setup TO resume_ann, resume_team;
SELECT setup.create_layer('one', settings => '{"retry_delay": "0 s", "max_attempts": 2}'), setup.create_layer('two');
CREATE TABLE effects (job text, attempt text DEFAULT current_setting('etl_orchestrator.attempt'), day text);
GRANT INSERT ON effects TO PUBLIC;
CREATE TABLE broken (job text);
GRANT SELECT ON broken TO PUBLIC;
CREATE FUNCTION work(job text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.effects (job, day) VALUES (job, setup.param('day'));
  IF EXISTS (SELECT FROM public.broken b WHERE b.job = work.job) THEN
    RAISE serialization_failure USING MESSAGE = 'is broken';
  END IF;
END $$;
SELECT setup.add_job('one', 'a', 'SELECT public.work(''a'')'),
  setup.add_job('one', 'b', 'SELECT public.work(''b'')', depends_on => '{a}'),
  setup.add_job('one', 'c', 'SELECT public.work(''c'')', depends_on => '{b}'),
  setup.add_job('one', 'd', 'SELECT public.work(''d'')'),
  setup.add_job('two', 'e', 'SELECT public.work(''e'')');
-- "job attempt status" of the last run, in the order of the log.
CREATE FUNCTION story(job text DEFAULT '%') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(job_name || attempt || ' ' || status, ', ' ORDER BY job_name, log_id)
    FROM setup.load_log WHERE run_id = public.last_run() AND job_name LIKE job
$$;
CREATE FUNCTION summary() RETURNS text LANGUAGE sql AS $$
  SELECT status || ' ' || jobs_ok || '/' || jobs_failed || '/' || jobs_skipped || ' resumed ' || resumed
    FROM setup.load_runs WHERE run_id = public.last_run()
$$;

SELECT plan(53);

-- What has not succeeded

INSERT INTO broken VALUES ('b');
SELECT setup.start_run(params => '{"day": "monday"}') AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'a job fails');
SELECT is(story(), 'a1 OK, b1 ERROR, b2 ERROR, c0 SKIPPED, d1 OK, e0 SKIPPED', 'and others are skipped for it');
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'ERROR', 'as long as nothing is mended a resumed run fails again');
SELECT is(story('b'), 'b1 ERROR, b2 ERROR, b3 ERROR, b4 ERROR',
  'a resumed job has all its attempts again, which count on');
SELECT results_eq($$SELECT job_name, retry_at IS NOT NULL, round FROM setup.load_log
  WHERE run_id = last_run() AND job_name = 'b' ORDER BY log_id$$,
  $$VALUES ('b', true, 0), ('b', false, 0), ('b', true, 1), ('b', false, 1)$$, 'each round by itself');
SELECT is(summary(), 'ERROR 2/1/2 resumed 1', 'the run counts what holds now');
DELETE FROM broken;
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'OK', 'once it is mended, the run ends OK');
SELECT is(last_run(), :run::bigint, 'it is the same run');
SELECT is(story('b'), 'b1 ERROR, b2 ERROR, b3 ERROR, b4 ERROR, b5 OK', 'the failed job ran again');
SELECT is(story('c') || ', ' || story('e'), 'c0 SKIPPED, c0 SKIPPED, c1 OK, e0 SKIPPED, e0 SKIPPED, e1 OK',
  'and what had been skipped ran, also in a later layer');
SELECT is(story('a') || ', ' || story('d'), 'a1 OK, d1 OK', 'what had succeeded did not');
SELECT is(summary(), 'OK 5/0/0 resumed 2', 'all of them count');
SELECT set_eq('SELECT job, attempt, day FROM effects', $$VALUES ('a', '1', 'monday'), ('b', '5', 'monday'),
  ('c', '1', 'monday'), ('d', '1', 'monday'), ('e', '1', 'monday')$$,
  'each with one effect, and the run''s parameters');
SELECT ok(bool_and(b.finished_at <= c.started_at), 'dependencies hold in a resumed run')
  FROM setup.load_log b JOIN setup.load_log c USING (run_id) WHERE run_id = :run AND b.job_name = 'b'
   AND c.job_name = 'c' AND b.status = 'OK' AND c.status = 'OK';

-- Nothing to resume

\set said `psql -XAtqd "$DB" -c 'SELECT setup.resume_run(last_run())' 2>&1`
SELECT matches(:'said'::text,
  format('NOTICE:  run %s has nothing to resume: all its jobs have succeeded\s+HINT:', :run),
  'where all has succeeded a notice says so');
SELECT is(summary(), 'OK 5/0/0 resumed 2', 'and nothing happens');

-- What is named

TRUNCATE effects;
SELECT setup.resume_run(:run, jobs => '{b}');
SELECT is(setup.wait_run(:run), 'OK', 'jobs names what runs again, succeeded or not');
SELECT is((SELECT string_agg(job || attempt, ' ') FROM effects), 'b6', 'and nothing else does');
SELECT set_eq(format($$SELECT round FROM setup.load_log WHERE run_id = %s AND job_name = 'b' AND status = 'OK'$$, :run),
  ARRAY[2, 3], 'the log has one success in each round');
TRUNCATE effects;
SELECT setup.resume_run(:run, jobs => '{one.b}', downstream => true);
SELECT setup.wait_run(:run) \gset
SELECT set_eq('SELECT job FROM effects', ARRAY['b', 'c'], 'downstream: and what depends on it');
TRUNCATE effects;
SELECT setup.resume_run(:run, jobs => '{b}', upstream => true);
SELECT setup.wait_run(:run) \gset
SELECT set_eq('SELECT job FROM effects', ARRAY['a', 'b'], 'upstream: and what it depends on');
INSERT INTO broken VALUES ('d');  -- fails twice
SELECT setup.resume_run(:run, jobs => '{d}');
SELECT is(setup.wait_run(:run), 'ERROR', 'a job that had succeeded can fail when it runs again');
DELETE FROM broken;
TRUNCATE effects;
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'OK', 'then it is what has not succeeded');
SELECT is((SELECT string_agg(job || attempt, ' ') FROM effects), 'd4', 'alone, for nothing was skipped for it');

-- What cannot be

SELECT throws_ok('SELECT setup.resume_run(NULL)', '22004', 'argument "run_id" must be given', 'no run');
SELECT throws_ok('SELECT setup.resume_run(4711)', 'P0002', 'run 4711 does not exist', 'an unknown run');
SELECT throws_ok(format('SELECT setup.resume_run(%s, jobs => ''{x}'')', :run), '42704',
  format('run %s has no job "x"', :run), 'a job that is not in the run');
SELECT is(summary(), 'OK 5/0/0 resumed 7', 'leave everything as it was');
BEGIN;
SELECT setup.resume_run(:run, jobs => '{a}');
SELECT throws_ok(format('SELECT setup.wait_run(%s)', :run), '55000', NULL,
  'nobody waits in the same transaction for what begins after it');
ROLLBACK;
SELECT is(setup.wait_run(:run), 'OK', 'so does a transaction that is rolled back');
SELECT setup.add_job('two', 'a', 'SELECT pg_sleep(60)');
SELECT setup.start_run(jobs => '{one.a,two.a}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE layer = 'two')$$);
SELECT throws_ok(format('SELECT setup.resume_run(%s)', :run), '55000', format('run %s has not ended', :run),
  'a run that has not ended');

-- Two at the same time

\setenv OUT :files
SELECT setup.start_run(jobs => '{one.a}') AS twice \gset
SELECT setup.wait_run(:twice) \gset
\setenv RUN :twice
SELECT setup.pause_job('one', 'a');
BEGIN;
SELECT setup.resume_run(:twice, jobs => '{a}');
\! (psql -XAtqd "$DB" -c "SELECT setup.resume_run($RUN, jobs => '{a}')" >"$OUT/second" 2>&1; touch "$OUT/done") &
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
  AND pid <> pg_backend_pid() AND query LIKE '%resume_run%' AND wait_event_type = 'Lock')$$);
COMMIT;
\set said `until [ -e "$OUT/done" ]; do sleep 0.01; done; cat "$OUT/second"`
SELECT alike(:'said'::text, format('ERROR:  run %s has not ended%%', :twice), 'whoever comes second is told');
SELECT setup.release_job('one', 'a');
SELECT is(setup.wait_run(:twice), 'OK', 'and the first has what it wants');
SELECT is((SELECT resumed || ' ' || round FROM setup.load_runs JOIN setup.run_steps USING (run_id)
            WHERE run_id = :twice),
  '1 1', 'once');

-- A cancelled run

SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'is cancelled');
SELECT throws_ok(format('SELECT setup.resume_run(%s, jobs => ''{a}'')', :run), '42704',
  format('run %s has several jobs "a"', :run), 'a name that two of its jobs have must say the layer');
SELECT setup.add_job('two', 'a', 'SELECT 1');
SELECT setup.resume_run(:run);
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE layer = 'two')$$);
SELECT is(setup.wait_run(:run, '0 s'), 'RUNNING', 'a cancelled run can be resumed');
SELECT is((SELECT string_agg(DISTINCT command, '') FROM setup.run_steps WHERE run_id = :run AND layer = 'two'),
  'SELECT pg_sleep(60)', 'with its jobs as they were when it began');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'and cancelled again');

-- A run that took too long

SELECT setup.add_job('two', 'a', 'SELECT pg_sleep(60) WHERE current_setting(''etl_orchestrator.attempt'') = ''1''');
SELECT setup.start_run(jobs => '{two.a}', timeout => '2 s') AS run \gset
SELECT is(setup.wait_run(:run), 'TIMED_OUT', 'a run takes too long');
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'OK', 'resumed, it has all its time again');
SELECT setup.drop_job('two', 'a');

-- Tables that a layer lacks

SELECT setup.drop_job('one', job) FROM unnest(ARRAY['b', 'c', 'd']) job;
SELECT setup.add_job('one', 'a', 'SELECT 1', table_name => 'made');
SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'a layer lacks a table');
SELECT is(story(), 'a1 OK, e0 SKIPPED', 'so that the next is skipped');
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'ERROR', 'a resumed run looks for the tables again, also of a layer that has run');
SELECT alike((SELECT message FROM setup.load_runs WHERE run_id = :run), '%one.made%', 'and says what is not there');
CREATE TABLE one.made ();
SELECT setup.resume_run(:run);
SELECT is(setup.wait_run(:run), 'OK', 'when it is there the run goes on');
SELECT is(story(), 'a1 OK, e0 SKIPPED, e0 SKIPPED, e1 OK', 'with the layer after');
SELECT is((SELECT message FROM setup.load_runs WHERE run_id = :run), NULL, 'and has nothing to complain about');

-- Who may

SELECT setup.add_job('one', 'anns', 'SELECT public.work(''anns'')', owner => 'resume_ann'),
  setup.add_job('one', 'teams', 'SELECT public.work(''teams'')', owner => 'resume_team');
SET SESSION AUTHORIZATION resume_ann;
SELECT throws_ok(format('SELECT setup.resume_run(%s)', :run), 'P0002', format('run %s does not exist', :run),
  'another''s run cannot be resumed');
SELECT setup.start_run() AS run \gset
SELECT setup.wait_run(:run) \gset
SELECT lives_ok(format('SELECT setup.resume_run(%s, jobs => ''{teams}'')', :run), 'one''s own can');
SELECT setup.wait_run(:run) \gset
RESET SESSION AUTHORIZATION;
REVOKE resume_team FROM resume_ann;
SET SESSION AUTHORIZATION resume_ann;
SELECT throws_ok(format('SELECT setup.resume_run(%s, jobs => ''{teams}'')', :run), '42501',
  'job "one.teams" belongs to role "resume_team"', 'but for jobs that have become somebody else''s');
SELECT lives_ok(format('SELECT setup.resume_run(%s, jobs => ''{anns}'')', :run),
  'which do not stand in the way of others');
SELECT is(setup.wait_run(:run), 'OK', 'and the run ends OK');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY resume_ann, resume_team;
DROP ROLE resume_ann, resume_team;
