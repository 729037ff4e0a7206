-- What file_workflow.json works with: a location, which is the bucket, a job that loads its files, a crawler.
--
--   -v lake=DIR     absolute path of a directory with raw/taxi/

\set ON_ERROR_STOP on

\set url 'file://' :lake
SELECT setup.create_location('oubt-datalake', :'url', file_types => '{csv,csv.gz,parquet}');

CREATE TABLE IF NOT EXISTS bronze.taxi_trips (id integer, fare numeric);

SELECT setup.add_job('bronze', 'job-process-taxi-data', table_name => 'taxi_trips', location => 'oubt-datalake',
  file_path => 'raw/taxi/*.csv', load_mode => 'append');
SELECT setup.create_crawler('crawler-taxi-raw', 'oubt-datalake', 'bronze', path => 'raw/taxi', table_prefix => 'catalog_');
