-- Discovery by convention: CALL setup.seed_load_jobs().
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
CREATE ROLE discovery_ann LOGIN;
CREATE ROLE discovery_group NOLOGIN;
GRANT USAGE ON SCHEMA setup TO discovery_ann;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold');
GRANT USAGE, CREATE ON SCHEMA bronze, silver, gold TO discovery_ann, discovery_group;
\! mkdir $FILES/crm $FILES/eu && printf 'id\n1\n2\n' > $FILES/crm/CUSTOMERS.CSV && printf 'id\n7\n' > $FILES/eu/orders.csv
INSERT INTO setup.etl_config VALUES ('base_path_crm', :'files' || '/crm'), ('base_path_crm_eu', :'files' || '/eu'),
  ('base_path_', '/x'),
  ('base_path_c', '/c'), ('crm_customers', '/y'), ('base_path_a_c', '/underscore');

SELECT plan(60);

-- Bronze: tables and files

CREATE TABLE bronze.crm_customers (id int);
CREATE TABLE bronze.crm_eu_orders (id int);
CREATE TABLE bronze.crm_eu (id int);
CREATE TABLE bronze.crm_europe (id int);
CREATE TABLE bronze.unknown_things (id int);
CREATE TABLE bronze.by_hand (id int);
CREATE TABLE bronze."abc_things" (id int);
CREATE TABLE bronze.crm_ (id int);
CREATE TABLE bronze."crm_Odd name" (id int);
CREATE TABLE bronze.crm_orders_rejects (id int);
CREATE TABLE bronze.crm_parted (id int) PARTITION BY RANGE (id);
CREATE TABLE bronze.crm_parted_1 PARTITION OF bronze.crm_parted FOR VALUES FROM (0) TO (9);
CREATE VIEW bronze.crm_view AS SELECT 1 AS id;
CREATE SEQUENCE bronze.crm_sequence;
CREATE UNLOGGED TABLE bronze.crm_unlogged (id int);
CREATE TABLE bronze.crm_member (id int);
ALTER EXTENSION pgtap ADD TABLE bronze.crm_member;
CREATE MATERIALIZED VIEW bronze.crm_squares AS SELECT 1 AS id;
CREATE PROCEDURE bronze.load_crm_anything() LANGUAGE sql AS 'SELECT 1';
SELECT setup.add_job('bronze', 'mine', 'SELECT 1', table_name => 'by_hand');
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.seed_load_jobs('bronze')" 2>&1`
CREATE FUNCTION path_of(job text) RETURNS text LANGUAGE sql
  AS 'SELECT file_path FROM bronze.load_jobs WHERE job_name = job';
SELECT is(path_of('crm_customers'), '{base_path_crm}/customers.*',
  'bronze.{source}_{dataset} is loaded from {base_path_{source}}/{dataset}.*');
SELECT results_eq($$SELECT table_name, command, discovered_as, depends_on, load_order, is_enabled FROM bronze.load_jobs
  WHERE job_name = 'crm_customers'$$,
  $$VALUES ('crm_customers', NULL::text, 'table', '{}'::text[], 100, true)$$,
    'into that table, with everything else at its default');
SELECT is(path_of('crm_eu_orders'), '{base_path_crm_eu}/orders.*', 'the longest base path that fits wins');
SELECT is(path_of('crm_eu'), '{base_path_crm}/eu.*', 'a base path fits only before an underscore and a dataset');
SELECT is(path_of('crm_europe'), '{base_path_crm}/europe.*', 'and not in the middle of a word');
SELECT is(path_of('abc_things'), NULL, 'an underscore in a key stands for nothing else');
SELECT is(path_of('crm_'), NULL, 'no dataset, no job');
SELECT is(path_of('crm_Odd name'), '{base_path_crm}/Odd name.*', 'names may need quotes');
SELECT is((SELECT table_name FROM bronze.load_jobs WHERE job_name = 'crm_Odd name'), '"crm_Odd name"',
  'which the table''s then has');
