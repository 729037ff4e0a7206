-- Layers, and the two views that each layer's schema gets: load_jobs and load_log.
--
-- The views are members of the extension (so that DROP EXTENSION takes them along), and members are not dumped. So
-- they are made by a trigger on setup.layers, whose rows are dumped: after a restore they are there again.

-- Makes the views of one layer that are missing. Runs as the extension's owner; check_layer_row has checked the
-- caller before.
CREATE FUNCTION setup.make_layer_views() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = notice
  AS $$
DECLARE
  view_name text;
  present "char";
BEGIN
  IF to_regnamespace(quote_ident(NEW.layer)) IS NULL THEN
    RETURN NULL;
  END IF;
  FOREACH view_name IN ARRAY ARRAY['load_jobs', 'load_log'] LOOP
    SELECT c.relkind INTO present FROM pg_class c
     WHERE c.relnamespace = to_regnamespace(quote_ident(NEW.layer)) AND c.relname = view_name;
    IF FOUND THEN
      RAISE NOTICE '"%.%" exists already and is left alone: use setup.% instead', NEW.layer, view_name, view_name;
      CONTINUE;
    END IF;
    EXECUTE CASE view_name
      WHEN 'load_jobs' THEN format(
        $view$CREATE VIEW %1$I.load_jobs WITH (security_invoker = true) AS
          SELECT layer, job_name, table_name, file_path, command, load_order, is_enabled, depends_on, owner,
                 transaction, discovered_as
            FROM setup.load_jobs WHERE layer = %1$L WITH CHECK OPTION$view$, NEW.layer)
      ELSE format(
        $view$CREATE VIEW %1$I.load_log WITH (security_invoker = true) AS
          SELECT log_id AS id, run_id, job_name, attempt, status,
                 CASE WHEN status = 'SKIPPED' THEN 'SKIPPED' WHEN status <> 'OK' THEN 'ERROR'
                      WHEN file_path IS NOT NULL THEN 'COPY' ELSE 'COMMAND' END AS phase,
                 table_name, file_path, rows_loaded, started_at, finished_at,
                 round(duration_ms / 1000, 3) AS duration_sec, duration_ms, sqlstate, message, detail, hint,
                 context, delivery, owner, layer, log_id
            FROM setup.load_log WHERE layer = %1$L$view$, NEW.layer) END;
    IF view_name = 'load_jobs' THEN
      EXECUTE format('ALTER VIEW %I.load_jobs ALTER COLUMN layer SET DEFAULT %L', NEW.layer, NEW.layer);
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.load_jobs TO PUBLIC', NEW.layer);
      EXECUTE format('COMMENT ON VIEW %I.load_jobs IS %L', NEW.layer,
        'The jobs of this layer: setup.load_jobs, where columns are explained. An INSERT fills in the layer.');
    ELSE
      EXECUTE format('GRANT SELECT ON %I.load_log TO PUBLIC', NEW.layer);
      EXECUTE format('COMMENT ON VIEW %I.load_log IS %L', NEW.layer,
        'The attempts of this layer''s jobs that have ended: setup.load_log, where columns are explained. phase is '
        'COPY for a file load, COMMAND otherwise, ERROR where it failed, SKIPPED where it did not start.');
    END IF;
    EXECUTE format('ALTER EXTENSION etl_orchestrator ADD VIEW %I.%I', NEW.layer, view_name);
  END LOOP;
  RETURN NULL;
END
$$;

CREATE FUNCTION setup.drop_layer_views() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  ours text;
BEGIN
  FOR ours IN
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'etl_orchestrator'
     WHERE n.nspname = OLD.layer AND c.relname IN ('load_jobs', 'load_log') AND c.relkind = 'v'
  LOOP
    EXECUTE format('ALTER EXTENSION etl_orchestrator DROP VIEW %s', ours);
    EXECUTE format('DROP VIEW %s', ours);
  END LOOP;
  RETURN NULL;
END
$$;

