-- A job runs as its owner and as nobody else: no way leads from inside a job to more rights.
-- Objects of others in a superuser's run: takeover.sql. Who sees and changes what: visibility.sql.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE security_eve LOGIN;
CREATE ROLE security_group;
GRANT security_group TO security_eve;
GRANT USAGE ON SCHEMA setup TO security_eve;
CREATE TABLE witness (what text, session_is text DEFAULT session_user, acts_as text DEFAULT current_user, run bigint);
GRANT ALL ON witness TO PUBLIC;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold');
CREATE SCHEMA eve AUTHORIZATION security_eve;
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();
CREATE FUNCTION eve_is_superuser() RETURNS boolean LANGUAGE sql
  AS $$ SELECT bool_or(rolsuper) FROM pg_catalog.pg_roles WHERE rolname LIKE 'security\_%' $$;

SELECT plan(39);

-- Who a job is

SELECT setup.add_job('silver', 'who', 'INSERT INTO public.witness VALUES (''who'')', owner => 'security_eve');
CALL setup.orchestrate_all();
SELECT results_eq('SELECT session_is, acts_as FROM witness', $$VALUES ('security_eve', 'security_eve')$$,
  'in a superuser''s run a job is logged in as its owner');
SELECT is((SELECT owner FROM log), 'security_eve', 'and the log says so');
DELETE FROM setup.load_jobs;

-- What a job may try. Each of these leaves the job what it was, or fails.

SET SESSION AUTHORIZATION security_eve;
SELECT setup.add_job('silver', job, format('%s; INSERT INTO public.witness VALUES (%L)', command, job), transaction => how)
  FROM (VALUES
    ('reset_role', 'RESET ROLE', 'single'),
    ('reset_authorization', 'RESET SESSION AUTHORIZATION', 'single'),
    ('authorization_default', 'SET SESSION AUTHORIZATION DEFAULT', 'single'),
    ('role_none', 'SET ROLE NONE', 'single'),
    ('reset_all', 'RESET ALL', 'single'),
    ('group_and_back', 'SET ROLE security_group; RESET ROLE', 'single'),
    ('config_default', 'SELECT set_config(''role'', ''none'', false)', 'single'),
    ('local', 'SET LOCAL ROLE security_group; RESET ROLE', 'single'),
    ('each_discard', 'DISCARD ALL', 'each'),
    ('each_reset', 'RESET ROLE; RESET SESSION AUTHORIZATION', 'each'),
    ('each_default', 'SET SESSION AUTHORIZATION DEFAULT', 'each')) AS jobs(job, command, how);
RESET SESSION AUTHORIZATION;
TRUNCATE witness;
CALL setup.orchestrate_all();
SELECT is((SELECT count(*) FROM witness), 11::bigint,
  'RESET ROLE, RESET SESSION AUTHORIZATION and their like are no errors');
SELECT results_eq('SELECT DISTINCT session_is, acts_as FROM witness', $$VALUES ('security_eve', 'security_eve')$$,
  'and lead nowhere');
DELETE FROM setup.load_jobs;
SET SESSION AUTHORIZATION security_eve;
SELECT setup.add_job('silver', how || i, command, transaction => how)
  FROM unnest(ARRAY[
    'SET ROLE postgres',
    'SET SESSION AUTHORIZATION postgres',
    'SELECT set_config(''session_authorization'', ''postgres'', false)',
    'SELECT set_config(''role'', ''postgres'', true)',
    'ALTER ROLE security_eve SUPERUSER',
    'CREATE ROLE security_evil SUPERUSER',
    'GRANT pg_execute_server_program TO security_eve',
    'COPY (SELECT 1) TO PROGRAM ''true''',
    'SELECT pg_read_file(''/etc/passwd'')',
    'COPY eve.loot FROM ''/etc/passwd''',
    'UPDATE setup.load_runs SET status = ''OK''',
    'INSERT INTO setup.etl_config VALUES (''a'', ''b'')',
    'DO $$ BEGIN EXECUTE ''RESET ROLE''; EXECUTE ''CREATE ROLE security_evil SUPERUSER''; END $$',
    'ALTER EXTENSION etl_orchestrator UPDATE',
    'SET log_statement = ''all''',
    'SET etl_orchestrator.run_id = ''1''',
    'ALTER FUNCTION setup.param(text) OWNER TO security_eve']) WITH ORDINALITY AS tries(command, i),
    unnest('{single,each}'::text[]) how;
CREATE TABLE eve.loot (line text);
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM silver.load_jobs), 34::bigint,
  'a job may try to become somebody else in many ways');
CALL setup.orchestrate_all();
SELECT is_empty('SELECT job_name, status FROM log WHERE status <> ''ERROR''', 'none of them succeeds');
SELECT is_empty($$SELECT l.job_name, l.sqlstate, l.message FROM log l WHERE sqlstate <> '42501'$$,
  'all of them for want of privilege');
