\echo Use "CREATE EXTENSION etl_orchestrator" to load this file. \quit

-- Schema setup is made by CREATE EXTENSION (control file). A role needs USAGE on it, and nothing else:
-- tables are readable under row level security, functions check.

-- A schema that somebody prepared would let him put his own functions beside ours, and be called by everybody.
DO $$
DECLARE
  owner constant name := (SELECT r.rolname FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
                           WHERE n.nspname = 'setup' AND NOT r.rolsuper);
BEGIN
  IF owner IS NOT NULL THEN
    RAISE insufficient_privilege USING
      MESSAGE = pg_catalog.format('schema "setup" exists already and belongs to role "%s"', owner),
      HINT = 'Rename or drop it: the extension makes its own.';
  END IF;
END
$$;

