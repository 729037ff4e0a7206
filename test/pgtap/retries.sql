-- Trying again: after which errors, how often, when, and what a run does meanwhile.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv DB :DBNAME
SELECT setup.create_layer('one', settings => '{"retry_delay": "0 s"}'), setup.create_layer('two');
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();

-- Fails in the first so many attempts.
CREATE FUNCTION fails(times integer, state text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('etl_orchestrator.attempt')::integer <= times THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'not yet';
  END IF;
  RETURN 'done';
END $$;

-- Says that one job is there, and waits for another: by sequences, which nobody's snapshot or rollback touches.
CREATE SEQUENCE holder_is_there;
CREATE SEQUENCE left_is_there;
CREATE SEQUENCE right_is_there;
CREATE SEQUENCE adds_is_there;
CREATE SEQUENCE adds_too_is_there;
CREATE FUNCTION meet(own text, other text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('public.' || own || '_is_there');
  PERFORM public.wait_until(format('(SELECT is_called FROM public.%I)', other || '_is_there'));
END $$;

SELECT plan(46);

-- Which errors

SELECT setup.add_job('one', state, format('SELECT public.fails(1, %L)', state)) FROM unnest(ARRAY['08006', '40001',
  '40P01', '53100', '53200', '55006', '55P03', '57P03', '58030', '40002', '22012', '23505', '42P01', '57014', 'P0001',
  'XX000', 'ZZ999']) state;
CALL setup.orchestrate_layer('one');
SELECT set_eq('SELECT job_name FROM log WHERE attempt > 1', ARRAY['08006', '40001', '40P01', '53100', '53200', '55006',
  '55P03', '57P03', '58030'],
  'lost connections, rollbacks, short resources, locks and I/O errors are worth another attempt');
SELECT set_eq('SELECT job_name FROM log GROUP BY 1 HAVING bool_and(status <> ''OK'')', ARRAY['40002', '22012', '23505',
  '42P01', '57014', 'P0001', 'XX000', 'ZZ999'], 'errors that would come again are not');
SELECT is((SELECT count(*) FROM log WHERE attempt = 1 AND (retry_at IS NULL) = (sqlstate IN ('40002', '22012', '23505',
  '42P01', '57014', 'P0001', 'XX000', 'ZZ999'))), 17::bigint, 'retry_at says at once which of them it is');

-- Real ones

DELETE FROM setup.load_jobs;
CREATE TABLE wanted (id int);
CREATE TABLE counter AS SELECT 0 AS n;
SELECT setup.add_job('one', job, command, load_order => load_order, max_attempts => 50, retry_delay => '50 ms')
  FROM (VALUES
  (1, 'holder', $$LOCK TABLE public.wanted; SELECT nextval('public.holder_is_there');
    SELECT public.wait_until('EXISTS (SELECT FROM setup.load_log WHERE job_name = ''wants'' AND run_id = '
      || current_setting('etl_orchestrator.run_id') || ')')$$),
  (1, 'wants', $$SET lock_timeout = '10 ms'; SELECT public.wait_until('(SELECT is_called FROM public.holder_is_there)');
    LOCK TABLE public.wanted$$),
  (2, 'left', $$SET deadlock_timeout = '50 ms'; SELECT pg_advisory_xact_lock(2); SELECT public.meet('left', 'right');
    SELECT pg_advisory_xact_lock(3)$$),
  (2, 'right', $$SET deadlock_timeout = '50 ms'; SELECT pg_advisory_xact_lock(3); SELECT public.meet('right', 'left');
    SELECT pg_advisory_xact_lock(2)$$),
  (3, 'adds', $$SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT public.meet('adds', 'adds_too'); UPDATE public.counter SET n = n + 1$$),
  (3, 'adds_too', $$SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
    SELECT public.meet('adds_too', 'adds'); UPDATE public.counter SET n = n + 1$$)) AS jobs(load_order, job, command);
CALL setup.orchestrate_layer('one');
SELECT results_eq($$SELECT DISTINCT sqlstate FROM log WHERE job_name = 'wants' AND status <> 'OK'$$, ARRAY['55P03'],
  'a lock that is not granted in time is wanted again');
SELECT is((SELECT count(*) FROM log WHERE job_name IN ('left', 'right') AND sqlstate = '40P01'), 1::bigint,
  'of two jobs that deadlock one is tried again');
SELECT is((SELECT count(*) FROM log WHERE job_name LIKE 'adds%' AND sqlstate = '40001'), 1::bigint,
  'of two that cannot be serialized too');
SELECT is((SELECT n FROM counter), 2, 'and neither of the two is lost');
SELECT is((SELECT status || ' ' || jobs_ok || ' ' || jobs_failed FROM setup.load_runs WHERE run_id = last_run()),
  'OK 6 0', 'a run whose jobs succeed in the end is OK');

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'too_long',
  'SELECT pg_sleep(60) WHERE current_setting(''etl_orchestrator.attempt'') = ''1''', timeout => '100 ms', retry_on => '{timeout}');
CALL setup.orchestrate_layer('one');
SELECT is(outcome(), 'too_long TIMED_OUT, too_long OK', 'a timeout is over in time, and may be worth another attempt');

-- As the job says

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', job, format('SELECT public.fails(1, %L)', state), retry_on => retry_on,
    never_retry_on => never_retry_on, depends_on => '{}')
  FROM (VALUES ('state', '23505', '{23505}'::text[], NULL::text[]), ('class', '23505', '{23}', NULL),
  ('permanent', 'P0001', '{permanent}', NULL), ('timeout', '57014', '{timeout}', NULL), ('all', '57014', '{all}', NULL),
  ('state beats class', '40001', '{40001}', '{40}'), ('class beats word', '40001', '{40}', '{transient}'),
  ('word beats all', '40001', '{transient}', '{all}'),
  ('never state', '40001', '{40}', '{40001}'), ('never class', '40001', NULL, '{40}'),
  ('never transient', '40001', NULL, '{transient}'), ('never all', '40001', NULL, '{all}'),
  ('both', '40001', '{40001}', '{40001}'), ('another', '23503', '{23505}', NULL)) AS jobs(job, state, retry_on,
  never_retry_on);
