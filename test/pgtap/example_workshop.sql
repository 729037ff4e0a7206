-- The pipeline of the workshop: files, crawlers, jobs and a query that validates: setup/demo/state_machines/workshop_pipeline.json,
-- with short waits.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif
SELECT setup.create_layer('workshop_raw', 1), setup.create_layer('jobs', 2), setup.create_layer('workshop_processed', 3);
\set url 'file://' :files
SELECT setup.create_location('workshop', :'url', writable => true);
-- 120 customers, each twice, every third inactive.
CREATE SCHEMA source;
CREATE VIEW source.customers AS
  SELECT i % 120 AS customer_id, ' Name ' || i % 120 AS name, 'USER' || i % 120 || '@Example.com' AS email,
         CASE WHEN i % 3 = 0 THEN 'inactive' ELSE 'active' END AS status, DATE '2024-01-01' + i % 120 AS since
    FROM generate_series(1, 240) i;
SELECT setup.add_job('jobs', 'ingest-raw-data',
    'SELECT setup.export_table(''source.customers'', ''workshop'', path => ''raw/customers.parquet'', replace => true)', depends_on => '{}'),
  setup.add_job('jobs', 'raw-to-processed-etl', $$
    CREATE OR REPLACE VIEW source.processed_customers AS
      SELECT DISTINCT customer_id, initcap(btrim(name)) AS name, lower(btrim(email)) AS email, since
        FROM workshop_raw.customers WHERE status = 'active';
    SELECT setup.export_table('source.processed_customers', 'workshop', path => 'processed/customers.parquet', replace => true)$$, depends_on => '{}');
SELECT setup.create_crawler('raw-data-crawler', 'workshop', 'workshop_raw', path => 'raw'),
  setup.create_crawler('processed-data-crawler', 'workshop', 'workshop_processed', path => 'processed');
\set definition `cat ../../setup/demo/state_machines/workshop_pipeline.json`

CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', n.subject, n.message::jsonb ->> 'rows', n.message::jsonb #>> '{error,Error}', n.message::jsonb #>> '{error,Cause}')
    FROM setup.notifications n ORDER BY n.notification_id DESC LIMIT 1 $$;

SELECT plan(12);
SELECT is_empty(format('SELECT * FROM setup.validate_state_machine(%L)', :'definition'), 'the definition is valid as it is');
SELECT setup.create_state_machine('workshop', regexp_replace(:'definition', '("(Interval)?Seconds": )[0-9]+', '\11', 'g')::jsonb);
SELECT setup.start_execution('workshop') AS run \gset
SELECT is(error('workshop') || coalesce(cause('workshop'), ''), 'SUCCEEDED', 'the pipeline runs');
SELECT is((SELECT count(*) FROM workshop_raw.customers), 240::bigint, 'data was taken in, cataloged and loaded');
SELECT is((SELECT count(*) FROM workshop_processed.customers), 80::bigint, 'and so was what became of it');
SELECT is((SELECT count(*) FROM workshop_processed.customers WHERE email <> lower(email) OR name LIKE ' %'), 0::bigint, 'transformed');
SELECT is((SELECT rows #>> '{1,0}' FROM setup.query_executions WHERE run_id = :run), '80', 'the query has validated it');
SELECT is(told(), 'Workshop Pipeline Success | 80', 'and success is told');
SELECT setup.start_execution('workshop');
SELECT is(error('workshop') || coalesce(cause('workshop'), ''), 'SUCCEEDED', 'it runs again');

DROP VIEW source.processed_customers;
DROP VIEW source.customers;
CREATE VIEW source.customers AS
  SELECT 1 AS customer_id, 'n' AS name, 'e' AS email, 'inactive' AS status, DATE '2024-01-01' AS since;
SELECT setup.start_execution('workshop');
SELECT is(error('workshop'), 'ValidationFailed', 'a result without rows does not pass');
SELECT is(told(), 'Workshop Pipeline Failure | ValidationFailed | workshop_processed.customers has no rows', 'and that is told');
SELECT setup.drop_crawler('processed-data-crawler');
SELECT setup.start_execution('workshop');
SELECT is(error('workshop'), 'Glue.EntityNotFoundException', 'a crawler that is missing is the error of the pipeline');
SELECT matches(told(), 'Workshop Pipeline Failure \| Glue.EntityNotFoundException', 'which is told');
SELECT * FROM finish();
