-- A worker stays for the next job of its owner: that job finds a fresh session, with the settings of its owner.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE session_owner LOGIN;
CREATE ROLE session_group;
GRANT session_group TO session_owner;
ALTER ROLE session_owner SET work_mem = '5MB';
GRANT USAGE ON SCHEMA setup TO session_owner, session_group;
GRANT CREATE ON SCHEMA public TO session_owner, session_group;
CREATE SEQUENCE numbers;
GRANT ALL ON SEQUENCE numbers TO session_owner;
CREATE TABLE found (run bigint DEFAULT current_setting('etl_orchestrator.run_id')::bigint,
  job text DEFAULT current_setting('etl_orchestrator.job'),
                    pid int DEFAULT pg_backend_pid(), what text, value text);
CREATE TABLE public.failing (id int CHECK (id < 0));
GRANT ALL ON found, failing TO PUBLIC;
SELECT setup.create_layer('s', execution => 'sequence');
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();

-- What a job can find out about its session.
CREATE FUNCTION inspect() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.found (what, value) VALUES
    ('work_mem', current_setting('work_mem')), ('search_path', current_setting('search_path')),
    ('own setting', coalesce(current_setting('my.own', true), '')), ('TimeZone', current_setting('TimeZone')),
    ('role', current_user), ('session role', session_user), ('set role', current_setting('role')),
    ('isolation', current_setting('transaction_isolation')), ('read only', current_setting('transaction_read_only')),
    ('temporary tables', (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'
    AND pg_table_is_visible(oid))),
    ('prepared statements', (SELECT count(*) FROM pg_prepared_statements)),
    ('cursors', (SELECT count(*) FROM pg_cursors)),
    ('advisory locks', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())),
    ('listening', (SELECT count(*) FROM pg_listening_channels()));
  BEGIN
    INSERT INTO public.found (what, value) VALUES ('currval', currval('public.numbers'));
  EXCEPTION WHEN object_not_in_prerequisite_state THEN
    INSERT INTO public.found (what, value) VALUES ('currval', 'none');
  END;
  BEGIN
    INSERT INTO public.found (what, value) VALUES ('lastval', lastval());
  EXCEPTION WHEN object_not_in_prerequisite_state THEN
    INSERT INTO public.found (what, value) VALUES ('lastval', 'none');
  END;
END $$;
CREATE PROCEDURE add_pair(first text, how text DEFAULT 'single') LANGUAGE sql AS $$
  DELETE FROM setup.load_jobs;
  SELECT setup.add_job('s', 'a_dirties', first, owner => 'session_owner', load_order => 1, transaction => how);
  SELECT setup.add_job('s', 'b_inspects', 'SELECT public.inspect()', owner => 'session_owner', load_order => 2);
$$;
CREATE FUNCTION finding(what text, job text DEFAULT 'b_inspects') RETURNS text LANGUAGE sql
  AS 'SELECT value FROM found WHERE run = last_run() AND found.what = $1 AND found.job = $2';

SELECT plan(40);

CALL add_pair('SELECT public.inspect()');
CALL setup.orchestrate_all();
SELECT is((SELECT count(DISTINCT pid) FROM found WHERE run = last_run()), 1::bigint,
  'two jobs of one owner run in one worker');
SELECT results_eq($$SELECT what, value FROM found WHERE run = last_run() AND job = 'b_inspects'
  ORDER BY what COLLATE "C"$$,
  $$SELECT what, value FROM found WHERE run = last_run() AND job = 'a_dirties' ORDER BY what COLLATE "C"$$,
  'and the second finds what the first found');
SELECT is(finding('work_mem'), '5MB', 'with the settings of its owner');

CALL add_pair($$SET work_mem = '9MB'; SET search_path = nowhere; SET my.own = 'mine'; SET TimeZone = 'Asia/Tokyo';
  SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;
  CREATE TEMP TABLE leftover AS SELECT 1; PREPARE leftover AS SELECT 1; DECLARE leftover CURSOR WITH HOLD FOR SELECT 1;
  SELECT pg_catalog.pg_advisory_lock(5), pg_catalog.pg_advisory_lock_shared(6);
  SELECT pg_catalog.nextval('public.numbers')$$);
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK, b_inspects OK', 'a job may leave a lot behind');
SELECT is((SELECT count(DISTINCT pid) FROM found), 1::bigint, 'in the very same worker the next job');
SELECT is(finding('work_mem'), '5MB', 'has its owner''s settings again');
SELECT isnt(finding('search_path'), 'nowhere', 'has its own search_path');
SELECT is(finding('own setting'), '', 'sees no setting that the job before invented');
SELECT isnt(finding('TimeZone'), 'Asia/Tokyo', 'has the server''s time zone');
SELECT is(finding('isolation'), 'read committed', 'has the default isolation level');
SELECT is(finding('temporary tables'), '0', 'sees no temporary table');
SELECT is(finding('prepared statements'), '0', 'sees no prepared statement');
SELECT is(finding('cursors'), '0', 'sees no cursor');
SELECT is(finding('advisory locks'), '0', 'holds no advisory lock');
SELECT is(finding('currval'), 'none', 'has drawn from no sequence');
SELECT is(finding('lastval'), 'none', 'of any name');

CALL add_pair('SET ROLE session_group; CREATE TABLE public.of_group ()');
CALL setup.orchestrate_all();
SELECT is((SELECT tableowner FROM pg_tables WHERE tablename = 'of_group'), 'session_group',
  'a job may SET ROLE to a role of its owner''s');
