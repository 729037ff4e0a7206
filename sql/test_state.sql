-- Trying one state of a machine.

CREATE PROCEDURE setup.test_state(definition jsonb, input jsonb DEFAULT '{}', INOUT status text DEFAULT NULL,
                                  INOUT output jsonb DEFAULT NULL, INOUT error text DEFAULT NULL, INOUT cause text DEFAULT NULL,
                                  INOUT next_state text DEFAULT NULL)
  LANGUAGE plpgsql AS $$
-- No search_path is set, for then it could not commit: every name here has its schema.
DECLARE
  machine pg_catalog.text := 'test of a state ' OPERATOR(pg_catalog.||) pg_catalog.gen_random_uuid()::pg_catalog.text;
  targets pg_catalog.jsonb;
  is_retriable pg_catalog.bool;
  run pg_catalog.int8;
BEGIN
  SELECT coalesce(pg_catalog.jsonb_object_agg(t.target, '{"Type": "Succeed"}'::pg_catalog.jsonb), '{}') INTO targets
    FROM (SELECT $1 OPERATOR(pg_catalog.->>) 'Next' UNION ALL SELECT $1 OPERATOR(pg_catalog.->>) 'Default' UNION ALL
          SELECT c.value OPERATOR(pg_catalog.->>) 'Next' FROM (
            SELECT pg_catalog.jsonb_path_query($1, 'lax $.Choices[*]') UNION ALL
            SELECT pg_catalog.jsonb_path_query($1, 'lax $.Catch[*]')) AS c(value)) AS t(target)
   WHERE t.target IS NOT NULL;
  PERFORM setup.create_state_machine(machine, pg_catalog.jsonb_build_object('StartAt', 'The state', 'States',
    targets OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('The state', $1 OPERATOR(pg_catalog.-) 'Retry')));
  run := setup.start_execution(machine, $2);
  COMMIT;
  PERFORM setup.wait_run(run);
  SELECT e.status, e.output, e.error, e.cause INTO status, output, error, cause FROM setup.describe_execution(run) e;
  SELECT h.state INTO next_state FROM setup.execution_history(run) h
   WHERE h.type OPERATOR(pg_catalog.~~) '%StateEntered' AND h.state OPERATOR(pg_catalog.<>) 'The state'
     AND targets OPERATOR(pg_catalog.?) h.state ORDER BY h.id LIMIT 1;
  IF status OPERATOR(pg_catalog.=) 'SUCCEEDED' THEN
    SELECT h.details OPERATOR(pg_catalog.->>) 'error', h.details OPERATOR(pg_catalog.->>) 'cause' INTO error, cause
      FROM setup.execution_history(run) h WHERE h.details OPERATOR(pg_catalog.?) 'error' ORDER BY h.id DESC LIMIT 1;
    IF error IS NOT NULL AND next_state IS NOT NULL THEN status := 'CAUGHT_ERROR'; END IF;
  END IF;
  SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 INTO is_retriable
    FROM pg_catalog.jsonb_path_query($1, 'lax $.Retry[*].ErrorEquals[*]') AS named(value)
   WHERE named.value OPERATOR(pg_catalog.#>>) '{}'
         OPERATOR(pg_catalog.=) ANY (ARRAY[error, 'States.ALL', 'States.TaskFailed']::pg_catalog.text[]);
  IF error IS NOT NULL AND is_retriable THEN status := 'RETRIABLE'; END IF;
  PERFORM setup.delete_state_machine(machine);
END
$$;
COMMENT ON PROCEDURE setup.test_state IS
  'Runs one state, given as it stands in a definition, with an input, as the current user: for real, with what its task does. '
  'status is SUCCEEDED, FAILED, CAUGHT_ERROR (error and cause are what was caught), RETRIABLE (a Retrier would try it again; it '
  'is not) or TIMED_OUT; next_state is where the machine would go on, null where it would end. Raises OR002 where the state is '
  'not valid.';
