-- Who sees and changes what. Policies test role oids: a name could belong to nobody, and an error in a policy would
-- lock everybody out.

GRANT SELECT ON setup.layers, setup.etl_config, setup.resources, setup.load_jobs, setup.job_holds, setup.load_runs,
  setup.run_steps, setup.load_log, setup.notifications TO PUBLIC;
-- Column by column, and no DELETE (setup.drop_job does it): whoever may UPDATE or DELETE a whole table may also lock it,
-- and so hold up everybody. Layers are written by setup.create_layer and setup.drop_layer only.
GRANT INSERT,
      UPDATE (layer, job_name, table_name, file_path, command, load_order, is_enabled, depends_on, owner, transaction,
              discovered_as, priority, max_concurrent, resources, timeout, statement_timeout, max_attempts,
              retry_delay, backoff_rate, max_retry_delay, retry_on, never_retry_on, shares_commit)
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

-- Why the current user cannot give a job to a role, in words that go on "role "x" ..."; null if it can.
CREATE FUNCTION setup.ownership_problem(owner oid) RETURNS text
  LANGUAGE c STABLE PARALLEL RESTRICTED STRICT
  AS 'MODULE_PATHNAME', 'etl_ownership_problem';

-- Whether the current user may become a role, and so may write its jobs.
CREATE FUNCTION setup.may_act_as(owner oid) RETURNS boolean
  LANGUAGE c STABLE PARALLEL RESTRICTED STRICT
  AS 'MODULE_PATHNAME', 'etl_may_act_as';

-- The name of the role that owns a job, also where row level security hides the job; null if there is no such job.
CREATE FUNCTION setup.job_owner(layer text, job_name text) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT j.owner FROM setup.load_jobs j WHERE j.layer = $1 AND j.job_name = $2 $$;

-- Raises an error for the first text that is not one of what retry_on and never_retry_on may list.
CREATE FUNCTION setup.require_retry_patterns(patterns text[]) RETURNS void
  LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT
  AS 'MODULE_PATHNAME', 'etl_require_retry_patterns';

-- What is wrong with a job's limits, timeouts or retries, in words that go on 'job "x": ...'; null if nothing is. The
-- constraints of the table say the same to whoever would not be told here.
CREATE FUNCTION setup.job_problem(job setup.load_jobs) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
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
  END
$$;

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
             AND d.command IS NOT DISTINCT FROM job.command AND d.file_path IS NOT DISTINCT FROM job.file_path);
END
$$;

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
      MESSAGE = format('job "%s.%s" belongs to role "%s"', OLD.layer, OLD.job_name, OLD.owner);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  PERFORM setup.qualified_table(NEW.layer, NEW.table_name);
  PERFORM setup.require_retry_patterns(NEW.retry_on || NEW.never_retry_on);
  problem := setup.job_problem(NEW);
  IF problem IS NOT NULL THEN
    RAISE check_violation USING MESSAGE = format('job "%s.%s": %s', NEW.layer, NEW.job_name, problem);
  END IF;

  -- The oid always follows from the name, never from the row that is written.
  IF TG_OP = 'UPDATE' AND NEW.owner = OLD.owner THEN
    NEW.owner_oid := OLD.owner_oid;
    IF NOT is_superuser THEN
      NEW.discovered_as := setup.confirmed_discovery(NEW);
    END IF;
    RETURN NEW;
  END IF;
  NEW.owner_oid := coalesce((SELECT oid FROM pg_roles WHERE rolname = NEW.owner), 0);
  problem := setup.ownership_problem(NEW.owner_oid);
  IF problem IS NULL THEN
    IF NOT is_superuser THEN
      NEW.discovered_as := setup.confirmed_discovery(NEW);
    END IF;
    RETURN NEW;
  END IF;
  IF is_superuser THEN  -- a restore brings all its rows, also those whose owner is not there
    RAISE WARNING USING
      MESSAGE = format('job "%s.%s": role "%s" %s', NEW.layer, NEW.job_name, NEW.owner, problem),
      HINT = 'The job cannot run before it has another owner.';
    RETURN NEW;
  END IF;
  RAISE insufficient_privilege USING
    MESSAGE = format('job "%s.%s": role "%s" %s', NEW.layer, NEW.job_name, NEW.owner, problem),
    HINT = 'A job belongs to the current user, or to a role that the current user is a member of.';
END
$$;

CREATE TRIGGER check_job_row BEFORE INSERT OR UPDATE OR DELETE ON setup.load_jobs
  FOR EACH ROW EXECUTE FUNCTION setup.check_job_row();

