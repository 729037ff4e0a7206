-- What the extension puts into the catalog: everything is explained, and it comes and goes without taking anything
-- along.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv DB :DBNAME
CREATE ROLE catalog_owner LOGIN;
CREATE TEMP VIEW member AS
  SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name FROM pg_depend
   WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
     AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'etl_orchestrator');
CREATE TEMP VIEW relation AS
  SELECT m.name, c.* FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition;
CREATE TEMP VIEW partition AS
  SELECT c.oid, c.relname, c.relacl FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent::regclass::text IN ('setup.load_runs', 'setup.run_steps', 'setup.load_log');
CREATE TEMP VIEW routine AS SELECT m.name, p.* FROM member m JOIN pg_proc p ON p.oid = m.objid
  AND m.classid = 'pg_proc'::regclass;
SELECT setup.create_layer('bronze'), setup.create_layer('silver', execution => 'sequence');

SELECT plan(37);

-- Everything is explained

SELECT isnt_empty('SELECT * FROM routine', 'there are functions');
SELECT is_empty($$SELECT name FROM routine WHERE obj_description(oid, 'pg_proc') IS NULL$$,
  'every function and procedure has a comment');
SELECT isnt_empty('SELECT * FROM relation', 'there are tables and views');
SELECT is_empty($$SELECT name FROM relation WHERE obj_description(oid, 'pg_class') IS NULL$$,
  'every table and view has a comment');
SELECT is_empty($$SELECT r.name, a.attname FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
                   WHERE a.attnum > 0 AND NOT a.attisdropped
                   AND col_description(r.oid, a.attnum) IS NULL$$,
  'every column of a table or view has a comment');
SELECT is_empty($$SELECT name FROM routine WHERE prorettype <> 'trigger'::regtype
                   AND pronargs > 0 AND (proargnames IS NULL OR '' = ANY (proargnames))$$, 'every argument has a name');
SELECT is_empty($$SELECT r.name, a.argument FROM routine r CROSS JOIN LATERAL unnest(r.proargnames) AS a(argument)
                    JOIN pg_get_keywords() k ON k.word = a.argument AND k.catcode IN ('R', 'T')$$,
  'that can be written without quotes');
SELECT is_empty($$SELECT a.name FROM relation a JOIN relation b ON a.relname = b.relname
  AND a.relnamespace = b.relnamespace AND a.oid <> b.oid$$,
  'no name stands for two things');
SELECT isnt((SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'etl_orchestrator'), NULL,
  'the extension has a comment');
SELECT is_empty($$SELECT name FROM pg_settings WHERE name LIKE 'etl\_orchestrator.%'
  AND (short_desc = '' OR short_desc IS NULL)$$, 'every setting is explained');
SELECT set_eq($$SELECT name FROM pg_settings WHERE name LIKE 'etl\_orchestrator.%'$$,
  ARRAY['etl_orchestrator.max_workers', 'etl_orchestrator.idle_timeout', 'etl_orchestrator.progress',
        'etl_orchestrator.superuser_jobs', 'etl_orchestrator.analyze_after_load', 'etl_orchestrator.enabled',
        'etl_orchestrator.shared_commit_delay', 'etl_orchestrator.cancel_grace', 'etl_orchestrator.crash_limit',
        'etl_orchestrator.log_retention', 'etl_orchestrator.swap_timeout',
        'etl_orchestrator.file_threads', 'etl_orchestrator.file_memory_limit', 'etl_orchestrator.file_temp_directory', 'etl_orchestrator.run_id',
        'etl_orchestrator.layer', 'etl_orchestrator.job', 'etl_orchestrator.attempt'], 'these are the settings');
SELECT is((SELECT unit FROM pg_settings WHERE name = 'etl_orchestrator.idle_timeout'), 'ms', 'a time has a unit');
SELECT throws_ok('SET etl_orchestrator.unknown = 1', '42602', NULL, 'there are no others');

-- Partitions of history are made by the engine: nobody reads them but through their parents

SELECT cmp_ok((SELECT count(*) FROM partition), '>=', 6::bigint, 'there are partitions for this week and the next');
SELECT is_empty($$SELECT relname FROM partition WHERE oid NOT IN (
    SELECT objid FROM member WHERE classid = 'pg_class'::regclass)$$, 'every partition is a member of the extension');
SELECT is_empty($$SELECT p.relname, a.grantee::regrole, a.privilege_type
                    FROM partition p CROSS JOIN LATERAL aclexplode(p.relacl) a
                   WHERE a.grantee <> 'postgres'::regrole$$, 'and nobody but its owner has a right on one');

-- Nothing that blocks an upgrade of the server

SELECT is_empty($$SELECT r.name, a.attname, a.atttypid::regtype FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid
                   WHERE a.attnum > 0 AND a.atttypid::regtype::text LIKE 'reg%'
                   AND a.atttypid::regtype::text NOT IN ('regclass', 'regrole', 'regtype')$$,
  'no column has a type that pg_upgrade refuses');
