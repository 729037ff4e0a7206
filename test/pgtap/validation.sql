-- Validation: everything that would keep a run from working is told before anything runs, in one error.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE validation_ann LOGIN;
CREATE ROLE validation_bob LOGIN;
CREATE ROLE validation_shut LOGIN;
GRANT USAGE ON SCHEMA setup TO validation_ann, validation_bob;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold');
CREATE TABLE bronze.crm_here (id int);
CREATE TABLE ran (job text);
GRANT ALL ON ran TO PUBLIC;
INSERT INTO setup.etl_config VALUES ('base_path_crm', :'files');
SELECT format('COPY (SELECT ''id'') TO %L', :'files' || '/here.csv') \gexec

-- "problem / remedy" of a run of everything that the caller may run.
CREATE FUNCTION complaint(layer text DEFAULT NULL) RETURNS text LANGUAGE sql
  AS $$ SELECT c.detail || ' / ' || c.hint FROM caught(format('SELECT setup.run_plan(%L)', layer)) c $$;

SELECT plan(41);

-- A job of each kind with no problem
SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => '{base_path_crm}/here.csv'),
  setup.add_job('silver', 'command', 'INSERT INTO public.ran VALUES (''command'')');
SELECT lives_ok('SELECT * FROM setup.run_plan()', 'what has no problem is planned');
SELECT is((SELECT file_path FROM setup.run_plan('bronze')), :'files' || '/here.csv',
  'with the file that the path means');

-- Schemas and tables

INSERT INTO setup.layers VALUES ('nowhere', 9);
INSERT INTO setup.load_jobs (layer, job_name, command) VALUES ('nowhere', 'a', 'SELECT 1');
SELECT is(complaint(), 'layer "nowhere": schema "nowhere" does not exist / Create it with CREATE SCHEMA nowhere;',
  'a missing schema');
SELECT is(complaint('silver'), NULL, 'concerns only runs of its layer');
DELETE FROM setup.load_jobs WHERE layer = 'nowhere';
SELECT is(complaint(), NULL, 'and only where it has jobs');

SELECT setup.add_job('bronze', 'missing', table_name => 'crm_missing', file_path => '{base_path_crm}/here.csv');
SELECT is(complaint(),
  'job "bronze.missing": table bronze.crm_missing does not exist / Create the table, or disable the job: '
  'UPDATE setup.load_jobs SET is_enabled = false WHERE layer = ''bronze'' AND job_name = ''missing'';',
    'a missing bronze table');
SELECT setup.add_job('bronze', 'maker', 'CREATE TABLE bronze.crm_missing (id int)', table_name => 'crm_missing');
SELECT is(complaint(), NULL, 'is none where a job of the run says that it makes the table');
DROP TABLE IF EXISTS bronze.crm_missing;
SELECT setup.drop_job('bronze', 'maker');
CREATE VIEW bronze.crm_missing AS SELECT 1 AS id;
SELECT alike(complaint(), 'job "bronze.missing": bronze.crm_missing is not a table that can be loaded%',
  'a view cannot be loaded');
SELECT throws_ok($$SELECT setup.add_job('bronze', 'a', 'SELECT 1', table_name => 'a.b.c')$$, '42602',
  '"a.b.c" is not the name of a table', 'a name that can be none is refused when the job is added');
SELECT setup.drop_job('bronze', 'missing');

-- Files and configuration

SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => '{base_path_crm}/gone.csv');
SELECT is(complaint(),
  format('job "bronze.file": file "%s/gone.csv" does not exist / Correct setup.etl_config key "base_path_crm" or put '
  'the file there, or disable the job: UPDATE setup.load_jobs SET is_enabled = false WHERE layer = ''bronze'' AND job_name = ''file'';', :'files'),
  'a missing file');
UPDATE setup.etl_config SET config_value = '/no/such/directory';
SELECT alike(complaint(), 'job "bronze.file": file "/no/such/directory/gone.csv" does not exist / %base_path_crm%',
  'a missing directory');
DELETE FROM setup.etl_config;
SELECT is(complaint(),
  'job "bronze.file": table bronze.crm_here is loaded from "{base_path_crm}/gone.csv", but setup.etl_config has no key '
  '"base_path_crm" / INSERT INTO setup.etl_config VALUES (''base_path_crm'', ''/directory/of/the/files'');',
    'a key that was removed');
