-- The demo's bronze layer: what two source systems deliver, as they deliver it.
--
-- Names follow the convention: bronze.{source}_{dataset} is loaded from {base_path_{source}}/{dataset}.csv.
-- A column has a type only where every file so far could be read with it; dates that arrive as numbers
-- (and as 0, or with too few digits) stay numbers here and are mended in silver.

\set ON_ERROR_STOP on
SET client_min_messages = warning;  -- not that a table exists already

CREATE TABLE IF NOT EXISTS bronze.crm_cust_info (
    cst_id              int,
    cst_key             text,
    cst_firstname       text,
    cst_lastname        text,
    cst_marital_status  text,
    cst_gndr            text,
    cst_create_date     date
);
COMMENT ON TABLE bronze.crm_cust_info IS
    'Customers of the CRM. Several rows for one cst_id if it was corrected; rows without cst_id are test entries.';

CREATE TABLE IF NOT EXISTS bronze.crm_prd_info (
    prd_id        int,
    prd_key       text,
    prd_nm        text,
    prd_cost      int,
    prd_line      text,
    prd_start_dt  date,
    prd_end_dt    date
);
COMMENT ON TABLE bronze.crm_prd_info IS
    'Products of the CRM, one row for each period of a cost. prd_end_dt is unusable: it lies before prd_start_dt.';

CREATE TABLE IF NOT EXISTS bronze.crm_sales_details (
    sls_ord_num   text,
    sls_prd_key   text,
    sls_cust_id   int,
    sls_order_dt  int,
    sls_ship_dt   int,
    sls_due_dt    int,
    sls_sales     int,
    sls_quantity  int,
    sls_price     int
);
COMMENT ON TABLE bronze.crm_sales_details IS
    'Order lines of the CRM. Dates are numbers such as 20130816, or 0; amounts may be missing, negative or wrong.';

CREATE TABLE IF NOT EXISTS bronze.erp_cust_az12 (
    cid    text,
    bdate  date,
    gen    text
);
COMMENT ON TABLE bronze.erp_cust_az12 IS
    'Birth date and gender by customer from the ERP. Some cid have the prefix NAS, some birth dates are in the future.';

CREATE TABLE IF NOT EXISTS bronze.erp_loc_a101 (
    cid    text,
    cntry  text
);
COMMENT ON TABLE bronze.erp_loc_a101 IS
    'Country by customer from the ERP. cid has a dash that the CRM does not write; countries are names or codes.';

CREATE TABLE IF NOT EXISTS bronze.erp_px_cat_g1v2 (
    id           text,
    cat          text,
    subcat       text,
    maintenance  text
);
COMMENT ON TABLE bronze.erp_px_cat_g1v2 IS
    'Product categories of the ERP. id is the first part of the CRM''s prd_key, with an underscore for the dash.';
