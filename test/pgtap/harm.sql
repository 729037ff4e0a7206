-- What one role could do to others by odd objects, settings and values, and does not.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
CREATE ROLE harm_eve LOGIN;
CREATE ROLE harm_boss LOGIN SUPERUSER;
GRANT USAGE ON SCHEMA setup TO harm_eve;
SELECT setup.create_layer('bronze'), setup.create_layer('silver');
GRANT USAGE, CREATE ON SCHEMA bronze, silver TO harm_eve;

SELECT plan(21);

-- A rule that leaves nothing of a statement, in a job that was discovered

SET SESSION AUTHORIZATION harm_eve;
CREATE TABLE silver.nothing (i int);
CREATE RULE nothing AS ON INSERT TO silver.nothing DO INSTEAD NOTHING;
CREATE PROCEDURE silver.load_x() LANGUAGE sql AS 'SELECT 1';
CALL setup.seed_load_jobs('silver');
SELECT is((SELECT discovered_as FROM silver.load_jobs), 'procedure', 'a procedure becomes a job');
UPDATE silver.load_jobs SET table_name = NULL;
SELECT is((SELECT discovered_as FROM silver.load_jobs), 'procedure', 'which it stays with what is set by hand');
UPDATE silver.load_jobs SET command = 'INSERT INTO silver.nothing VALUES (1)';
SELECT is((SELECT discovered_as FROM silver.load_jobs), NULL, 'but not with another command');
RESET SESSION AUTHORIZATION;
UPDATE silver.load_jobs SET discovered_as = 'procedure';
CALL setup.orchestrate_silver();
SELECT is(outcome(), 'x OK', 'a statement of which a rule leaves nothing does nothing');
SELECT setup.drop_job('silver', 'x');

-- A superuser's load of somebody else's table would run what is in its constraints

\! printf 'a\n1\n' > $FILES/victim.csv
SET SESSION AUTHORIZATION harm_eve;
CREATE FUNCTION bronze.evil(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'ALTER ROLE harm_eve SUPERUSER';
  RETURN true;
END $$;
CREATE TABLE bronze.victim (a int CHECK (bronze.evil(a)));
RESET SESSION AUTHORIZATION;
SELECT setup.add_job('bronze', 'victim', table_name => 'victim', file_path => :'files' || '/victim.csv');
CALL setup.orchestrate_bronze();
SELECT is(outcome(), 'victim ERROR', 'a superuser''s job does not load another role''s table');
SELECT is((SELECT sqlstate FROM setup.load_log WHERE run_id = last_run()), '42501', 'that is a matter of rights');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'harm_eve'), false, 'and nobody has become a superuser');
SELECT setup.drop_job('bronze', 'victim');

-- A superuser who is one no more, in a worker that is still warm

SELECT setup.add_job('bronze', 'warm', 'SELECT 1', owner => 'harm_boss');
CALL setup.orchestrate_bronze();
ALTER ROLE harm_boss NOSUPERUSER;
SELECT setup.add_job('bronze', 'warm', 'SET SESSION AUTHORIZATION postgres; ALTER ROLE harm_boss SUPERUSER',
  owner => 'harm_boss');
CALL setup.orchestrate_bronze();
SELECT is(outcome(), 'warm ERROR', 'who is no superuser any more cannot become one again');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'harm_boss'), false, 'and is none');
SELECT setup.drop_job('bronze', 'warm');

-- Values that are fine for the table of jobs

SELECT setup.create_resource('harm_io', 2);
SELECT setup.add_job('bronze', 'whole', 'SELECT 1', resources => '{"harm_io": 1.0}');
CALL setup.orchestrate_bronze();
SELECT is(outcome(), 'whole OK', 'a whole number may be written as 1.0');
SELECT throws_ok($$SELECT setup.add_job('bronze', 'whole', 'SELECT 1', resources => '{"harm_io": 1.5}')$$, '23514', NULL,
  'others may not');
SELECT setup.drop_job('bronze', 'whole');

-- Parameters in a parallel plan

CREATE TABLE bronze.many AS SELECT generate_series(1, 50000) AS i;
ANALYZE bronze.many;
SELECT setup.add_job('bronze', 'parallel', $$
  SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
  CREATE TABLE bronze.counted AS SELECT setup.param('day') AS day, count(*) AS n FROM bronze.many$$);
CALL setup.orchestrate_bronze(params => '{"day": "monday"}');
SELECT is(outcome(), 'parallel OK', 'a parallel plan may ask for a parameter');
SELECT results_eq('SELECT day, n FROM bronze.counted', $$VALUES ('monday', 50000::bigint)$$, 'and gets it');
SELECT setup.drop_job('bronze', 'parallel');

-- Partitions that a session with odd settings has made

ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO harm_eve;
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SELECT setup.make_partitions('2031-01-08 12:00+00');
RESET datestyle;
SET timezone = 'UTC';
SELECT is(pg_get_expr(relpartbound, oid),
    'FOR VALUES FROM (''2031-01-06 00:00:00+00'') TO (''2031-01-13 00:00:00+00'')', format('%s is of its week', relname))
  FROM pg_class WHERE relname ~ '_20310106$' AND relkind = 'r' ORDER BY relname;
SELECT lives_ok($$SELECT setup.make_partitions('2031-01-15 12:00+00')$$, 'the next week has room behind it');
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM harm_eve;
INSERT INTO setup.load_runs (requested_at, started_by, jobs_total, pipeline, started_by_oid, database_oid, status,
                             finished_at)
  VALUES ('2031-01-08', 'postgres', 0, 'all layers', 10, 0, 'OK', now());
SET SESSION AUTHORIZATION harm_eve;
SELECT is((SELECT count(*) FROM setup.load_runs_20310106), 0::bigint,
  'default privileges on new tables open no partition to those who may not see its rows');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM setup.load_runs WHERE requested_at = '2031-01-08'), 1::bigint, 'which are there');
SELECT is(setup.drop_history('2031-02-01') >= 2, true, 'and can be dropped');

SELECT * FROM finish();
DROP TABLE bronze.many, bronze.counted, bronze.victim, silver.nothing;
DROP OWNED BY harm_eve;
DROP ROLE harm_eve, harm_boss;