SELECT is(path_of('crm_parted'), '{base_path_crm}/parted.*', 'a partitioned table gets a job');
SELECT is(path_of('crm_parted_1'), NULL, 'its partitions get none');
SELECT is(path_of('crm_unlogged'), '{base_path_crm}/unlogged.*', 'an unlogged table gets one');
SELECT is(path_of('crm_orders_rejects'), NULL, 'a table of rejects gets none');
SELECT is(path_of('crm_member'), NULL, 'a member of an extension gets none');
SELECT is((SELECT array_agg(job_name) FROM bronze.load_jobs WHERE job_name IN ('load_jobs', 'load_log', 'crm_view',
  'crm_sequence', 'crm_squares',
  'crm_anything')), NULL, 'nor does what is no table, nor a layer''s own views');
SELECT alike(:'output'::text, '%NOTICE:  table "bronze.unknown_things" gets no job: no base path fits its name%',
  'a table that no base path fits gives a notice');
SELECT alike(:'output'::text, '%HINT:%"base_path_{source}"%', 'that says what would');
SELECT unalike(:'output'::text, '%by_hand%', 'one that a job writes already gives none');
SELECT setup.drop_job('bronze', 'mine');
DROP TABLE bronze.by_hand;
SELECT unalike(:'output'::text, '%rejects%', 'tables that never get a job give none');
SELECT alike(:'output'::text, '%bronze: 7 jobs found, 7 new%', 'the summary counts');
ALTER EXTENSION pgtap DROP TABLE bronze.crm_member;

DELETE FROM bronze.load_jobs WHERE job_name NOT IN ('crm_customers', 'crm_eu_orders');
CALL setup.orchestrate_bronze();
SELECT is((SELECT count(*) FROM bronze.crm_customers) + (SELECT count(*) FROM bronze.crm_eu_orders), 3::bigint,
  'discovered jobs run, and the names of files match without regard to case');

-- Files of any known type

DROP TABLE bronze.unknown_things, bronze.abc_things, bronze.crm_, bronze."crm_Odd name", bronze.crm_eu,
  bronze.crm_europe, bronze.crm_parted, bronze.crm_unlogged, bronze.crm_member;
CREATE TABLE bronze.crm_zipped (id int);
CREATE TABLE bronze.crm_lines (id int);
CREATE TABLE bronze.crm_twice (id int);
\! printf 'id\n1\n2\n3\n' | gzip >$FILES/crm/zipped.csv.gz; printf '{"id": 1}\n{"id": 2}\n' | gzip >$FILES/crm/LINES.NDJSON.gz
\! touch $FILES/crm/twice.csv $FILES/crm/Twice.parquet $FILES/crm/zipped.txt $FILES/crm/zipped.csv.bak $FILES/crm/zipped2.csv
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.seed_load_jobs('bronze')" 2>&1`
CALL setup.orchestrate_bronze();
SELECT results_eq($$SELECT job_name, rows_loaded, file_path FROM setup.load_log WHERE run_id = last_run()
  AND job_name IN ('crm_zipped', 'crm_lines') ORDER BY 1$$,
  format($$VALUES ('crm_lines', 2::bigint, %L), ('crm_zipped', 3, %L)$$, :'files' || '/crm/LINES.NDJSON.gz',
    :'files' || '/crm/zipped.csv.gz'), 'a file may have any of the known types');
SELECT alike(:'output'::text, format(
  '%%NOTICE:  table "bronze.crm_twice" gets no job: several files fit its name: "%s/crm/Twice.parquet" and "%s/crm/twice.csv"%%',
  :'files', :'files'), 'with two of them at once there is no job');
