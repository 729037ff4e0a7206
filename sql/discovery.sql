-- Discovery of jobs by convention.
--
-- A job belongs to the owner of what it was discovered from, never to whoever discovers. What a user has set by hand
-- (is_enabled, load_order, depends_on, transaction) stays.

-- Objects of a layer from which a job follows, one row each. Columns of setup.load_jobs; `label` names the object
-- in messages.
CREATE FUNCTION setup.discoverable_jobs(layer text)
  RETURNS TABLE (job_name text, table_name text, file_path text, command text, discovered_as text, owner_oid oid,
                 label text, location text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  WITH objects AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relispartition
      FROM pg_class c
     WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1)
       AND c.relkind IN ('r', 'p', 'm')
       AND c.relname NOT IN ('load_jobs', 'load_log') AND c.relname NOT LIKE '%\_rejects'
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  )
  SELECT o.relname::text, quote_ident(o.relname),
         CASE WHEN source.is_location  -- there it is a pattern, in which some characters stand for others
              THEN regexp_replace(substr(o.relname, length(source.name) + 2), '([][*?\\])', '\\\1', 'g')
              ELSE '{' || source.config_key || '}/' || substr(o.relname, length(source.name) + 2) END || '.*',
         NULL, 'table', o.relowner, format('table "%s.%s"', $1, o.relname),
         CASE WHEN source.is_location THEN source.config_value END
    FROM objects o
    LEFT JOIN LATERAL (
      SELECT n.name, k.config_key, k.config_value, k.config_key LIKE 'location\_%' AS is_location
        FROM setup.etl_config k
        CROSS JOIN LATERAL regexp_replace(k.config_key, '^(base_path|location)_', '') AS n(name)
       WHERE (k.config_key LIKE 'base\_path\__%' OR k.config_key LIKE 'location\__%')
         AND starts_with(o.relname, n.name || '_') AND length(o.relname) > length(n.name) + 1
       ORDER BY length(n.name) DESC, k.config_key DESC LIMIT 1
    ) source ON true
   WHERE $1 = 'bronze' AND o.relkind IN ('r', 'p') AND NOT o.relispartition
  UNION ALL
  SELECT substr(p.proname, length('load_') + 1), quote_ident(substr(p.proname, length('load_') + 1)), NULL,
         format('CALL %I.%I()', $1, p.proname), 'procedure', p.proowner, format('procedure "%s.%s"', $1, p.proname),
         NULL
    FROM pg_proc p
   WHERE $1 <> 'bronze' AND p.prokind = 'p' AND p.proname LIKE 'load\__%'
     AND p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND p.pronargs = 0
     AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL
  SELECT o.relname::text, quote_ident(o.relname), NULL, format('REFRESH MATERIALIZED VIEW %I.%I', $1, o.relname),
         'materialized view', o.relowner, format('materialized view "%s.%s"', $1, o.relname), NULL
    FROM objects o
   WHERE $1 <> 'bronze' AND o.relkind = 'm'
   ORDER BY 1
$$;
COMMENT ON FUNCTION setup.discoverable_jobs IS
  'What setup.seed_load_jobs() finds in a layer: one row for each object. file_path is null for a table whose name no '
  'base_path_{source} or location_{source} of setup.etl_config fits.';

CREATE FUNCTION setup.data_set_files(file_path text) RETURNS text[]
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_data_set_files';
COMMENT ON FUNCTION setup.data_set_files IS
  'The files that the path {key}/name.* of a discovered job means now. Null where the caller may not read files of the '
  'server, for other paths, and where setup.etl_config has no such key.';

CREATE PROCEDURE setup.seed_load_jobs(layer text DEFAULT NULL)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
  AS $$
#variable_conflict use_column
DECLARE
  each_layer text;
  candidate record;
  present record;
  files text[];
  problem text;
  help text;
  total integer;
  fresh integer;
