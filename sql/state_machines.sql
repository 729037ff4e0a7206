-- State machines: definitions in Amazon States Language, in versions. The engine does the work: src/engine, src/states.
--
-- A machine belongs to the role that made it; whatever it does runs as that role. An execution keeps the version that
-- it began with. Rows are written by the functions here only, with the engine's rights, after checks of the caller's.

CREATE SEQUENCE setup.machine_ids;
CREATE TABLE setup.state_machines (
  machine_id bigint PRIMARY KEY DEFAULT nextval('setup.machine_ids'),
  name       text NOT NULL UNIQUE
             CHECK (name <> '' AND char_length(name) <= 80),
  type       text NOT NULL DEFAULT 'STANDARD' CHECK (type IN ('STANDARD', 'EXPRESS')),
  version    integer NOT NULL DEFAULT 1,
  owner      text NOT NULL DEFAULT current_user,
  owner_oid  oid NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.state_machines IS
  'State machines. Each role sees its own and those of roles that it is a member of. Written by '
  'setup.create_state_machine() and setup.delete_state_machine().';
COMMENT ON COLUMN setup.state_machines.machine_id IS 'Number of the machine; a machine that is made again gets another.';
COMMENT ON COLUMN setup.state_machines.name IS 'Name, up to 80 characters.';
COMMENT ON COLUMN setup.state_machines.type IS
  'STANDARD: every step is kept, each effect happens once; EXPRESS: only the end is kept, after a crash an execution begins again.';
COMMENT ON COLUMN setup.state_machines.version IS 'Version that new executions run.';
COMMENT ON COLUMN setup.state_machines.owner IS 'Role that its executions run as.';
COMMENT ON COLUMN setup.state_machines.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.state_machines.created_at IS 'When the machine was made.';
COMMENT ON COLUMN setup.state_machines.updated_at IS 'When its present version was made.';

CREATE TABLE setup.state_machine_versions (
  machine_id bigint NOT NULL,
  version    integer NOT NULL,
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (machine_id, version)
);
COMMENT ON TABLE setup.state_machine_versions IS
  'Definitions of state machines. One that is not the present version of a machine goes when no execution runs it any more.';
COMMENT ON COLUMN setup.state_machine_versions.machine_id IS 'Machine.';
COMMENT ON COLUMN setup.state_machine_versions.version IS 'Version, from 1.';
COMMENT ON COLUMN setup.state_machine_versions.definition IS 'Definition, in Amazon States Language.';
COMMENT ON COLUMN setup.state_machine_versions.created_at IS 'When it was made.';

CREATE FUNCTION setup.check_owner_oid() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF TG_OP = 'INSERT' OR NEW.owner <> OLD.owner THEN
    NEW.owner_oid := coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.owner), 0);
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_owner_oid IS 'Trigger: the oid of an owner follows from its name, also after a restore.';
CREATE TRIGGER check_owner_oid BEFORE INSERT OR UPDATE ON setup.state_machines
  FOR EACH ROW EXECUTE FUNCTION setup.check_owner_oid();

SELECT pg_catalog.pg_extension_config_dump('setup.machine_ids', '');
SELECT pg_catalog.pg_extension_config_dump('setup.state_machines', '');
SELECT pg_catalog.pg_extension_config_dump('setup.state_machine_versions', '');

GRANT SELECT ON setup.state_machines, setup.state_machine_versions TO PUBLIC;
ALTER TABLE setup.state_machines ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.state_machine_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.state_machines FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.state_machine_versions FOR SELECT USING (EXISTS (
  SELECT FROM setup.state_machines m WHERE m.machine_id = state_machine_versions.machine_id));

CREATE FUNCTION setup.validate_state_machine(definition jsonb)
  RETURNS TABLE (severity text, code text, pointer text, message text)
  LANGUAGE c STABLE ROWS 10 AS 'MODULE_PATHNAME', 'etl_validate_state_machine';
COMMENT ON FUNCTION setup.validate_state_machine IS
  'Everything that is wrong with a definition: severity ERROR or WARNING, a code, the place as a JSON pointer, and what is '
  'wrong. No row: nothing. Resources are looked up as of the current user.';

CREATE FUNCTION setup.create_state_machine(name text, definition jsonb, type text DEFAULT 'STANDARD') RETURNS integer
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_create_state_machine';
COMMENT ON FUNCTION setup.create_state_machine IS
  'Makes a state machine of the current user, or a new version of one that is its own; returns the version (the present '
  'one, where the definition is the same). Executions that are under way keep theirs. Raises OR002 with every error of the '
  'definition, insufficient_privilege where the machine is somebody else''s.';

CREATE FUNCTION setup.delete_state_machine(name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_delete_state_machine';
COMMENT ON FUNCTION setup.delete_state_machine IS
  'Deletes a state machine. Executions that are under way go on to their end. Raises undefined_object where there is none.';

CREATE FUNCTION setup.list_state_machines()
  RETURNS TABLE (name text, type text, version integer, owner text, created_at timestamptz, updated_at timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT m.name, m.type, m.version, m.owner, m.created_at, m.updated_at FROM setup.state_machines m ORDER BY m.name
$$;
COMMENT ON FUNCTION setup.list_state_machines IS 'The state machines that the current user may see, by name.';

CREATE FUNCTION setup.describe_state_machine(name text, version integer DEFAULT NULL)
  RETURNS TABLE (name text, type text, version integer, definition jsonb, owner text, created_at timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT m.name, m.type, v.version, v.definition, m.owner, v.created_at
    FROM setup.state_machines m JOIN setup.state_machine_versions v USING (machine_id)
   WHERE m.name = $1 AND v.version = coalesce($2, m.version)
$$;
COMMENT ON FUNCTION setup.describe_state_machine IS
  'A state machine with its definition; version null: the present one. No row where there is none that the current user may see.';
