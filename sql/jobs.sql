-- Adding, replacing and dropping jobs. Adding runs with the caller's rights: row level security and the trigger on
-- setup.load_jobs decide.

CREATE FUNCTION setup.write_job(job text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_write_job';
COMMENT ON FUNCTION setup.write_job IS
  'Writes a row of setup.load_jobs, given as text, with the rights of the caller. Its errors are those of the row.';

CREATE FUNCTION setup.add_job(
  layer text,
  job_name text,
  command text DEFAULT NULL,
  table_name text DEFAULT NULL,
  file_path text DEFAULT NULL,
  depends_on text[] DEFAULT NULL,
  load_order integer DEFAULT NULL,
  transaction text DEFAULT 'single',
  is_enabled boolean DEFAULT true,
  owner text DEFAULT NULL,
  priority integer DEFAULT 0,
  max_concurrent integer DEFAULT 1,
  resources jsonb DEFAULT '{}',
  timeout interval DEFAULT NULL,
  statement_timeout interval DEFAULT NULL,
  max_attempts integer DEFAULT NULL,
  retry_delay interval DEFAULT NULL,
  backoff_rate double precision DEFAULT NULL,
  max_retry_delay interval DEFAULT NULL,
  retry_on text[] DEFAULT NULL,
  never_retry_on text[] DEFAULT NULL,
  shares_commit boolean DEFAULT true,
  location text DEFAULT NULL,
  load_mode text DEFAULT 'replace',
  key_columns text[] DEFAULT NULL,
  skip_unchanged boolean DEFAULT false,
  reader_options jsonb DEFAULT '{}',
  on_bad_row text DEFAULT 'fail',
  reject_limit bigint DEFAULT NULL,
  reject_share double precision DEFAULT NULL,
  rescue_column text DEFAULT NULL,
  provenance boolean DEFAULT false,
  crawler text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  new_owner constant text := coalesce(add_job.owner, current_user::text);
  present_owner constant text := setup.job_owner(add_job.layer, add_job.job_name);
  problem text;
  job setup.load_jobs;
BEGIN
  PERFORM setup.require_writable('add_job');
  PERFORM setup.require_layer(add_job.layer);
  PERFORM setup.require_given('job_name', add_job.job_name);
  IF num_nonnulls(add_job.command, add_job.file_path) <> 1 THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('job "%s.%s" must have either a command or a file', add_job.layer, add_job.job_name),
      HINT = 'Give command => ''CALL ...'' to run SQL, or file_path and table_name to load a file.';
  END IF;
  IF add_job.file_path IS NOT NULL AND add_job.table_name IS NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('job "%s.%s" loads a file but names no table', add_job.layer, add_job.job_name),
      HINT = 'Give table_name, the table that the file is loaded into.';
  END IF;
  IF add_job.transaction IS NULL OR add_job.transaction NOT IN ('single', 'each')
     OR add_job.transaction = 'each' AND add_job.file_path IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('transaction "%s" is not possible for job "%s.%s"', add_job.transaction, add_job.layer,
                       add_job.job_name),
      HINT = 'It is ''single'' (all or nothing), or for a command ''each'' (each statement commits).';
  END IF;
  IF present_owner IS NOT NULL AND NOT EXISTS (SELECT FROM setup.load_jobs j
       WHERE j.layer = add_job.layer AND j.job_name = add_job.job_name AND setup.may_act_as(j.owner_oid)) THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('job "%s.%s" belongs to role "%s"', add_job.layer, add_job.job_name, present_owner),
      HINT = 'Choose another name for the job.';
  END IF;
  problem := setup.ownership_problem(setup.role_oid(new_owner));
  IF problem IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('role "%s" %s', new_owner, problem),
      HINT = 'Give the job to a role that may log in and that you are a member of: owner => ''role''.';
  END IF;

  job.layer := add_job.layer;
  job.job_name := add_job.job_name;
  job.command := add_job.command;
  job.table_name := add_job.table_name;
  job.file_path := add_job.file_path;
  job.depends_on := coalesce(add_job.depends_on, '{}');
  job.load_order := coalesce(add_job.load_order, 100);
  job.transaction := add_job.transaction;
  job.is_enabled := coalesce(add_job.is_enabled, true);
  job.owner := new_owner;
  job.priority := coalesce(add_job.priority, 0);
  job.max_concurrent := coalesce(add_job.max_concurrent, 1);
  job.resources := coalesce(add_job.resources, '{}');
  job.timeout := add_job.timeout;
  job.statement_timeout := add_job.statement_timeout;
  job.max_attempts := add_job.max_attempts;
  job.retry_delay := add_job.retry_delay;
  job.backoff_rate := add_job.backoff_rate;
  job.max_retry_delay := add_job.max_retry_delay;
  job.retry_on := add_job.retry_on;
  job.never_retry_on := add_job.never_retry_on;
  job.shares_commit := coalesce(add_job.shares_commit, true);
  job.location := add_job.location;
  job.load_mode := coalesce(add_job.load_mode, 'replace');
  job.key_columns := add_job.key_columns;
  job.skip_unchanged := coalesce(add_job.skip_unchanged, false);
  job.reader_options := coalesce(add_job.reader_options, '{}');
  job.on_bad_row := coalesce(add_job.on_bad_row, 'fail');
  job.reject_limit := add_job.reject_limit;
  job.reject_share := add_job.reject_share;
  job.rescue_column := add_job.rescue_column;
  job.provenance := coalesce(add_job.provenance, false);
  job.crawler := add_job.crawler;
  job.owner_oid := 0;

  PERFORM setup.write_job(job::text);
END
$$;
COMMENT ON FUNCTION setup.add_job IS
  'Creates a job, or replaces the caller''s own job of that name. Either command (SQL) or file_path (with table_name, '
  'and with location unless it is an absolute path or {key}/name). depends_on: job of the same layer, or layer.job of '
  'an earlier one. transaction: single or each. owner: the caller, or a role that it is a member of. The others are '
  'explained at the columns of setup.load_jobs. Raises undefined_object for an unknown layer, insufficient_privilege '
  'where the job or the owner is somebody else''s.';

CREATE FUNCTION setup.drop_job(layer text, job_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_job';
COMMENT ON FUNCTION setup.drop_job IS
  'Drops a job. Raises undefined_object where there is none, insufficient_privilege where it is somebody else''s.';

CREATE FUNCTION setup.drop_job_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM setup.drop_job(OLD.layer, OLD.job_name);
  RETURN OLD;
END
$$;
COMMENT ON FUNCTION setup.drop_job_row IS 'Trigger: DELETE on a layer''s view load_jobs drops the job.';

CREATE FUNCTION setup.param(name text) RETURNS text
  LANGUAGE c STABLE PARALLEL RESTRICTED STRICT
  AS 'MODULE_PATHNAME', 'etl_param';
COMMENT ON FUNCTION setup.param IS
  'Inside a job: the value of a parameter of the run as text, null if it has none of that name. Outside a job: null.';

-- Holding jobs back, and letting them go again.

CREATE FUNCTION setup.pause_job(layer text, job_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_pause_job';
COMMENT ON FUNCTION setup.pause_job IS
  'Keeps a job from starting, in all runs, until setup.release_job(); what depends on it waits. When it is running '
  'already, that goes on. Raises undefined_object where there is no such job, insufficient_privilege where it is '
  'somebody else''s.';

CREATE FUNCTION setup.release_job(layer text, job_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_release_job';
COMMENT ON FUNCTION setup.release_job IS
  'Lets a job start again that is paused or quarantined, and forgets its crashes. Raises what setup.pause_job() does.';

-- Resources: what jobs share. Written by those who may create layers.

CREATE FUNCTION setup.create_resource(resource text, capacity integer) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_create_resource';
COMMENT ON FUNCTION setup.create_resource IS
  'Makes a resource that jobs can take units of, or changes its capacity; what waits for it may start. Raises '
  'insufficient_privilege without CREATE on the database.';

CREATE FUNCTION setup.drop_resource(resource text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_resource';
COMMENT ON FUNCTION setup.drop_resource IS
  'Drops a resource. Raises undefined_object where there is none. Jobs that take units of it cannot run any more.';
