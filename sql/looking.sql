-- Looking at what would run and at what is there.

CREATE FUNCTION setup.qualified_table(layer text, table_name text) RETURNS text
  LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'etl_qualified_table';
COMMENT ON FUNCTION setup.qualified_table IS
  'A table''s name with its schema, quoted where SQL needs it; without a schema it is the layer''s.';

CREATE FUNCTION setup.table_exists(table_name text) RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'etl_table_exists';
COMMENT ON FUNCTION setup.table_exists IS 'Whether a table, view or materialized view of that qualified name exists.';

CREATE FUNCTION setup.run_plan(layer text DEFAULT NULL)
  RETURNS TABLE (step integer, layer text, job_name text, after text[], owner text, table_name text,
                 file_path text, command text, transaction text)
  LANGUAGE c VOLATILE ROWS 100 AS 'MODULE_PATHNAME', 'etl_run_plan';
COMMENT ON FUNCTION setup.run_plan IS
  'What a run of a layer (null: all) would do now, in an order that respects dependencies; after: the jobs of the run '
  'that must end OK before. Raises OR002 where such a run would be refused.';

CREATE FUNCTION setup.check_tables(
  layer text, OUT "exists" boolean, OUT missing_tables text[], OUT existing_tables text[],
  OUT total_expected integer, OUT total_existing integer
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  PERFORM setup.require_layer(check_tables.layer);
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
COMMENT ON FUNCTION setup.check_tables IS
  'Whether the tables that the enabled jobs of a layer declare are there: exists is true if none is missing. Raises '
  'undefined_object for an unknown layer.';

CREATE FUNCTION setup.why_waiting(run_id bigint)
  RETURNS TABLE (layer text, job_name text, reason text, explanation text, waits_for text[], retry_at timestamptz,
                 pid integer, query text)
  LANGUAGE c VOLATILE ROWS 100 AS 'MODULE_PATHNAME', 'etl_why_waiting';
COMMENT ON FUNCTION setup.why_waiting IS
  'One row for each job of a run that is not running, with the one reason that holds it back; also for a running job '
  'that waits for a lock. reason: dependency, layer, limit, lock, retry, paused, quarantined, worker (no slot), '
  'disabled, run (the same pipeline is running), copied. waits_for: jobs; pid and query: of who holds the lock. Of an '
  'execution one row for each branch that does not go on (the first 1000), layer being the state machine and job_name the '
  'state: reason time (a Wait), token (somebody else ends its task), run (another run does), retry, lock, worker, disabled '
  'or copied; retry_at: when it goes on. Empty for a finished run. Raises no_data_found for an unknown run.';

-- Attempts that workers are working on now, of jobs that the caller may see.
CREATE FUNCTION setup.running_attempts()
  RETURNS TABLE (run_id bigint, layer text, job_name text, attempt integer, pid integer, owner text, since timestamptz,
                 statement integer, rows_so_far bigint, expected_ms double precision, stop_reason text)
  LANGUAGE c VOLATILE ROWS 10 AS 'MODULE_PATHNAME', 'etl_running_attempts';
COMMENT ON FUNCTION setup.running_attempts IS
  'What workers are working on now, as they say in shared memory; setup.running_jobs shows more.';

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

COMMENT ON VIEW setup.running_jobs IS 'The jobs that run now, of roles that the user is a member of.';
COMMENT ON COLUMN setup.running_jobs.run_id IS 'Run that the attempt belongs to.';
COMMENT ON COLUMN setup.running_jobs.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.running_jobs.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.running_jobs.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN setup.running_jobs.pid IS 'Process that runs it.';
COMMENT ON COLUMN setup.running_jobs.owner IS 'Role that it runs as.';
COMMENT ON COLUMN setup.running_jobs.since IS 'When the attempt began.';
COMMENT ON COLUMN setup.running_jobs.running_for IS 'How long it has been running.';
COMMENT ON COLUMN setup.running_jobs.expected_remaining IS
  'How long it may still take, if it takes as long as before; null: it has never succeeded.';
COMMENT ON COLUMN setup.running_jobs.wait_event_type IS 'As in pg_stat_activity.';
COMMENT ON COLUMN setup.running_jobs.wait_event IS 'As in pg_stat_activity.';
COMMENT ON COLUMN setup.running_jobs.statement IS 'Statement of the job''s command that it is at, from 1.';
COMMENT ON COLUMN setup.running_jobs.query IS 'What it runs, where pg_stat_activity shows that to the user.';
COMMENT ON COLUMN setup.running_jobs.rows_so_far IS
  'Rows of statements and files that have ended, and of the COPY that is in progress.';
COMMENT ON COLUMN setup.running_jobs.copy_bytes IS 'Bytes of the file that COPY has read; null: no COPY.';
COMMENT ON COLUMN setup.running_jobs.copy_bytes_total IS 'Size of that file; null: unknown.';
COMMENT ON COLUMN setup.running_jobs.stop_reason IS
  'cancelled or timed out, once it was asked to stop; null: it was not.';
GRANT SELECT ON setup.running_jobs TO PUBLIC;