INSERT INTO setup.etl_config VALUES ('base_path_crm', :'files' || '///');
SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => '{base_path_crm}/HERE.csv');
SELECT is((SELECT file_path FROM setup.run_plan('bronze')), :'files' || '/here.csv',
  'slashes too many and another case do not matter');
SELECT format('COPY (SELECT ''id'') TO %L', :'files' || '/Here.csv') \gexec
SELECT alike(complaint(), 'job "bronze.file": several files in % are called HERE.csv%',
  'but two files that the name fits do');
SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => :'files');
SELECT alike(complaint(), 'job "bronze.file": file "%" is a directory / %', 'a directory is no file');
SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => 'here.csv');
SELECT alike(complaint() || '', 'job "bronze.file": file "here.csv" is not an absolute path / %', 'a relative path');
SELECT isnt((SELECT nullif(hint, '') FROM caught('SELECT setup.run_plan()')), NULL, 'has a remedy too');
SELECT setup.add_job('bronze', 'file', table_name => 'crm_here', file_path => :'files' || '/here.csv');
SELECT is(complaint(), NULL, 'an absolute path that is there is fine');

-- Rights of the owner

UPDATE setup.load_jobs SET owner = 'validation_ann' WHERE job_name = 'file';
SELECT is(complaint(), E'job "bronze.file": owner "validation_ann" may not read files of the server\n'
  'job "bronze.file": owner "validation_ann" may not replace the rows of table bronze.crm_here / '
  'A superuser can permit it: GRANT pg_read_server_files TO validation_ann;\n'
  'GRANT USAGE ON SCHEMA bronze TO validation_ann; GRANT INSERT, DELETE ON bronze.crm_here TO validation_ann;',
    'missing rights of an owner');
UPDATE setup.load_jobs SET file_path = '/root/secret.csv' WHERE job_name = 'file';
SELECT unalike(complaint(), '%exist%', 'who may not read files is not told which there are');
GRANT pg_read_server_files TO validation_ann;
GRANT USAGE ON SCHEMA bronze TO validation_ann;
GRANT INSERT, DELETE ON bronze.crm_here TO validation_ann;
UPDATE setup.load_jobs SET file_path = :'files' || '/here.csv' WHERE job_name = 'file';
SELECT is(complaint(), NULL, 'the remedy is one');
ALTER ROLE validation_ann NOLOGIN;
SELECT is(complaint() LIKE 'job "bronze.file": owner "validation_ann" may not log in / %SET owner = %',
  CASE WHEN :'owners_must_log_in' THEN true END, 'an owner that may not log in any more');
ALTER ROLE validation_ann LOGIN;
SELECT setup.add_job('silver', 'orphan', 'SELECT 1', owner => 'validation_shut');
DROP ROLE validation_shut;
SELECT alike(complaint(), 'job "silver.orphan": owner "validation_shut" does not exist / %SET owner = %',
  'an owner that was dropped');
SELECT setup.drop_job('silver', 'orphan');

-- Dependencies

SELECT setup.add_job('silver', 'a', 'SELECT 1', depends_on => '{nothing}'), setup.add_job('silver', 'b', 'SELECT 1',
  depends_on => '{file}'),
  setup.add_job('silver', 'c', 'SELECT 1', depends_on => '{gold.later}'), setup.add_job('gold', 'later', 'SELECT 1'),
  setup.add_job('silver', 'd', 'SELECT 1', depends_on => '{silver.d}');
SELECT is((SELECT detail FROM caught('SELECT setup.start_run()')),
  E'job "silver.a": depends on unknown job "nothing"\njob "silver.b": depends on unknown job "file"\n'
  'job "silver.c": depends on "gold.later", a job of a later layer\njob "silver.d": depends on itself',
    'dependencies that cannot be');
SELECT alike((SELECT hint FROM caught('SELECT setup.start_run()')), '%''bronze.file''%',
  'the hint guesses what was meant');
DELETE FROM setup.load_jobs WHERE job_name IN ('a', 'b', 'c', 'd', 'later');
SELECT setup.add_job('silver', 'x', 'SELECT 1', depends_on => '{z}'), setup.add_job('silver', 'y', 'SELECT 1',
  depends_on => '{x}'),
  setup.add_job('silver', 'z', 'SELECT 1', depends_on => '{y,bronze.file}'), setup.add_job('silver', 'behind',
    'SELECT 1', depends_on => '{z}');
