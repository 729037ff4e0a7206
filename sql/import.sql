-- Import of orchestration-config.json, the file in which bootstrap orchestrations name their jobs.

CREATE FUNCTION setup.import_orchestration_config(config jsonb)
  RETURNS TABLE (layer text, job_name text, command text, is_ready boolean)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  timeout_key constant text := 'max_glue_job_wait_minutes';
  key text;
  value jsonb;
  parts text[];
  job_timeout interval;
  entry record;
  new_command text;
  present record;
BEGIN
  PERFORM setup.require_writable('import_orchestration_config');
  PERFORM setup.require_given('config', config);
  IF jsonb_typeof(config) IS DISTINCT FROM 'object' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'an orchestration config must be an object',
      HINT = 'For example {"bronze_jobs": ["orders"], "gold_jobs_sequence": ["customers", "sales"]}.';
  END IF;
  IF config ? timeout_key THEN
    IF jsonb_typeof(config -> timeout_key) <> 'number' OR (config ->> timeout_key)::numeric NOT BETWEEN 0.001 AND 1e7 THEN
      RAISE invalid_parameter_value USING
        MESSAGE = format('"%s" must be a number of minutes', timeout_key),
        HINT = 'It is how long a job may take, such as 120; from 0.001 to 10000000.';
    END IF;
    job_timeout := (config ->> timeout_key)::double precision * interval '1 minute';
  END IF;

  FOR key, value IN SELECT e.key, e.value FROM jsonb_each(config) e ORDER BY e.key LOOP
    CONTINUE WHEN key = timeout_key;
    parts := regexp_match(key, '^(bronze|silver|gold)_jobs(_sequence)?$');
    IF parts IS NULL THEN
      IF key ~ 'crawler.*_wait_|wait.*crawler' THEN
        RAISE NOTICE '"%" has no meaning here: a run waits for its crawlers', key;
      ELSIF key ~ 'crawler' THEN
        RAISE NOTICE '"%" is not imported: crawlers need a location', key
          USING HINT = 'Create them with setup.create_crawler().';
      ELSE
        RAISE NOTICE '"%" is not known, and is left out', key;
      END IF;
      CONTINUE;
    END IF;
    IF jsonb_typeof(value) <> 'array' OR jsonb_path_exists(value, '$[*] ? (@.type() != "string" || @ == "")') THEN
      RAISE invalid_parameter_value USING
        MESSAGE = format('"%s" must be an array of job names', key),
        HINT = format('For example {"%s": ["customers", "sales"]}.', key);
    END IF;
    -- A layer that is there stays as it is, unless its jobs are to run in sequence.
    IF NOT EXISTS (SELECT FROM setup.layers l WHERE l.layer = parts[1]
                      AND (parts[2] IS NULL OR l.execution = 'sequence')) THEN
      PERFORM setup.create_layer(parts[1], execution => CASE WHEN parts[2] IS NOT NULL THEN 'sequence' END);
    END IF;
    FOR entry IN
      SELECT translate(n.name, '-', '_') AS name,
             CASE WHEN parts[2] IS NOT NULL THEN (n.place * 10)::integer END AS place
        FROM jsonb_array_elements_text(value) WITH ORDINALITY n(name, place)
       ORDER BY n.place
    LOOP
      new_command := format('CALL %I.%I()', parts[1], 'load_' || entry.name);
      SELECT j.file_path INTO present FROM setup.load_jobs j
       WHERE j.layer = parts[1] AND j.job_name = entry.name AND setup.may_act_as(j.owner_oid);
      IF NOT FOUND THEN  -- or it is somebody else's, which add_job refuses
        PERFORM setup.add_job(parts[1], entry.name, new_command, table_name => quote_ident(entry.name),
                              timeout => job_timeout, load_order => entry.place);
      ELSIF present.file_path IS NOT NULL THEN
        RAISE NOTICE 'job "%.%" loads a file, and is left alone', parts[1], entry.name
          USING HINT = format('To have it call a procedure, drop it first: SELECT setup.drop_job(%L, %L);',
                              parts[1], entry.name);
        CONTINUE;
      ELSE
        UPDATE setup.load_jobs j
           SET command = new_command, table_name = quote_ident(entry.name),
               timeout = coalesce(job_timeout, j.timeout), load_order = coalesce(entry.place, j.load_order)
         WHERE j.layer = parts[1] AND j.job_name = entry.name;
      END IF;
      layer := parts[1];
      job_name := entry.name;
      command := new_command;
      is_ready := EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                           WHERE n.nspname = parts[1] AND p.proname = 'load_' || entry.name AND p.prokind = 'p'
                             AND p.pronargs = 0);
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION setup.import_orchestration_config IS
  'Makes jobs, and layers where they are missing, from the content of an orchestration-config.json: bronze_jobs, '
  'silver_jobs, gold_jobs (in parallel) and the same with _sequence (one after the other). Job "a-b" of layer silver '
  'becomes silver.a_b, which runs CALL silver.load_a_b(); is_ready: that procedure is there. max_glue_job_wait_minutes '
  'is their timeout. Of a job that is there already only command and table_name change, and timeout and load_order '
  'where the file says them. Crawlers, unknown keys and jobs that load a file are notices. Raises '
  'invalid_parameter_value for what is not of this form, and what setup.add_job() and setup.create_layer() do.';
