-- What workshop_pipeline.json works with: layers for raw and processed data, jobs that write Parquet files, crawlers.
--
--   -v workshop=DIR     absolute path of a directory that the server may write to

\set ON_ERROR_STOP on

SELECT setup.create_layer('workshop_raw'), setup.create_layer('workshop_jobs'), setup.create_layer('workshop_processed');

\set url 'file://' :workshop
SELECT setup.create_location('workshop', :'url', writable => true);

-- 120 customers, each twice, every third inactive.
CREATE OR REPLACE VIEW workshop_jobs.source_customers AS
  SELECT i % 120 AS customer_id, ' Name ' || i % 120 AS name, 'USER' || i % 120 || '@Example.com' AS email,
         CASE WHEN i % 3 = 0 THEN 'inactive' ELSE 'active' END AS status, DATE '2024-01-01' + i % 120 AS since
    FROM generate_series(1, 240) i;

SELECT setup.add_job('workshop_jobs', 'ingest-raw-data', depends_on => '{}', command =>
  $$SELECT setup.export_table('workshop_jobs.source_customers', 'workshop', path => 'raw/customers.parquet', replace => true)$$);

-- Only the active ones, each once, cleaned.
SELECT setup.add_job('workshop_jobs', 'raw-to-processed-etl', depends_on => '{}', command => $$
  CREATE OR REPLACE VIEW workshop_jobs.processed_customers AS
    SELECT DISTINCT customer_id, initcap(btrim(name)) AS name, lower(btrim(email)) AS email, since
      FROM workshop_raw.customers WHERE status = 'active';
  SELECT setup.export_table('workshop_jobs.processed_customers', 'workshop', path => 'processed/customers.parquet', replace => true)$$);

SELECT setup.create_crawler('raw-data-crawler', 'workshop', 'workshop_raw', path => 'raw'),
  setup.create_crawler('processed-data-crawler', 'workshop', 'workshop_processed', path => 'processed');
