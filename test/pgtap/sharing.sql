-- Short jobs that share a commit: which do, that each is as fresh as if it had a transaction of its own, and that what
-- cannot be shared runs alone.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE sharing_ann LOGIN;
SELECT setup.create_layer('one', settings => '{"retry_delay": "0 s"}');
CREATE TABLE effects (job text DEFAULT current_setting('etl_orchestrator.job'), note text);
GRANT INSERT ON effects TO PUBLIC;
CREATE TEMP VIEW log AS SELECT xmin, * FROM setup.load_log WHERE run_id = last_run();
-- Adds a job that the engine believes to be short.
CREATE FUNCTION add_short(job text, command text, load_order integer DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  SELECT setup.add_job('one', job, command, load_order => load_order);
  INSERT INTO setup.job_history (layer, job_name, expected_ms) VALUES ('one', job, 0.1)
    ON CONFLICT (layer, job_name) DO UPDATE SET expected_ms = 0.1 $$;
-- Which jobs of the last run were committed together: "a b | c".
CREATE FUNCTION commits() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(jobs, ' | ' ORDER BY jobs COLLATE "C") FROM (
    SELECT string_agg(job_name, ' ' ORDER BY job_name COLLATE "C") AS jobs FROM setup.load_log
     WHERE run_id = last_run() AND status = 'OK' GROUP BY xmin::text) x $$;
-- One worker takes all that may share a commit; a second is long enough on any machine.
\! ./configure.sh 'SET etl_orchestrator.max_workers = 1' 'SET etl_orchestrator.shared_commit_delay = 1000'

SELECT plan(35);

-- Which

SELECT setup.add_job('one', job, 'SELECT 1') FROM unnest(ARRAY['a', 'b', 'c']) job;
CALL setup.orchestrate_all();
SELECT is(commits(), 'a | b | c', 'jobs that have never run are committed one by one');
SELECT wait_until('(SELECT count(*) = 3 FROM setup.job_history)');
CALL setup.orchestrate_all();
SELECT is(commits(), 'a b c', 'jobs that are known to be short share a commit');
UPDATE setup.load_jobs SET shares_commit = false, priority = 1 WHERE job_name = 'b';
CALL setup.orchestrate_all();
SELECT is(commits(), 'a c | b', 'unless they do not want to');
UPDATE setup.job_history SET expected_ms = 1000000 WHERE job_name = 'c';
SELECT add_short('d', 'SELECT 1'), add_short('e', 'SELECT 1');
CALL setup.orchestrate_all();
SELECT is(commits(), 'a d e | b | c', 'or are known to be long');
UPDATE setup.load_jobs SET transaction = 'each', priority = 1 WHERE job_name = 'a';
SELECT add_short('each', 'VACUUM setup.layers');
UPDATE setup.load_jobs SET transaction = 'each', priority = 1 WHERE job_name = 'each';
SELECT add_short('anns', 'SELECT 1'), add_short('anns_too', 'SELECT 1');
UPDATE setup.load_jobs SET owner = 'sharing_ann' WHERE job_name LIKE 'anns%';
CALL setup.orchestrate_all();
SELECT is(commits(), 'a | anns anns_too | b | c | d e | each',
  'or have other owners, or statements that commit by themselves');
DELETE FROM setup.load_jobs;
SELECT add_short('job_' || n, 'SELECT 1') FROM generate_series(1, 120) n;
CALL setup.orchestrate_all();
SELECT is((SELECT array_agg(jobs ORDER BY jobs) FROM (SELECT count(*) AS jobs FROM log GROUP BY xmin::text) x),
  '{20,50,50}', 'at most fifty share one');
\! ./configure.sh 'SET etl_orchestrator.shared_commit_delay = 0'
CALL setup.orchestrate_all();
SELECT is((SELECT count(DISTINCT xmin::text) FROM log), 120::bigint, 'without shared_commit_delay none do');
\! ./configure.sh 'SET etl_orchestrator.shared_commit_delay = 1000'

-- Each is fresh

DELETE FROM setup.load_jobs;
CREATE SEQUENCE numbers;
CREATE FUNCTION knows_number() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM currval('public.numbers');
  RETURN true;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN false;
END $$;
CREATE TABLE seen (work_mem text, application text, who text, temp_table text, prepared bigint,
  session_locks bigint, transaction_locks bigint, cursors bigint, number boolean);
SELECT add_short(job, command, (row_number() OVER ())::integer) FROM (VALUES
  ('set', 'SET work_mem = ''77MB''; SET LOCAL application_name = ''local''; SELECT 1'),
  ('role', 'SET ROLE sharing_ann; INSERT INTO public.effects VALUES (DEFAULT, current_user)'),
  ('temp', 'CREATE TEMP TABLE left_behind AS SELECT 1 AS n; CREATE TEMP TABLE dropped (n int) ON COMMIT DROP;
    CREATE TEMP TABLE emptied (n int) ON COMMIT DELETE ROWS'),
  ('temp_too', 'CREATE TEMP TABLE left_behind AS SELECT 2 AS n;
    INSERT INTO public.effects SELECT ''temp_too'', n FROM left_behind'),
  ('prepare', 'PREPARE query AS SELECT 1; EXECUTE query'), ('prepare_too', 'PREPARE query AS SELECT 2; EXECUTE query'),
  ('lock', 'SELECT pg_advisory_lock(71)'),
  ('lock_too', 'SELECT pg_advisory_xact_lock(72)'),
  ('cursor', 'DECLARE kept CURSOR WITH HOLD FOR SELECT generate_series(1, 3); FETCH 1 FROM kept'),
  ('number', 'SELECT nextval(''public.numbers'')'),
  ('look', $$INSERT INTO public.seen SELECT current_setting('work_mem'), current_setting('application_name'),
    current_user, to_regclass('left_behind'), (SELECT count(*) FROM pg_prepared_statements),
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objid = 71),
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objid = 72),
    (SELECT count(*) FROM pg_cursors), public.knows_number()$$)) AS jobs(job, command);
CALL setup.orchestrate_all();
SELECT is(commits(), 'cursor lock lock_too look number prepare prepare_too role set temp temp_too',
  'jobs that change their session share a commit');
SELECT results_eq('SELECT work_mem, who FROM seen', $$VALUES ('4MB', 'postgres')$$,
  'the next does not see their settings');
SELECT isnt((SELECT application FROM seen), 'local', 'nor those that are local to a transaction');
SELECT results_eq('SELECT temp_table, prepared, cursors, number FROM seen',
  $$VALUES (NULL::text, 0::bigint, 0::bigint, false)$$,
  'nor their temporary tables, statements, cursors and numbers');
SELECT results_eq('SELECT session_locks, transaction_locks FROM seen', 'VALUES (1::bigint, 1::bigint)',
  'what a lock guards is not committed yet: locks are kept until the commit');
SELECT set_eq('SELECT job, note FROM effects', $$VALUES ('role', 'sharing_ann'), ('temp_too', '2')$$,
  'each has what it made itself');
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid IN (71, 72)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())), 0::bigint,
  'and all goes in the end');

