-- Schedules, kept and fired by pg_cron. They run as whoever called setup.schedule().

-- The time zone of schedules if pg_cron is in this database, else an error that says what to do. Has the rights of the
-- extension's owner: only a superuser may read pg_cron's settings.
CREATE FUNCTION setup.require_pg_cron() RETURNS text
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  home constant text := current_setting('cron.database_name', true);
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
    RETURN coalesce(nullif(current_setting('cron.timezone', true), ''), 'GMT');
  END IF;
  IF home IS NULL THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = 'schedules need pg_cron, which the server has not loaded',
      HINT = format(E'Install pg_cron (Debian: postgresql-%s-cron), put these lines into postgresql.conf and restart:\n'
                    '  shared_preload_libraries = ''pg_cron,etl_orchestrator''\n  cron.database_name = ''%s''\n'
                    'Then, in this database: CREATE EXTENSION pg_cron;',
                    current_setting('server_version_num')::integer / 10000, current_database());
  ELSIF home <> current_database() THEN
    RAISE object_not_in_prerequisite_state USING
      MESSAGE = format('schedules need pg_cron, which lives in database "%s", not in "%s"', home, current_database()),
      HINT = format(E'Either set cron.database_name = ''%1$s'' in postgresql.conf, restart and CREATE EXTENSION pg_cron '
                    'here, or schedule the call from there:\n  \\c %2$s\n  SELECT cron.schedule_in_database(''nightly'', '
                    '''0 2 * * *'', ''CALL setup.orchestrate_all(if_running => ''''skip'''')'', ''%1$s'');', current_database(), home);
  END IF;
  RAISE object_not_in_prerequisite_state USING
    MESSAGE = 'schedules need pg_cron, which is not created in this database',
    HINT = 'Run, as a superuser: CREATE EXTENSION pg_cron;';
END
$$;
COMMENT ON FUNCTION setup.require_pg_cron IS
  'Time zone that schedules count in, never null. Raises object_not_in_prerequisite_state, with a hint what to do, where '
  'pg_cron is not in this database.';

-- With the rights of the caller: require_pg_cron() would ask for somebody else's.
CREATE FUNCTION setup.require_use_of_pg_cron() RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  zone constant text := setup.require_pg_cron();
BEGIN
  IF NOT has_schema_privilege('cron', 'USAGE') THEN
    RAISE insufficient_privilege USING
      MESSAGE = 'permission denied for schedules, which pg_cron keeps in schema "cron"',
      HINT = format('A superuser can give it: GRANT USAGE ON SCHEMA cron TO %I;', current_user);
  END IF;
  RETURN zone;
END
$$;
COMMENT ON FUNCTION setup.require_use_of_pg_cron IS
  'As setup.require_pg_cron(). Raises insufficient_privilege where the caller may not use pg_cron.';

CREATE FUNCTION setup.schedule(
  schedule_name text, schedule text, command text DEFAULT 'CALL setup.orchestrate_all(if_running => ''skip'')'
) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  zone text;
  cron_id bigint;
BEGIN
  PERFORM setup.require_writable('schedule');
  PERFORM setup.require_given('schedule_name', schedule_name), setup.require_given('schedule', schedule),
    setup.require_given('command', command);
  zone := setup.require_use_of_pg_cron();
  cron_id := cron.schedule(schedule_name, schedule, command);
  RAISE NOTICE 'schedule "%" counts in time zone %', schedule_name, zone;
  RETURN cron_id;
END
$$;
COMMENT ON FUNCTION setup.schedule IS
  'Has pg_cron run a command (default: the whole pipeline, unless it is running) as the caller, at times in cron''s '
  'notation; the same name again replaces the schedule. Returns the id in cron.job. Raises '
  'object_not_in_prerequisite_state where pg_cron is not in this database, insufficient_privilege where the caller has no '
  'USAGE on its schema cron.';

CREATE FUNCTION setup.unschedule(schedule_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM setup.require_writable('unschedule');
  PERFORM setup.require_given('schedule_name', schedule_name);
  PERFORM setup.require_use_of_pg_cron();
  IF NOT EXISTS (SELECT FROM cron.job j
                  WHERE j.jobname = schedule_name AND pg_has_role(j.username::name, 'MEMBER')) THEN
    RAISE undefined_object USING
      MESSAGE = format('schedule "%s" does not exist', schedule_name),
      HINT = 'SELECT jobname, schedule, command FROM cron.job; lists your schedules.';
  END IF;
  PERFORM cron.unschedule(schedule_name);
END
$$;
COMMENT ON FUNCTION setup.unschedule IS
  'Removes a schedule. Raises undefined_object where the caller has none of that name.';
