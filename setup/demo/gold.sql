-- The demo's gold layer: a star of two dimensions and one fact table, and a summary.
--
-- Dimensions are merged, not rebuilt: a customer keeps its customer_key for ever, and a load writes only
-- what has changed. The fact table is rebuilt and refers to them, so it has to be loaded after both;
-- setup/demo/dependencies.sql says so to the orchestrator.

\set ON_ERROR_STOP on
SET client_min_messages = warning;  -- not that a table exists already

CREATE TABLE IF NOT EXISTS gold.dim_customers (
    customer_key     bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id      int          NOT NULL UNIQUE,
    customer_number  text         NOT NULL,
    first_name       text         NOT NULL,
    last_name        text         NOT NULL,
    country          text         NOT NULL,
    marital_status   text         NOT NULL,
    gender           text         NOT NULL,
    birth_date       date,
    create_date      date,
    dwh_loaded_at    timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE gold.dim_customers IS
    'One row for each customer that was ever delivered. customer_key is ours and never changes.';

CREATE OR REPLACE PROCEDURE gold.load_dim_customers()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    MERGE INTO gold.dim_customers AS dim
    USING (
        SELECT
            customer.cst_id                  AS customer_id,
            customer.cst_key                 AS customer_number,
            customer.cst_firstname           AS first_name,
            customer.cst_lastname            AS last_name,
            coalesce(location.cntry, 'n/a')  AS country,
            customer.cst_marital_status      AS marital_status,
            -- The CRM decides; the ERP is asked where the CRM does not know.
            coalesce(nullif(customer.cst_gndr, 'n/a'), person.gen, 'n/a')  AS gender,
            person.bdate                     AS birth_date,
            customer.cst_create_date         AS create_date
        FROM silver.crm_cust_info AS customer
        LEFT JOIN silver.erp_cust_az12 AS person ON person.cid = customer.cst_key
        LEFT JOIN silver.erp_loc_a101 AS location ON location.cid = customer.cst_key
    ) AS new
    ON dim.customer_id = new.customer_id
    WHEN MATCHED AND (dim.customer_number, dim.first_name, dim.last_name, dim.country,
                      dim.marital_status, dim.gender, dim.birth_date, dim.create_date)
                     IS DISTINCT FROM
                     (new.customer_number, new.first_name, new.last_name, new.country,
                      new.marital_status, new.gender, new.birth_date, new.create_date)
    THEN UPDATE SET
        customer_number = new.customer_number,
        first_name = new.first_name,
        last_name = new.last_name,
        country = new.country,
        marital_status = new.marital_status,
        gender = new.gender,
        birth_date = new.birth_date,
        create_date = new.create_date,
        dwh_loaded_at = now()
    WHEN NOT MATCHED THEN
        INSERT (customer_id, customer_number, first_name, last_name, country,
                marital_status, gender, birth_date, create_date)
        VALUES (new.customer_id, new.customer_number, new.first_name, new.last_name, new.country,
                new.marital_status, new.gender, new.birth_date, new.create_date);
$$;
COMMENT ON PROCEDURE gold.load_dim_customers() IS
    'Brings gold.dim_customers up to date from silver: CRM customers with country and birth date of the ERP.';


CREATE TABLE IF NOT EXISTS gold.dim_products (
    product_key     bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id      int          NOT NULL,
    product_number  text         NOT NULL UNIQUE,
    product_name    text         NOT NULL,
    category_id     text         NOT NULL,
    category        text         NOT NULL,
    subcategory     text         NOT NULL,
    maintenance     boolean,
    cost            int,
    product_line    text         NOT NULL,
    start_date      date,
    dwh_loaded_at   timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE gold.dim_products IS
    'One row for each product that was ever delivered, in its present version. product_key is ours and never changes.';

CREATE OR REPLACE PROCEDURE gold.load_dim_products()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    MERGE INTO gold.dim_products AS dim
    USING (
        SELECT
            product.prd_id                    AS product_id,
            product.prd_key                   AS product_number,
            product.prd_nm                    AS product_name,
            product.cat_id                    AS category_id,
            coalesce(category.cat, 'n/a')     AS category,
            coalesce(category.subcat, 'n/a')  AS subcategory,
            category.maintenance,
            product.prd_cost                  AS cost,
            product.prd_line                  AS product_line,
            product.prd_start_dt              AS start_date
        FROM silver.crm_prd_info AS product
        LEFT JOIN silver.erp_px_cat_g1v2 AS category ON category.id = product.cat_id
        WHERE product.prd_end_dt IS NULL
    ) AS new
    ON dim.product_number = new.product_number
    WHEN MATCHED AND (dim.product_id, dim.product_name, dim.category_id, dim.category, dim.subcategory,
                      dim.maintenance, dim.cost, dim.product_line, dim.start_date)
                     IS DISTINCT FROM
                     (new.product_id, new.product_name, new.category_id, new.category, new.subcategory,
                      new.maintenance, new.cost, new.product_line, new.start_date)
    THEN UPDATE SET
        product_id = new.product_id,
        product_name = new.product_name,
        category_id = new.category_id,
        category = new.category,
        subcategory = new.subcategory,
        maintenance = new.maintenance,
        cost = new.cost,
        product_line = new.product_line,
        start_date = new.start_date,
        dwh_loaded_at = now()
    WHEN NOT MATCHED THEN
        INSERT (product_id, product_number, product_name, category_id, category, subcategory,
                maintenance, cost, product_line, start_date)
        VALUES (new.product_id, new.product_number, new.product_name, new.category_id, new.category,
                new.subcategory, new.maintenance, new.cost, new.product_line, new.start_date);
$$;
COMMENT ON PROCEDURE gold.load_dim_products() IS
    'Brings gold.dim_products up to date from silver: the present version of each product, with its category.';


CREATE TABLE IF NOT EXISTS gold.fact_sales (
    order_number   text            NOT NULL,
    product_key    bigint          REFERENCES gold.dim_products,   -- null: silver has no such product
    customer_key   bigint          REFERENCES gold.dim_customers,  -- null: silver has no such customer
    order_date     date,
    shipping_date  date,
    due_date       date,
    sales_amount   numeric(12, 2),
    quantity       int,
    price          numeric(12, 2),
    dwh_loaded_at  timestamptz     NOT NULL DEFAULT now()
);
COMMENT ON TABLE gold.fact_sales IS 'One row for each line of an order.';

CREATE OR REPLACE PROCEDURE gold.load_fact_sales()
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    TRUNCATE gold.fact_sales;

    INSERT INTO gold.fact_sales
        (order_number, product_key, customer_key, order_date, shipping_date, due_date,
         sales_amount, quantity, price)
    SELECT
        sale.sls_ord_num,
        product.product_key,
        customer.customer_key,
        sale.sls_order_dt,
        sale.sls_ship_dt,
        sale.sls_due_dt,
        sale.sls_sales,
        sale.sls_quantity,
        sale.sls_price
    FROM silver.crm_sales_details AS sale
    LEFT JOIN gold.dim_products AS product ON product.product_number = sale.sls_prd_key
    LEFT JOIN gold.dim_customers AS customer ON customer.customer_id = sale.sls_cust_id;
$$;
COMMENT ON PROCEDURE gold.load_fact_sales() IS
    'Rebuilds gold.fact_sales from silver, with the keys of both dimensions. Load those first.';


CREATE MATERIALIZED VIEW IF NOT EXISTS gold.sales_by_month AS
SELECT
    date_trunc('month', order_date)::date AS month,
    count(DISTINCT order_number)          AS orders,
    count(DISTINCT customer_key)          AS customers,
    sum(quantity)                         AS quantity,
    sum(sales_amount)                     AS revenue
FROM gold.fact_sales
GROUP BY 1
WITH NO DATA;

CREATE UNIQUE INDEX IF NOT EXISTS sales_by_month_month ON gold.sales_by_month (month);
COMMENT ON MATERIALIZED VIEW gold.sales_by_month IS
    'Sales by month of the order; month is null for orders whose date is not known.';
