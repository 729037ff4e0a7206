-- Import of orchestration-config.json.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE import_ann LOGIN;
GRANT USAGE ON SCHEMA setup TO import_ann;
CREATE SCHEMA gold;
CREATE TABLE ran (no int GENERATED ALWAYS AS IDENTITY, what text);
CREATE TABLE gold.fact_sales (id int);
CREATE TABLE gold.all_ndcs (id int);
CREATE PROCEDURE gold.load_fact_sales() LANGUAGE sql AS $$INSERT INTO public.ran (what) VALUES ('fact_sales')$$;
CREATE PROCEDURE gold.load_all_ndcs() LANGUAGE sql AS $$INSERT INTO public.ran (what) VALUES ('all_ndcs')$$;

SELECT plan(23);

\set config '{"bronze_jobs": ["fda-nsde", "rxnorm"], "silver_jobs": ["fda-all-ndc"], "gold_jobs_sequence": ["fact-sales", "all-ndcs"], "bronze_crawlers": ["fda-nsde-crawler"], "crawler_wait_time_seconds": 300, "max_crawler_wait_minutes": 30, "max_glue_job_wait_minutes": 120, "owner_team": "data"}'
SELECT results_eq(format('SELECT * FROM setup.import_orchestration_config(%L)', :'config'),
  $$VALUES ('bronze', 'fda_nsde', 'CALL bronze.load_fda_nsde()', false),
           ('bronze', 'rxnorm', 'CALL bronze.load_rxnorm()', false),
           ('gold', 'fact_sales', 'CALL gold.load_fact_sales()', true),
           ('gold', 'all_ndcs', 'CALL gold.load_all_ndcs()', true),
           ('silver', 'fda_all_ndc', 'CALL silver.load_fda_all_ndc()', false)$$,
  'each name becomes a job that calls the procedure of that name, and is told whether that is there');
SELECT results_eq('SELECT layer, execution FROM setup.layers ORDER BY position',
  $$VALUES ('bronze', 'parallel'), ('silver', 'parallel'), ('gold', 'sequence')$$, 'layers are made as they are needed');
SELECT results_eq($$SELECT job_name, load_order, timeout, table_name FROM gold.load_jobs ORDER BY load_order$$,
  $$VALUES ('fact_sales', 10, interval '2 hours', 'fact_sales'), ('all_ndcs', 20, '2 hours', 'all_ndcs')$$,
  'a sequence keeps its order, and the longest wait for a job is its timeout');
UPDATE setup.load_jobs SET depends_on = '{fda_nsde}', is_enabled = false, priority = 3, resources = '{"io": 2}',
  max_attempts = 7, retry_on = '{23505}', transaction = 'each' WHERE job_name = 'rxnorm';
UPDATE setup.load_jobs SET discovered_as = 'procedure' WHERE job_name = 'fact_sales';
SELECT string_agg(j::text, E'\n' ORDER BY j::text) AS rows FROM setup.load_jobs j \gset
\set statement 'SELECT setup.import_orchestration_config(' :'config' ')'
\setenv STATEMENT :statement
\set output `psql -XqAt -d :'DBNAME' -c "$STATEMENT" 2>&1`
SELECT alike(:'output'::text, '%NOTICE:  "bronze_crawlers" is not imported: crawlers need a location%',
  'crawlers are not made of a name');
SELECT alike(:'output'::text, '%HINT:%setup.create_crawler()%', 'the notice says how they are');
SELECT alike(:'output'::text, '%NOTICE:  "max_crawler_wait_minutes" has no meaning here%', 'there is no polling to set up');
SELECT alike(:'output'::text, '%NOTICE:  "crawler_wait_time_seconds" has no meaning here%', 'nor a pause in it');
SELECT alike(:'output'::text, '%NOTICE:  "owner_team" is not known, and is left out%', 'an unknown key is a notice');
SELECT unalike(:'output'::text, '%max_glue_job_wait_minutes%', 'what is understood is none');
SELECT is((SELECT string_agg(j::text, E'\n' ORDER BY j::text) FROM setup.load_jobs j), :'rows',
  'importing again changes nothing, also nothing that was set by hand');
