-- Executions of state machines. An execution is a run: its row in setup.load_runs has the number, the status and the
-- times; here is what it works on.

CREATE TABLE setup.executions (
  run_id         bigint PRIMARY KEY,
  run_at         timestamptz NOT NULL,
  machine_id     bigint NOT NULL,
  version        integer NOT NULL,
  state_machine  text NOT NULL,
  type           text NOT NULL,
  name           text NOT NULL CHECK (name <> '' AND char_length(name) <= 80),
  owner          text NOT NULL,
  owner_oid      oid NOT NULL,
  database_oid   oid NOT NULL,
  status         text NOT NULL DEFAULT 'RUNNING'
                 CHECK (status IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')),
  input          jsonb NOT NULL,
  output         jsonb,
  error          text,
  cause          text,
  started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  stopped_at     timestamptz,
  time_limit     interval,
  timeout_at     timestamptz,
  redrive_count  integer NOT NULL DEFAULT 0,
  branches       integer NOT NULL DEFAULT 1,
  UNIQUE (machine_id, name),
  CHECK ((stopped_at IS NULL) = (status = 'RUNNING'))
);
COMMENT ON TABLE setup.executions IS
  'Executions of state machines, written by the engine. Each role sees those of machines that are its own, and of roles '
  'that it is a member of.';
COMMENT ON COLUMN setup.executions.run_id IS 'Run that the execution is.';
COMMENT ON COLUMN setup.executions.run_at IS 'requested_at of the run.';
COMMENT ON COLUMN setup.executions.machine_id IS 'Machine.';
COMMENT ON COLUMN setup.executions.version IS 'Version of the machine.';
COMMENT ON COLUMN setup.executions.state_machine IS 'Name of the machine, as it was at the start.';
COMMENT ON COLUMN setup.executions.type IS 'STANDARD or EXPRESS.';
COMMENT ON COLUMN setup.executions.name IS 'Name of the execution, unique for its machine.';
COMMENT ON COLUMN setup.executions.owner IS 'Role that it runs as.';
COMMENT ON COLUMN setup.executions.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.executions.status IS 'RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.';
COMMENT ON COLUMN setup.executions.database_oid IS
  'Database in which it was started. In a copy of that database it waits for setup.resume_run().';
COMMENT ON COLUMN setup.executions.input IS 'What it was given.';
COMMENT ON COLUMN setup.executions.output IS 'What came out; null unless it succeeded.';
COMMENT ON COLUMN setup.executions.error IS 'Name of the error that ended it; null: none.';
COMMENT ON COLUMN setup.executions.cause IS 'What is said about that error; null: nothing.';
COMMENT ON COLUMN setup.executions.started_at IS 'When it was started.';
COMMENT ON COLUMN setup.executions.stopped_at IS 'When it ended; null: not yet.';
COMMENT ON COLUMN setup.executions.time_limit IS 'How long it may take, from its start or its last redrive; null: no limit.';
COMMENT ON COLUMN setup.executions.timeout_at IS 'When it will have taken as long as it may; null: no limit.';
COMMENT ON COLUMN setup.executions.redrive_count IS 'How often it was redriven.';
COMMENT ON COLUMN setup.executions.branches IS 'Numbers that its branches have taken.';
CREATE INDEX executions_timeout ON setup.executions (timeout_at) WHERE status = 'RUNNING';

-- Where each execution is: the machine itself is branch 0; branches of a Parallel and iterations of a Map have a row
-- while that state runs. A worker can advance it when it `is_due`, and from `due` on. Of an
-- execution that has failed the rows stay, for setup.redrive_execution().
CREATE TABLE setup.execution_branches (
  run_id        bigint NOT NULL,
  run_at        timestamptz NOT NULL,
  branch_id     integer NOT NULL,
  owner_oid     oid NOT NULL,
  database_oid  oid NOT NULL,
  is_due        boolean NOT NULL DEFAULT false,
  due           timestamptz,
  revision      bigint NOT NULL DEFAULT 0,
  position      text NOT NULL,
  task          text,
  event         text,
  token         text,
  awaited_run   bigint,
  timeout_at    timestamptz,
  heartbeat     interval,
  parent        integer,
  child         integer,
  quiet         boolean NOT NULL DEFAULT false,
  fork_rules    text,
  fork_first    integer,
  fork_count    integer,
  fork_begun    bigint,
  fork_ended    bigint,
  fork_failed   bigint,
  result        text,
  crashes       integer NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, branch_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE setup.execution_branches IS 'Where each open execution is. For the engine only.';
COMMENT ON COLUMN setup.execution_branches.run_id IS 'Run.';
COMMENT ON COLUMN setup.execution_branches.run_at IS 'requested_at of the run.';
COMMENT ON COLUMN setup.execution_branches.branch_id IS 'Number of the branch in its execution; 0: the machine itself.';
COMMENT ON COLUMN setup.execution_branches.owner_oid IS 'Role whose workers advance it.';
COMMENT ON COLUMN setup.execution_branches.database_oid IS 'As in setup.executions.';
COMMENT ON COLUMN setup.execution_branches.is_due IS 'Whether it can be advanced now.';
COMMENT ON COLUMN setup.execution_branches.due IS 'When it can be advanced, at the latest; null: when something has happened.';
COMMENT ON COLUMN setup.execution_branches.revision IS
  'How often it was advanced: who wants to, must have read the latest.';
COMMENT ON COLUMN setup.execution_branches.position IS 'The branch, as JSON; empty: it has not begun, or has ended.';
COMMENT ON COLUMN setup.execution_branches.task IS 'Task that it is to run, or waits for, as JSON; null: none.';
COMMENT ON COLUMN setup.execution_branches.event IS
  'What has happened and it has not been told yet, as JSON; null: nothing.';
COMMENT ON COLUMN setup.execution_branches.token IS 'Token by which somebody may end its task; null: none.';
COMMENT ON COLUMN setup.execution_branches.awaited_run IS 'Run whose end ends its task; null: none.';
COMMENT ON COLUMN setup.execution_branches.timeout_at IS 'When its task has taken as long as it may; null: no limit.';
COMMENT ON COLUMN setup.execution_branches.heartbeat IS
  'In what time its task must send a heartbeat; null: it need not.';
COMMENT ON COLUMN setup.execution_branches.parent IS 'Branch whose Parallel or Map it is in; null: none.';
COMMENT ON COLUMN setup.execution_branches.child IS 'Its place there, from 0.';
COMMENT ON COLUMN setup.execution_branches.quiet IS
  'Whether the history does not tell of it: it is, or is in, a child of a distributed Map.';
COMMENT ON COLUMN setup.execution_branches.fork_rules IS
  'Of a branch in a Parallel or Map: how its children are gathered, as JSON; null: it is in none.';
COMMENT ON COLUMN setup.execution_branches.fork_first IS 'Number of the first of those children.';
COMMENT ON COLUMN setup.execution_branches.fork_count IS 'How many they are; they are numbered one after the other.';
COMMENT ON COLUMN setup.execution_branches.fork_begun IS 'How many of them have begun.';
COMMENT ON COLUMN setup.execution_branches.fork_ended IS 'How many of them have ended.';
COMMENT ON COLUMN setup.execution_branches.fork_failed IS 'Items of those that have failed.';
COMMENT ON COLUMN setup.execution_branches.result IS 'Of a child that has ended: what came out, as JSON.';
COMMENT ON COLUMN setup.execution_branches.crashes IS 'How often its worker or the server ended while it was advanced, in a row.';
-- Not on is_due: the index would keep what each task leaves behind, and new versions of a branch could not share its page.
CREATE INDEX execution_branches_due ON setup.execution_branches (due) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX execution_branches_token ON setup.execution_branches (token) WHERE token IS NOT NULL;
CREATE INDEX execution_branches_awaited ON setup.execution_branches (awaited_run) WHERE awaited_run IS NOT NULL;

-- What was said about tasks that wait for their token, apart from their branches: a transaction that somebody leaves
-- open must not hold up the engine. The conductor takes it up, and deletes it.
CREATE TABLE setup.task_reports (
  report_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token       text NOT NULL,
  event       text,
  reported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.task_reports IS 'What setup.send_task_success(), _failure() and _heartbeat() said. For the engine only.';
COMMENT ON COLUMN setup.task_reports.report_id IS 'Number of the report.';
COMMENT ON COLUMN setup.task_reports.token IS 'Token of the task.';
COMMENT ON COLUMN setup.task_reports.event IS 'How the task has ended, as JSON; null: a heartbeat.';
COMMENT ON COLUMN setup.task_reports.reported_at IS 'When it was said.';
CREATE UNIQUE INDEX task_reports_ends ON setup.task_reports (token) WHERE event IS NOT NULL;
ALTER TABLE setup.task_reports ENABLE ROW LEVEL SECURITY;

-- What happened, as one row for each time that a branch was advanced.
CREATE SEQUENCE setup.event_ids;
CREATE TABLE setup.execution_events (
  run_id    bigint NOT NULL,
  run_at    timestamptz NOT NULL,
  batch_id  bigint NOT NULL DEFAULT nextval('setup.event_ids'),
  branch_id integer NOT NULL,
  parent    integer,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  events    text NOT NULL,
  PRIMARY KEY (run_id, batch_id, run_at)
) PARTITION BY RANGE (run_at);
COMMENT ON TABLE setup.execution_events IS 'History of executions; setup.execution_history() shows it event by event.';
COMMENT ON COLUMN setup.execution_events.run_id IS 'Run.';
COMMENT ON COLUMN setup.execution_events.run_at IS 'requested_at of the run.';
COMMENT ON COLUMN setup.execution_events.batch_id IS 'Order of the rows of a run.';
COMMENT ON COLUMN setup.execution_events.branch_id IS 'Branch that was advanced.';
COMMENT ON COLUMN setup.execution_events.parent IS 'Branch whose Parallel or Map it is in; null: none.';
COMMENT ON COLUMN setup.execution_events.at IS 'When.';
COMMENT ON COLUMN setup.execution_events.events IS 'The events: a JSON array.';

-- Executions that are to be stopped, until they are.
CREATE TABLE setup.execution_stops (
  run_id       bigint NOT NULL,
  error        text,
  cause        text,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.execution_stops IS
  'Executions that are to be stopped. Written by setup.stop_execution() and setup.cancel_run(); the engine takes it up.';
COMMENT ON COLUMN setup.execution_stops.run_id IS 'Run.';
COMMENT ON COLUMN setup.execution_stops.error IS 'Error that it is to end with; null: none.';
COMMENT ON COLUMN setup.execution_stops.cause IS 'Cause that it is to end with; null: none.';
COMMENT ON COLUMN setup.execution_stops.requested_at IS 'When it was asked for.';
ALTER TABLE setup.execution_stops ENABLE ROW LEVEL SECURITY;

GRANT SELECT ON setup.executions, setup.execution_events TO PUBLIC;
ALTER TABLE setup.executions ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.execution_branches ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.execution_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.executions FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
CREATE POLICY members_of_owner ON setup.execution_events FOR SELECT USING (EXISTS (
  SELECT FROM setup.executions e WHERE e.run_id = execution_events.run_id));

CREATE FUNCTION setup.start_execution(state_machine text, input jsonb DEFAULT '{}', name text DEFAULT NULL) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_start_execution';
COMMENT ON FUNCTION setup.start_execution IS
  'Starts an execution of a state machine and returns its run_id; it begins when the transaction commits. With the name of '
  'an execution that there is already: the same, if the input is the same, else duplicate_object. Raises undefined_object '
  'where there is no such machine that the current user may start: its own, or one of a role that it is a member of.';

CREATE FUNCTION setup.stop_execution(run_id bigint, error text DEFAULT NULL, cause text DEFAULT NULL) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_stop_execution';
COMMENT ON FUNCTION setup.stop_execution IS
  'Ends an execution as ABORTED when the transaction commits; a task that runs is stopped and rolled back. A notice if it '
  'has ended. Raises no_data_found for an unknown one.';

CREATE FUNCTION setup.describe_execution(run_id bigint)
  RETURNS TABLE (run_id bigint, state_machine text, name text, status text, input jsonb, output jsonb, error text,
                 cause text, started_at timestamptz, stopped_at timestamptz, version integer, redrive_count integer)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT e.run_id, e.state_machine, e.name, e.status, e.input, e.output, e.error, e.cause, e.started_at, e.stopped_at,
         e.version, e.redrive_count
    FROM setup.executions e WHERE e.run_id = $1
$$;
COMMENT ON FUNCTION setup.describe_execution IS 'An execution; no row where there is none that the current user may see.';

CREATE FUNCTION setup.list_executions(state_machine text DEFAULT NULL, status text DEFAULT NULL)
  RETURNS TABLE (run_id bigint, state_machine text, name text, status text, started_at timestamptz, stopped_at timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT e.run_id, e.state_machine, e.name, e.status, e.started_at, e.stopped_at
    FROM setup.executions e
   WHERE ($1 IS NULL OR e.state_machine = $1) AND ($2 IS NULL OR e.status = $2) ORDER BY e.run_id DESC
$$;
COMMENT ON FUNCTION setup.list_executions IS
  'Executions that the current user may see, the latest first; of a state machine and with a status, where these are given.';

CREATE FUNCTION setup.execution_history(run_id bigint)
  RETURNS TABLE (id bigint, previous bigint, at timestamptz, type text, state text, details jsonb)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
  WITH stored AS MATERIALIZED (
    SELECT b.batch_id, e.place, b.branch_id, b.parent, b.at,
           (e.event ->> 'id')::bigint AS own_id, (e.event ->> 'previous')::bigint AS own_previous,
           e.event ->> 'type' AS type, e.event ->> 'state' AS state, (e.event -> 'details')::jsonb AS details
      FROM setup.execution_events b
      JOIN setup.executions x ON x.run_id = b.run_id AND x.run_at = b.run_at
     CROSS JOIN LATERAL json_array_elements(b.events::json) WITH ORDINALITY AS e(event, place)
     WHERE b.run_id = $1),
  -- That it has begun is stored with its first effect, but is true from the beginning.
  begun AS (
    SELECT 0, 0, 0, NULL::integer, e.started_at, 1, 0, 'ExecutionStarted', '', jsonb_build_object('input', e.input)
      FROM setup.executions e WHERE e.run_id = $1 AND e.type = 'STANDARD'),
  events AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY s.batch_id, s.place) AS id, s.branch_id, s.parent, s.at, s.own_id, s.own_previous,
           s.type, s.state, s.details
      FROM (TABLE begun UNION ALL
            SELECT * FROM stored WHERE branch_id <> 0 OR type <> 'ExecutionStarted') s(
              batch_id, place, branch_id, parent, at, own_id, own_previous, type, state, details))
  -- What led to an event was in its branch, or before that began in the one around it, or in one that it waited for.
  SELECT e.id, coalesce(max(own.id), max(above.id), max(below.id), 0), e.at, e.type, nullif(e.state, ''), e.details
    FROM events e
    LEFT JOIN events own ON own.branch_id = e.branch_id AND own.own_id = e.own_previous AND own.id < e.id
    LEFT JOIN events above ON above.branch_id = e.parent AND above.own_id = e.own_previous AND above.id < e.id
    LEFT JOIN events below ON below.parent = e.branch_id AND below.own_id = e.own_previous AND below.id < e.id
   GROUP BY e.id, e.at, e.type, e.state, e.details ORDER BY e.id
$$;
COMMENT ON FUNCTION setup.execution_history IS
  'What happened in an execution, event by event in order, as the service tells it; previous is the event that led to it, 0: none.';

CREATE FUNCTION setup.send_task_success(task_token text, output jsonb DEFAULT '{}') RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_send_task_success';
COMMENT ON FUNCTION setup.send_task_success IS
  'Ends a task that waits for its token with a result. Whoever has the token may. Raises no_data_found where no task waits for it.';

CREATE FUNCTION setup.send_task_failure(task_token text, error text DEFAULT NULL, cause text DEFAULT NULL) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_send_task_failure';
COMMENT ON FUNCTION setup.send_task_failure IS
  'Ends a task that waits for its token with an error. Whoever has the token may. Raises no_data_found where no task waits for it.';

CREATE FUNCTION setup.send_task_heartbeat(task_token text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_send_task_heartbeat';
COMMENT ON FUNCTION setup.send_task_heartbeat IS
  'Says that a task that waits for its token is still worked on: its heartbeat begins anew. Raises no_data_found where no task waits for it.';

CREATE PROCEDURE setup.run_execution(state_machine text, input jsonb DEFAULT '{}', name text DEFAULT NULL)
  LANGUAGE c AS 'MODULE_PATHNAME', 'etl_run_execution';
COMMENT ON PROCEDURE setup.run_execution IS
  'Starts an execution like setup.start_execution(), shows its tasks as they end, and returns when it has succeeded. Raises '
  'OR001 where it failed, OR003 where it was stopped, OR005 where it timed out. Ctrl-C stops it, but for one that '
  'had been started before under that name.';

CREATE FUNCTION setup.redrive_execution(run_id bigint) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_redrive_execution';
COMMENT ON FUNCTION setup.redrive_execution IS
  'Lets an execution of a STANDARD machine that failed, timed out or was stopped go on from the state where it ended; what '
  'has succeeded is not done again. Retries begin anew. Raises object_not_in_prerequisite_state for any other.';

CREATE FUNCTION setup.draw_state_machine(definition jsonb, format text, statuses jsonb) RETURNS text
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'etl_draw_state_machine';
COMMENT ON FUNCTION setup.draw_state_machine IS
  'A definition as text that Mermaid (format ''mermaid'') or Graphviz (''dot'') draws. statuses: an object with RUNNING, '
  'SUCCEEDED, FAILED or CAUGHT for names of states, which get a colour. Raises invalid_parameter_value for another format.';

CREATE FUNCTION setup.state_machine_graph(name text, format text DEFAULT 'mermaid', run_id bigint DEFAULT NULL)
  RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  drawn jsonb;
  statuses jsonb;
BEGIN
  SELECT v.definition INTO drawn
    FROM setup.state_machines m
    LEFT JOIN setup.executions e ON e.machine_id = m.machine_id AND e.run_id = $3
    JOIN setup.state_machine_versions v ON v.machine_id = m.machine_id AND v.version = coalesce(e.version, m.version)
   WHERE m.name = $1 AND ($3 IS NULL OR e.run_id IS NOT NULL);
  IF drawn IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_object',
      MESSAGE = CASE WHEN $3 IS NULL THEN format('state machine "%s" does not exist', $1)
                     ELSE format('state machine "%s" has no execution %s', $1, $3) END,
      HINT = 'SELECT * FROM setup.list_state_machines(); and setup.list_executions() list yours.';
  END IF;
  -- What happened last in each state says how it is: it was left after a success or after a failure, or never.
  SELECT jsonb_object_agg(last.state, CASE
           WHEN last.type LIKE '%StateExited' AND last.before NOT LIKE '%Failed' AND last.before NOT LIKE '%TimedOut' THEN 'SUCCEEDED'
           WHEN last.type LIKE '%StateExited' THEN 'CAUGHT'
           WHEN e.status = 'RUNNING' THEN 'RUNNING'
           WHEN e.status = 'SUCCEEDED' THEN 'SUCCEEDED'
           ELSE 'FAILED' END)
    INTO statuses
    FROM (SELECT DISTINCT ON (h.state) h.state, h.type,
                 lag(h.type, 1, '') OVER (PARTITION BY h.state ORDER BY h.id) AS before
            FROM setup.execution_history($3) h WHERE h.state IS NOT NULL ORDER BY h.state, h.id DESC) last
   CROSS JOIN setup.executions e WHERE e.run_id = $3;
  -- What a task does is in the history when it has ended.
  IF EXISTS (SELECT FROM setup.executions e WHERE e.run_id = $3 AND e.status = 'RUNNING') THEN
    SELECT coalesce(statuses, '{}') || coalesce(jsonb_object_agg(r.job_name, 'RUNNING'), '{}') INTO statuses
      FROM setup.running_attempts() r WHERE r.run_id = $3;
  END IF;
  RETURN setup.draw_state_machine(drawn, $2, coalesce(statuses, '{}'));
END
$$;
COMMENT ON FUNCTION setup.state_machine_graph IS
  'A state machine as text that Mermaid (format ''mermaid'') or Graphviz (''dot'') draws; with a run_id as that execution '
  'ran it, its states coloured: blue running, green succeeded, red failed, yellow failed and caught. Raises undefined_object where '
  'there is no such machine or execution that the current user may see.';
