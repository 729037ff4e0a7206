-- Objects of others in a superuser's run: a table, procedure, view or trigger never makes its owner more than it is.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
CREATE ROLE takeover_eve LOGIN;
GRANT USAGE ON SCHEMA setup TO takeover_eve;
GRANT pg_read_server_files TO takeover_eve;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold');
GRANT USAGE, CREATE ON SCHEMA bronze, silver, gold TO takeover_eve;
CREATE SCHEMA eve AUTHORIZATION takeover_eve;
CREATE TABLE witness (session_is text DEFAULT session_user, acts_as text DEFAULT current_user);
GRANT ALL ON witness TO PUBLIC;
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();
\! printf 'id\n1\n' > $FILES/trap.csv
INSERT INTO setup.etl_config VALUES ('base_path_eve', :'files');
SET SESSION AUTHORIZATION takeover_eve;
CREATE FUNCTION eve.take_over() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.witness DEFAULT VALUES;
  BEGIN
    EXECUTE 'ALTER ROLE takeover_eve SUPERUSER';
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
END $$;
CREATE FUNCTION eve.on_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); RETURN NEW; END $$;
CREATE FUNCTION eve.in_view() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); RETURN 1; END $$;
RESET SESSION AUTHORIZATION;

SELECT plan(28);

-- What a superuser discovers

SET SESSION AUTHORIZATION takeover_eve;
CREATE PROCEDURE silver.load_trap() LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); END $$;
CREATE TABLE silver.trap ();
CREATE TABLE bronze.eve_trap (id int);
CREATE TRIGGER trap BEFORE INSERT ON bronze.eve_trap FOR EACH ROW EXECUTE FUNCTION eve.on_copy();
CREATE MATERIALIZED VIEW gold.trap AS SELECT eve.in_view() AS one WITH NO DATA;
RESET SESSION AUTHORIZATION;
CALL setup.seed_load_jobs();
SELECT results_eq('SELECT layer, owner FROM setup.load_jobs ORDER BY 1',
  $$VALUES ('bronze', 'takeover_eve'), ('gold', 'takeover_eve'), ('silver', 'takeover_eve')$$,
  'what a superuser discovers belongs to the owner of the object');
CALL setup.orchestrate_all();
SELECT is((SELECT count(*) FROM witness), 3::bigint, 'a superuser''s run runs its procedures, triggers and views');
SELECT is_empty($$SELECT * FROM witness WHERE (session_is, acts_as) <> ('takeover_eve', 'takeover_eve')$$,
  'as that owner');
DELETE FROM setup.load_jobs;

-- A job that a superuser's object has made is not taken over by an object of the same name

CREATE PROCEDURE silver.load_roots() LANGUAGE sql AS 'SELECT 1';
CREATE TABLE silver.roots ();
CALL setup.seed_load_jobs('silver');
SET SESSION AUTHORIZATION takeover_eve;
CREATE MATERIALIZED VIEW silver.roots_too AS SELECT eve.in_view() AS one WITH NO DATA;
SELECT throws_ok($$UPDATE setup.load_jobs SET discovered_as = 'procedure', owner = 'postgres' WHERE job_name = 'trap'$$,
  '42501', NULL,
  'nobody claims that a superuser''s object has made his job');
UPDATE setup.load_jobs SET discovered_as = 'materialized view' WHERE job_name = 'trap';
RESET SESSION AUTHORIZATION;
SELECT isnt((SELECT discovered_as FROM setup.load_jobs WHERE job_name = 'trap'), 'materialized view',
  'or an object of another kind');
SELECT is((SELECT owner FROM setup.load_jobs WHERE job_name = 'roots'), 'postgres',
  'the superuser''s job is still the superuser''s');

-- An object that changes hands between the beginning of a run and its job

