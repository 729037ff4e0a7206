\echo Use "CREATE EXTENSION etl_orchestrator" to load this file. \quit

-- Schema setup is made by CREATE EXTENSION (control file). A role needs USAGE on it, and nothing else:
-- tables are readable under row level security, functions check.

