-- Partitions of history: one for each week (UTC) of setup.load_runs, setup.run_steps, setup.load_log and
-- setup.execution_events. The engine makes those of this week and the next, and drops the ones that are older than
-- etl_orchestrator.log_retention.

-- Makes the partitions of the week of a moment, where they are missing. They belong to the extension, so that they are
-- not dumped and go with it.
CREATE FUNCTION setup.make_partitions(moment timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
  SET default_tablespace = '' SET default_table_access_method = 'heap'
  AS $$
DECLARE
  first_day constant timestamp := date_trunc('week', moment AT TIME ZONE 'UTC');
  parent text;
  partition text;
BEGIN
  PERFORM setup.require_writable('make_partitions');
  IF to_regclass(format('setup.load_log_%s', to_char(first_day, 'YYYYMMDD'))) IS NOT NULL THEN
    RETURN;
  END IF;
  LOCK TABLE setup.load_runs IN SHARE UPDATE EXCLUSIVE MODE;  -- somebody else may be making them
  FOREACH parent IN ARRAY ARRAY['load_runs', 'run_steps', 'load_log', 'execution_events'] LOOP
    partition := format('%s_%s', parent, to_char(first_day, 'YYYYMMDD'));
    CONTINUE WHEN to_regclass('setup.' || partition) IS NOT NULL;
    EXECUTE format('CREATE TABLE setup.%I (LIKE setup.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition, parent);
    -- Whatever default privileges give: only what goes through the parent finds rows.
    EXECUTE format('ALTER TABLE setup.%I ENABLE ROW LEVEL SECURITY', partition);
    IF parent = 'load_log' THEN  -- the engine knows this index by its name
      EXECUTE format('CREATE UNIQUE INDEX %I ON setup.%I (run_id, step_id, round, run_at) WHERE status = ''OK''',
                     partition || '_one_success', partition);
    END IF;
    EXECUTE format('ALTER TABLE setup.%I ATTACH PARTITION setup.%I FOR VALUES FROM (%L) TO (%L)', parent, partition,
                   first_day AT TIME ZONE 'UTC', (first_day + interval '1 week') AT TIME ZONE 'UTC');
    IF NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
                      AND d.objid = format('setup.%I', partition)::regclass) THEN
      EXECUTE format('ALTER EXTENSION etl_orchestrator ADD TABLE setup.%I', partition);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION setup.make_partitions IS
  'Makes the weekly partitions of setup.load_runs, setup.run_steps, setup.load_log and setup.execution_events for a moment, where they are '
  'missing.';
REVOKE EXECUTE ON FUNCTION setup.make_partitions(timestamptz) FROM PUBLIC;

CREATE FUNCTION setup.drop_history(older_than timestamptz) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  week text;
  parent text;
  kept text;
  has_unfinished boolean;
  dropped integer := 0;
BEGIN
  PERFORM setup.require_writable('drop_history');
  PERFORM setup.require_given('older_than', older_than);
  FOR week IN
    SELECT substr(c.relname, length('load_runs_') + 1)
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'setup.load_runs'::regclass
       AND (to_date(substr(c.relname, length('load_runs_') + 1), 'YYYYMMDD') + interval '1 week') AT TIME ZONE 'UTC'
             <= older_than
     ORDER BY c.relname
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM setup.%I WHERE finished_at IS NULL)', 'load_runs_' || week)
      INTO has_unfinished;
    CONTINUE WHEN has_unfinished;
    FOREACH kept IN ARRAY ARRAY['execution_branches', 'executions', 'query_executions', 'execution_stops', 'run_cancellations']
    LOOP
      EXECUTE format('DELETE FROM setup.%I k USING setup.%I r WHERE k.run_id = r.run_id', kept, 'load_runs_' || week);
    END LOOP;
    FOREACH parent IN ARRAY ARRAY['load_runs', 'run_steps', 'load_log', 'execution_events'] LOOP
      EXECUTE format('ALTER EXTENSION etl_orchestrator DROP TABLE setup.%I', parent || '_' || week);
      EXECUTE format('DROP TABLE setup.%I', parent || '_' || week);
    END LOOP;
    dropped := dropped + 1;
  END LOOP;
  DELETE FROM setup.notifications n
   WHERE n.notification_id IN (SELECT o.notification_id FROM setup.notifications o WHERE o.created_at < older_than
                                ORDER BY o.notification_id LIMIT 1000);
  DELETE FROM setup.load_files f
   WHERE f.file_id IN (SELECT o.file_id FROM setup.load_files o WHERE o.loaded_at < older_than AND NOT o.is_current
                        ORDER BY o.loaded_at LIMIT 1000);
  DELETE FROM setup.activity_tasks t
   WHERE t.scheduled_at < older_than
     AND NOT EXISTS (SELECT FROM setup.execution_branches b WHERE b.token = t.token);
  -- Versions of machines that were deleted, which were kept for their executions.
  DELETE FROM setup.state_machine_versions v
   WHERE NOT EXISTS (SELECT FROM setup.state_machines m WHERE m.machine_id = v.machine_id)
     AND NOT EXISTS (SELECT FROM setup.executions e WHERE e.machine_id = v.machine_id);
  RETURN dropped;
END
$$;
COMMENT ON FUNCTION setup.drop_history IS
  'Drops the weekly partitions that ended before a moment and have no unfinished run; returns of how many weeks. The '
  'engine calls it with etl_orchestrator.log_retention.';
REVOKE EXECUTE ON FUNCTION setup.drop_history(timestamptz) FROM PUBLIC;

SELECT setup.make_partitions(pg_catalog.now());
SELECT setup.make_partitions(pg_catalog.now() + interval '1 week');
