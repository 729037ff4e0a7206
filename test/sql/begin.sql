-- A first pipeline: layers, discovered jobs, one CALL. What these print is what a newcomer reads.
\set SHOW_CONTEXT never
CREATE EXTENSION etl_orchestrator;
\getenv directory PG_ABS_BUILDDIR
\setenv PGDATABASE :DBNAME

SELECT setup.create_layer('bronze', execution => 'sequence');
SELECT setup.create_layer('silver');
SELECT setup.create_layer('gold');
SELECT setup.create_layer('silver');
SELECT layer, position, execution FROM setup.layers ORDER BY position;

CREATE TABLE bronze.crm_customers (id integer, name text);
CREATE TABLE bronze.crm_orders (customer integer, amount numeric);
CREATE TABLE bronze.notes (note text);
\set customers :directory /results/customers.csv
\set orders :directory /results/orders.csv
COPY (SELECT * FROM (VALUES ('id,name'), ('1,Ada'), ('2,Grace'), ('3,Barbara')) AS lines) TO :'customers';
COPY (SELECT * FROM (VALUES ('who,how much'), ('1,10.50'), ('2,8.25'), ('1,1')) AS lines) TO :'orders';
INSERT INTO setup.etl_config VALUES ('base_path_crm', :'directory' || '/results');

CREATE TABLE silver.customers (id integer PRIMARY KEY, name text, loaded_in bigint);
CREATE PROCEDURE silver.load_customers() LANGUAGE sql AS $$
  TRUNCATE silver.customers;
  INSERT INTO silver.customers
  SELECT id, upper(name), current_setting('etl_orchestrator.run_id')::bigint FROM bronze.crm_customers;
$$;
CREATE MATERIALIZED VIEW gold.revenue AS
  SELECT name, sum(amount) AS revenue FROM silver.customers JOIN bronze.crm_orders ON customer = id GROUP BY name;

CALL setup.seed_load_jobs();
CALL setup.seed_load_jobs('bronze');
SELECT job_name, table_name, file_path, discovered_as FROM bronze.load_jobs ORDER BY job_name;
SELECT layer, job_name, command, discovered_as FROM setup.load_jobs WHERE layer <> 'bronze' ORDER BY layer DESC;

\! psql -Xc 'CALL setup.orchestrate_all()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SELECT * FROM silver.customers ORDER BY id;
SELECT * FROM gold.revenue ORDER BY name;
SELECT run_id, status, jobs_total, jobs_ok, jobs_failed, jobs_skipped FROM setup.load_runs;
SELECT layer, job_name, attempt, status, table_name, rows_loaded, message FROM setup.load_log ORDER BY log_id;
SELECT job_name, phase, regexp_replace(file_path, '.*/', '.../') AS file_path FROM bronze.load_log ORDER BY id;

-- Again, one layer only
\! psql -Xc 'CALL setup.orchestrate_silver()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'

-- By hand
SELECT setup.add_job('silver', 'clean_up', 'DELETE FROM silver.customers WHERE name IS NULL', depends_on => '{customers}');
SELECT setup.add_job('silver', 'clean_up', 'DELETE FROM silver.customers WHERE name = ''''', depends_on => '{customers}');
SELECT setup.add_job('silver', 'nothing');
SELECT setup.add_job('copper', 'a', 'SELECT 1');
SELECT setup.add_job('bronze', 'a', file_path => '/data/a.csv');
SELECT setup.add_job('silver', 'a', 'SELECT 1', transaction => 'many');
SELECT setup.add_job('silver', 'a', 'SELECT 1', owner => 'nobody_at_all');
SELECT setup.drop_job('silver', 'clean');
SELECT setup.create_layer('raw', 2);
SELECT setup.create_layer('pg_raw');
SELECT setup.create_layer('raw', execution => 'fast');
SELECT setup.drop_layer('silver');
SELECT setup.drop_layer('copper');