SELECT is_empty($$SELECT r.name FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
  WHERE a.atttypid IN ('aclitem'::regtype, 'unknown'::regtype)$$,
  'nor one that changes between versions');

-- Dump and restore

CREATE TABLE bronze.crm_data AS SELECT 1 AS id;
CREATE SCHEMA lived_in;
CREATE TABLE lived_in.load_log (mine int);
SELECT setup.create_layer('lived_in'), setup.create_layer('Odd "layer"');
INSERT INTO setup.etl_config VALUES ('base_path_crm', '/data');
SELECT setup.create_location('files', '/'), setup.create_location('more', '/tmp', exclusions => '{a,b/**}');
SELECT setup.grant_location('files', 'catalog_owner');
SELECT setup.add_job('bronze', 'crm_data', 'SELECT 1', depends_on => '{}', load_order => 4, owner => 'catalog_owner'),
  setup.add_job('silver', 'next', 'SELECT 2', depends_on => '{bronze.crm_data}', is_enabled => false,
    transaction => 'each');
CALL setup.orchestrate_all();
\! createdb "$DB"_copy
\set output `pg_dump -d "$DB" | psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d "$DB"_copy 2>&1 && echo restored`
SELECT alike(:'output'::text, '%restored', 'a dump of the database can be restored into a new one');
\set here `psql -XAtd "$DB" -c 'SELECT * FROM setup.layers ORDER BY 1'`
\set there `psql -XAtd "$DB"_copy -c 'SELECT * FROM setup.layers ORDER BY 1'`
SELECT is(:'there'::text, :'here'::text, 'it brings the layers');
\set here `psql -XAtd "$DB" -c 'SELECT * FROM setup.load_jobs ORDER BY 1, 2'`
\set there `psql -XAtd "$DB"_copy -c 'SELECT * FROM setup.load_jobs ORDER BY 1, 2'`
SELECT is(:'there'::text, :'here'::text, 'the jobs, each with its owner');
\set here `psql -XAtd "$DB" -c 'SELECT * FROM setup.etl_config'`
\set there `psql -XAtd "$DB"_copy -c 'SELECT * FROM setup.etl_config'`
SELECT is(:'there'::text, :'here'::text, 'the configuration');
\set here `psql -XAtd "$DB" -c 'SELECT * FROM setup.locations ORDER BY 1'`
\set there `psql -XAtd "$DB"_copy -c 'SELECT * FROM setup.locations ORDER BY 1'`
SELECT is(:'there'::text, :'here'::text, 'the locations');
\set here `psql -XAtd "$DB" -c 'SELECT * FROM setup.location_grants'`
\set there `psql -XAtd "$DB"_copy -c 'SELECT * FROM setup.location_grants'`
SELECT is(:'there'::text, :'here'::text, 'and their grants');
\set views `psql -XAtd "$DB"_copy -c "SELECT table_schema, table_name FROM information_schema.views WHERE table_name IN ('load_jobs', 'load_log') ORDER BY 1, 2"`
SELECT is(:'views'::text,
  E'Odd "layer"|load_jobs\nOdd "layer"|load_log\nbronze|load_jobs\nbronze|load_log\nlived_in|load_jobs\nsilver|load_jobs\nsilver|load_log',
  'the views are there again');
\set run `psql -XqAtd "$DB"_copy -c 'SET etl_orchestrator.progress = off' -c 'CALL setup.orchestrate_all()' 2>&1`
SELECT alike(:'run'::text, '%OK: 1 job, %', 'and its jobs run');
\! dropdb "$DB"_copy

-- Coming and going

CALL setup.orchestrate_all();
SELECT lives_ok('DROP EXTENSION etl_orchestrator', 'DROP EXTENSION needs no CASCADE');
SELECT is_empty($$SELECT relname::text FROM pg_class WHERE relnamespace = 'setup'::regnamespace UNION ALL
                  SELECT proname FROM pg_proc WHERE pronamespace = 'setup'::regnamespace$$,
                  'it takes all that is in its own schema');
SELECT has_schema('silver', 'but no layer''s, even an empty one');
SELECT is((SELECT id FROM bronze.crm_data), 1, 'and no data');
SELECT hasnt_view('bronze', 'load_log', 'it takes its views out of the layers');
SELECT has_table('lived_in', 'load_log', 'but no table of a user''s');
CREATE EXTENSION etl_orchestrator;
SELECT is(:'SQLSTATE'::text, '00000', 'it can be created again');
SELECT is((SELECT count(*) FROM setup.load_jobs), 0::bigint, 'then it is empty');
SELECT setup.create_layer('bronze');
SELECT has_view('bronze', 'load_log', 'layers can be created over the schemas that are there');
SELECT setup.add_job('bronze', 'a', 'SELECT 1');
SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run, '15 s'), 'OK', 'and run at once');

-- Others may not create it for themselves

SET SESSION AUTHORIZATION catalog_owner;
SELECT throws_ok('DROP EXTENSION etl_orchestrator', '42501', NULL, 'only its owner may drop it');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
DROP OWNED BY catalog_owner;
DROP ROLE catalog_owner;
