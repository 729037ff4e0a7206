-- What does the work of tasks: functions that are registered for their resources. The engine finds and calls them.

CREATE TABLE setup.task_handlers (
  resource      text NOT NULL
                CHECK (resource <> '' AND octet_length(resource) <= 600 AND resource !~ '[[:cntrl:]]'),
  function      text NOT NULL,
  owner         text NOT NULL DEFAULT current_user,
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  is_shipped    boolean NOT NULL DEFAULT false,
  owner_oid     oid NOT NULL DEFAULT 0,
  function_oid  oid NOT NULL DEFAULT 0,
  pattern       text NOT NULL GENERATED ALWAYS AS
                (replace(replace(replace(replace(resource, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')) STORED,
  PRIMARY KEY (resource, owner, is_shipped)
);
COMMENT ON TABLE setup.task_handlers IS
  'Functions that do the work of tasks. A machine finds those of its owner, then those of superusers and those that come '
  'with the extension, where its owner may execute them. Written by setup.register_task_handler() and '
  'setup.unregister_task_handler().';
COMMENT ON COLUMN setup.task_handlers.resource IS
  'Name of a function in definitions (the NAME of arn:aws:lambda:...:function:NAME), or a whole resource; * stands for '
  'any characters.';
COMMENT ON COLUMN setup.task_handlers.function IS 'SQL function, with its schema; it takes a jsonb and returns one.';
COMMENT ON COLUMN setup.task_handlers.owner IS 'Role that registered it.';
COMMENT ON COLUMN setup.task_handlers.registered_at IS 'When it was registered.';
COMMENT ON COLUMN setup.task_handlers.is_shipped IS 'Whether it comes with the extension.';
COMMENT ON COLUMN setup.task_handlers.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.task_handlers.function_oid IS
  'The function when it was registered: another one of its name counts only if it belongs to somebody whom the machine''s '
  'owner trusts.';
COMMENT ON COLUMN setup.task_handlers.pattern IS 'The resource as a pattern of LIKE.';

CREATE FUNCTION setup.check_task_handler() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  NEW.function_oid := coalesce(to_regprocedure(NEW.function || '(jsonb)')::oid, 0);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_task_handler IS 'Trigger: the oid of a function follows from its name, also after a restore.';
CREATE TRIGGER check_owner_oid BEFORE INSERT OR UPDATE ON setup.task_handlers
  FOR EACH ROW EXECUTE FUNCTION setup.check_owner_oid();
CREATE TRIGGER check_task_handler BEFORE INSERT OR UPDATE ON setup.task_handlers
  FOR EACH ROW EXECUTE FUNCTION setup.check_task_handler();

SELECT pg_catalog.pg_extension_config_dump('setup.task_handlers', 'WHERE NOT is_shipped');
GRANT SELECT ON setup.task_handlers TO PUBLIC;
ALTER TABLE setup.task_handlers ENABLE ROW LEVEL SECURITY;
CREATE POLICY found_by_machines ON setup.task_handlers FOR SELECT USING (
  is_shipped OR pg_catalog.pg_has_role(owner_oid, 'MEMBER')
  OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = task_handlers.owner_oid AND r.rolsuper));

CREATE FUNCTION setup.register_task_handler(resource text, function regprocedure) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_register_task_handler';
COMMENT ON FUNCTION setup.register_task_handler IS
  'Lets a function do the work of a resource in tasks of the current user''s machines; what a superuser registers is there '
  'for the machines of all roles that may execute the function. resource is the name of a function '
  '(arn:aws:lambda:...:function:NAME, FunctionName of lambda:invoke), or a whole resource, in which * stands for any '
  'characters: arn:aws:states:::sqs:sendMessage*. What is registered goes before what the engine does by itself. The '
  'function takes one jsonb, the Parameters or Arguments of the task, and returns jsonb, its result. What it raises '
  'becomes an error of the task: setup.raise_error() chooses its name. Called again, it replaces the function. Raises '
  'wrong_object_type for a function of another form, insufficient_privilege for one that the current user may not call.';

CREATE FUNCTION setup.unregister_task_handler(resource text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_unregister_task_handler';
COMMENT ON FUNCTION setup.unregister_task_handler IS
  'Takes back setup.register_task_handler() of the current user. Raises undefined_object where there is none.';

CREATE FUNCTION setup.list_task_handlers()
  RETURNS TABLE (resource text, function text, owner text, is_shipped boolean, registered_at timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT h.resource, h.function, h.owner, h.is_shipped, h.registered_at
    FROM setup.task_handlers h ORDER BY h.resource, h.is_shipped, h.owner
$$;
COMMENT ON FUNCTION setup.list_task_handlers IS
  'Functions that do the work of tasks: those of the current user and of roles that it is a member of, of superusers, and '
  'those that come with the extension.';

CREATE FUNCTION setup.raise_error(error text, cause text DEFAULT '') RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  RAISE EXCEPTION '%', coalesce(cause, '') USING ERRCODE = 'OR006', CONSTRAINT = coalesce(error, '');
END
$$;
COMMENT ON FUNCTION setup.raise_error IS
  'In a function that a task calls: lets the task fail with this error and cause; Retry and Catch of the machine can name '
  'it. Any other error is called as PL/pgSQL calls its SQLSTATE, such as division_by_zero; its cause is a JSON object with '
  'errorType, errorMessage and sqlstate.';