CALL setup.orchestrate_layer('one');
SELECT set_eq($$SELECT job_name FROM log WHERE status = 'OK'$$, ARRAY['state', 'class', 'permanent', 'timeout', 'all',
  'state beats class', 'class beats word', 'word beats all'],
  'retry_on brings another attempt by SQLSTATE, class or word; the most specific decides');
SELECT set_eq('SELECT job_name FROM log GROUP BY 1 HAVING count(*) = 1', ARRAY['never state', 'never class',
  'never transient', 'never all', 'both', 'another'],
  'never_retry_on takes it away, also where both lists say the same');

-- How often

DELETE FROM setup.load_jobs;
SELECT setup.create_layer('two', settings => '{"max_attempts": 2, "retry_delay": "0 s", "retry_on": ["P0001"]}');
SELECT setup.add_job('one', 'default', 'SELECT public.fails(9, ''40001'')'),
  setup.add_job('one', 'once', 'SELECT public.fails(9, ''40001'')', max_attempts => 1),
  setup.add_job('two', 'of_layer', 'SELECT public.fails(9, ''P0001'')', depends_on => '{two.fine}'),
  setup.add_job('two', 'of_job', 'SELECT public.fails(9, ''P0001'')', depends_on => '{two.fine}', max_attempts => 4),
  setup.add_job('two', 'fine', 'SELECT 1');
CALL setup.orchestrate_layer('one');
SELECT is((SELECT array_agg(attempt ORDER BY log_id) FROM log WHERE job_name = 'default'), '{1,2,3}',
  'a job is tried three times, and its attempts are numbered');
SELECT is((SELECT array_agg(retry_at IS NOT NULL ORDER BY log_id) FROM log WHERE job_name = 'default'), '{t,t,f}',
  'after the last there is no other');
