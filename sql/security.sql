-- Who sees and changes what. Policies test role oids: a name could belong to nobody, and an error in a policy would
-- lock everybody out.

GRANT SELECT ON setup.layers, setup.etl_config, setup.resources, setup.load_jobs, setup.job_holds, setup.load_runs,
  setup.run_steps, setup.load_log, setup.notifications TO PUBLIC;
-- Column by column, and no DELETE (setup.drop_job does it): whoever may UPDATE or DELETE a whole table may also lock it,
-- and so hold up everybody. Layers are written by setup.create_layer and setup.drop_layer only.
GRANT INSERT,
      UPDATE (layer, job_name, table_name, file_path, command, load_order, is_enabled, depends_on, owner, transaction,
              discovered_as, priority, max_concurrent, resources, timeout, statement_timeout, max_attempts,
              retry_delay, backoff_rate, max_retry_delay, retry_on, never_retry_on, shares_commit, location, load_mode,
              key_columns, skip_unchanged, reader_options, on_bad_row, reject_limit, reject_share, rescue_column,
              provenance, crawler)
  ON setup.load_jobs TO PUBLIC;

ALTER TABLE setup.load_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.job_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.job_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.run_cancellations ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.load_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.run_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.load_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY members_of_owner ON setup.load_jobs USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.job_holds FOR SELECT USING (EXISTS (  -- of a job that the user sees
  SELECT FROM setup.load_jobs j WHERE j.layer = job_holds.layer AND j.job_name = job_holds.job_name));
CREATE POLICY members_of_owner ON setup.notifications FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.load_runs FOR SELECT USING (pg_catalog.pg_has_role(started_by_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.run_steps FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.load_log FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));

CREATE FUNCTION setup.ownership_problem(owner oid) RETURNS text
  LANGUAGE c STABLE PARALLEL RESTRICTED STRICT
  AS 'MODULE_PATHNAME', 'etl_ownership_problem';
COMMENT ON FUNCTION setup.ownership_problem IS
  'Why the current user cannot give a job to a role, in words that follow "role x"; null if it can.';

CREATE FUNCTION setup.may_act_as(owner oid) RETURNS boolean
  LANGUAGE c STABLE PARALLEL RESTRICTED STRICT
  AS 'MODULE_PATHNAME', 'etl_may_act_as';
COMMENT ON FUNCTION setup.may_act_as IS
  'Whether the current user may write the jobs of a role: it is that role, may become it, or is a superuser.';

CREATE FUNCTION setup.job_owner(layer text, job_name text) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT j.owner FROM setup.load_jobs j WHERE j.layer = $1 AND j.job_name = $2 $$;
COMMENT ON FUNCTION setup.job_owner IS 'The owner of a job, whoever asks; null if there is no such job.';

CREATE FUNCTION setup.require_retry_patterns(patterns text[]) RETURNS void
  LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT
  AS 'MODULE_PATHNAME', 'etl_require_retry_patterns';
COMMENT ON FUNCTION setup.require_retry_patterns IS
  'Raises invalid_parameter_value for the first text that retry_on and never_retry_on may not list.';

CREATE FUNCTION setup.require_reader_options(options jsonb) RETURNS void
  LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT
  AS 'MODULE_PATHNAME', 'etl_require_reader_options';
COMMENT ON FUNCTION setup.require_reader_options IS
  'Raises invalid_parameter_value for reader_options with a key or value that is not known.';