SELECT is(eve_is_superuser(), false, 'and nobody has become a superuser');
DELETE FROM setup.load_jobs;

-- Names that a job puts in the way of the engine's own statements

SET SESSION AUTHORIZATION security_eve;
CREATE FUNCTION eve.take_over() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.witness VALUES ('trap');
  BEGIN
    EXECUTE 'ALTER ROLE security_eve SUPERUSER';
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
END $$;
-- Signatures of what the engine's and our functions' statements use.
SELECT format('CREATE FUNCTION eve.%s(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM eve.take_over(); RETURN %s; END $f$',
              name, arguments, result, value)
  FROM (VALUES ('now', '', 'timestamptz', 'pg_catalog.now()'), ('clock_timestamp', '', 'timestamptz',
    'pg_catalog.clock_timestamp()'),
    ('format', 'text, VARIADIC text[]', 'text', '''x'''), ('quote_ident', 'text', 'text', '''x'''), ('quote_literal',
      'text', 'text', '''x'''),
    ('to_regnamespace', 'text', 'regnamespace', 'NULL'), ('pg_has_role', 'oid, text', 'boolean', 'true'),
    ('pg_has_role', 'name, oid, text', 'boolean', 'true'), ('current_database', '', 'name', '''x'''), ('cardinality',
      'text[]', 'int', '1'),
    ('array_position', 'text[], text', 'int', '1'), ('starts_with', 'text, text', 'boolean', 'true'),
      ('pg_get_userbyid', 'oid', 'name', '''x'''),
    ('current_setting', 'text, boolean', 'text', '''x'''), ('has_schema_privilege', 'text, text', 'boolean', 'true'),
    ('eq', 'text, text', 'boolean', 'true'), ('eq', 'bigint, bigint', 'boolean', 'true'), ('eq', 'int, int', 'boolean',
      'true'),
    ('eq', 'oid, oid', 'boolean', 'true'), ('eq', 'name, name', 'boolean', 'true'), ('eq', 'name, text', 'boolean',
      'true'),
    ('arrow', 'jsonb, text', 'text', '''x'''), ('cat', 'text, text', 'text', '''x'''), ('ne', 'text, text', 'boolean',
      'true'),
    ('gt', 'bigint, bigint', 'boolean', 'true')
  ) AS traps(name, arguments, result, value) \gexec
SELECT format('CREATE OPERATOR eve.%s (FUNCTION = eve.%s, LEFTARG = %s, RIGHTARG = %s)', operator, name, l, r)
  FROM (VALUES ('=', 'eq', 'text', 'text'), ('=', 'eq', 'bigint', 'bigint'), ('=', 'eq', 'int', 'int'), ('=', 'eq',
    'oid', 'oid'),
    ('=', 'eq', 'name', 'name'), ('=', 'eq', 'name', 'text'), ('->>', 'arrow', 'jsonb', 'text'), ('||', 'cat', 'text',
      'text'),
    ('<>', 'ne', 'text', 'text'), ('>', 'gt', 'bigint', 'bigint')) AS traps(operator, name, l, r) \gexec
CREATE TABLE eve.load_log (LIKE setup.load_log);
CREATE TABLE eve.pg_roles AS SELECT 'security_eve'::name AS rolname, true AS rolsuper, 10::oid AS oid;
SET search_path = eve, pg_catalog;
SELECT 1::bigint = 2::bigint;
RESET search_path;
SELECT is((SELECT count(*) FROM witness WHERE what = 'trap'), 1::bigint,
  'the traps work: who has them in its search_path steps into them');
RESET SESSION AUTHORIZATION;
TRUNCATE witness;
SET SESSION AUTHORIZATION security_eve;
ALTER ROLE security_eve SET search_path = eve, pg_catalog;
SELECT setup.add_job('silver', 'ends_well',
  'SET search_path = eve, pg_catalog; SELECT setup.param(''p''); CREATE TEMP TABLE load_log (LIKE setup.load_log)'),
  setup.add_job('silver', 'ends_badly', 'SET search_path = eve, pg_catalog; SELECT 1 OPERATOR(pg_catalog./) 0'),
  setup.add_job('silver', 'each_well', 'SET search_path = eve, pg_catalog; SELECT setup.param(''p'')',
    transaction => 'each'),
  setup.add_job('silver', 'each_badly', 'SET search_path = eve, pg_catalog; SELECT 1 OPERATOR(pg_catalog./) 0',
    transaction => 'each'),
  setup.add_job('silver', 'inner', 'SELECT setup.start_run(''gold'')'),
  setup.add_job('silver', 'declares', 'SELECT 1', table_name => 'eve.loot');
