-- What the last run did and what is in the demo's warehouse now; setup/demo.sh prints it.
-- Fits into 80 columns. After a run that failed it ends with the log.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null '-'

SELECT coalesce(max(run_id), 0) AS last_run FROM setup.load_runs \gset

\echo 'The run (setup.load_runs)'
\echo
SELECT
    run_id,
    status,
    started_at::timestamp(0),
    finished_at::timestamp(0),
    round(1000 * extract(epoch FROM finished_at - started_at)) AS total_ms
FROM setup.load_runs
WHERE run_id = :last_run;

\echo 'Its log (setup.load_log)'
\echo
SELECT layer, job_name, attempt, status, rows_loaded, duration_ms
FROM setup.load_log
WHERE run_id = :last_run
ORDER BY log_id;

SELECT coalesce(bool_or(status = 'OK'), false) AS run_is_ok FROM setup.load_runs WHERE run_id = :last_run \gset
\if :run_is_ok

\echo 'Rows before and after cleaning'
\echo
SELECT
    'crm_cust_info' AS "table",
    (SELECT count(*) FROM bronze.crm_cust_info) AS bronze,
    (SELECT count(*) FROM silver.crm_cust_info) AS silver
UNION ALL SELECT
    'crm_prd_info',
    (SELECT count(*) FROM bronze.crm_prd_info),
    (SELECT count(*) FROM silver.crm_prd_info)
UNION ALL SELECT
    'crm_sales_details',
    (SELECT count(*) FROM bronze.crm_sales_details),
    (SELECT count(*) FROM silver.crm_sales_details)
UNION ALL SELECT
    'erp_cust_az12',
    (SELECT count(*) FROM bronze.erp_cust_az12),
    (SELECT count(*) FROM silver.erp_cust_az12)
UNION ALL SELECT
    'erp_loc_a101',
    (SELECT count(*) FROM bronze.erp_loc_a101),
    (SELECT count(*) FROM silver.erp_loc_a101)
UNION ALL SELECT
    'erp_px_cat_g1v2',
    (SELECT count(*) FROM bronze.erp_px_cat_g1v2),
    (SELECT count(*) FROM silver.erp_px_cat_g1v2);

\echo 'Rows in the star'
\echo
SELECT 'dim_customers' AS "table", count(*) AS gold FROM gold.dim_customers
UNION ALL SELECT 'dim_products', count(*) FROM gold.dim_products
UNION ALL SELECT 'fact_sales', count(*) FROM gold.fact_sales
UNION ALL SELECT 'sales_by_month', count(*) FROM gold.sales_by_month;

\echo 'Revenue by country and category, the first ten'
\echo
SELECT
    country,
    category,
    count(DISTINCT order_number) AS orders,
    sum(quantity)                AS quantity,
    sum(sales_amount)            AS revenue
FROM gold.fact_sales
JOIN gold.dim_customers USING (customer_key)
JOIN gold.dim_products USING (product_key)
GROUP BY country, category
ORDER BY revenue DESC
LIMIT 10;

\endif