CREATE FUNCTION setup.file_problem(job setup.load_jobs) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
    WHEN job.location = '' THEN 'location must be the name of a location'
    WHEN job.location IS NOT NULL AND job.file_path IS NULL
      THEN 'location says where a file is: give file_path, too'
    WHEN job.location IS NULL AND (job.load_mode <> 'replace' OR job.skip_unchanged OR job.reader_options <> '{}'
                                   OR job.on_bad_row <> 'fail' OR job.rescue_column IS NOT NULL OR job.provenance)
      THEN 'load_mode, skip_unchanged, reader_options, on_bad_row, rescue_column and provenance are for files in a '
           'location'
    WHEN job.location IS NOT NULL AND (job.file_path LIKE '/%' OR '..' = ANY (string_to_array(job.file_path, '/')))
      THEN 'file_path must lead from its location downwards, without a slash at its begin and without ".."'
    WHEN job.load_mode NOT IN ('replace', 'append', 'upsert') THEN 'load_mode must be replace, append or upsert'
    WHEN job.load_mode = 'upsert' AND coalesce(cardinality(job.key_columns), 0) = 0
      THEN 'load_mode upsert takes key_columns, by which a row is known'
    WHEN job.load_mode <> 'upsert' AND job.key_columns IS NOT NULL THEN 'key_columns are for load_mode upsert'
    WHEN array_position(job.key_columns, NULL) IS NOT NULL OR array_position(job.key_columns, '') IS NOT NULL
         OR array_ndims(job.key_columns) > 1 OR cardinality(job.key_columns) > 32
      THEN 'key_columns must be a list of up to 32 names'
    WHEN job.skip_unchanged AND job.load_mode <> 'replace'
      THEN 'skip_unchanged is for load_mode replace: the others load each file once'
    WHEN jsonb_typeof(job.reader_options) <> 'object' THEN 'reader_options must be an object, such as {"delimiter": ";"}'
    WHEN job.on_bad_row NOT IN ('fail', 'reject') THEN 'on_bad_row must be fail or reject'
    WHEN job.on_bad_row = 'fail' AND num_nonnulls(job.reject_limit, job.reject_share) > 0
      THEN 'reject_limit and reject_share are for on_bad_row reject'
    WHEN job.reject_limit < 0 THEN 'reject_limit must not be negative'
    WHEN job.reject_share NOT BETWEEN 0 AND 1 THEN 'reject_share must be between 0 and 1'
    WHEN job.rescue_column = '' OR octet_length(job.rescue_column) > 63 THEN 'rescue_column must be the name of a column'
  END
$$;
COMMENT ON FUNCTION setup.file_problem IS
  'What is wrong with what a job says of files, in words that follow "job x:"; null if nothing is.';

-- The constraints of the table say the same to whoever would not be told here.
CREATE FUNCTION setup.job_problem(job setup.load_jobs) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
    WHEN octet_length(job.job_name) NOT BETWEEN 1 AND 200 OR job.job_name ~ '[[:cntrl:]]'
      THEN 'its name must have 1 to 200 bytes, and no control character'
    WHEN num_nonnulls(job.command, job.file_path) <> 1 THEN 'it must have either a command or a file_path'
    WHEN job.file_path IS NOT NULL AND job.table_name IS NULL
      THEN 'file_path takes table_name, the table that the file is loaded into'
    WHEN job.transaction NOT IN ('single', 'each') OR job.transaction = 'each' AND job.file_path IS NOT NULL
      THEN 'transaction must be single, or for a command each'
    WHEN job.table_name = '' OR octet_length(job.table_name) > 300 THEN 'table_name must have 1 to 300 bytes'
    WHEN job.file_path = '' OR octet_length(job.file_path) > 4095 THEN 'file_path must have 1 to 4095 bytes'
    WHEN btrim(job.command) = '' THEN 'command must be SQL'
    WHEN octet_length(job.command) > 1048576 THEN 'command must have up to 1048576 bytes: put what it does into a procedure'
    WHEN array_position(job.depends_on, NULL) IS NOT NULL OR cardinality(job.depends_on) > 10000
      THEN 'depends_on must be a list of up to 10000 jobs, none of them null'
    WHEN job.max_concurrent < 1 THEN 'max_concurrent must be at least 1'
    WHEN job.max_attempts < 1 THEN 'max_attempts must be at least 1'
    WHEN NOT (isfinite(coalesce(job.timeout, '0')) AND isfinite(coalesce(job.statement_timeout, '0'))
              AND isfinite(coalesce(job.retry_delay, '0')) AND isfinite(coalesce(job.max_retry_delay, '0')))
      THEN 'timeouts and delays must be finite'
    WHEN job.timeout <= '0' THEN 'timeout must be longer than 0'
    WHEN job.statement_timeout <= '0' THEN 'statement_timeout must be longer than 0'
    WHEN job.retry_delay < '0' THEN 'retry_delay must not be negative'
    WHEN job.max_retry_delay < '0' THEN 'max_retry_delay must not be negative'
    WHEN job.backoff_rate NOT BETWEEN 1 AND 1000 THEN 'backoff_rate must be between 1 and 1000'
    WHEN jsonb_typeof(job.resources) <> 'object' OR jsonb_path_exists(job.resources,
           '$.* ? (@.type() != "number" || @ < 1 || @ > 1000000 || @ != @.floor())')
      THEN 'resources must be an object of whole numbers from 1 on, such as {"warehouse_io": 2}'
    ELSE setup.file_problem(job)
  END