-- Limits and savepoints of one are none of the next

DELETE FROM setup.load_jobs;
TRUNCATE effects;
SELECT add_short('a_limited', 'SELECT 1'), add_short('b_slower', 'SELECT pg_sleep(0.1)'),
  add_short('c_open', 'SAVEPOINT s; INSERT INTO public.effects VALUES (DEFAULT, ''kept'')'),
  add_short('d_undoes', 'INSERT INTO public.effects VALUES (DEFAULT, ''kept''); SAVEPOINT s;
    INSERT INTO public.effects VALUES (DEFAULT, ''undone''); ROLLBACK TO s'),
  add_short('e_releases', 'RELEASE s'), add_short('f', 'INSERT INTO public.effects VALUES (DEFAULT, ''kept'')');
UPDATE setup.load_jobs SET statement_timeout = '50 ms' WHERE job_name = 'a_limited';
CALL setup.orchestrate_all();
SELECT is(commits(), 'a_limited b_slower f | c_open | d_undoes', 'a timeout of statements ends with its job; jobs with savepoints run alone');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'e_releases'), '3B001', 'no job knows a savepoint of another');
SELECT bag_eq('SELECT job, note FROM effects', $$VALUES ('c_open', 'kept'), ('d_undoes', 'kept'), ('f', 'kept')$$,
  'each undoes what it wants to undo, and no more');