SELECT is(path_of('crm_twice'), NULL, 'and it is not made');
GRANT CREATE ON SCHEMA bronze TO discovery_ann;
ALTER TABLE bronze.crm_twice OWNER TO discovery_ann;
\set output `psql -XqAt -U discovery_ann -d :'DBNAME' -c "CALL setup.seed_load_jobs('bronze')" 2>&1`
SELECT unalike(:'output'::text, '%several files%', 'who may not read files is not told which there are');
SELECT alike((SELECT detail FROM caught('SELECT setup.start_run(''bronze'')')),
  '%owner "discovery_ann" may not read files of the server', 'neither by the run');
GRANT pg_read_server_files TO discovery_ann;
SELECT alike((SELECT detail FROM caught('SELECT setup.start_run(''bronze'')')),
  'job "bronze.crm_twice": several files can be meant by "%/crm/twice.*": "%/Twice.parquet" and "%/twice.csv"',
  'with the right, a run tells');
\! rm $FILES/crm/twice.csv $FILES/crm/Twice.parquet
SELECT alike((SELECT detail FROM caught('SELECT setup.start_run(''bronze'')')),
  'job "bronze.crm_twice": file "%/crm/twice.*" does not exist', 'also where there is none');
REVOKE pg_read_server_files FROM discovery_ann;
DROP TABLE bronze.crm_twice;
DELETE FROM bronze.load_jobs WHERE job_name NOT IN ('crm_customers', 'crm_eu_orders');
DROP TABLE bronze.crm_zipped, bronze.crm_lines;

-- Other layers: procedures and materialized views

CREATE PROCEDURE silver.load_customers() LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE silver."load_Odd name"() LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE silver.load_with_argument(day date) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE silver.loader() LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE silver.load_() LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION silver.load_by_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE silver.crm_table (id int);
CREATE TABLE silver.customers (id int);
CREATE TABLE silver."Odd name" (id int);
CREATE MATERIALIZED VIEW gold.totals AS SELECT 1 AS total;
CALL setup.seed_load_jobs();
SELECT results_eq($$SELECT job_name, table_name, command, discovered_as FROM silver.load_jobs
  ORDER BY job_name COLLATE "C"$$,
  $$VALUES ('Odd name', '"Odd name"', 'CALL silver."load_Odd name"()', 'procedure'),
           ('customers', 'customers', 'CALL silver.load_customers()', 'procedure')$$,
  'a procedure load_{table}() without arguments is a job that writes the table; nothing else is');
SELECT results_eq('SELECT job_name, table_name, command, discovered_as FROM gold.load_jobs',
  $$VALUES ('totals', 'totals', 'REFRESH MATERIALIZED VIEW gold.totals', 'materialized view')$$,
    'a materialized view is a job that refreshes it');
CALL setup.orchestrate_all(jobs => '{customers,Odd name,totals}');
SELECT is(outcome(), 'Odd name OK, customers OK, totals OK', 'and all of them run');
SELECT throws_ok('CALL setup.seed_load_jobs(''copper'')', '42704', 'layer "copper" does not exist',
  'an unknown layer is an error');

-- Again: what was set by hand stays

UPDATE silver.load_jobs SET is_enabled = false, load_order = 3, depends_on = '{bronze.crm_customers}',
  transaction = 'each' WHERE job_name = 'customers';
UPDATE silver.load_jobs SET command = 'SELECT 666', table_name = 'other' WHERE job_name = 'customers';
SELECT setup.add_job('silver', 'by_hand', 'SELECT 1');
CREATE PROCEDURE silver.load_by_hand() LANGUAGE sql AS 'SELECT 1';
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.seed_load_jobs('silver')" 2>&1`
SELECT results_eq($$SELECT is_enabled, load_order, depends_on, transaction FROM silver.load_jobs
  WHERE job_name = 'customers'$$,
  $$VALUES (false, 3, '{bronze.crm_customers}'::text[], 'each')$$, 'what was set by hand survives discovery');
SELECT results_eq($$SELECT command, table_name FROM silver.load_jobs WHERE job_name = 'customers'$$,
  $$VALUES ('CALL silver.load_customers()', 'customers')$$, 'what follows from the object is put right');