UPDATE setup.load_jobs SET command = 'SELECT 1', table_name = 'other', load_order = 77, timeout = '1 s'
  WHERE layer = 'gold' OR job_name = 'rxnorm';
SELECT setup.import_orchestration_config('{"gold_jobs_sequence": ["fact-sales", "all-ndcs"], "bronze_jobs": ["rxnorm"]}');
SELECT results_eq($$SELECT job_name, command, table_name, load_order, timeout FROM setup.load_jobs
                     WHERE layer = 'gold' OR job_name = 'rxnorm' ORDER BY job_name$$,
  $$VALUES ('all_ndcs', 'CALL gold.load_all_ndcs()', 'all_ndcs', 20, interval '1 s'),
           ('fact_sales', 'CALL gold.load_fact_sales()', 'fact_sales', 10, '1 s'),
           ('rxnorm', 'CALL bronze.load_rxnorm()', 'rxnorm', 77, '1 s')$$, 'but what the file says');
UPDATE setup.load_jobs SET timeout = NULL;
SELECT setup.add_job('bronze', 'from_file', table_name => 'from_file', file_path => '/data/from_file.csv');
\set output `psql -XqAt -d :'DBNAME' -c "SELECT * FROM setup.import_orchestration_config('{\"bronze_jobs\": [\"from-file\"]}')" 2>&1`
SELECT is(:'output'::text, E'NOTICE:  job "bronze.from_file" loads a file, and is left alone\n'
  'HINT:  To have it call a procedure, drop it first: SELECT setup.drop_job(''bronze'', ''from_file'');',
  'a job that loads a file stays one');
CALL setup.orchestrate_gold();
SELECT is((SELECT string_agg(what, ' ' ORDER BY no) FROM ran), 'fact_sales all_ndcs', 'the jobs run, in their order');

-- What is not such a file

SELECT throws_ok($$SELECT setup.import_orchestration_config('[]')$$, '22023',
  'an orchestration config must be an object', 'an array is none');
SELECT throws_ok('SELECT setup.import_orchestration_config(NULL)', '22004', NULL, 'nor is null');
SELECT throws_ok($$SELECT setup.import_orchestration_config('{"silver_jobs": "a"}')$$, '22023',
  '"silver_jobs" must be an array of job names', 'jobs are a list');
SELECT throws_ok($$SELECT setup.import_orchestration_config('{"silver_jobs": ["a", 1]}')$$, '22023',
  '"silver_jobs" must be an array of job names', 'of names');
SELECT throws_ok($$SELECT setup.import_orchestration_config('{"max_glue_job_wait_minutes": "long"}')$$, '22023',
  '"max_glue_job_wait_minutes" must be a number of minutes', 'minutes are a number');
SELECT throws_ok($$SELECT setup.import_orchestration_config('{"max_glue_job_wait_minutes": 0}')$$, '22023', NULL,
  'and some');
SELECT is((caught($$SELECT setup.import_orchestration_config('{"silver_jobs": "a"}')$$)).hint,
  'For example {"silver_jobs": ["customers", "sales"]}.', 'the hint shows how jobs are written');
SELECT is((caught($$SELECT setup.import_orchestration_config('{"max_glue_job_wait_minutes": 0}')$$)).hint,
  'It is how long a job may take, such as 120; from 0.001 to 10000000.', 'and what the minutes are');

-- Whose jobs they are

SET SESSION AUTHORIZATION import_ann;
SELECT throws_ok($$SELECT setup.import_orchestration_config('{"silver_jobs": ["fda-all-ndc"]}')$$, '42501',
  'job "silver.fda_all_ndc" belongs to role "postgres"', 'nobody replaces the jobs of others so');
SELECT is((SELECT string_agg(job_name, ' ') FROM setup.import_orchestration_config('{"silver_jobs": ["mine"]}')), 'mine',
  'it takes no other right than adding a job');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY import_ann;
DROP ROLE import_ann;
