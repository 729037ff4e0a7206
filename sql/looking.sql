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


CREATE FUNCTION setup.why_waiting(run_id bigint)
  RETURNS TABLE (layer text, job_name text, reason text, explanation text, waits_for text[], retry_at timestamptz,
                 pid integer, query text)
  LANGUAGE c VOLATILE STRICT ROWS 100 AS 'MODULE_PATHNAME', 'etl_why_waiting';

-- Attempts that workers are working on now, of jobs that the caller may see.
CREATE FUNCTION setup.running_attempts()
  RETURNS TABLE (run_id bigint, layer text, job_name text, attempt integer, pid integer, owner text, since timestamptz,
                 statement integer, rows_so_far bigint, expected_ms double precision, stop_reason text)
  LANGUAGE c VOLATILE ROWS 10 AS 'MODULE_PATHNAME', 'etl_running_attempts';

CREATE VIEW setup.running_jobs WITH (security_invoker = true) AS
  SELECT r.run_id, r.layer, r.job_name, r.attempt, r.pid, r.owner, r.since,
         make_interval(secs => extract(epoch FROM clock_timestamp() - r.since)) AS running_for,
         CASE WHEN r.expected_ms IS NOT NULL THEN
           make_interval(secs => greatest(r.expected_ms / 1000 - extract(epoch FROM clock_timestamp() - r.since)::float8, 0))
         END AS expected_remaining,
         a.wait_event_type, a.wait_event, r.statement, a.query,
         r.rows_so_far + coalesce(c.tuples_processed, 0) AS rows_so_far,
         c.bytes_processed AS copy_bytes, nullif(c.bytes_total, 0) AS copy_bytes_total, r.stop_reason
    FROM setup.running_attempts() r
    LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
    LEFT JOIN pg_catalog.pg_stat_progress_copy c USING (pid)
   ORDER BY r.since;
GRANT SELECT ON setup.running_jobs TO PUBLIC;
