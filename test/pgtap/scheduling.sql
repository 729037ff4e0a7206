-- Schedules need pg_cron, which lives in one database of a server, and not in this one. That they work where it does is
-- tested elsewhere; here, that whoever is in the wrong database is told what to do.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE scheduling_ann LOGIN;
GRANT USAGE ON SCHEMA setup TO scheduling_ann;

SELECT plan(8);

SELECT results_eq('SELECT code, message FROM caught($$SELECT setup.schedule(''nightly'', ''0 2 * * *'')$$)',
  format('VALUES (''55000'', %L)', format('schedules need pg_cron, which lives in database "warehouse", not in "%s"',
    current_database())),
  'in a database that is not pg_cron''s a schedule is refused');
SELECT alike((SELECT hint FROM caught($$SELECT setup.schedule('nightly', '0 2 * * *')$$)),
  '%cron.database_name = ''' || current_database() || '''%',
  'the hint says how to bring pg_cron here');
SELECT alike((SELECT hint FROM caught($$SELECT setup.schedule('nightly', '0 2 * * *')$$)),
  '%\\c warehouse%cron.schedule_in_database(''nightly'', ''0 2 * * *'', ''CALL setup.orchestrate_all(if_running => ''''skip'''')'', ''' || current_database() || ''')%',
  'or how to schedule the call from there');
SELECT throws_ok($$SELECT setup.unschedule('nightly')$$, '55000', NULL, 'so is unscheduling');
SELECT throws_like($$CREATE EXTENSION pg_cron$$, '%can only create extension in database warehouse%',
  'pg_cron itself says the same');
SET SESSION AUTHORIZATION scheduling_ann;
SELECT throws_ok($$SELECT setup.schedule('nightly', '0 2 * * *')$$, '55000', NULL, 'everybody is told the same');
RESET SESSION AUTHORIZATION;
SELECT function_returns('setup', 'schedule', ARRAY['text', 'text', 'text'], 'bigint', 'a schedule has a number');
SELECT is(pg_get_expr(proargdefaults, 0), '''CALL setup.orchestrate_all(if_running => ''''skip'''')''::text',
  'and runs the whole pipeline, unless that is running, if not told otherwise')
  FROM pg_proc WHERE oid = 'setup.schedule'::regproc;

SELECT * FROM finish();
DROP OWNED BY scheduling_ann;
DROP ROLE scheduling_ann;