SELECT is((SELECT status FROM log WHERE job_name = 'a_dirties'), 'OK', 'and is still logged');
SELECT is(finding('role'), 'session_owner', 'the next one is its owner again');
CALL add_pair('SET SESSION AUTHORIZATION DEFAULT; SET ROLE session_group; SET work_mem = ''9MB'';
  SELECT pg_advisory_lock(5); SELECT 1/0');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties ERROR, b_inspects OK', 'a job may fail on top of it');
SELECT is(finding('role') || finding('work_mem') || finding('advisory locks'), 'session_owner5MB0',
  'which leaves nothing either');
CALL add_pair('SET work_mem = ''9MB''; SET ROLE session_group; CREATE TEMP TABLE leftover AS SELECT 1;
  SELECT pg_advisory_lock(5); BEGIN; DECLARE leftover CURSOR WITH HOLD FOR SELECT 1; COMMIT;
  BEGIN; SET LOCAL my.own = 1; INSERT INTO public.failing VALUES (1)', 'each');
CALL setup.orchestrate_all();
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'a_dirties'), '23514', 'also where each statement commits');
SELECT is(concat_ws(' ', finding('role'), finding('work_mem'), finding('advisory locks'), finding('temporary tables'),
  finding('cursors'), finding('own setting')),
  'session_owner 5MB 0 0 0 ', 'nothing is left');

-- Settings of the owner that change between runs

CALL add_pair('SELECT public.inspect()');
ALTER ROLE session_owner SET work_mem = '6MB';
CALL setup.orchestrate_all();
SELECT is(finding('work_mem'), '6MB', 'ALTER ROLE ... SET is in force in the next run');
SELECT format('ALTER ROLE session_owner IN DATABASE %I SET work_mem = ''7MB''', current_database()) \gexec
CALL setup.orchestrate_all();
SELECT is(finding('work_mem'), '7MB', 'so is ALTER ROLE ... IN DATABASE ... SET');
SELECT format('ALTER ROLE session_owner IN DATABASE %I RESET work_mem', current_database()) \gexec
ALTER ROLE session_owner RESET work_mem;
SELECT format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()) \gexec
CALL setup.orchestrate_all();
SELECT is(finding('work_mem'), '8MB', 'and ALTER DATABASE ... SET');
SELECT format('ALTER DATABASE %I RESET work_mem', current_database()) \gexec
SELECT pid AS before FROM found WHERE run = last_run() LIMIT 1 \gset
ALTER ROLE session_owner RENAME TO session_renamed;
CALL setup.orchestrate_all();
SELECT is(finding('role'), 'session_renamed', 'an owner who was renamed still runs its jobs');
SELECT is((SELECT DISTINCT owner FROM log), 'session_renamed', 'under its new name');
ALTER ROLE session_renamed RENAME TO session_owner;

-- Settings that could keep the engine from writing its log

CALL add_pair('SET default_transaction_read_only = on; SET default_transaction_isolation = ''serializable'';
  SET search_path = ''''');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK, b_inspects OK',
  'default_transaction_read_only of a job does not keep its success from the log');
SELECT is(finding('read only'), 'off', 'nor the next job from writing');
CALL add_pair('SET default_transaction_read_only = on; SELECT 1/0');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties ERROR, b_inspects OK', 'nor its failure');
CALL add_pair('SET default_transaction_read_only = on; SELECT 1', 'each');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK, b_inspects OK', 'also where each statement commits');
CALL add_pair('SET TRANSACTION READ ONLY; SELECT 1');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK, b_inspects OK', 'a read-only transaction is logged');
CALL add_pair('SET statement_timeout = ''1ms''; SET lock_timeout = ''1ms''; SET row_security = off');
CALL setup.orchestrate_all();
SELECT is((SELECT status FROM log WHERE job_name = 'b_inspects'), 'OK', 'timeouts of a job do not hit the next one');
CALL add_pair('SET constraint_exclusion = off; SET row_security = off; SET transform_null_equals = on;
  SET DateStyle = ''SQL, DMY''; SET IntervalStyle = iso_8601;
  SET standard_conforming_strings = off; SET array_nulls = off; SET bytea_output = escape;
  SET client_encoding = latin1; SET backslash_quote = off');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK, b_inspects OK', 'no setting of a job confuses the engine''s own statements');
ALTER ROLE session_owner SET default_transaction_read_only = on;
ALTER ROLE session_owner SET DateStyle = 'SQL, DMY';
ALTER ROLE session_owner SET search_path = '';
CALL add_pair('SELECT 1');
DELETE FROM setup.load_jobs WHERE job_name = 'b_inspects';
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK', 'nor does a setting of its owner');
ALTER ROLE session_owner SET default_transaction_isolation = 'serializable';
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a_dirties OK', 'not even serializable isolation');
ALTER ROLE session_owner RESET ALL;

-- What the worker shows to others

SELECT setup.add_job('s', 'a_dirties', 'SELECT pg_advisory_xact_lock(77), pg_sleep(60)', owner => 'session_owner');
SELECT setup.start_run() AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 77)$$);
SELECT results_eq($$SELECT usename, state, query FROM pg_stat_activity JOIN pg_locks USING (pid)
  WHERE locktype = 'advisory' AND objid = 77$$,
  $$VALUES ('session_owner'::name, 'active', 'SELECT pg_advisory_xact_lock(77), pg_sleep(60)')$$,
    'pg_stat_activity shows the job''s owner and command');
SELECT alike((SELECT backend_type FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'
  AND objid = 77),
  'etl_orchestrator%', 'in a process whose title starts with etl_orchestrator');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'and that stops when the run is cancelled');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY session_owner, session_group;
DROP ROLE session_owner, session_group;
