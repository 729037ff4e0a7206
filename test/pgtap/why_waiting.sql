-- setup.why_waiting() gives each job of a run that is not running one reason, and says what would have to happen.
-- The reasons worker and disabled need settings of the server: crash/011_turns. Copied: crash/015_copied.
\ir tools.psql
SET client_min_messages = warning;
CREATE TABLE gates (gate text);
CREATE ROLE why_owner LOGIN;
CREATE ROLE why_other LOGIN;
GRANT USAGE ON SCHEMA setup TO PUBLIC;

-- A job that waits until its gate is open.
CREATE FUNCTION gated(gate text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT public.wait_until(%L)', format('EXISTS (SELECT FROM public.gates WHERE gate = %L)', gate))
$$;
CREATE FUNCTION open(gate text) RETURNS void LANGUAGE sql AS 'INSERT INTO gates VALUES (gate)';
GRANT SELECT ON gates TO PUBLIC;
CREATE FUNCTION wait_for(run bigint, job text, reason text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('EXISTS (SELECT FROM setup.why_waiting(%s) WHERE job_name = %L AND reason = %L)', run, job, reason))
$$;
CREATE FUNCTION wait_for(jobs text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('(SELECT string_agg(job_name, '' '' ORDER BY job_name) FROM setup.running_jobs) = %L', jobs))
$$;

SELECT plan(22);

-- Other jobs, and layers

SELECT setup.create_layer('first'), setup.create_layer('second'), setup.create_layer('queue', execution => 'sequence');
SELECT setup.add_job('first', 'a', gated('a')), setup.add_job('first', 'b', gated('b')),
  setup.add_job('first', 'c', 'SELECT 1', depends_on => '{a,b}'),
  setup.add_job('first', 'd', 'SELECT 1', depends_on => '{c}'),
  setup.add_job('second', 'e', 'SELECT 1'), setup.add_job('second', 'f', 'SELECT 1', depends_on => '{first.b}'),
  setup.add_job('queue', 'g', gated('g')), setup.add_job('queue', 'h', 'SELECT 1'), setup.add_job('queue', 'i', 'SELECT 1');
SELECT setup.start_run() AS run \gset
SELECT wait_for('a b');
SELECT results_eq(format('SELECT layer, job_name, reason, waits_for FROM setup.why_waiting(%s)', :run),
  $$VALUES ('first', 'c', 'dependency', '{first.a,first.b}'::text[]), ('first', 'd', 'dependency', '{first.c}'),
           ('second', 'e', 'layer', '{first.a,first.b,first.c,first.d}'),
           ('second', 'f', 'dependency', '{first.b}'),
           ('queue', 'g', 'layer', '{first.a,first.b,first.c,first.d}'),
           ('queue', 'h', 'layer', '{first.a,first.b,first.c,first.d}'),
           ('queue', 'i', 'layer', '{first.a,first.b,first.c,first.d}')$$,
  'a job waits for those that it depends on, or for the layer that is open');
SELECT is((SELECT string_agg(DISTINCT reason || ': ' || explanation, ', ') FROM setup.why_waiting(:run)),
  'dependency: waits for jobs that it depends on, layer: waits for the end of a layer before its own', 'as it says');
SELECT open('b');
SELECT wait_for('a');
SELECT results_eq(format('SELECT waits_for FROM setup.why_waiting(%s) WHERE job_name IN (''c'', ''f'')', :run),
  $$VALUES ('{first.a}'::text[]), ('{first.a,first.c,first.d}')$$,
  'what has ended OK is not waited for; then the layer is what a dependent of another layer waits for');
SELECT open('a');
SELECT wait_for('g');
SELECT results_eq(format('SELECT job_name, reason, explanation FROM setup.why_waiting(%s)', :run),
  $$VALUES ('h', 'layer', 'its layer runs one job at a time'), ('i', 'layer', 'its layer runs one job at a time')$$,
  'in a sequence a job waits for its turn');
SELECT open('g');
SELECT is(setup.wait_run(:run), 'OK', 'the run ends');
SELECT is_empty(format('SELECT * FROM setup.why_waiting(%s)', :run), 'and nothing waits any more');
SELECT throws_ok('SELECT * FROM setup.why_waiting(-1)', 'P0002', 'run -1 does not exist', 'in a run that exists');

-- A lock

SELECT setup.create_layer('locks');
CREATE TABLE locks.target ();
SELECT setup.add_job('locks', 'holds', 'LOCK TABLE locks.target; ' || gated('held'), owner => 'why_other'),
  setup.add_job('locks', 'wants', 'LOCK TABLE locks.target', owner => 'why_owner', load_order => 200);
GRANT USAGE ON SCHEMA locks TO PUBLIC;
GRANT ALL ON locks.target TO PUBLIC;
GRANT why_owner, why_other TO SESSION_USER;
SELECT setup.start_run('locks', jobs => '{holds}') AS holder \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE relation = 'locks.target'::regclass AND granted)$$);
SET ROLE why_owner;
SELECT setup.start_run('locks', jobs => '{wants}') AS run \gset
RESET ROLE;
SELECT wait_for(:run, 'wants', 'lock');
SELECT pid AS holder_pid FROM setup.running_jobs WHERE job_name = 'holds' \gset
SELECT results_eq(format('SELECT explanation, pid, query FROM setup.why_waiting(%s)', :run),
  format('VALUES (''waits for AccessExclusiveLock on locks.target; process %1$s holds it'', %1$s, %2$L)', :holder_pid,
    'LOCK TABLE locks.target; ' || gated('held')),
  'a running job that waits for a lock says for which, who holds it and what that one does');
