-- A crawler over the demo's files, and over the data in ../shared where that is: from nothing to six loaded tables that
-- equal what COPY makes of the same files.

\ir tools.psql
SET client_min_messages = warning;
SELECT no_plan();
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NULL AS missing FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :missing
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif

SELECT setup.create_layer('bronze');
\setenv FILES :files
\! mkdir -p $FILES/demo $FILES/shared && perl ../../setup/demo/generate_data.pl $FILES/demo >/dev/null
\! if [ -d ../../../shared/data ]; then cp -r ../../../shared/data/. $FILES/shared/; fi; chmod -R a+rX $FILES
SELECT count(*) > 0 AS has_shared FROM pg_ls_dir(:'files' || '/shared') \gset

SELECT setup.create_location('demo', :'files' || '/demo'), setup.create_location('shared', :'files' || '/shared');
SELECT setup.create_crawler('demo', 'demo', 'bronze', table_prefix => 'demo_'),
       setup.create_crawler('shared', 'shared', 'bronze', table_prefix => 'shared_');
CREATE TEMP TABLE first_crawl AS SELECT c.name, d.* FROM (VALUES ('demo'), ('shared')) c(name), setup.crawl(c.name) d;
CREATE TEMP TABLE second_crawl AS SELECT d.* FROM (VALUES ('demo'), ('shared')) c(name), setup.crawl(c.name) d;
CALL setup.orchestrate_bronze();

-- The rows in which a table and what COPY makes of its file differ.
CREATE FUNCTION pg_temp.differences(job text, base text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  target text;
  source text;
  found bigint;
BEGIN
  SELECT 'bronze.' || table_name, base || '/' || location || '/' || file_path INTO target, source
    FROM setup.load_jobs WHERE job_name = job;
  EXECUTE format('CREATE TEMP TABLE copied (LIKE %s)', target);
  EXECUTE format('COPY copied FROM %L WITH (FORMAT csv, HEADER)', source);
  EXECUTE format('SELECT count(*) FROM ((TABLE copied EXCEPT ALL TABLE %1$s) UNION ALL (TABLE %1$s EXCEPT ALL TABLE copied)) d',
                 target) INTO found;
  DROP TABLE copied;
  RETURN found;
END
$$;

SELECT is((SELECT count(*) FROM first_crawl WHERE name = 'demo' AND action = 'created'), 6::bigint,
  'six files of the demo become six tables');
SELECT is(count(*), 0::bigint, 'a second crawl does nothing') FROM second_crawl WHERE action <> 'unchanged';
SELECT is(pg_temp.differences(job_name, :'files'), 0::bigint, job_name || ' equals what COPY makes of its file')
  FROM setup.load_jobs ORDER BY job_name;
SELECT is(string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position), expected, 'the types of ' || name)
  FROM (VALUES
    ('demo_source_crm_cust_info', 'cst_id integer, cst_key text, cst_firstname text, cst_lastname text, '
     'cst_marital_status text, cst_gndr text, cst_create_date date'),
    ('demo_source_crm_prd_info', 'prd_id integer, prd_key text, prd_nm text, prd_cost integer, prd_line text, '
     'prd_start_dt date, prd_end_dt date'),
    ('demo_source_crm_sales_details', 'sls_ord_num text, sls_prd_key text, sls_cust_id integer, sls_order_dt integer, '
     'sls_ship_dt integer, sls_due_dt integer, sls_sales integer, sls_quantity integer, sls_price integer'),
    ('demo_source_erp_cust_az12', 'cid text, bdate date, gen text'),
    ('demo_source_erp_loc_a101', 'cid text, cntry text'),
    ('demo_source_erp_px_cat_g1v2', 'id text, cat text, subcat text, maintenance text')) AS wanted(name, expected)
  JOIN information_schema.columns ON table_schema = 'bronze' AND table_name = name
 GROUP BY name, expected ORDER BY name;

\if :has_shared
SELECT is((SELECT sum(rows_loaded) FROM setup.load_log WHERE job_name LIKE 'shared_%'), 116294::numeric,
  'the data set in ../shared has 116,294 rows');
SELECT is((SELECT count(*) FROM first_crawl WHERE name = 'shared' AND action = 'created'), 6::bigint, 'in six tables');
\endif

SELECT * FROM finish();
