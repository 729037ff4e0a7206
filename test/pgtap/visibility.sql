-- Who sees, runs and changes what. What a job itself may do: security.sql.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE visibility_eve LOGIN;
CREATE ROLE visibility_ann LOGIN;
CREATE ROLE visibility_team LOGIN;
GRANT visibility_team TO visibility_ann;
GRANT USAGE ON SCHEMA setup TO visibility_eve, visibility_ann, visibility_team;
SELECT setup.create_layer('bronze'), setup.create_layer('silver');
GRANT USAGE ON SCHEMA silver TO visibility_eve;
SELECT setup.add_job('silver', 'root', 'SELECT 1'), setup.add_job('silver', 'eves', 'SELECT 2',
  owner => 'visibility_eve'),
  setup.add_job('silver', 'anns', 'SELECT 3', owner => 'visibility_ann'), setup.add_job('silver', 'teams', 'SELECT 4',
    owner => 'visibility_team');
-- All that a role sees, by a query on each table; and what it sees through functions with side effects.
CREATE TABLE peeked (command text);
GRANT INSERT ON peeked TO PUBLIC;
CREATE FUNCTION peek(command text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
  INSERT INTO public.peeked VALUES (command);
  RETURN true;
END $$;

SELECT plan(63);

CALL setup.orchestrate_all();
SELECT last_run() AS root_run \gset
SET SESSION AUTHORIZATION visibility_ann;
CALL setup.orchestrate_all();
SELECT is(outcome(), 'anns OK, teams OK',
  'a call runs the caller''s own jobs and those of roles that it is a member of');
SELECT last_run() AS ann_run \gset
SELECT set_eq('SELECT job_name FROM setup.load_jobs', ARRAY['anns', 'teams'],
  'and these are what it sees in load_jobs');
SELECT set_eq('SELECT DISTINCT job_name FROM setup.load_log', ARRAY['anns', 'teams'], 'in load_log');
SELECT set_eq('SELECT DISTINCT job_name FROM setup.run_steps', ARRAY['anns', 'teams'], 'in run_steps');
SELECT set_eq('SELECT job_name FROM setup.run_plan()', ARRAY['anns', 'teams'], 'and in run_plan');
SELECT is((SELECT count(DISTINCT run_id) FROM setup.load_log), 2::bigint, 'also of runs that others started');
SELECT results_eq('SELECT run_id FROM setup.load_runs', format('VALUES (%s::bigint)', :ann_run),
  'but of load_runs only its own');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION visibility_team;
SELECT set_eq('SELECT job_name FROM setup.load_jobs', ARRAY['teams'], 'a role does not see the jobs of its members');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION visibility_eve;
SELECT set_eq('SELECT job_name FROM silver.load_jobs', ARRAY['eves'], 'the layers'' views show no more');
SELECT set_eq('SELECT job_name FROM silver.load_log', ARRAY['eves'], 'neither of jobs nor of the log');
SELECT is((SELECT count(*) FROM silver.load_jobs WHERE public.peek(command)), 1::bigint, 'a function in a condition');
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT * FROM peeked', ARRAY['SELECT 2'], 'is shown no other rows');
SELECT set_eq('SELECT job_name FROM setup.load_jobs', ARRAY['root', 'eves', 'anns', 'teams'], 'a superuser sees all');

-- Changing jobs

SET SESSION AUTHORIZATION visibility_eve;
UPDATE setup.load_jobs SET command = 'SELECT 666';
DELETE FROM setup.load_jobs WHERE job_name <> 'eves';
UPDATE silver.load_jobs SET is_enabled = false WHERE job_name = 'root';
SELECT throws_ok($$INSERT INTO setup.load_jobs (layer, job_name, command) VALUES ('silver', 'root', 'SELECT 666')
                   ON CONFLICT (layer, job_name) DO UPDATE SET command = excluded.command$$, '42501', NULL,
                   'another''s job cannot be replaced by an INSERT');
SELECT throws_ok($$SELECT setup.add_job('silver', 'root', 'SELECT 666')$$, '42501',
  'job "silver.root" belongs to role "postgres"', 'nor by add_job');
SELECT throws_ok($$SELECT setup.drop_job('silver', 'root')$$, '42501', 'job "silver.root" belongs to role "postgres"',
  'nor dropped');
SELECT throws_ok($$MERGE INTO setup.load_jobs j USING (VALUES ('root')) v(n) ON j.job_name = v.n WHEN MATCHED THEN DELETE
                   WHEN NOT MATCHED THEN INSERT (layer, job_name, command) VALUES ('silver', v.n, 'SELECT 666')$$,
                   '42501', NULL, 'nor merged into');
SELECT throws_ok($$UPDATE setup.load_jobs SET owner = 'postgres' WHERE job_name = 'eves'$$, '42501', NULL,
  'a job cannot be given to a superuser');
SELECT throws_ok($$UPDATE setup.load_jobs SET owner = 'visibility_team' WHERE job_name = 'eves'$$, '42501', NULL,
  'nor to any role that one is no member of');
SELECT throws_ok($$INSERT INTO silver.load_jobs (job_name, command, owner) VALUES ('x', 'SELECT 666', 'postgres')$$,
  '42501', NULL, 'nor made for one');
SELECT throws_ok($$INSERT INTO setup.load_jobs (layer, job_name, command, owner, owner_oid)
  VALUES ('silver', 'x', 'SELECT 666', 'postgres', 'visibility_eve'::regrole)$$,
  '42501', NULL, 'whatever oid is claimed');
SELECT throws_ok('TRUNCATE setup.load_jobs', '42501', NULL, 'nobody empties the table of jobs');
SELECT throws_ok('COPY setup.load_jobs (layer, job_name, command, owner) FROM PROGRAM ''echo 1''', '42501', NULL,
  'or copies into it');
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT job_name, command, owner_oid = owner::regrole, is_enabled FROM setup.load_jobs ORDER BY command',
  $$VALUES ('root', 'SELECT 1', true, true), ('anns', 'SELECT 3', true, true),
           ('teams', 'SELECT 4', true, true), ('eves', 'SELECT 666', true, true)$$,
  'whatever one tries, only one''s own job has changed');