SET ROLE why_owner;
SELECT results_eq(format('SELECT pid, query FROM setup.why_waiting(%s)', :run), format('VALUES (%s, NULL::text)', :holder_pid),
  'but not what it does to one who may not see that');
SELECT is((SELECT query FROM pg_stat_activity WHERE pid = :holder_pid), '<insufficient privilege>',
  'as little as pg_stat_activity does');
RESET ROLE;
SELECT open('held');
SELECT is(setup.wait_run(:holder) || ' ' || setup.wait_run(:run), 'OK OK', 'once the lock is free the job goes on');

-- A retry

SELECT setup.create_layer('again');
SELECT setup.add_job('again', 'fails', 'SELECT 1/0', retry_on => '{all}', retry_delay => '100 days',
  max_retry_delay => '100 days'), setup.add_job('again', 'follows', 'SELECT 1', depends_on => '{fails}');
SELECT setup.start_run('again') AS run \gset
SELECT wait_for(:run, 'fails', 'retry');
SELECT is((SELECT retry_at FROM setup.why_waiting(:run) WHERE job_name = 'fails'),
  (SELECT retry_at FROM setup.load_log WHERE run_id = :run), 'a job that is tried again says when');
SELECT is((SELECT reason FROM setup.why_waiting(:run) WHERE job_name = 'follows'), 'dependency',
  'what follows it waits for it');
SELECT setup.pause_job('again', 'fails');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'the run can be cancelled');
SELECT setup.release_job('again', 'fails');

-- Holds

SELECT setup.create_layer('holds');
SELECT setup.add_job('holds', 'paused', 'SELECT 1'), setup.add_job('holds', 'after_paused', 'SELECT 1', depends_on => '{paused}'),
  setup.add_job('holds', 'bad', 'SELECT 1'), setup.add_job('holds', 'gated', gated('holds'));
SELECT setup.pause_job('holds', 'paused');
INSERT INTO setup.job_holds (layer, job_name, crashes, hold, held_since) VALUES ('holds', 'bad', 3, 'quarantined', now());
SELECT setup.start_run('holds') AS run \gset
SELECT wait_for('gated');
SELECT results_eq(format('SELECT job_name, reason, explanation FROM setup.why_waiting(%s) ORDER BY job_name', :run),
  $$VALUES ('after_paused', 'dependency', 'waits for jobs that it depends on'),
    ('bad', 'quarantined', 'it took the server down again and again; setup.release_job() lets it run'),
    ('paused', 'paused', 'setup.release_job() lets it run')$$, 'a job that is paused or quarantined says so');
SELECT setup.release_job('holds', 'paused');
SELECT open('holds');
SELECT is(setup.wait_run(:run), 'ERROR', 'and what is released runs');
SELECT setup.release_job('holds', 'bad');

-- A limit: limits.sql has those of every kind

SELECT setup.create_layer('few', settings => '{"max_concurrent": 2}');
SELECT setup.add_job('few', job, gated('few')) FROM unnest('{l1,l2,l3}'::text[]) job;
SELECT setup.start_run('few') AS run \gset
SELECT wait_for('l1 l2');
SELECT results_eq(format('SELECT reason, explanation FROM setup.why_waiting(%s)', :run),
  $$VALUES ('limit', 'layer "few": 2 of 2 places are in use')$$, 'a limit is told with its use');
SELECT open('few');
SELECT is(setup.wait_run(:run), 'OK', 'when there is room the job starts');

-- Whose jobs one sees

SELECT setup.create_layer('mixed');
SELECT setup.add_job('mixed', 'mine', gated('mixed'), owner => 'why_owner'),
  setup.add_job('mixed', 'next', 'SELECT 1', owner => 'why_owner', depends_on => '{mine}'),
  setup.add_job('mixed', 'others', 'SELECT 1', owner => 'why_other', depends_on => '{mine}');
SELECT setup.start_run('mixed') AS run \gset
SELECT wait_for('mine');
SELECT is((SELECT count(*) FROM setup.why_waiting(:run)), 2::bigint, 'who started a run sees the jobs that he may');
SET ROLE why_owner;
SELECT throws_ok(format('SELECT * FROM setup.why_waiting(%s)', :run), 'P0002', NULL, 'nobody sees a run of others');
RESET ROLE;
CREATE ROLE why_starter LOGIN;
GRANT why_owner, why_other TO why_starter;
SET ROLE why_starter;
SELECT setup.start_run('mixed', jobs => '{mine,next,others}') AS own \gset
RESET ROLE;
REVOKE why_other FROM why_starter;
SET ROLE why_starter;
SELECT is((SELECT string_agg(job_name, ' ') FROM setup.why_waiting(:own)), 'mine next',
  'nor, in his own, jobs of a role that he is no member of any more');
RESET ROLE;
SELECT open('mixed');
SELECT is(setup.wait_run(:run) || ' ' || setup.wait_run(:own), 'OK OK', 'they run all the same');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY why_owner, why_other, why_starter;
DROP ROLE why_owner, why_other, why_starter;