DELETE FROM setup.load_jobs;
ALTER SCHEMA silver OWNER TO takeover_eve;
DROP PROCEDURE silver.load_trap();
CALL setup.seed_load_jobs('silver');
SELECT setup.drop_job('silver', 'roots_too');
SELECT setup.add_job('silver', 'gate', $$SELECT public.wait_until('pg_try_advisory_xact_lock(9)')$$);
UPDATE setup.load_jobs SET depends_on = '{gate}' WHERE job_name = 'roots';
TRUNCATE witness;
SELECT pg_advisory_lock(9);
SELECT setup.start_run('silver') AS run \gset
SET SESSION AUTHORIZATION takeover_eve;
DROP PROCEDURE silver.load_roots();
CREATE PROCEDURE silver.load_roots() LANGUAGE plpgsql AS $$ BEGIN PERFORM eve.take_over(); END $$;
RESET SESSION AUTHORIZATION;
SELECT pg_advisory_unlock(9);
SELECT is(setup.wait_run(:run), 'ERROR', 'a procedure that somebody has replaced since the run began');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'roots'), '42501', 'is not called');
SELECT is_empty('SELECT * FROM witness', 'at all');
DELETE FROM setup.load_jobs;
CREATE TABLE bronze.eve_roots (id int);
SELECT setup.add_job('bronze', 'gate', $$SELECT public.wait_until('pg_try_advisory_xact_lock(9)')$$);
\! cp $FILES/trap.csv $FILES/roots.csv
CALL setup.seed_load_jobs('bronze');
UPDATE setup.load_jobs SET depends_on = '{gate}' WHERE job_name = 'eve_roots';
ALTER SCHEMA bronze OWNER TO takeover_eve;
SELECT pg_advisory_lock(9);
SELECT setup.start_run('bronze') AS run \gset
SET SESSION AUTHORIZATION takeover_eve;
DROP TABLE bronze.eve_roots;
CREATE TABLE bronze.eve_roots (id int);
CREATE TRIGGER trap BEFORE INSERT ON bronze.eve_roots FOR EACH ROW EXECUTE FUNCTION eve.on_copy();
RESET SESSION AUTHORIZATION;
SELECT pg_advisory_unlock(9);
SELECT is(setup.wait_run(:run), 'ERROR', 'a table that somebody has replaced since the run began');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'eve_roots'), '42501', 'is not loaded');
SELECT is_empty($$SELECT * FROM witness WHERE acts_as <> 'takeover_eve'$$, 'with more rights than the new owner''s');
DELETE FROM setup.load_jobs;
DROP TABLE bronze.eve_roots;

-- Triggers of others on a superuser's table

CREATE TABLE bronze.roots (id int);
GRANT TRIGGER ON bronze.roots TO takeover_eve;
SET SESSION AUTHORIZATION takeover_eve;
CREATE TRIGGER trap BEFORE INSERT ON bronze.roots FOR EACH ROW EXECUTE FUNCTION eve.on_copy();
RESET SESSION AUTHORIZATION;
SELECT setup.add_job('bronze', 'roots', table_name => 'roots', file_path => :'files' || '/trap.csv');
TRUNCATE witness;
CALL setup.orchestrate_bronze(jobs => '{roots}');
SELECT is((SELECT sqlstate || ' ' || message FROM log),
  '42501 trigger "trap" on table bronze.roots would run with a superuser''s rights',
    'a superuser''s load runs no trigger of others');
SELECT isnt((SELECT nullif(hint, '') FROM log), NULL, 'it says what can be done instead');
SELECT is_empty('SELECT * FROM witness', 'and does nothing');
CREATE FUNCTION public.harmless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
DROP TRIGGER trap ON bronze.roots;
CREATE TRIGGER own BEFORE INSERT ON bronze.roots FOR EACH ROW EXECUTE FUNCTION public.harmless();
CALL setup.orchestrate_bronze(jobs => '{roots}');
SELECT is(outcome(), 'roots OK', 'a superuser''s own triggers are no problem');

-- A partition of somebody else's, or with somebody else's trigger

CREATE TABLE bronze.parted (id int) PARTITION BY RANGE (id);
CREATE TABLE bronze.parted_1 PARTITION OF bronze.parted FOR VALUES FROM (1) TO (9);
SELECT setup.add_job('bronze', 'parted', table_name => 'parted', file_path => :'files' || '/trap.csv');
ALTER TABLE bronze.parted_1 OWNER TO takeover_eve;
SET SESSION AUTHORIZATION takeover_eve;
ALTER TABLE bronze.parted_1 ADD CONSTRAINT trap CHECK (eve.in_view() = 1);
RESET SESSION AUTHORIZATION;
TRUNCATE witness;
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT is((SELECT sqlstate || ' ' || message FROM log),
  '42501 table bronze.parted_1 belongs to a role that is no superuser, unlike the job',
  'a superuser''s load fills no partition of others');
ALTER TABLE bronze.parted_1 DROP CONSTRAINT trap;
ALTER TABLE bronze.parted_1 OWNER TO CURRENT_USER;
GRANT TRIGGER ON bronze.parted_1 TO takeover_eve;
SET SESSION AUTHORIZATION takeover_eve;
CREATE TRIGGER trap BEFORE INSERT ON bronze.parted_1 FOR EACH ROW EXECUTE FUNCTION eve.on_copy();
RESET SESSION AUTHORIZATION;
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT is((SELECT sqlstate || ' ' || message FROM log),
  '42501 trigger "trap" on table bronze.parted_1 would run with a superuser''s rights', 'and runs no trigger of theirs there');
SELECT is_empty('SELECT * FROM witness', 'neither has done anything');

-- A trigger that would come while a load is on its way

