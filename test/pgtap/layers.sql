-- Layers: setup.create_layer(), setup.drop_layer(), setup.layers, and the two views of each layer.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE layers_guest LOGIN;
CREATE ROLE layers_architect LOGIN;
GRANT USAGE ON SCHEMA setup TO layers_architect;

SELECT plan(62);

-- What create_layer makes

SELECT setup.create_layer('gold'), setup.create_layer('bronze');
SELECT has_schema('bronze', 'create_layer makes the schema');
SELECT has_view('bronze', 'load_jobs', 'create_layer makes the view load_jobs');
SELECT has_view('bronze', 'load_log', 'create_layer makes the view load_log');
SELECT results_eq('SELECT layer, position, execution FROM setup.layers ORDER BY position',
  $$VALUES ('bronze', 1, 'parallel'), ('gold', 3, 'parallel')$$, 'bronze and gold know their positions');
SELECT setup.create_layer('raw');
SELECT setup.create_layer('silver');
SELECT setup.create_layer('platinum');
SELECT results_eq('SELECT layer, position FROM setup.layers ORDER BY position',
  $$VALUES ('bronze', 1), ('silver', 2), ('gold', 3), ('raw', 4), ('platinum', 5)$$,
  'silver keeps its place, and any other layer goes last');
SELECT is((SELECT count(*) FROM pg_class WHERE relname IN ('load_jobs', 'load_log') AND relkind = 'v'
             AND 'security_invoker=true' = ANY (reloptions)), 10::bigint,
  'all views of layers look with the rights of whoever looks');
SELECT columns_are('bronze', 'load_log', ARRAY['id', 'run_id', 'job_name', 'attempt', 'status', 'phase', 'table_name',
  'file_path', 'rows_loaded', 'started_at', 'finished_at', 'duration_sec', 'duration_ms', 'sqlstate', 'message',
  'detail', 'hint', 'context', 'notices', 'retry_at', 'delivery', 'owner', 'layer', 'log_id'],
    'a layer''s load_log adds id, phase and duration_sec');

-- Calling it again

SELECT setup.create_layer('staging', -5, 'sequence');
SELECT lives_ok($$SELECT setup.create_layer('staging')$$, 'a layer can be created again');
SELECT results_eq($$SELECT position, execution FROM setup.layers WHERE layer = 'staging'$$, $$VALUES (-5, 'sequence')$$,
  'null keeps the position and the execution that are there');
SELECT setup.create_layer('staging', execution => 'parallel');
SELECT results_eq($$SELECT position, execution FROM setup.layers WHERE layer = 'staging'$$, $$VALUES (-5, 'parallel')$$,
  'the execution alone can be changed');
SELECT setup.create_layer('staging', 0);
SELECT results_eq($$SELECT position, execution FROM setup.layers WHERE layer = 'staging'$$, $$VALUES (0, 'parallel')$$,
  'the position alone can be changed');
SELECT is((SELECT count(*) FROM setup.layers WHERE layer = 'staging'), 1::bigint,
  'a layer created twice is there once');
CREATE SCHEMA inherited;
CREATE TABLE inherited.data AS SELECT 1 AS one;
SELECT setup.create_layer('inherited');
SELECT is((SELECT one FROM inherited.data), 1, 'a schema that exists already becomes a layer with what it holds');
SELECT setup.create_layer('My "odd" layer''s');
SELECT has_view('My "odd" layer''s', 'load_jobs', 'a layer may have a name that needs quotes');

-- A position that is taken

SELECT results_eq($$SELECT code, message FROM caught($c$SELECT setup.create_layer('extra', 2)$c$)$$,
  $$VALUES ('23505', 'position 2 is taken by layer "silver"')$$, 'a taken position is refused, naming who has it');
SELECT isnt((SELECT hint FROM caught($$SELECT setup.create_layer('extra', 2)$$)), '', 'and with a hint');
SELECT hasnt_schema('extra', 'a refused layer leaves no schema behind');
SELECT is((SELECT code FROM caught($$SELECT setup.create_layer('raw', 1)$$)), '23505',
  'an existing layer cannot move to a taken position');
SELECT setup.drop_layer('gold');
SELECT setup.create_layer('third', 3);
SELECT setup.create_layer('gold');
SELECT cmp_ok((SELECT position FROM setup.layers WHERE layer = 'gold'), '>',
  (SELECT max(position) FROM setup.layers WHERE layer <> 'gold'), 'gold goes last where its position is taken');

-- A user's own table of a view's name

