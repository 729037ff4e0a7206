-- Activities: tasks of state machines that programs outside fetch, work on, and end by their tokens.

CREATE TABLE setup.activities (
  name       text PRIMARY KEY CHECK (name <> '' AND char_length(name) <= 80),
  owner      text NOT NULL DEFAULT current_user,
  owner_oid  oid NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.activities IS
  'Activities. Each role sees its own and those of roles that it is a member of. Written by setup.create_activity() and '
  'setup.delete_activity().';
COMMENT ON COLUMN setup.activities.name IS 'Name: the last part of arn:aws:states:...:activity:NAME.';
COMMENT ON COLUMN setup.activities.owner IS 'Role that made it.';
COMMENT ON COLUMN setup.activities.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.activities.created_at IS 'When it was made.';
CREATE TRIGGER check_owner_oid BEFORE INSERT OR UPDATE ON setup.activities
  FOR EACH ROW EXECUTE FUNCTION setup.check_owner_oid();
SELECT pg_catalog.pg_extension_config_dump('setup.activities', '');
GRANT SELECT ON setup.activities TO PUBLIC;
ALTER TABLE setup.activities ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.activities FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));

-- Apart from the branches that wait: whoever fetches one and leaves its transaction open holds up nobody else.
CREATE TABLE setup.activity_tasks (
  task_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  activity     text NOT NULL,
  token        text NOT NULL,
  input        jsonb NOT NULL,
  scheduled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.activity_tasks IS 'Tasks that nobody has fetched yet. For the engine only.';
COMMENT ON COLUMN setup.activity_tasks.task_id IS 'Order in which they are fetched.';
COMMENT ON COLUMN setup.activity_tasks.activity IS 'Activity.';
COMMENT ON COLUMN setup.activity_tasks.token IS 'Token of the task.';
COMMENT ON COLUMN setup.activity_tasks.input IS 'Input of the task.';
COMMENT ON COLUMN setup.activity_tasks.scheduled_at IS 'When the task began to wait.';
CREATE INDEX activity_tasks_next ON setup.activity_tasks (activity, task_id);
ALTER TABLE setup.activity_tasks ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION setup.create_activity(name text) RETURNS text
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_create_activity';
COMMENT ON FUNCTION setup.create_activity IS
  'Makes an activity of the current user, if it has none of that name, and returns the resource that tasks name. Machines '
  'of roles that are members of its owner may use it. Raises insufficient_privilege where it is somebody else''s.';

CREATE FUNCTION setup.delete_activity(name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_delete_activity';
COMMENT ON FUNCTION setup.delete_activity IS
  'Deletes an activity, with the tasks that nobody has fetched: they wait until they time out. Raises undefined_object '
  'where there is none.';

CREATE FUNCTION setup.get_activity_task(activity text, worker_name text DEFAULT NULL)
  RETURNS TABLE (task_token text, input jsonb)
  LANGUAGE c VOLATILE ROWS 1 AS 'MODULE_PATHNAME', 'etl_get_activity_task';
COMMENT ON FUNCTION setup.get_activity_task IS
  'Fetches the task of an activity that has waited longest: its token, for setup.send_task_success() and its like, and its '
  'input; no row where none waits. If the transaction does not commit, the task is there for others again. activity: its '
  'name or ARN; worker_name: who fetches, for nobody but the reader. Raises undefined_object for an activity that the '
  'current user may not see.';