SELECT is(complaint(),
  'jobs depend on each other: silver.x -> silver.z -> silver.y -> silver.x / Remove one of these dependencies.',
  'a cycle is printed, without what is only behind it');
DELETE FROM setup.load_jobs WHERE job_name IN ('y', 'z', 'behind');
SELECT setup.add_job('silver', 'x', 'SELECT 1', depends_on => '{off}'), setup.add_job('silver', 'off', 'SELECT 1',
  is_enabled => false);
SELECT is(complaint(),
  'job "silver.x": depends on disabled job "silver.off" / Enable it with UPDATE setup.load_jobs SET is_enabled = true '
  'WHERE layer = ''silver'' AND job_name = ''off'', or remove the dependency.', 'a dependency on a disabled job');
DELETE FROM setup.load_jobs WHERE job_name IN ('off', 'x');

SELECT setup.add_job('silver', 'bobs', 'SELECT 1', owner => 'validation_bob'),
  setup.add_job('silver', 'anns', 'INSERT INTO public.ran VALUES (''anns'')', depends_on => '{bobs}',
    owner => 'validation_ann');
SET SESSION AUTHORIZATION validation_ann;
SELECT is((SELECT detail FROM caught('SELECT setup.start_run(''silver'')')),
  'job "silver.anns": depends on "silver.bobs", a job that you may not run',
  'a dependency on a job that the caller may not run');
SELECT alike((SELECT hint FROM caught('SELECT setup.start_run(''silver'')')), '%jobs => ARRAY[''silver.anns'']%',
  'the hint says how to run it alone');
SELECT setup.start_run('silver', jobs => ARRAY['silver.anns']) AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'which works');
SELECT is((SELECT detail FROM caught('SELECT setup.start_run(jobs => ''{bobs}'')')),
  'job "silver.bobs": you may not run it', 'another''s job cannot be named');
RESET SESSION AUTHORIZATION;
SELECT is(complaint('silver'), NULL, 'a superuser may run both');
DELETE FROM setup.load_jobs WHERE job_name IN ('bobs', 'anns');

-- Layers

SELECT results_eq('SELECT code, message, detail, hint FROM caught(''SELECT setup.start_run(''''brass'''')'')',
  $$VALUES ('OR002', 'cannot run layer "brass": 1 problem found', 'unknown layer "brass"', 'Create it with SELECT setup.create_layer(''brass'').')$$,
  'an unknown layer');
CALL setup.orchestrate_layer('brass');
SELECT is(:'SQLSTATE'::text, 'OR002', 'also in a call');
CALL setup.orchestrate_layer(NULL);
SELECT is(:'SQLSTATE'::text, '22004', 'null is no layer');

-- Several at once, and nothing runs

TRUNCATE ran;
SELECT count(*) AS runs_before FROM setup.load_runs \gset
SELECT setup.add_job('bronze', 'file', table_name => 'gone', file_path => '{no_key}/x.csv'), setup.add_job('bronze',
  'file2', table_name => 'crm_here', file_path => '/gone.csv'),
  setup.add_job('silver', 'a', 'SELECT 1', depends_on => '{b}'), setup.add_job('silver', 'b', 'SELECT 1',
    depends_on => '{a,nope}');
INSERT INTO setup.load_jobs (layer, job_name, command) VALUES ('nowhere', 'a', 'SELECT 1');
CALL setup.orchestrate_all();
SELECT is(:'SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE', 'OR002 cannot run the pipeline: 6 problems found',
  'all problems come in one error');
SELECT is((SELECT cardinality(string_to_array(detail, E'\n')) FROM caught('SELECT setup.start_run()')), 6,
  'one line for each');
SELECT is((SELECT count(*) FROM setup.load_runs), :runs_before::bigint, 'there is no run');
SELECT is_empty('SELECT * FROM ran', 'and nothing ran');
DELETE FROM setup.load_jobs;
INSERT INTO setup.load_jobs (layer, job_name, command, depends_on) SELECT 'silver', 'job' || i, 'SELECT 1', '{nope}'
  FROM generate_series(1, 120) i;
SELECT alike((SELECT detail FROM caught('SELECT setup.start_run()')), '%and 70 more', 'very many problems are counted');
SELECT is(complaint('gold'), NULL, 'a layer without problems can be run meanwhile');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY validation_ann, validation_bob;
DROP ROLE validation_ann, validation_bob;
