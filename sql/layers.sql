-- Layers, and the two views that each layer's schema gets: load_jobs and load_log.
--
-- The views depend on the extension, so that DROP EXTENSION takes them along, but are no members of it: dropping a
-- schema that holds a member would drop the extension. They are dumped like any view, and made by a trigger on
-- setup.layers, which finds them there again after a restore. setup.layers is written by superusers only; for all others
-- by setup.write_layer, which checks what they may do.

-- Writes the row of a layer; settings has a key for each column of setup.layers that is not null.
CREATE FUNCTION setup.write_layer(layer text, settings jsonb) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_write_layer';
COMMENT ON FUNCTION setup.write_layer IS
  'Writes the row of a layer. Raises insufficient_privilege without CREATE on the database and on the layer''s schema.';

CREATE FUNCTION setup.attach_view(view regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_attach_view';
COMMENT ON FUNCTION setup.attach_view IS 'Lets a view go when the extension is dropped. For superusers.';
REVOKE EXECUTE ON FUNCTION setup.attach_view(regclass) FROM PUBLIC;

CREATE FUNCTION setup.make_load_jobs_view(layer text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  EXECUTE format(
    $view$CREATE VIEW %1$I.load_jobs WITH (security_invoker = true) AS
      SELECT layer, job_name, table_name, file_path, command, load_order, is_enabled, depends_on, owner, transaction,
             discovered_as, priority, max_concurrent, resources, timeout, statement_timeout, max_attempts, retry_delay,
             backoff_rate, max_retry_delay, retry_on, never_retry_on, shares_commit, location, load_mode, key_columns,
             skip_unchanged, reader_options, on_bad_row, reject_limit, reject_share, rescue_column, provenance, crawler
        FROM setup.load_jobs WHERE layer = %1$L WITH CHECK OPTION$view$, $1);
  EXECUTE format('ALTER VIEW %1$I.load_jobs ALTER COLUMN layer SET DEFAULT %1$L', $1);
  EXECUTE format('CREATE TRIGGER drop_job_row INSTEAD OF DELETE ON %I.load_jobs '
                 'FOR EACH ROW EXECUTE FUNCTION setup.drop_job_row()', $1);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.load_jobs TO PUBLIC', $1);
  EXECUTE format('COMMENT ON VIEW %I.load_jobs IS %L', $1,
    'The jobs of this layer: setup.load_jobs, where columns are explained. An INSERT fills in the layer.');
END
$$;
COMMENT ON FUNCTION setup.make_load_jobs_view IS 'Makes the view load_jobs in the schema of a layer.';

CREATE FUNCTION setup.make_load_log_view(layer text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  EXECUTE format(
    $view$CREATE VIEW %1$I.load_log WITH (security_invoker = true) AS
      SELECT log_id AS id, run_id, job_name, attempt, status,
             CASE WHEN status = 'SKIPPED' THEN 'SKIPPED' WHEN status <> 'OK' THEN 'ERROR'
                  WHEN file_path IS NOT NULL THEN 'COPY' ELSE 'COMMAND' END AS phase,
             table_name, file_path, rows_loaded, started_at, finished_at, round(duration_ms / 1000, 3) AS duration_sec,
             duration_ms, sqlstate, message, detail, hint, context, notices, retry_at, delivery, owner, layer, log_id
        FROM setup.load_log WHERE layer = %1$L$view$, $1);
  EXECUTE format('GRANT SELECT ON %I.load_log TO PUBLIC', $1);
  EXECUTE format('COMMENT ON VIEW %I.load_log IS %L', $1,
    'The attempts of this layer''s jobs that have ended: setup.load_log, where columns are explained. phase is '
    'COPY for a file load, COMMAND otherwise, ERROR where it failed, SKIPPED where it did not start.');
END
$$;
COMMENT ON FUNCTION setup.make_load_log_view IS 'Makes the view load_log in the schema of a layer.';

-- Makes the views of a layer that are missing. Never fails: a restore brings all layers in one statement.
CREATE FUNCTION setup.make_layer_views() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = notice
  AS $$
DECLARE
  layer constant text := NEW.layer;
  schema_oid constant oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = layer);
  view_name text;
  present record;
BEGIN
  IF schema_oid IS NULL THEN
    RETURN NULL;
  END IF;
  FOREACH view_name IN ARRAY ARRAY['load_jobs', 'load_log'] LOOP
    SELECT t.oid, EXISTS (
             SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
              WHERE r.ev_class = t.typrelid AND d.refobjid = format('setup.%I', view_name)::regclass) AS is_ours
      INTO present
      FROM pg_type t WHERE t.typnamespace = schema_oid AND t.typname = view_name;
    CONTINUE WHEN FOUND AND TG_OP = 'UPDATE';
    IF FOUND AND NOT present.is_ours THEN
      RAISE NOTICE '"%.%" exists already and is left alone: use setup.% instead', layer, view_name, view_name;
      CONTINUE;
    END IF;
    BEGIN
      IF NOT FOUND THEN
        IF view_name = 'load_jobs' THEN
          PERFORM setup.make_load_jobs_view(layer);
        ELSE
          PERFORM setup.make_load_log_view(layer);
        END IF;
      END IF;
      PERFORM setup.attach_view(format('%I.%I', layer, view_name)::regclass);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'view "%.%" could not be made: %', layer, view_name, SQLERRM;
    END;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION setup.make_layer_views IS
  'Trigger: makes the views load_jobs and load_log in a layer''s schema, where they are missing.';

CREATE FUNCTION setup.drop_layer_views() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  ours regclass;
BEGIN
  FOR ours IN
    SELECT c.oid::regclass
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'x'
      JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
     WHERE n.nspname = OLD.layer AND c.relname IN ('load_jobs', 'load_log') AND c.relkind = 'v'
       AND e.extname = 'etl_orchestrator'
  LOOP
    EXECUTE format('DROP VIEW %s', ours);
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION setup.drop_layer_views IS 'Trigger: removes the views of a dropped layer.';

CREATE FUNCTION setup.layer_problem(layer setup.layers) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
    WHEN layer.max_concurrent < 1 THEN 'max_concurrent must be at least 1'
    WHEN layer.max_attempts < 1 THEN 'max_attempts must be at least 1'
    WHEN NOT (isfinite(coalesce(layer.timeout, '0')) AND isfinite(coalesce(layer.job_timeout, '0'))
              AND isfinite(coalesce(layer.statement_timeout, '0')) AND isfinite(coalesce(layer.retry_delay, '0'))
              AND isfinite(coalesce(layer.max_retry_delay, '0')))
      THEN 'timeouts and delays must be finite'
    WHEN layer.timeout <= '0' THEN 'timeout must be longer than 0'
    WHEN layer.job_timeout <= '0' THEN 'job_timeout must be longer than 0'
    WHEN layer.statement_timeout <= '0' THEN 'statement_timeout must be longer than 0'
    WHEN layer.retry_delay < '0' THEN 'retry_delay must not be negative'
    WHEN layer.max_retry_delay < '0' THEN 'max_retry_delay must not be negative'
    WHEN layer.backoff_rate NOT BETWEEN 1 AND 1000 THEN 'backoff_rate must be between 1 and 1000'
  END
$$;
COMMENT ON FUNCTION setup.layer_problem IS
  'What is wrong with a layer''s limits, timeouts or retries, in words that follow "layer x:"; null if nothing is.';

-- A layer's name is part of the names of its views and in every job.
CREATE FUNCTION setup.check_layer_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  problem constant text := setup.layer_problem(NEW);
BEGIN
  IF NEW.layer = 'setup' OR NEW.layer = 'information_schema' OR NEW.layer LIKE 'pg\_%' THEN
    RAISE reserved_name USING MESSAGE = format('schema "%s" cannot be a layer', NEW.layer);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.layer <> OLD.layer THEN
    RAISE feature_not_supported USING MESSAGE = format('layer "%s" cannot be renamed', OLD.layer),
      HINT = 'Create a layer with the new name and move its jobs: UPDATE setup.load_jobs SET layer = ...';
  END IF;
  IF problem IS NOT NULL THEN
    RAISE check_violation USING
      MESSAGE = format('layer "%s": %s', NEW.layer, problem),
      HINT = 'What a layer can be told is explained by \d+ setup.layers.';
  END IF;
  PERFORM setup.require_retry_patterns(NEW.retry_on || NEW.never_retry_on);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_layer_row IS 'Trigger: what a layer can be called and told.';

CREATE TRIGGER check_layer_row BEFORE INSERT OR UPDATE ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.check_layer_row();
CREATE TRIGGER make_layer_views AFTER INSERT OR UPDATE ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.make_layer_views();
CREATE TRIGGER drop_layer_views AFTER DELETE ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.drop_layer_views();

-- Limits and resources have changed: what waits for them may start.
CREATE FUNCTION setup.call_conductor() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'etl_call_conductor';
COMMENT ON FUNCTION setup.call_conductor IS 'Trigger: limits or resources have changed.';
REVOKE EXECUTE ON FUNCTION setup.call_conductor() FROM PUBLIC;
CREATE TRIGGER call_conductor AFTER UPDATE ON setup.layers
  FOR EACH STATEMENT EXECUTE FUNCTION setup.call_conductor();
CREATE TRIGGER call_conductor AFTER INSERT OR UPDATE OR DELETE ON setup.resources
  FOR EACH STATEMENT EXECUTE FUNCTION setup.call_conductor();

CREATE FUNCTION setup.create_layer(
  layer text, layer_position integer DEFAULT NULL, execution text DEFAULT NULL, settings jsonb DEFAULT '{}'
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  new_position integer := layer_position;
  new_settings jsonb;
  taken_by text;
  unknown text;
BEGIN
  PERFORM setup.require_writable('create_layer');
  PERFORM setup.require_given('layer', create_layer.layer);
  IF octet_length(create_layer.layer) > 63 OR create_layer.layer ~ '[[:cntrl:]]' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('"%s" cannot be a layer', create_layer.layer),
      HINT = 'The name of a layer, which is that of its schema, has 1 to 63 bytes, and no control character.';
  END IF;
  IF jsonb_typeof(create_layer.settings) <> 'object' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'settings must be a JSON object',
      HINT = 'For example settings => ''{"max_attempts": 5, "timeout": "2 hours"}''.';
  END IF;
  IF create_layer.execution NOT IN ('parallel', 'sequence') THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('execution "%s" is not known', create_layer.execution),
      HINT = 'It is ''parallel'' or ''sequence''.';
  END IF;
  SELECT string_agg(format('"%s"', key), ', ') INTO unknown
    FROM jsonb_object_keys(coalesce(create_layer.settings, '{}')) AS key
   WHERE key IN ('layer', 'position', 'execution')
      OR NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = 'setup.layers'::regclass AND a.attnum > 0
                        AND a.attname = key);
  IF unknown IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('a layer has no setting %s', unknown),
      HINT = 'Settings are max_concurrent, timeout, job_timeout, statement_timeout, max_attempts, retry_delay, '
             'backoff_rate, max_retry_delay, retry_on and never_retry_on.';
  END IF;
  IF to_regnamespace(quote_ident(create_layer.layer)) IS NULL AND create_layer.layer NOT LIKE 'pg\_%' THEN
    BEGIN
      EXECUTE format('CREATE SCHEMA %I', create_layer.layer);
    EXCEPTION WHEN duplicate_schema OR unique_violation THEN
      NULL;  -- somebody else has made it meanwhile
    END;
  END IF;
  SELECT l.layer INTO taken_by FROM setup.layers l
   WHERE l.position = layer_position AND l.layer <> create_layer.layer;
  IF FOUND THEN
    RAISE unique_violation USING
      MESSAGE = format('position %s is taken by layer "%s"', layer_position, taken_by),
      HINT = 'Positions order the layers; gaps and negative numbers are fine.';
  END IF;

  SELECT coalesce(layer_position, l.position) INTO new_position FROM setup.layers l WHERE l.layer = create_layer.layer;
  IF new_position IS NULL THEN
    new_position := coalesce(layer_position, array_position(ARRAY['bronze', 'silver', 'gold'], create_layer.layer));
    IF new_position IS NULL OR EXISTS (SELECT FROM setup.layers l WHERE l.position = new_position) THEN
      SELECT greatest(max(l.position), 3) + 1 INTO new_position FROM setup.layers l;
    END IF;
  END IF;
  new_settings := '{"execution": "parallel"}'
    || coalesce((SELECT to_jsonb(l) FROM setup.layers l WHERE l.layer = create_layer.layer), '{}')
    || coalesce(create_layer.settings, '{}')
    || jsonb_strip_nulls(jsonb_build_object('layer', create_layer.layer, 'position', new_position,
                                            'execution', create_layer.execution));
  PERFORM setup.write_layer(create_layer.layer, new_settings);
EXCEPTION WHEN unique_violation THEN
  IF taken_by IS NOT NULL THEN
    RAISE;
  END IF;
  RAISE unique_violation USING
    MESSAGE = format('position %s was taken by another layer meanwhile', new_position),
    HINT = 'Create the layer again: it goes after that one.';
END
$$;
COMMENT ON FUNCTION setup.create_layer IS
  'Makes what is missing of a layer: its schema, its row in setup.layers, its views load_jobs and load_log. Null keeps '
  'what is there; a new layer goes last, bronze, silver and gold to 1, 2 and 3. execution: parallel or sequence. '
  'settings: other columns of setup.layers by name, such as {"max_attempts": 5, "timeout": "2 hours"}; null takes one '
  'away. Raises insufficient_privilege without CREATE on the database, unique_violation where the position is taken.';

CREATE FUNCTION setup.drop_layer(layer text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_layer';
COMMENT ON FUNCTION setup.drop_layer IS
  'Removes a layer''s row and views; its schema and data stay. Raises undefined_object where there is none, '
  'insufficient_privilege as setup.create_layer() does, dependent_objects_still_exist, with a list, where it has jobs or '
  'crawlers.';
