-- Queries that tasks of state machines ran (athena:startQueryExecution), with what they returned.

CREATE TABLE setup.query_executions (
  query_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  run_id       bigint NOT NULL,
  owner_oid    oid NOT NULL,
  query        text NOT NULL,
  schema_name  text,
  state        text NOT NULL CHECK (state IN ('SUCCEEDED', 'FAILED')),
  message      text,
  columns      jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(columns) = 'array'),
  rows         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(rows) = 'array'),
  update_count bigint NOT NULL DEFAULT 0,
  submitted_at timestamptz NOT NULL,
  completed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE setup.query_executions IS
  'Queries that tasks of state machines ran, and what they returned; they go with the runs that started them. Written by '
  'the engine. Each role sees those of machines that are its own, and of roles that it is a member of.';
COMMENT ON COLUMN setup.query_executions.query_id IS 'QueryExecutionId.';
COMMENT ON COLUMN setup.query_executions.run_id IS 'Run of the execution that started it.';
COMMENT ON COLUMN setup.query_executions.owner_oid IS 'Role that it ran as.';
COMMENT ON COLUMN setup.query_executions.query IS 'Its text.';
COMMENT ON COLUMN setup.query_executions.schema_name IS 'Schema in which names without one were looked for first; null: none.';
COMMENT ON COLUMN setup.query_executions.state IS 'SUCCEEDED or FAILED.';
COMMENT ON COLUMN setup.query_executions.message IS 'Why it failed; null: it did not.';
COMMENT ON COLUMN setup.query_executions.columns IS 'Columns of the result, as a list of ColumnInfo.';
COMMENT ON COLUMN setup.query_executions.rows IS 'Rows of the result, each a list of texts and nulls; the first has the names of the columns.';
COMMENT ON COLUMN setup.query_executions.update_count IS 'Rows that it wrote.';
COMMENT ON COLUMN setup.query_executions.submitted_at IS 'When it was begun.';
COMMENT ON COLUMN setup.query_executions.completed_at IS 'When it had ended.';
CREATE INDEX query_executions_run ON setup.query_executions (run_id);

GRANT SELECT ON setup.query_executions TO PUBLIC;
ALTER TABLE setup.query_executions ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.query_executions FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));