$$;
COMMENT ON FUNCTION setup.job_problem IS
  'What is wrong with a job''s name, limits, timeouts or retries, in words that follow "job x:"; null if nothing is.';

-- The kind of object that a job was discovered from, if that is true; null if it is somebody's word.
CREATE FUNCTION setup.confirmed_discovery(job setup.load_jobs) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF job.discovered_as IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT d.discovered_as FROM setup.discoverable_jobs(job.layer) d
           WHERE d.job_name = job.job_name AND d.discovered_as = job.discovered_as AND d.owner_oid = job.owner_oid
             AND d.command IS NOT DISTINCT FROM job.command AND d.file_path IS NOT DISTINCT FROM job.file_path
             AND d.location IS NOT DISTINCT FROM job.location);
END
$$;
COMMENT ON FUNCTION setup.confirmed_discovery IS
  'discovered_as of a job, if such an object of the job''s owner is there; otherwise null.';

-- Runs with the rights of whoever writes, so that current_user is the one to be checked.
CREATE FUNCTION setup.check_job_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  is_superuser constant boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
  problem text;
BEGIN
  IF TG_OP <> 'INSERT' AND NOT setup.may_act_as(OLD.owner_oid) THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('job "%s.%s" belongs to role "%s"', OLD.layer, OLD.job_name, OLD.owner),
      HINT = 'It takes that role itself, a member of it, or a superuser.';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  PERFORM setup.qualified_table(NEW.layer, NEW.table_name);
  PERFORM setup.require_retry_patterns(NEW.retry_on || NEW.never_retry_on);
  problem := setup.job_problem(NEW);
  IF problem IS NOT NULL THEN
    RAISE check_violation USING
      MESSAGE = format('job "%s.%s": %s', NEW.layer, NEW.job_name, problem),
      HINT = 'What a job can be told is explained by \d+ setup.load_jobs.';
  END IF;
  PERFORM setup.require_reader_options(NEW.reader_options);
  IF NEW.location IS NOT NULL AND setup.location_owner(NEW.location) IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('job "%s.%s": location "%s" does not exist', NEW.layer, NEW.job_name, NEW.location),
      HINT = format('Create it with SELECT setup.create_location(%L, ''file:///directory'').', NEW.location);
  END IF;

  -- The oid always follows from the name, never from the row that is written.
  problem := NULL;
  IF TG_OP = 'UPDATE' AND NEW.owner = OLD.owner THEN
    NEW.owner_oid := OLD.owner_oid;
  ELSE
    NEW.owner_oid := setup.role_oid(NEW.owner);
    problem := setup.ownership_problem(NEW.owner_oid);
  END IF;
  IF is_superuser THEN  -- a restore brings all its rows, also those whose owner is not there
    IF problem IS NOT NULL THEN
      RAISE WARNING USING
        MESSAGE = format('job "%s.%s": role "%s" %s', NEW.layer, NEW.job_name, NEW.owner, problem),
        HINT = 'The job cannot run before it has another owner.';
    END IF;
    RETURN NEW;
  END IF;
  IF problem IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('job "%s.%s": role "%s" %s', NEW.layer, NEW.job_name, NEW.owner, problem),
      HINT = 'A job belongs to the current user, or to a role that the current user is a member of.';
  END IF;
  -- Not each time: whoever has lost the right to a location may still change or disable a job that names it.
  IF TG_OP = 'INSERT' OR (NEW.location, NEW.owner_oid) IS DISTINCT FROM (OLD.location, OLD.owner_oid) THEN
    PERFORM setup.require_location_use(NEW.location, NEW.owner_oid);
  END IF;
  NEW.discovered_as := setup.confirmed_discovery(NEW);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_job_row IS 'Trigger: who may write a job, and whose it may be.';

CREATE TRIGGER check_job_row BEFORE INSERT OR UPDATE OR DELETE ON setup.load_jobs
  FOR EACH ROW EXECUTE FUNCTION setup.check_job_row();