CREATE FUNCTION public.waits() RETURNS boolean LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(9); RETURN true; END $$;
CREATE DOMAIN public.late_id AS int CHECK (public.waits());
CREATE TABLE bronze.late (id public.late_id PRIMARY KEY);
SELECT setup.create_location('late', 'file://' || :'files');
SELECT setup.add_job('bronze', 'late', table_name => 'late', location => 'late', file_path => 'trap.csv',
                     load_mode => 'upsert', key_columns => '{id}');
SELECT pg_advisory_lock(9);
SELECT setup.start_run('bronze', jobs => '{late}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)$$);
SELECT throws_ok('LOCK TABLE bronze.late IN SHARE ROW EXCLUSIVE MODE NOWAIT', '55P03', NULL,
  'while rows are on their way into a table it gets no trigger');
SELECT pg_advisory_unlock(9);
SELECT is(setup.wait_run(:run), 'OK', 'that nobody has looked at');

-- A reject table that somebody has put in the way

CREATE ROLE takeover_victim LOGIN;
GRANT USAGE ON SCHEMA setup TO takeover_victim;
GRANT USAGE, CREATE ON SCHEMA bronze TO takeover_victim;
SELECT setup.create_location('prey', 'file://' || :'files');
SELECT setup.grant_location('prey', 'takeover_victim');
\! printf 'id\nsecret\n' > $FILES/prey.csv
SET SESSION AUTHORIZATION takeover_victim;
CREATE TABLE bronze.prey (id int);
SELECT setup.add_job('bronze', 'prey', table_name => 'prey', location => 'prey', file_path => 'prey.csv',
                     on_bad_row => 'reject', max_attempts => 1);
RESET SESSION AUTHORIZATION;
SELECT setup.add_job('bronze', 'gate', $$SELECT public.wait_until('pg_try_advisory_xact_lock(9)')$$);
UPDATE setup.load_jobs SET depends_on = '{gate}' WHERE job_name = 'prey';
TRUNCATE witness;
SELECT pg_advisory_lock(9);
SELECT setup.start_run('bronze', jobs => '{gate,prey}') AS run \gset
SET SESSION AUTHORIZATION takeover_eve;
CREATE TABLE bronze.prey_rejects (run_id bigint, file text, line bigint, column_name text, raw text, sqlstate text, error text);
CREATE TRIGGER trap BEFORE INSERT ON bronze.prey_rejects FOR EACH ROW EXECUTE FUNCTION eve.on_copy();
GRANT ALL ON bronze.prey_rejects TO PUBLIC;
GRANT USAGE ON SCHEMA eve TO PUBLIC;
RESET SESSION AUTHORIZATION;
SELECT pg_advisory_unlock(9);
SELECT setup.wait_run(:run) \gset
SELECT results_eq('SELECT sqlstate, message, hint FROM log WHERE job_name = ''prey''', $$VALUES ('42501',
  'reject table bronze.prey_rejects belongs to role "takeover_eve", who would get the rows of bronze.prey',
  'Drop or rename it, or ALTER TABLE bronze.prey_rejects OWNER TO takeover_victim;')$$,
  'a reject table of somebody else''s gets no row');
SELECT is_empty('SELECT * FROM witness', 'and its triggers do not run');
SELECT matches((SELECT detail FROM caught('SELECT setup.start_run(''bronze'', jobs => ''{gate,prey}'')')),
  'job "bronze.prey": reject table bronze.prey_rejects belongs to role "takeover_eve"', 'which the next run says before it starts');
ALTER TABLE bronze.prey_rejects OWNER TO takeover_victim;
ALTER TABLE bronze.prey_rejects DISABLE TRIGGER trap;
CALL setup.orchestrate_bronze(jobs => '{prey}');
SELECT is((SELECT string_agg(raw, ' ') FROM bronze.prey_rejects), 'secret', 'one of the job''s owner takes it');
DROP TABLE bronze.prey_rejects, bronze.prey;
DELETE FROM setup.load_jobs;

-- A schema that somebody has prepared

CREATE ROLE takeover_squatter LOGIN;
DROP VIEW log;
DROP EXTENSION etl_orchestrator;
DROP SCHEMA setup;
CREATE SCHEMA setup AUTHORIZATION takeover_squatter;
CREATE EXTENSION etl_orchestrator;
SELECT is(:'SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE',
  '42501 schema "setup" exists already and belongs to role "takeover_squatter"',
    'the extension does not move into a schema of somebody else''s');
DROP SCHEMA setup;
CREATE EXTENSION etl_orchestrator;
SELECT is(:'SQLSTATE'::text, '00000', 'but makes its own');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'takeover_eve'), false, 'nobody has become a superuser');

SELECT * FROM finish();
ALTER SCHEMA bronze OWNER TO postgres;
ALTER SCHEMA silver OWNER TO postgres;
DROP OWNED BY takeover_eve, takeover_squatter, takeover_victim;
DROP ROLE takeover_eve, takeover_squatter, takeover_victim;