SELECT is((SELECT command FROM silver.load_jobs WHERE job_name = 'by_hand'), 'SELECT 1',
  'a job that was made by hand is left alone');
SELECT alike(:'output'::text,
  '%procedure "silver.load_by_hand" gets no job: job "silver.by_hand" exists already, and was not discovered%',
  'with a notice');
SELECT alike(:'output'::text, '%silver: 2 jobs found, 0 new%', 'what is known already is not new');
SELECT setup.drop_job('silver', 'Odd name');
CALL setup.seed_load_jobs('silver');
SELECT ok(EXISTS (SELECT FROM silver.load_jobs WHERE job_name = 'Odd name'), 'a job that was dropped comes back');
CREATE TABLE bronze.crm_new (id int);
CALL setup.seed_load_jobs('silver');
SELECT ok(NOT EXISTS (SELECT FROM bronze.load_jobs WHERE job_name = 'crm_new'),
  'discovery keeps to the layer that is named');
DROP TABLE bronze.crm_new;

-- Whose the job is

DELETE FROM setup.load_jobs;
DROP PROCEDURE silver.load_by_hand(), silver."load_Odd name"();
SET SESSION AUTHORIZATION discovery_ann;
CREATE PROCEDURE silver.load_of_ann() LANGUAGE sql AS 'SELECT 1';
CREATE TABLE bronze.crm_of_ann (id int);
CREATE MATERIALIZED VIEW gold.of_ann AS SELECT 1 AS id;
RESET SESSION AUTHORIZATION;
CALL setup.seed_load_jobs();
SELECT results_eq($$SELECT job_name FROM setup.load_jobs WHERE owner = 'discovery_ann' ORDER BY 1$$, ARRAY['crm_of_ann',
  'of_ann', 'of_ann'],
  'a job belongs to the owner of its object, not to whoever discovers it');
SELECT is((SELECT owner FROM silver.load_jobs WHERE job_name = 'customers'), 'postgres', 'each to its own');
CREATE PROCEDURE silver.load_of_group() LANGUAGE sql AS 'SELECT 1';
ALTER PROCEDURE silver.load_of_group() OWNER TO discovery_group;
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.seed_load_jobs('silver')" 2>&1`
SELECT is((SELECT count(*) FROM silver.load_jobs WHERE job_name = 'of_group'), CASE WHEN :'owners_must_log_in' THEN 0 ELSE 1 END::bigint,
  'what belongs to a role that may not log in gets no job before PostgreSQL 17');
SELECT is(:'output' LIKE '%procedure "silver.load_of_group" gets no job: its owner "discovery_group" may not log in%',
  :'owners_must_log_in'::boolean, 'with a notice');
DROP PROCEDURE silver.load_of_group();
DELETE FROM setup.load_jobs WHERE job_name <> 'of_ann';
SET SESSION AUTHORIZATION discovery_ann;
\set output `psql -XqAt -U discovery_ann -d :'DBNAME' -c "CALL setup.seed_load_jobs('silver')" 2>&1`
RESET SESSION AUTHORIZATION;
SELECT is((SELECT array_agg(job_name) FROM silver.load_jobs), '{of_ann}',
  'whoever is no superuser discovers its own objects only');
SELECT alike(:'output'::text,
  '%procedure "silver.load_customers" gets no job: its owner "postgres" is not one that "discovery_ann" is a member of%', 'and is told of the others');
SELECT unalike(:'output'::text, '%ERROR%', 'without an error');

-- Objects that change after discovery

ALTER PROCEDURE silver.load_of_ann() OWNER TO postgres;
SELECT is((SELECT detail FROM caught('SELECT setup.start_run(''silver'')')),
  'job "silver.of_ann": the procedure that it was discovered from belongs to "postgres" now, the job to "discovery_ann"',
  'an object that has another owner now is a problem of the next run');
