-- Says which job of the demo needs which other.
--
-- Without this a layer waits for all of the one before, and the jobs of a layer run side by side. With
-- it gold.fact_sales waits for its two dimensions, and a failure skips only what is built on it. A name
-- without a layer means a job of the same layer. Discovery keeps what is set here.

\set ON_ERROR_STOP on

UPDATE setup.load_jobs
SET depends_on = ARRAY['bronze.' || job_name]
WHERE layer = 'silver'
  AND job_name IN ('crm_cust_info', 'crm_prd_info', 'crm_sales_details',
                   'erp_cust_az12', 'erp_loc_a101', 'erp_px_cat_g1v2');

UPDATE setup.load_jobs
SET depends_on = ARRAY['silver.crm_cust_info', 'silver.erp_cust_az12', 'silver.erp_loc_a101']
WHERE layer = 'gold' AND job_name = 'dim_customers';

UPDATE setup.load_jobs
SET depends_on = ARRAY['silver.crm_prd_info', 'silver.erp_px_cat_g1v2']
WHERE layer = 'gold' AND job_name = 'dim_products';

UPDATE setup.load_jobs
SET depends_on = ARRAY['dim_customers', 'dim_products', 'silver.crm_sales_details']
WHERE layer = 'gold' AND job_name = 'fact_sales';

UPDATE setup.load_jobs
SET depends_on = ARRAY['fact_sales']
WHERE layer = 'gold' AND job_name = 'sales_by_month';

SELECT layer, job_name, array_to_string(depends_on, E'\n') AS runs_after
FROM setup.load_jobs
JOIN setup.layers USING (layer)
ORDER BY position, load_order, job_name;