RESET SESSION AUTHORIZATION;
SELECT setup.start_run(params => '{"p": "v"}') AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'a run with such jobs goes on to its end');
SELECT is((SELECT string_agg(job_name || ' ' || status, ', ' ORDER BY job_name COLLATE "C") FROM setup.load_log
  WHERE run_id = :run),
  'declares OK, each_badly ERROR, each_well OK, ends_badly ERROR, ends_well OK, inner OK',
    'the engine logs each of them');
SELECT is_empty('SELECT * FROM eve.load_log', 'in its own log, not in the owner''s');
SELECT is_empty('SELECT * FROM witness WHERE acts_as <> ''security_eve''',
  'and steps into no trap with more rights than the owner''s');
-- A superuser, or anybody else, may have the traps in its search_path when it calls our functions.
TRUNCATE witness;
SET search_path = eve, pg_catalog, public;
SELECT setup.start_run('gold') AS run, setup.create_layer('trapped'), setup.add_job('trapped', 'a', 'SELECT 1'),
  setup.drop_job('trapped', 'a') \gset
SELECT setup.wait_run(:run), setup.drop_layer('trapped'), (setup.check_tables('silver')).missing_tables \gset
CALL setup.seed_load_jobs();
CALL setup.orchestrate_layer('gold');
SELECT count(*) FROM setup.run_plan() \gset
INSERT INTO gold.load_jobs (job_name, command) VALUES ('b', 'SELECT 1');
DELETE FROM gold.load_jobs;
RESET search_path;
SELECT is_empty('SELECT * FROM witness',
  'no function of ours looks for operators or functions in the caller''s search_path');
SELECT is(eve_is_superuser(), false, 'nobody has become a superuser');
ALTER ROLE security_eve RESET search_path;
DELETE FROM setup.load_jobs;

-- What is left to happen at the commit, after the engine has written its log

TRUNCATE witness;
SET SESSION AUTHORIZATION security_eve;
CREATE TABLE eve.late (id int);
CREATE FUNCTION eve.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON eve.late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION eve.late();
SELECT setup.add_job('silver', 'deferred', 'INSERT INTO eve.late VALUES (1)'),
  setup.add_job('silver', 'cursor', 'DECLARE c CURSOR WITH HOLD FOR SELECT eve.take_over()');
RESET SESSION AUTHORIZATION;
CALL setup.orchestrate_all();
SELECT results_eq('SELECT acts_as, count(*) FROM witness GROUP BY 1', $$VALUES ('security_eve', 2::bigint)$$,
  'deferred triggers and cursors of a job run as its owner');
DELETE FROM setup.load_jobs;

-- Functions of ours that run with the rights of the extension's owner

SELECT set_eq($$SELECT proname::text FROM pg_proc WHERE pronamespace = 'setup'::regnamespace AND prosecdef$$,
  ARRAY['job_owner', 'require_pg_cron', 'location_owner', 'forget_files'],
  'no more functions than necessary have other rights than their caller''s');
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'setup'::regnamespace AND prosecdef
                  AND NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig)$$,
                  'each of these has its own search_path');
SELECT set_eq($$SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE pronamespace = 'setup'::regnamespace
                  AND lanname IN ('sql', 'plpgsql')
                  AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))$$, ARRAY['test_state'],
  'and so has every other that is written in SQL, but for one that commits and names the schema of all that it uses');
CREATE FUNCTION eve.equals(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); RETURN true; END $$;
CREATE OPERATOR eve.= (LEFTARG = text, RIGHTARG = text, FUNCTION = eve.equals);
TRUNCATE witness;
SET search_path = eve, pg_catalog;
CALL setup.test_state('{"Type": "Choice", "Default": "B", "Choices": [{"Variable": "$", "IsPresent": true, "Next": "A"}],
  "Retry": [{"ErrorEquals": ["States.ALL"]}]}') \gset tried_
RESET search_path;
SELECT is((SELECT count(*) FROM witness), 0::bigint, 'whose operators nobody replaces');
DROP OPERATOR eve.= (text, text);
SELECT is_empty($$SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE pronamespace = 'setup'::regnamespace AND prorettype = 'trigger'::regtype AND (prosecdef OR lanname = 'c')
    AND has_function_privilege('security_eve', p.oid, 'EXECUTE')$$,
  'a trigger that does what its caller could not is for our own tables');
SET SESSION AUTHORIZATION security_eve;
CREATE TABLE eve.fake_jobs (layer text, job_name text);
SELECT throws_ok('CREATE TRIGGER forgets AFTER UPDATE ON eve.fake_jobs FOR EACH ROW EXECUTE FUNCTION setup.forget_files()',
  '42501', NULL, 'nobody makes jobs of others forget what they have loaded');