SELECT alike((SELECT hint FROM caught('SELECT setup.start_run(''silver'')')), '%CALL setup.seed_load_jobs(''silver'')%',
  'discovering again is the remedy');
CALL setup.seed_load_jobs('silver');
SELECT is((SELECT owner FROM silver.load_jobs WHERE job_name = 'of_ann'), 'postgres',
  'the job then follows its object');
SELECT lives_ok('SELECT setup.run_plan(''silver'')', 'and can run');
DROP PROCEDURE silver.load_of_ann();
SELECT is((SELECT detail FROM caught('SELECT setup.start_run(''silver'')')),
  'job "silver.of_ann": the procedure that it was discovered from does not exist',
  'an object that is gone is a problem too');
SELECT alike((SELECT hint FROM caught('SELECT setup.start_run(''silver'')')),
  '%setup.drop_job(''silver'', ''of_ann'')%', 'with a remedy');
DELETE FROM setup.load_jobs;
CALL setup.seed_load_jobs('bronze');
DELETE FROM setup.etl_config WHERE config_key LIKE 'base\_path\_crm%';
SELECT matches((SELECT detail FROM caught('SELECT setup.start_run(''bronze'', jobs => ''{crm_customers}'')')),
  'bronze\.crm_customers.*customers\.\*.*"base_path_crm"',
    'a base path that was removed after discovery is told with table, path and key');

-- Files of a location

\! mkdir $FILES/hub; printf 'id\n5\n' > $FILES/hub/orders.csv; printf 'id\n6\n' > "$FILES/hub/odd[1].csv"
SELECT setup.create_location('hub', 'file://' || :'files' || '/hub');
INSERT INTO setup.etl_config VALUES ('location_hub', 'hub'), ('base_path_hub', '/nowhere'), ('location_off', 'nowhere');
CREATE TABLE bronze.hub_orders (id int);
CREATE TABLE bronze."hub_odd[1]" (id int);
CREATE TABLE bronze.off_orders (id int);
CREATE TABLE bronze.hub_anns (id int);
ALTER TABLE bronze.hub_anns OWNER TO discovery_ann;
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.seed_load_jobs('bronze')" 2>&1`
SELECT results_eq($$SELECT location, file_path, discovered_as FROM bronze.load_jobs WHERE job_name = 'hub_orders'$$,
  $$VALUES ('hub', 'orders.*', 'table')$$, 'a location comes before a base path');
SELECT alike(:'output'::text, '%table "bronze.off_orders" gets no job: location "nowhere" does not exist%',
  'a location that is not there gives no job');
SELECT alike(:'output'::text, '%table "bronze.hub_anns" gets no job: permission denied for location "hub"%grant_location%',
  'nor does one that the owner of the table may not use');
CALL setup.orchestrate_bronze(jobs => '{hub_orders,"hub_odd[1]"}');
SELECT is((SELECT id FROM bronze.hub_orders), 5, 'the file of the location is loaded');
SELECT is((SELECT id FROM bronze."hub_odd[1]"), 6, 'whatever its name');
\! cp $FILES/hub/orders.csv $FILES/hub/orders.ndjson; cp $FILES/hub/orders.csv $FILES/hub/orders.old.csv
SELECT alike((SELECT detail FROM caught($$SELECT setup.start_run(jobs => '{hub_orders}')$$)),
  'job "bronze.hub_orders": several files of location "hub" fit its name: "orders.csv" and "orders.ndjson"',
  'two files that fit keep the run from starting');
\! rm $FILES/hub/orders.*
SELECT alike((SELECT detail FROM caught($$SELECT setup.start_run(jobs => '{hub_orders}')$$)),
  'job "bronze.hub_orders": location "hub" has no file "orders.*" of a known type', 'and so does none');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY discovery_ann, discovery_group;
DROP ROLE discovery_ann, discovery_group;