CREATE SCHEMA lived_in;
CREATE TABLE lived_in.load_log (mine int);
\set output `psql -XqAt -d :'DBNAME' -c "SELECT setup.create_layer('lived_in')" 2>&1`
SELECT alike(:'output'::text, '%NOTICE:%"lived_in.load_log" exists already and is left alone%', 'it gives a notice');
SELECT unalike(:'output'::text, '%ERROR%', 'and no error');
SELECT has_table('lived_in', 'load_log', 'the user''s table stays');
SELECT has_view('lived_in', 'load_jobs', 'and the other view is made');
SELECT setup.drop_layer('lived_in');
SELECT has_table('lived_in', 'load_log', 'dropping the layer leaves the user''s table alone');

-- The view load_jobs

INSERT INTO bronze.load_jobs (job_name, command) VALUES ('by_view', 'SELECT 1');
SELECT results_eq($$SELECT layer, is_enabled, load_order, depends_on, transaction, owner COLLATE "C"
  FROM setup.load_jobs
                    WHERE job_name = 'by_view'$$,
  $$VALUES ('bronze', true, 100, '{}'::text[], 'single', current_user::text COLLATE "C")$$,
  'an INSERT into a layer''s load_jobs fills in the layer and the defaults');
SELECT setup.add_job('silver', 'elsewhere', 'SELECT 1');
SELECT is((SELECT array_agg(job_name) FROM bronze.load_jobs), '{by_view}',
  'a layer''s load_jobs shows no other layer''s jobs');
SELECT throws_ok($$INSERT INTO bronze.load_jobs (layer, job_name, command) VALUES ('silver', 'x', 'SELECT 1')$$,
  '44000',
  NULL, 'a layer''s load_jobs takes no job of another layer');
SELECT throws_ok($$UPDATE bronze.load_jobs SET layer = 'silver'$$, '44000', NULL,
  'a job cannot be moved away through the view');
UPDATE bronze.load_jobs SET is_enabled = false;
SELECT results_eq('SELECT job_name, is_enabled FROM setup.load_jobs ORDER BY 1',
  $$VALUES ('by_view', false), ('elsewhere', true)$$,
  'an UPDATE of a layer''s load_jobs reaches this layer only');
DELETE FROM bronze.load_jobs;
SELECT is((SELECT array_agg(job_name) FROM setup.load_jobs), '{elsewhere}', 'and so does a DELETE');

-- Views that are gone

DROP VIEW bronze.load_log;
SELECT setup.create_layer('bronze');
SELECT has_view('bronze', 'load_log', 'create_layer makes a view again that was dropped');
DROP VIEW bronze.load_jobs, bronze.load_log;
SELECT setup.create_layer('bronze', settings => '{"max_attempts": 2}');
SELECT has_view('bronze', 'load_jobs', 'each that is missing');
SELECT is((SELECT count(*) FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'x'
              AND objid IN ('bronze.load_jobs'::regclass, 'bronze.load_log'::regclass)), 2::bigint, 'they go with the extension');
SELECT setup.create_layer('bronze', settings => '{"max_attempts": null}');

-- Names that cannot be

SELECT throws_ok($$SELECT setup.create_layer('setup')$$, '42939', NULL, 'schema setup cannot be a layer');
SELECT throws_ok($$SELECT setup.create_layer('pg_catalog')$$, '42939', NULL, 'pg_catalog cannot be a layer');
SELECT throws_ok($$SELECT setup.create_layer('information_schema')$$, '42939', NULL,
  'information_schema cannot be a layer');
SELECT throws_ok($$SELECT setup.create_layer('')$$, '22004', NULL, 'a layer must have a name');
SELECT throws_ok($$SELECT setup.create_layer(NULL)$$, '22004', NULL, 'and null is none');
SELECT is((SELECT (code, message, hint)::text FROM caught($$SELECT setup.create_layer('raw', execution => 'serial')$$)),
  ('22023', 'execution "serial" is not known', 'It is ''parallel'' or ''sequence''.')::text,
  'an unknown execution is refused, with those that there are');
SELECT throws_ok($$UPDATE setup.layers SET layer = 'cooked' WHERE layer = 'raw'$$, '0A000', NULL,
  'a layer cannot be renamed');

-- drop_layer

SELECT is((SELECT code FROM caught($$SELECT setup.drop_layer('silver')$$)), '2BP01',
  'a layer with jobs is not dropped');
SELECT alike((SELECT hint FROM caught($$SELECT setup.drop_layer('silver')$$)),
  '%setup.drop_job(layer, job_name) FROM setup.load_jobs WHERE layer = ''silver''%',
  'and the hint says how to drop them');