-- What fails

DELETE FROM setup.load_jobs;
TRUNCATE effects;
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION fails_first() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('etl_orchestrator.attempt') = '1' THEN
    RAISE lock_not_available USING MESSAGE = 'not yet';
  END IF;
END $$;
SELECT add_short(job, 'INSERT INTO public.effects DEFAULT VALUES; ' || command) FROM (VALUES ('a', 'SELECT 1'),
  ('b_fails', 'SELECT 1 / 0'), ('c', 'SELECT 1'), ('d_again', 'SELECT public.fails_first()'),
  ('e_deferred', 'INSERT INTO public.children VALUES (1)'),
  ('f', 'INSERT INTO public.children VALUES (2); INSERT INTO public.parents VALUES (2)'),
  ('g_too_long', 'SET statement_timeout = ''10 ms''; SELECT pg_sleep(10)')) AS jobs(job, command);
CALL setup.orchestrate_all();
SELECT is(commits(), 'a c f | d_again', 'what fails is rolled back alone');
SELECT set_eq('SELECT job_name, attempt, status, sqlstate FROM log',
  $$VALUES ('a', 1, 'OK', NULL), ('b_fails', 1, 'ERROR', '22012'), ('c', 1, 'OK', NULL),
           ('d_again', 1, 'ERROR', '55P03'), ('d_again', 2, 'OK', NULL), ('e_deferred', 1, 'ERROR', '23503'),
           ('f', 1, 'OK', NULL),
           ('g_too_long', 1, 'TIMED_OUT', '57014')$$,
  'and is logged like any attempt, also for a constraint that is checked at the end');
SELECT bag_eq('SELECT job FROM effects', ARRAY['a', 'c', 'd_again', 'f'], 'of what has failed nothing is left');
SELECT results_eq('SELECT parent FROM children', ARRAY[2], 'of what has not, all is there');

-- What cannot be shared

DELETE FROM setup.load_jobs;
TRUNCATE effects;
SELECT add_short(job, command) FROM (VALUES ('a', 'SELECT 1'), ('b', 'SELECT 1'),
  ('constraints', 'SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO public.effects DEFAULT VALUES'),
  ('constraints_inside', $$DO $b$ BEGIN SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO public.effects DEFAULT VALUES;
    EXCEPTION WHEN OTHERS THEN INSERT INTO public.effects (note) VALUES (SQLERRM); END $b$ $$),
  ('isolation', $$SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
    INSERT INTO public.effects (note) SELECT current_setting('transaction_isolation')$$),
  ('read_only', 'SET TRANSACTION READ ONLY; SELECT 1'),
  ('snapshot', $$INSERT INTO public.effects (note) SELECT 'exported' WHERE pg_export_snapshot() <> ''$$))
  AS jobs(job, command);
CALL setup.orchestrate_all();
SELECT is((SELECT string_agg(job_name || attempt || status, ' ' ORDER BY job_name) FROM log),
  'a1OK b1OK constraints1OK constraints_inside1OK isolation1OK read_only1OK snapshot1OK',
  'what needs a transaction of its own gets one, in its first attempt');
SELECT matches(commits(),
  '^a b( read_only)? \| constraints \| constraints_inside \| isolation( \| read_only)? \| snapshot$',
  'others share theirs nevertheless');
SELECT bag_eq('SELECT job, note FROM effects', $$VALUES ('constraints', NULL), ('constraints_inside', NULL),
  ('isolation', 'serializable'), ('snapshot', 'exported')$$, 'and none notices that it was tried before');

-- What takes longer than expected

DELETE FROM setup.load_jobs;
TRUNCATE effects;
CREATE SEQUENCE tries;
\! ./configure.sh 'SET etl_orchestrator.shared_commit_delay = 100'
SELECT add_short('a', 'INSERT INTO public.effects DEFAULT VALUES'),
  add_short('c', 'INSERT INTO public.effects DEFAULT VALUES'),
  add_short('b_slow', 'INSERT INTO public.effects DEFAULT VALUES; SELECT nextval(''public.tries''), pg_sleep(0.3)');
