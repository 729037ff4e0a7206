-- Looking at what would run and at what is there.

-- "schema.table" as SQL writes it, for a table named as jobs name it: without a schema it is the layer's.
CREATE FUNCTION setup.qualified_table(layer text, table_name text) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'etl_qualified_table';

-- Whether a table, view or materialized view of that qualified name exists, whatever the caller may do with it.
CREATE FUNCTION setup.table_exists(table_name text) RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'etl_table_exists';

CREATE FUNCTION setup.run_plan(layer text DEFAULT NULL)
  RETURNS TABLE (step integer, layer text, job_name text, after text[], owner text, table_name text,
                 file_path text, command text, transaction text)
  LANGUAGE c VOLATILE ROWS 100 AS 'MODULE_PATHNAME', 'etl_run_plan';

CREATE FUNCTION setup.check_tables(
  layer text, OUT "exists" boolean, OUT missing_tables text[], OUT existing_tables text[],
  OUT total_expected integer, OUT total_existing integer
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM setup.layers l WHERE l.layer = check_tables.layer) THEN
    RAISE undefined_object USING
      MESSAGE = format('layer "%s" does not exist', check_tables.layer),
      HINT = format('Create it with SELECT setup.create_layer(%L).', check_tables.layer);
  END IF;
  SELECT coalesce(array_agg(t.name ORDER BY t.name) FILTER (WHERE NOT t.is_there), '{}'),
         coalesce(array_agg(t.name ORDER BY t.name) FILTER (WHERE t.is_there), '{}')
    INTO missing_tables, existing_tables
    FROM (SELECT q.name, setup.table_exists(q.name) AS is_there
            FROM (SELECT DISTINCT setup.qualified_table(j.layer, j.table_name) AS name
                    FROM setup.load_jobs j
                   WHERE j.layer = check_tables.layer AND j.is_enabled AND j.table_name IS NOT NULL) q) t;
  total_existing := cardinality(existing_tables);
  total_expected := total_existing + cardinality(missing_tables);
  "exists" := missing_tables = '{}';
END
$$;