BEGIN
  PERFORM setup.require_writable('seed_load_jobs');
  IF seed_load_jobs.layer IS NOT NULL THEN
    PERFORM setup.require_layer(seed_load_jobs.layer);
  END IF;

  FOR each_layer IN
    SELECT l.layer FROM setup.layers l WHERE l.layer = coalesce(seed_load_jobs.layer, l.layer) ORDER BY l.position
  LOOP
    total := 0;
    fresh := 0;
    FOR candidate IN SELECT d.*, pg_get_userbyid(d.owner_oid)::text AS owner FROM setup.discoverable_jobs(each_layer) d LOOP
      IF candidate.discovered_as = 'table' AND candidate.file_path IS NULL THEN
        CONTINUE WHEN EXISTS (SELECT FROM setup.load_jobs j WHERE j.layer = each_layer AND setup.qualified_table(
          j.layer, j.table_name) = setup.qualified_table(each_layer, candidate.table_name));
        RAISE NOTICE '% gets no job: no base path fits its name', candidate.label
          USING HINT = 'A table "bronze.{source}_{dataset}" is loaded from the directory in setup.etl_config key '
                       '"base_path_{source}", or from the location that key "location_{source}" names.';
        CONTINUE;
      END IF;
      IF candidate.location IS NOT NULL AND setup.location_owner(candidate.location) IS NULL THEN
        RAISE NOTICE '% gets no job: location "%" does not exist', candidate.label, candidate.location
          USING HINT = format('Create it with SELECT setup.create_location(%L, ''file:///directory''), or correct '
                              'setup.etl_config.', candidate.location);
        CONTINUE;
      END IF;
      files := setup.data_set_files(candidate.file_path);
      IF cardinality(files) > 1 THEN
        RAISE NOTICE '% gets no job: several files fit its name: "%" and "%"', candidate.label, files[1], files[2]
          USING HINT = 'Leave one of them there, or add the job by hand with setup.add_job().';
        CONTINUE;
      END IF;
      problem := setup.ownership_problem(candidate.owner_oid);
      IF problem IS NOT NULL THEN
        RAISE NOTICE '% gets no job: its owner "%" %', candidate.label, candidate.owner, problem;
        CONTINUE;
      END IF;
      BEGIN
        PERFORM setup.require_location_use(candidate.location, candidate.owner_oid);
      EXCEPTION WHEN insufficient_privilege THEN
        GET STACKED DIAGNOSTICS help = PG_EXCEPTION_HINT;
        RAISE NOTICE '% gets no job: %', candidate.label, SQLERRM USING HINT = help;
        CONTINUE;
      END;
      IF setup.job_owner(each_layer, candidate.job_name) IS NOT NULL THEN
        SELECT j.discovered_as, j.owner_oid INTO present FROM setup.load_jobs j
         WHERE j.layer = each_layer AND j.job_name = candidate.job_name AND setup.may_act_as(j.owner_oid);
        -- A job follows its object to another owner. It never goes to another kind of object: that would let anybody
        -- take it over who may create one of the right name.
        IF NOT FOUND OR present.discovered_as IS DISTINCT FROM candidate.discovered_as THEN
          RAISE NOTICE '% gets no job: job "%.%" exists already, and was not discovered from it', candidate.label,
            each_layer, candidate.job_name;
          CONTINUE;
        END IF;
        IF present.owner_oid <> candidate.owner_oid THEN  -- what was set by hand was set for somebody else's job
          UPDATE setup.load_jobs j
             SET owner = candidate.owner, is_enabled = DEFAULT, load_order = DEFAULT, depends_on = DEFAULT,
                 transaction = DEFAULT
           WHERE j.layer = each_layer AND j.job_name = candidate.job_name;
        END IF;
        UPDATE setup.load_jobs j
           SET table_name = candidate.table_name, file_path = candidate.file_path, command = candidate.command,
               discovered_as = candidate.discovered_as, owner = candidate.owner, location = candidate.location
         WHERE j.layer = each_layer AND j.job_name = candidate.job_name
           AND (j.table_name, j.file_path, j.command, j.discovered_as, j.owner, j.location) IS DISTINCT FROM
               (candidate.table_name, candidate.file_path, candidate.command, candidate.discovered_as, candidate.owner,
                candidate.location);
      ELSE
        INSERT INTO setup.load_jobs (layer, job_name, table_name, file_path, command, discovered_as, owner, location)
        VALUES (each_layer, candidate.job_name, candidate.table_name, candidate.file_path, candidate.command,
                candidate.discovered_as, candidate.owner, candidate.location);
        fresh := fresh + 1;
      END IF;
      total := total + 1;
    END LOOP;
    RAISE NOTICE '%: % found, % new', each_layer, CASE total WHEN 1 THEN '1 job' ELSE total || ' jobs' END, fresh;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE setup.seed_load_jobs IS
  'Discovers the jobs of a layer, or of all: bronze.{source}_{dataset} is loaded from '
  '{base_path_{source}}/{dataset}.*, or from {dataset}.* of the location that key location_{source} of '
  'setup.etl_config names; {dataset}.* is a file of any known type (csv, csv.gz, json, json.gz, ndjson, ndjson.gz, '
  'parquet; with two of them there is no job). In other layers a procedure load_{table}() writes {table}, and a '
  'materialized view is refreshed. A job belongs to the owner of its object. What was set by hand on a job stays.';