CALL setup.orchestrate_all();
SELECT is((SELECT last_value FROM tries), 2::bigint, 'a job that holds up others is tried again');
SELECT is((SELECT array_agg(job_name || attempt || status ORDER BY job_name) FROM log), '{a1OK,b_slow1OK,c1OK}',
  'which counts as its first attempt');
SELECT matches(commits(), '(^|\| )b_slow($| \|)', 'alone');
SELECT bag_eq('SELECT job FROM effects', ARRAY['a', 'b_slow', 'c'], 'and has its effect once');
SELECT cmp_ok((SELECT duration_ms FROM log WHERE job_name = 'b_slow'), '>=', 300::numeric,
  'its time is that of the attempt that counted');
SELECT add_short('b_slow', $$DO $b$ BEGIN PERFORM pg_sleep(0.3); INSERT INTO public.effects DEFAULT VALUES;
  EXCEPTION WHEN query_canceled THEN INSERT INTO public.effects (note) VALUES ('cancelled'); END $b$ $$);
TRUNCATE effects;
CALL setup.orchestrate_all();
SELECT bag_eq('SELECT job, note FROM effects', $$VALUES ('a', NULL), ('b_slow', NULL), ('c', NULL)$$,
  'not even one that catches errors notices that it was tried before');
\! ./configure.sh 'SET etl_orchestrator.shared_commit_delay = 1000'

-- Whose worker dies

TRUNCATE effects;
ALTER SEQUENCE tries RESTART;
SELECT add_short('b_slow', 'INSERT INTO public.effects DEFAULT VALUES;
  SELECT pg_terminate_backend(pg_backend_pid()) WHERE nextval(''public.tries'') = 1');
CALL setup.orchestrate_all();
SELECT is((SELECT array_agg(job_name || status ORDER BY job_name, log_id) FROM log), '{aOK,b_slowOK,cOK}',
  'when their worker dies all run again, and none is blamed');
SELECT bag_eq('SELECT job FROM effects', ARRAY['a', 'b_slow', 'c'], 'with their effect once');

-- What the log says

DELETE FROM setup.load_jobs;
CREATE TABLE one.loaded_1 (n int);
CREATE TABLE one.loaded_2 (n int);
CREATE TABLE one.loaded_3 (n int);
\set file :files /loaded.csv
COPY (SELECT * FROM generate_series(0, 4)) TO :'file';
CREATE TABLE one.filled (n int);
SELECT add_short('declared_' || n, format('INSERT INTO one.loaded_%s SELECT generate_series(1, %s)', n, n))
  FROM generate_series(1, 3) n;
UPDATE setup.load_jobs SET table_name = replace(job_name, 'declared', 'loaded') WHERE job_name LIKE 'declared%';
SELECT add_short('undeclared_' || n, format('INSERT INTO one.loaded_1 SELECT generate_series(1, %s);
  UPDATE one.loaded_2 SET n = 0 WHERE false', n)) FROM generate_series(4, 5) n;
SELECT add_short('file', 'SELECT 1');
UPDATE setup.load_jobs SET table_name = 'filled', command = NULL, file_path = :'file' WHERE job_name = 'file';
CALL setup.orchestrate_all();
SELECT is(commits(), 'declared_1 declared_2 declared_3 file undeclared_4 undeclared_5', 'files can be loaded so, too');
SELECT set_eq('SELECT job_name, rows_loaded FROM log', $$VALUES ('declared_1', 1::bigint), ('declared_2', 2),
  ('declared_3', 3), ('undeclared_4', 4), ('undeclared_5', 5), ('file', 4)$$, 'each job has its own rows');
SELECT is((SELECT count(*) FROM log a JOIN log b ON a.log_id < b.log_id AND a.started_at < b.finished_at
  AND b.started_at < a.finished_at), 0::bigint, 'and its own time');

SELECT * FROM finish();
\! ./configure.sh 'RESET etl_orchestrator.max_workers' 'RESET etl_orchestrator.shared_commit_delay'
DELETE FROM setup.load_jobs;
DROP OWNED BY sharing_ann;
DROP ROLE sharing_ann;
