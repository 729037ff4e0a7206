-- Calls that are refused before anything runs.
\set SHOW_CONTEXT never
SELECT setup.create_layer('extra');
SELECT setup.add_job('extra', 'a', 'SELECT 1', depends_on => '{c}'), setup.add_job('extra', 'b', 'SELECT 1', depends_on => '{a}'),
  setup.add_job('extra', 'c', 'SELECT 1', depends_on => '{b}'), setup.add_job('extra', 'd', 'SELECT 1', depends_on => '{customers,nothing}'),
  setup.add_job('extra', 'e', 'SELECT 1', depends_on => '{off}'), setup.add_job('extra', 'off', 'SELECT 1', is_enabled => false),
  setup.add_job('extra', 'f', table_name => 'missing', file_path => '/no/such/file.csv'),
  setup.add_job('extra', 'g', table_name => 'missing', file_path => '{base_path_nowhere}/file.csv');
CALL setup.orchestrate_layer('extra');
SELECT setup.start_run('extra', jobs => '{z,off,silver.customers}');
CALL setup.orchestrate_layer('extras');
CALL setup.orchestrate_layer(NULL);
CALL setup.orchestrate_all(on_error => 'ignore');
CALL setup.orchestrate_all(max_parallel => 0);
CALL setup.orchestrate_all(params => '[]');

BEGIN;
CALL setup.orchestrate_all();
ROLLBACK;
DO $$ BEGIN CALL setup.orchestrate_silver(); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
SELECT setup.wait_run(setup.start_run('silver')) FROM (VALUES (1)) AS once;
SELECT setup.wait_run(-7);
SELECT setup.cancel_run(-7);

-- As somebody else
CREATE ROLE regress_etl_ann LOGIN;
SET SESSION AUTHORIZATION regress_etl_ann;
SELECT setup.add_job('silver', 'mine', 'SELECT 1');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA setup TO regress_etl_ann;
SET SESSION AUTHORIZATION regress_etl_ann;
SELECT setup.add_job('silver', 'customers', 'SELECT 1');
SELECT setup.drop_job('silver', 'customers');
SELECT setup.add_job('silver', 'mine', 'SELECT 1', owner => 'postgres');
SELECT setup.add_job('silver', 'mine', 'SELECT 1', depends_on => '{customers}');
SELECT setup.add_job('bronze', 'my_file', table_name => 'crm_customers', file_path => '/etc/passwd');
SELECT setup.start_run();
SELECT setup.create_layer('mine');
CALL setup.seed_load_jobs('silver');
RESET SESSION AUTHORIZATION;
DELETE FROM setup.load_jobs WHERE owner = 'regress_etl_ann' OR layer = 'extra';
DROP OWNED BY regress_etl_ann;
DROP ROLE regress_etl_ann;
DROP EXTENSION etl_orchestrator;