SET SESSION AUTHORIZATION visibility_ann;
SELECT lives_ok($$UPDATE setup.load_jobs SET owner = 'visibility_team' WHERE job_name = 'anns'$$,
  'a job can be given to a role that one is a member of');
SELECT lives_ok($$UPDATE setup.load_jobs SET owner = 'visibility_ann' WHERE job_name = 'anns'$$, 'and taken back');
RESET SESSION AUTHORIZATION;

-- Running jobs

SET SESSION AUTHORIZATION visibility_eve;
SELECT is((SELECT detail FROM caught('SELECT setup.start_run(jobs => ''{silver.root}'')')),
  'job "silver.root": you may not run it', 'another''s job cannot be run by name');
SELECT setup.start_run() AS eve_run \gset
SELECT is(setup.wait_run(:eve_run), 'OK', 'whoever may run a job may wait for it');
SELECT is((SELECT array_agg(job_name) FROM setup.load_log WHERE run_id = :eve_run), '{eves}', 'and runs no other');
SELECT throws_ok('SELECT setup.wait_run(' || :root_run || ')', 'P0002', format('run %s does not exist', :root_run),
  'another''s run cannot be waited for');
SELECT throws_ok('SELECT setup.cancel_run(' || :ann_run || ')', 'P0002', format('run %s does not exist', :ann_run),
  'nor cancelled, even one that has ended');
RESET SESSION AUTHORIZATION;
UPDATE setup.load_jobs SET command = 'SELECT pg_advisory_xact_lock(55), pg_sleep(60)' WHERE job_name = 'root';
SELECT setup.start_run(jobs => '{root}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 55)$$);
SET SESSION AUTHORIZATION visibility_eve;
SELECT throws_ok('SELECT setup.cancel_run(' || :run || ')', 'P0002', NULL, 'nor one that is running');
RESET SESSION AUTHORIZATION;
SELECT is(setup.wait_run(:run, '0 s'), 'RUNNING', 'which goes on');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'until its own starter cancels it');
SET SESSION AUTHORIZATION visibility_ann;
SET ROLE visibility_team;
SELECT setup.start_run() AS run \gset
RESET ROLE;
SELECT is(setup.wait_run(:run), 'OK', 'a member of the role that started a run may wait for it');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT started_by FROM setup.load_runs WHERE run_id = :run), 'visibility_team',
  'a run is started by the current role');

-- Tables that only the engine writes

SET SESSION AUTHORIZATION visibility_eve;
SELECT throws_ok(statement, '42501', NULL, 'no user can ' || statement) FROM unnest(ARRAY[
  'UPDATE setup.load_log SET status = ''OK''', 'DELETE FROM setup.load_log',
    'INSERT INTO setup.run_cancellations VALUES (1)',
  'INSERT INTO setup.load_runs (started_by, started_by_oid, jobs_total) VALUES (''postgres'', 10, 1)',
    'DELETE FROM setup.load_runs',
  'UPDATE setup.run_steps SET command = ''SELECT 666''', 'UPDATE setup.run_steps SET owner_oid = 10',
    'DELETE FROM silver.load_log',
  'TRUNCATE setup.run_steps', 'DELETE FROM setup.load_jobs', 'UPDATE setup.load_jobs SET owner_oid = 10',
    'INSERT INTO setup.etl_config VALUES (''base_path_x'', ''/'')']) statement;
SELECT lives_ok('SELECT * FROM setup.etl_config', 'the configuration is there for all to read');
RESET SESSION AUTHORIZATION;

-- Whoever may lock a table may hold up everybody.
SET SESSION AUTHORIZATION visibility_eve;
SELECT throws_ok(format('LOCK TABLE %s IN %s MODE', relation, mode), '42501', NULL,
  format('no user can lock %s in %s mode', relation, mode))
  FROM unnest(ARRAY['setup.load_jobs', 'setup.load_runs', 'setup.run_steps', 'setup.load_log',
    'setup.layers']) relation,
       unnest(ARRAY['ACCESS EXCLUSIVE', 'SHARE']) mode;
RESET SESSION AUTHORIZATION;

-- A name that comes again is another role

CREATE ROLE visibility_gone LOGIN;
SELECT setup.add_job('silver', 'left_behind', 'SELECT 5', owner => 'visibility_gone');
DROP ROLE visibility_gone;
CREATE ROLE visibility_gone LOGIN;
GRANT USAGE ON SCHEMA setup TO visibility_gone;
SET SESSION AUTHORIZATION visibility_gone;
SELECT is_empty('SELECT * FROM setup.load_jobs', 'a new role of a dropped owner''s name does not see its jobs');
SELECT is_empty('SELECT * FROM setup.run_plan()', 'nor run them');
RESET SESSION AUTHORIZATION;
SELECT alike((SELECT detail FROM caught('SELECT setup.start_run(jobs => ''{left_behind}'')')),
  '%owner "visibility_gone" does not exist%', 'and they do not run as it');
SET SESSION AUTHORIZATION visibility_ann;
SELECT lives_ok('SELECT setup.run_plan()', 'nor do they keep others from seeing and running theirs');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY visibility_eve, visibility_ann, visibility_team, visibility_gone;
DROP ROLE visibility_eve, visibility_ann, visibility_team, visibility_gone;
