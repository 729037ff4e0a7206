-- The demo's silver layer: the same six subjects as in bronze, cleaned, one row for each thing.
--
-- Every procedure load_{table}() rebuilds silver.{table} from bronze and leaves the commit to whoever
-- calls it: a reader sees the old content or the new, and a failed load changes nothing.
-- Text that is missing or means nothing becomes 'n/a'; a number or a date that cannot be known is null.

\set ON_ERROR_STOP on
SET client_min_messages = warning;  -- not that a table exists already


-- Customers ------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS silver.crm_cust_info (
    cst_id              int          PRIMARY KEY,
    cst_key             text         NOT NULL,
    cst_firstname       text         NOT NULL,
    cst_lastname        text         NOT NULL,
    cst_marital_status  text         NOT NULL,  -- Married, Single, n/a
    cst_gndr            text         NOT NULL,  -- Female, Male, n/a
    cst_create_date     date,
    dwh_loaded_at       timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE silver.crm_cust_info IS 'Customers: the latest state of each, names trimmed, codes written out.';

CREATE OR REPLACE PROCEDURE silver.load_crm_cust_info()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.crm_cust_info;

    INSERT INTO silver.crm_cust_info
        (cst_id, cst_key, cst_firstname, cst_lastname, cst_marital_status, cst_gndr, cst_create_date)
    WITH trimmed AS (
        SELECT
            cst_id,
            trim(cst_key)                          AS cst_key,
            nullif(trim(cst_firstname), '')        AS cst_firstname,
            nullif(trim(cst_lastname), '')         AS cst_lastname,
            nullif(trim(cst_marital_status), '')   AS cst_marital_status,
            nullif(trim(cst_gndr), '')             AS cst_gndr,
            cst_create_date
        FROM bronze.crm_cust_info
        WHERE cst_id IS NOT NULL
    ),
    latest AS (
        -- Of two rows of the same day, the one that says more.
        SELECT DISTINCT ON (cst_id) *
        FROM trimmed
        ORDER BY
            cst_id,
            cst_create_date DESC NULLS LAST,
            num_nonnulls(cst_firstname, cst_lastname, cst_marital_status, cst_gndr) DESC
    )
    SELECT
        cst_id,
        cst_key,
        coalesce(cst_firstname, 'n/a'),
        coalesce(cst_lastname, 'n/a'),
        CASE upper(cst_marital_status) WHEN 'M' THEN 'Married' WHEN 'S' THEN 'Single' ELSE 'n/a' END,
        CASE upper(cst_gndr) WHEN 'F' THEN 'Female' WHEN 'M' THEN 'Male' ELSE 'n/a' END,
        cst_create_date
    FROM latest;
$$;
COMMENT ON PROCEDURE silver.load_crm_cust_info() IS
    'Rebuilds silver.crm_cust_info: drops rows without cst_id, keeps the latest row of each customer.';


-- Products -------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS silver.crm_prd_info (
    prd_id         int          PRIMARY KEY,
    cat_id         text         NOT NULL,  -- silver.erp_px_cat_g1v2.id
    prd_key        text         NOT NULL,  -- as sales know it: without the category in front
    prd_nm         text         NOT NULL,
    prd_cost       int,
    prd_line       text         NOT NULL,  -- Mountain, Road, Touring, Other Sales, n/a
    prd_start_dt   date,
    prd_end_dt     date,                   -- the last day of this version; null for the present one
    dwh_loaded_at  timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE silver.crm_prd_info IS 'Products with their history: one row for each version of a prd_key.';

CREATE OR REPLACE PROCEDURE silver.load_crm_prd_info()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.crm_prd_info;

    INSERT INTO silver.crm_prd_info
        (prd_id, cat_id, prd_key, prd_nm, prd_cost, prd_line, prd_start_dt, prd_end_dt)
    WITH split AS (
        -- AC-HE-HL-U509-R: category AC_HE, product HL-U509-R.
        SELECT
            prd_id,
            replace(left(trim(prd_key), 5), '-', '_')  AS cat_id,
            substr(trim(prd_key), 7)                   AS prd_key,
            coalesce(nullif(trim(prd_nm), ''), 'n/a')  AS prd_nm,
            prd_cost,
            upper(trim(prd_line))                      AS prd_line,
            prd_start_dt
        FROM bronze.crm_prd_info
        WHERE prd_id IS NOT NULL
    )
    SELECT
        prd_id,
        -- Pedals are the one category that the CRM writes otherwise than the ERP.
        CASE cat_id WHEN 'CO_PE' THEN 'CO_PD' ELSE cat_id END,
        prd_key,
        prd_nm,
        prd_cost,
        CASE prd_line
            WHEN 'M' THEN 'Mountain'
            WHEN 'R' THEN 'Road'
            WHEN 'S' THEN 'Other Sales'
            WHEN 'T' THEN 'Touring'
            ELSE 'n/a'
        END,
        prd_start_dt,
        -- The delivered end dates are wrong: a version ends the day before the next one begins.
        lead(prd_start_dt) OVER (PARTITION BY prd_key ORDER BY prd_start_dt NULLS FIRST, prd_id) - 1
    FROM split;
$$;
COMMENT ON PROCEDURE silver.load_crm_prd_info() IS
    'Rebuilds silver.crm_prd_info: splits the key into category and product, derives the end of each version.';


-- Sales ----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION silver.date_from_number(yyyymmdd int) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN yyyymmdd BETWEEN 19000101 AND 20991231
         AND yyyymmdd / 100 % 100 BETWEEN 1 AND 12
         AND yyyymmdd % 100 BETWEEN 1 AND 31
        THEN CASE  -- 31 February would become a day in March
            WHEN extract(day FROM make_date(yyyymmdd / 10000, yyyymmdd / 100 % 100, 1) + (yyyymmdd % 100 - 1))
                 = yyyymmdd % 100
            THEN make_date(yyyymmdd / 10000, yyyymmdd / 100 % 100, yyyymmdd % 100)
        END
    END
$$;
COMMENT ON FUNCTION silver.date_from_number(int) IS
    'The date that a number such as 20130816 means; null if it means none (0, 5489, 20130231). Never an error.';

CREATE TABLE IF NOT EXISTS silver.crm_sales_details (
    sls_ord_num    text,
    sls_prd_key    text,
    sls_cust_id    int,
    sls_order_dt   date,
    sls_ship_dt    date,
    sls_due_dt     date,
    sls_sales      numeric(12, 2)  CHECK (sls_sales > 0),
    sls_quantity   int             CHECK (sls_quantity > 0),
    sls_price      numeric(12, 2)  CHECK (sls_price > 0),
    dwh_loaded_at  timestamptz     NOT NULL DEFAULT now(),
    PRIMARY KEY (sls_ord_num, sls_prd_key)
);
COMMENT ON TABLE silver.crm_sales_details IS
    'Order lines with real dates, and amounts that agree: sales = quantity * price, up to a rounded price.';

CREATE OR REPLACE PROCEDURE silver.load_crm_sales_details()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.crm_sales_details;

    INSERT INTO silver.crm_sales_details
        (sls_ord_num, sls_prd_key, sls_cust_id, sls_order_dt, sls_ship_dt, sls_due_dt,
         sls_sales, sls_quantity, sls_price)
    WITH typed AS (
        -- A minus sign is a slip of the source; 0 means that the number is not known.
        SELECT
            trim(sls_ord_num)                      AS sls_ord_num,
            trim(sls_prd_key)                      AS sls_prd_key,
            sls_cust_id,
            silver.date_from_number(sls_order_dt)  AS sls_order_dt,
            silver.date_from_number(sls_ship_dt)   AS sls_ship_dt,
            silver.date_from_number(sls_due_dt)    AS sls_due_dt,
            nullif(abs(sls_sales), 0)::numeric     AS sales,
            nullif(abs(sls_quantity), 0)           AS quantity,
            nullif(abs(sls_price), 0)::numeric     AS price
        FROM bronze.crm_sales_details
    )
    SELECT
        sls_ord_num,
        sls_prd_key,
        sls_cust_id,
        -- The lines of an order share its date: one that lost it takes it from another.
        coalesce(sls_order_dt, max(sls_order_dt) OVER (PARTITION BY sls_ord_num)),
        sls_ship_dt,
        sls_due_dt,
        -- Two of the three numbers give the third; where all disagree, quantity and price are believed.
        coalesce(quantity * price, sales),
        coalesce(quantity, greatest(round(sales / price), 1)),
        coalesce(price, round(sales / quantity, 2))
    FROM typed;
$$;
COMMENT ON PROCEDURE silver.load_crm_sales_details() IS
    'Rebuilds silver.crm_sales_details: turns numbers into dates, repairs sales, quantity and price.';


-- What the ERP knows about customers -----------------------------------------------------------------

CREATE TABLE IF NOT EXISTS silver.erp_cust_az12 (
    cid            text         PRIMARY KEY,  -- silver.crm_cust_info.cst_key
    bdate          date,
    gen            text         NOT NULL,     -- Female, Male, n/a
    dwh_loaded_at  timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE silver.erp_cust_az12 IS 'Birth date and gender by customer; no birth date lies in the future.';

CREATE OR REPLACE PROCEDURE silver.load_erp_cust_az12()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.erp_cust_az12;

    INSERT INTO silver.erp_cust_az12 (cid, bdate, gen)
    SELECT
        regexp_replace(trim(cid), '^NAS', ''),
        CASE WHEN bdate <= current_date THEN bdate END,
        CASE
            WHEN upper(trim(gen)) IN ('F', 'FEMALE') THEN 'Female'
            WHEN upper(trim(gen)) IN ('M', 'MALE') THEN 'Male'
            ELSE 'n/a'
        END
    FROM bronze.erp_cust_az12;
$$;
COMMENT ON PROCEDURE silver.load_erp_cust_az12() IS
    'Rebuilds silver.erp_cust_az12: removes the prefix NAS and birth dates in the future, unifies the gender.';

CREATE TABLE IF NOT EXISTS silver.erp_loc_a101 (
    cid            text         PRIMARY KEY,  -- silver.crm_cust_info.cst_key
    cntry          text         NOT NULL,
    dwh_loaded_at  timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE silver.erp_loc_a101 IS 'Country by customer, always under its full name.';

CREATE OR REPLACE PROCEDURE silver.load_erp_loc_a101()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.erp_loc_a101;

    INSERT INTO silver.erp_loc_a101 (cid, cntry)
    SELECT
        replace(trim(cid), '-', ''),
        CASE
            WHEN upper(trim(cntry)) IN ('US', 'USA') THEN 'United States'
            WHEN upper(trim(cntry)) = 'DE' THEN 'Germany'
            WHEN upper(trim(cntry)) IN ('', 'N/A') OR cntry IS NULL THEN 'n/a'
            ELSE trim(cntry)
        END
    FROM bronze.erp_loc_a101;
$$;
COMMENT ON PROCEDURE silver.load_erp_loc_a101() IS
    'Rebuilds silver.erp_loc_a101: removes the dash from the key, writes country codes out.';


-- Categories -----------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS silver.erp_px_cat_g1v2 (
    id             text         PRIMARY KEY,
    cat            text         NOT NULL,
    subcat         text         NOT NULL,
    maintenance    boolean,                -- does a product of this category need maintenance?
    dwh_loaded_at  timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE silver.erp_px_cat_g1v2 IS 'Product categories and subcategories.';

CREATE OR REPLACE PROCEDURE silver.load_erp_px_cat_g1v2()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE silver.erp_px_cat_g1v2;

    INSERT INTO silver.erp_px_cat_g1v2 (id, cat, subcat, maintenance)
    SELECT
        trim(id),
        trim(cat),
        trim(subcat),
        CASE lower(trim(maintenance)) WHEN 'yes' THEN true WHEN 'no' THEN false END
    FROM bronze.erp_px_cat_g1v2;
$$;
COMMENT ON PROCEDURE silver.load_erp_px_cat_g1v2() IS
    'Rebuilds silver.erp_px_cat_g1v2: trims, turns Yes and No into boolean.';