SELECT setup.create_layer('crawled');
SELECT setup.create_location('of_crawler', '/tmp');
SELECT setup.create_crawler('only', 'of_crawler', 'crawled');
SELECT row_eq($$SELECT * FROM caught($a$SELECT setup.drop_layer('crawled')$a$)$$, ROW('2BP01'::text,
  'layer "crawled" is still used'::text, 'crawler "only" of role "postgres"'::text,
  'Drop them first: SELECT setup.drop_crawler(crawler_name) FROM setup.crawlers WHERE layer = ''crawled'';'::text),
  'nor is one with a crawler, which is named');
SELECT setup.add_job('crawled', 'j' || i, 'SELECT 1') FROM generate_series(1, 12) i;
SELECT matches((SELECT detail FROM caught($$SELECT setup.drop_layer('crawled')$$)),
  '^job "crawled.j1" of role "postgres"\n(.*\n){9}and 3 more$', 'of many, the first ones');
DELETE FROM crawled.load_jobs;
SELECT setup.drop_crawler('only'), setup.drop_location('of_crawler'), setup.drop_layer('crawled');
SELECT throws_ok($$SELECT setup.drop_layer('nowhere')$$, '42704', 'layer "nowhere" does not exist',
  'an unknown layer cannot be dropped');
SELECT setup.drop_layer('inherited');
SELECT hasnt_view('inherited', 'load_jobs', 'drop_layer takes the views');
SELECT is((SELECT one FROM inherited.data), 1, 'drop_layer leaves schema and data');
SELECT setup.create_layer('inherited');
SELECT has_view('inherited', 'load_jobs', 'a dropped layer can be created again, with its views');

-- Dropping the schema itself must cost no more than the layer.

BEGIN;
DROP SCHEMA platinum CASCADE;
SELECT is((SELECT count(*) FROM pg_extension WHERE extname = 'etl_orchestrator'), 1::bigint,
  'DROP SCHEMA ... CASCADE of a layer does not take the extension with it');
ROLLBACK;
SELECT setup.create_layer('vanishing');
SELECT unalike((SELECT concat(message, detail, hint) FROM caught('DROP SCHEMA vanishing')), '%extension%',
  'and nobody who drops an empty layer''s schema is told to drop the extension for it');

-- Rights: a layer concerns everybody in the database

SET SESSION AUTHORIZATION layers_guest;
SELECT throws_ok($$SELECT setup.create_layer('guests')$$, '42501', 'permission denied for schema setup',
  'without USAGE on schema setup nothing can be called');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA setup TO layers_guest;
SET SESSION AUTHORIZATION layers_guest;
SELECT throws_ok($$SELECT setup.create_layer('guests')$$, '42501', NULL, 'a new layer takes CREATE on the database');
SELECT throws_ok($$SELECT setup.create_layer('raw', 77)$$, '42501', NULL, 'and so does moving one');
SELECT throws_ok($$SELECT setup.drop_layer('raw')$$, '42501', NULL, 'and dropping one');
SELECT alike((SELECT hint FROM caught($$SELECT setup.create_layer('raw', 77)$$)),
  '%GRANT CREATE ON DATABASE%TO layers_guest%', 'the hint says which right is missing');
SELECT throws_ok($$INSERT INTO setup.layers VALUES ('guests', 88)$$, '42501', NULL, 'nor can it be written by hand,');
SELECT throws_ok($$SELECT setup.write_layer('raw', '{"layer": "raw", "position": 77, "execution": "parallel"}')$$, '42501',
  NULL, 'or by the function behind create_layer');
SELECT cmp_ok((SELECT count(*) FROM setup.layers), '>', 5::bigint, 'everybody may see the layers');
RESET SESSION AUTHORIZATION;
SELECT format('GRANT CREATE ON DATABASE %I TO layers_architect', current_database()) \gexec
SET SESSION AUTHORIZATION layers_architect;
SELECT lives_ok($$SELECT setup.create_layer('drawn')$$, 'CREATE on the database is enough to create a layer');
SELECT lives_ok($$INSERT INTO drawn.load_jobs (job_name, command) VALUES ('a', 'SELECT 1')$$,
  'whose view is usable at once');
SELECT throws_ok($$SELECT setup.create_layer('public')$$, '42501', NULL,
  'but not to make a layer of somebody else''s schema');
DELETE FROM drawn.load_jobs;
SELECT lives_ok($$SELECT setup.drop_layer('drawn')$$, 'and to drop it again');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
DROP OWNED BY layers_guest, layers_architect;
DROP ROLE layers_guest, layers_architect;