SELECT is((SELECT count(*) FROM log WHERE job_name = 'once'), 1::bigint, 'max_attempts => 1 tries it once');
SELECT is((SELECT status || ' ' || jobs_failed FROM setup.load_runs WHERE run_id = last_run()), 'ERROR 2',
  'a run counts jobs that fail, not attempts');
CALL setup.orchestrate_layer('two');
SELECT is((SELECT count(*) FROM log WHERE job_name = 'of_layer'), 2::bigint, 'a layer says it for its jobs');
SELECT is((SELECT count(*) FROM log WHERE job_name = 'of_job'), 4::bigint, 'unless they say it themselves');
SELECT set_eq('SELECT max_attempts, retry_delay_ms, retry_on FROM setup.run_steps WHERE run_id = last_run()',
  $$VALUES (2, 0::bigint, '{P0001}'::text[]), (4, 0, '{P0001}')$$, 'the plan of the run keeps what held for it');

-- When

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'delayed', 'SELECT public.fails(2, ''40001'')', retry_delay => '100 ms', backoff_rate => 1),
  setup.add_job('one', 'capped', 'SELECT public.fails(1, ''40001'')', retry_delay => '1 day', max_retry_delay => '0 s'),
  setup.add_job('one', 'each', 'INSERT INTO public.wanted VALUES (1); SELECT public.fails(1, ''40001'')',
    transaction => 'each');
CALL setup.orchestrate_layer('one');
SELECT is((SELECT bool_and(retry_at <= finished_at + interval '100 ms') FROM log WHERE retry_at IS NOT NULL), true,
  'a delay is at most what retry_delay, or max_retry_delay, says');
SELECT is((SELECT bool_and(later.started_at > earlier.retry_at - interval '2 ms')
             FROM log earlier JOIN log later USING (job_name) WHERE later.attempt = earlier.attempt + 1), true,
  'and the next attempt does not begin before it is over');
SELECT is((SELECT count(*) FROM wanted), 2::bigint, 'what an attempt has committed, the next one does again');

-- What depends on it

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'parent', 'SELECT public.fails(2, ''40001'')', retry_delay => '20 ms'),
  setup.add_job('one', 'child', 'SELECT 1', depends_on => '{parent}'), setup.add_job('two', 'later', 'SELECT 1');
CALL setup.orchestrate_all(on_error => 'stop');
SELECT is((SELECT array_agg(job_name || ' ' || status ORDER BY log_id) FROM log),
  '{parent ERROR,parent ERROR,parent OK,child OK,later OK}',
  'what depends on a job waits for its last attempt; on_error => ''stop'' does too');
SELECT setup.create_layer('two', execution => 'sequence');
SELECT setup.add_job('two', 'first', 'SELECT public.fails(1, ''40001'')', load_order => 1, retry_delay => '50 ms'),
  setup.add_job('two', 'second', 'SELECT 1', load_order => 2), setup.drop_job('two', 'later');
CALL setup.orchestrate_layer('two');
SELECT is((SELECT array_agg(job_name || ' ' || status ORDER BY log_id) FROM log),
  '{first ERROR,first OK,second OK}', 'in a layer that runs in sequence the next job waits too');

-- Who waits takes no worker

\! ./configure.sh 'SET etl_orchestrator.max_workers = 1' 'SET etl_orchestrator.idle_timeout = 0'
SELECT wait_until($$NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker')$$);
SELECT setup.add_job('one', 'parent', 'SELECT public.fails(1, ''40001'')', load_order => 1, retry_delay => '100 days',
  max_retry_delay => '100 days'), setup.add_job('one', 'other', 'SELECT 1', load_order => 2);
SELECT setup.start_run('one') AS run \gset
SELECT wait_until(format('(SELECT count(*) = 2 FROM setup.load_log WHERE run_id = %s)', :run));
SELECT is(outcome(), 'other OK, parent ERROR', 'while a job waits for its next attempt, another has its worker');
SELECT is(setup.wait_run(:run, '0 s'), 'RUNNING', 'the run goes on');
SELECT set_eq(format('SELECT job_name, reason, retry_at FROM setup.why_waiting(%s)', :run),
  $$VALUES ('child', 'dependency', NULL::timestamptz),
           ('parent', 'retry', (SELECT retry_at FROM log WHERE job_name = 'parent'))$$, 'why_waiting tells until when');
SELECT setup.start_run('one', jobs => '{other}') AS next \gset
SELECT is(setup.wait_run(:next), 'OK', 'so do other runs');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'a run that only waits is cancelled at once');
SELECT is((SELECT array_agg(job_name || ' ' || status ORDER BY job_name, log_id)
             FROM setup.load_log WHERE run_id = :run),
  '{child SKIPPED,other OK,parent ERROR,parent SKIPPED}', 'and what waited does not start any more');