RESET SESSION AUTHORIZATION;
CREATE TRIGGER forgets AFTER INSERT ON eve.fake_jobs FOR EACH ROW EXECUTE FUNCTION setup.forget_files();
SELECT throws_ok($$INSERT INTO eve.fake_jobs VALUES ('bronze', 'orders')$$, '42501', NULL,
  'not even where a superuser has put our trigger');
SELECT setup.add_job('bronze', 'of_superuser', 'SELECT 1');
SELECT j::text AS foreign_job FROM setup.load_jobs j WHERE job_name = 'of_superuser' \gset
SELECT setup.write_job(:'foreign_job');
SET SESSION AUTHORIZATION security_eve;
CREATE TABLE eve.fake_layers (layer text, position int, execution text);
CREATE TRIGGER makes AFTER INSERT ON eve.fake_layers FOR EACH ROW EXECUTE FUNCTION setup.make_layer_views();
CREATE TRIGGER drops AFTER DELETE ON eve.fake_layers FOR EACH ROW EXECUTE FUNCTION setup.drop_layer_views();
INSERT INTO eve.fake_layers VALUES ('bronze'), ('public'), ('eve');
SELECT throws_ok('DELETE FROM eve.fake_layers', '42501', NULL, 'our triggers on a table of one''s own drop no views');
SELECT hasnt_view('public', 'load_log', 'nor make any where one may not');
SELECT has_view('bronze', 'load_log', 'the layers'' views are still there');
SELECT throws_ok($$SELECT setup.attach_view('pg_class')$$, '42501', NULL,
  'nobody else attaches anything to the extension');
SELECT throws_ok(format('SELECT setup.write_job(%L)', :'foreign_job'), '42501', NULL,
  'nobody writes the row of somebody else''s job, also where a superuser has done it before in the same session');
SELECT throws_ok('CREATE TABLE setup.mine ()', '42501', NULL, 'nobody else creates anything in schema setup');
SELECT throws_ok('CREATE TRIGGER t BEFORE INSERT ON setup.load_jobs FOR EACH ROW EXECUTE FUNCTION eve.late()',
  '42501', NULL, 'or triggers on its tables');
SELECT throws_ok('CREATE RULE r AS ON INSERT TO bronze.load_jobs DO ALSO SELECT eve.take_over()', '42501', NULL,
  'or rules on the layers'' views');
SELECT throws_ok('SET etl_orchestrator.run_id = ''1''', '42501', NULL, 'or pretends to be in a run');
RESET SESSION AUTHORIZATION;
SELECT setup.drop_job('bronze', 'of_superuser');

-- Text that is no SQL

CREATE TABLE victim ();
SELECT setup.add_job('silver', 'x"; DROP TABLE public.victim; --', 'SELECT 1', table_name => 'public.victim'),
  setup.add_job('silver', 'it''s', 'SELECT 1', depends_on => ARRAY['x"; DROP TABLE public.victim; --']);
CALL setup.orchestrate_all();
SELECT is(:'SQLSTATE'::text, '00000', 'names of jobs may look like SQL');
SELECT throws_ok($q$SELECT setup.add_job('silver', 'table', 'SELECT 1', table_name => '"a"; DROP TABLE public.victim; --"')$q$,
  '42602', NULL, 'names of tables may not');
SELECT setup.add_job('silver', 'quoted', 'SELECT 1', table_name => '"a; DROP TABLE public.victim; --"');
CALL setup.orchestrate_all();
SELECT is((SELECT message FROM setup.load_runs WHERE run_id = last_run()),
  'layer "silver": table silver."a; DROP TABLE public.victim; --" does not exist after its jobs have ended',
    'but in quotes');
DELETE FROM setup.load_jobs;
SELECT has_table('public', 'victim', 'and are never run');

-- etl_orchestrator.superuser_jobs

SELECT setup.add_job('gold', 'of_superuser', 'SELECT 1');
ALTER SYSTEM SET etl_orchestrator.superuser_jobs = off;
SELECT pg_reload_conf();
\! until psql -XqAt -c 'SHOW etl_orchestrator.superuser_jobs' | grep -q off; do :; done
SELECT is((SELECT detail FROM caught('SELECT setup.start_run()')),
  'job "gold.of_superuser": owner "postgres" is a superuser, and etl_orchestrator.superuser_jobs is off',
  'superusers can be kept from owning jobs');
SELECT setup.add_job('gold', 'of_eve', 'SELECT 1', owner => 'security_eve');
CALL setup.orchestrate_all(jobs => '{of_eve}');
SELECT is(outcome(), 'of_eve OK', 'not from running those of others');
ALTER SYSTEM RESET etl_orchestrator.superuser_jobs;
SELECT pg_reload_conf();
\! until psql -XqAt -c 'SHOW etl_orchestrator.superuser_jobs' | grep -q on; do :; done
SELECT lives_ok('SELECT setup.run_plan()', 'by default superusers own jobs too');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY security_eve, security_group;
DROP ROLE security_eve, security_group;
