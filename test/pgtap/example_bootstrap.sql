-- The bootstrap of a warehouse, layer by layer: setup/demo/state_machines/bootstrap_orchestration.json, with short waits.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif
CREATE ROLE boot_owner LOGIN;
GRANT USAGE ON SCHEMA setup TO boot_owner;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold');
GRANT USAGE, CREATE ON SCHEMA bronze, silver, gold TO boot_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
\! mkdir -p $FILES/rxclass && printf 'id,name\n1,a\n' > $FILES/rxclass/rxclass.csv && chmod -R a+rX $FILES
\set url 'file://' :files
SELECT setup.create_location('lake', :'url');
SELECT setup.grant_location('lake', 'boot_owner');
SET SESSION AUTHORIZATION boot_owner;
SELECT setup.add_job('bronze', 'pp-dw-bronze-fda-nsde', 'CREATE TABLE IF NOT EXISTS bronze.fda_nsde AS SELECT 1 AS id'),
  setup.add_job('bronze', 'pp-dw-bronze-rxnorm', 'CREATE TABLE IF NOT EXISTS bronze.rxnorm AS SELECT 1 AS id'),
  setup.add_job('silver', 'pp-dw-silver-products', 'CREATE TABLE IF NOT EXISTS silver.products AS SELECT id FROM bronze.rxnorm'),
  setup.add_job('gold', 'pp-dw-gold-products', 'CREATE TABLE IF NOT EXISTS gold.products AS SELECT id FROM silver.products'),
  setup.add_job('gold', 'pp-dw-gold-ndcs', 'CREATE TABLE IF NOT EXISTS gold.ndcs AS SELECT id FROM gold.products');
SELECT setup.create_crawler('pp-dw-bronze-rxclass-crawler', 'lake', 'bronze', path => 'rxclass');
\set definition `cat ../../setup/demo/state_machines/bootstrap_orchestration.json`

SELECT plan(12);
SELECT is_empty(format('SELECT * FROM setup.validate_state_machine(%L)', :'definition'), 'the definition is valid as it is');
SELECT setup.create_state_machine('bootstrap', regexp_replace(:'definition', '("(Interval)?Seconds": )[0-9]+', '\11', 'g')::jsonb);
SELECT '{"layers": [
  {"database": "pp_dw_bronze", "concurrency": 0, "jobs": ["pp-dw-bronze-fda-nsde", "pp-dw-bronze-rxnorm"], "tables": ["fda_nsde", "rxnorm", "rxclass"],
   "crawlers": ["pp-dw-bronze-rxclass-crawler"]},
  {"database": "pp_dw_silver", "concurrency": 0, "jobs": ["pp-dw-silver-products"], "tables": ["products"], "crawlers": []},
  {"database": "pp_dw_gold", "concurrency": 1, "jobs": ["pp-dw-gold-products", "pp-dw-gold-ndcs"], "tables": ["products", "ndcs"], "crawlers": []}]}' AS input \gset
SELECT setup.start_execution('bootstrap', :'input') AS run \gset
SELECT is(error('bootstrap'), 'SUCCEEDED', 'an empty warehouse is filled');
SELECT isnt(to_regclass('bronze.rxclass'), NULL, 'a table that is missing comes from its crawler');
SELECT is((SELECT count(*) FROM gold.ndcs), 1::bigint, 'jobs of gold run one after the other');
SELECT is((SELECT string_agg(job_name, ' ' ORDER BY log_id) FROM setup.load_log WHERE job_name LIKE 'pp-dw-gold%' OR job_name LIKE 'pp-dw-silver%'),
  'pp-dw-silver-products pp-dw-gold-products pp-dw-gold-ndcs', 'layer by layer');
SELECT is((SELECT count(*) FROM setup.execution_history(:run) WHERE type = 'TaskStateEntered' AND state = 'StartCrawler'), 1::bigint,
  'only where tables are missing crawlers are started');
SELECT is((SELECT subject FROM setup.notifications), 'Bootstrap complete', 'and it is told');

-- A table that nothing makes

SELECT setup.start_execution('bootstrap', '{"layers": [{"database": "bronze", "concurrency": 0, "jobs": [], "tables": ["nothing"], "crawlers": []}]}');
SELECT is(error('bootstrap'), 'TablesMissing', 'tables that are missing after all let it fail');
SELECT is(cause('bootstrap'), 'bronze lacks ["nothing"]', 'and are named');

-- A job that fails

SELECT setup.add_job('silver', 'pp-dw-silver-products', 'SELECT 1 / 0');
SELECT setup.start_execution('bootstrap', :'input');
SELECT is(error('bootstrap'), 'States.TaskFailed', 'a job that fails lets it fail');
SELECT matches((SELECT message::jsonb #>> '{error,Cause}' FROM setup.notifications WHERE subject = 'Bootstrap failed' ORDER BY notification_id DESC LIMIT 1),
  'division by zero', 'which is told with the reason');
SELECT is((SELECT count(*) FROM setup.load_log WHERE job_name = 'pp-dw-gold-ndcs'), 1::bigint, 'later layers do not run');
SELECT * FROM finish();
RESET SESSION AUTHORIZATION;
DELETE FROM setup.load_jobs;
DROP OWNED BY boot_owner CASCADE;
DROP ROLE boot_owner;