\! ./configure.sh 'RESET etl_orchestrator.max_workers' 'RESET etl_orchestrator.idle_timeout'

-- What a caller reads

SELECT setup.add_job('one', 'parent', 'SELECT public.fails(2, ''40001'')', retry_delay => '0 s');
\set said `psql -XAtqd "$DB" -c "CALL setup.orchestrate_layer('one', jobs => '{parent}')" 2>&1`
SELECT matches(:'said'::text, 'one  parent  ERROR, again +not yet\s+NOTICE:  one  parent  ERROR, again +not yet\s+'
  'NOTICE:  one  parent  OK', 'a caller reads that a job failed and is tried again');
SELECT alike(:'said'::text, '%OK: 1 job, %', 'and that it succeeded in the end');
SELECT setup.add_job('one', 'parent', 'SELECT public.fails(2, ''40001'')', retry_delay => '0 s', max_attempts => 2);
\set said `psql -XAtqd "$DB" -c "CALL setup.orchestrate_layer('one', jobs => '{parent}')" 2>&1`
SELECT matches(:'said'::text, 'ERROR, again +not yet\s+NOTICE:  one  parent  ERROR  +not yet',
  'after its last attempt there is no again');
SELECT is(array_length(string_to_array(:'said'::text, 'job "one.parent": not yet'), 1), 2,
  'and the error names the job once');

-- Values that cannot be meant

SELECT throws_ok(format('SELECT setup.add_job(''one'', ''bad'', ''SELECT 1'', %s => %L)', argument, patterns), '22023',
  NULL, format('%s cannot be %s', argument, patterns))
  FROM (VALUES ('retry_on', '{deadlock}'), ('retry_on', '{40001,4}'), ('never_retry_on', '{40p01}'))
    AS lists(argument, patterns);
SELECT throws_ok($$SELECT setup.add_job('one', 'bad', 'SELECT 1', retry_on => '{NULL}')$$, '22004',
  'a list of errors must not contain nulls', 'nor contain nulls');
SELECT alike((SELECT message FROM caught($$SELECT setup.add_job('one', 'bad', 'SELECT 1', retry_on => '{deadlock}')$$)),
  '%"deadlock"%', 'the error names it');
SELECT isnt((SELECT hint FROM caught($$SELECT setup.add_job('one', 'bad', 'SELECT 1', retry_on => '{deadlock}')$$)), '',
  'and the hint says what is possible');
SELECT throws_ok($$UPDATE setup.load_jobs SET never_retry_on = '{Transient}'$$, '22023', NULL, 'nor by an UPDATE');
SELECT throws_ok($$SELECT setup.create_layer('one', settings => '{"retry_on": ["sometimes"]}')$$, '22023', NULL,
  'nor for a layer');
SELECT throws_ok(format('SELECT setup.add_job(''one'', ''bad'', ''SELECT 1'', %s => %L)', argument, value), '23514',
  NULL, format('%s cannot be %s', argument, value))
  FROM (VALUES ('max_attempts', '0'), ('retry_delay', '-1 s'), ('backoff_rate', '0.5'), ('max_retry_delay', '-1 s'))
    AS bounds(argument, value);
SELECT throws_ok($$SELECT setup.create_layer('one', settings => '{"max_attempts": 0}')$$, '23514', NULL,
  'a layer''s max_attempts cannot be 0 either');

SELECT * FROM finish();