-- A layer concerns every pipeline of the database: it takes the right to create schemas in it, and objects in the
-- layer's schema. Runs with the rights of whoever writes.
CREATE FUNCTION setup.check_layer_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  name constant text := CASE WHEN TG_OP = 'DELETE' THEN OLD.layer ELSE NEW.layer END;
BEGIN
  IF NOT has_database_privilege(current_database(), 'CREATE') THEN
    RAISE insufficient_privilege USING
      MESSAGE = 'permission denied to change layers',
      HINT = format('It takes the right to create schemas: GRANT CREATE ON DATABASE %I TO %I;',
                    current_database(), current_user);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF name = 'setup' OR name = 'information_schema' OR name LIKE 'pg\_%' THEN
    RAISE reserved_name USING MESSAGE = format('schema "%s" cannot be a layer', name);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.layer <> OLD.layer THEN
    RAISE feature_not_supported USING MESSAGE = format('layer "%s" cannot be renamed', OLD.layer),
      HINT = 'Create a layer with the new name and move its jobs: UPDATE setup.load_jobs SET layer = ...';
  END IF;
  IF to_regnamespace(quote_ident(name)) IS NOT NULL
     AND NOT has_schema_privilege(name, 'CREATE') THEN
    RAISE insufficient_privilege USING MESSAGE = format('permission denied for schema "%s"', name);
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER check_layer_row BEFORE INSERT OR UPDATE OR DELETE ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.check_layer_row();
CREATE TRIGGER make_layer_views AFTER INSERT ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.make_layer_views();
CREATE TRIGGER drop_layer_views AFTER DELETE ON setup.layers
  FOR EACH ROW EXECUTE FUNCTION setup.drop_layer_views();

CREATE FUNCTION setup.create_layer(layer text, layer_position integer DEFAULT NULL, execution text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  new_position integer := layer_position;
  taken_by text;
BEGIN
  IF create_layer.layer IS NULL OR create_layer.layer = '' THEN
    RAISE null_value_not_allowed USING MESSAGE = 'a layer must have a name';
  END IF;
  IF create_layer.execution NOT IN ('parallel', 'sequence') THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('execution "%s" is not known', create_layer.execution),
      HINT = 'It is ''parallel'' or ''sequence''.';
  END IF;
  IF to_regnamespace(quote_ident(create_layer.layer)) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', create_layer.layer);
  END IF;
  SELECT l.layer INTO taken_by FROM setup.layers l
   WHERE l.position = layer_position AND l.layer <> create_layer.layer;
  IF FOUND THEN
    RAISE unique_violation USING
      MESSAGE = format('position %s is taken by layer "%s"', layer_position, taken_by),
      HINT = 'Positions order the layers; gaps and negative numbers are fine.';
  END IF;

  UPDATE setup.layers l
     SET position = coalesce(layer_position, l.position), execution = coalesce(create_layer.execution, l.execution)
   WHERE l.layer = create_layer.layer;
  IF FOUND THEN
    RETURN;
  END IF;
  IF new_position IS NULL THEN
    new_position := array_position(ARRAY['bronze', 'silver', 'gold'], create_layer.layer);
    IF new_position IS NULL OR EXISTS (SELECT FROM setup.layers l WHERE l.position = new_position) THEN
      SELECT greatest(max(l.position), 3) + 1 INTO new_position FROM setup.layers l;
    END IF;
  END IF;
  INSERT INTO setup.layers (layer, position, execution)
  VALUES (create_layer.layer, new_position, coalesce(create_layer.execution, 'parallel'));
END
$$;

CREATE FUNCTION setup.drop_layer(layer text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM setup.layers l WHERE l.layer = drop_layer.layer;
  IF NOT FOUND THEN
    RAISE undefined_object USING MESSAGE = format('layer "%s" does not exist', drop_layer.layer);
  END IF;
EXCEPTION WHEN foreign_key_violation THEN
  RAISE dependent_objects_still_exist USING
    MESSAGE = format('layer "%s" still has jobs', drop_layer.layer),
    HINT = format('Drop them first: DELETE FROM setup.load_jobs WHERE layer = %L;', drop_layer.layer);
END
$$;

