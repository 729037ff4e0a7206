-- Looking before running, and how much a run tells.
\set SHOW_CONTEXT never
\setenv PGDATABASE :DBNAME
SELECT * FROM setup.run_plan('silver');
SELECT step, layer, job_name, after FROM setup.run_plan();
CALL setup.orchestrate_silver(dry_run => true);
CALL setup.orchestrate_all(dry_run => true, jobs => '{clean_up}', upstream => true);
CALL setup.orchestrate_all(dry_run => true, jobs => '{}');
SELECT * FROM setup.check_tables('silver');

\! psql -Xqc 'SET etl_orchestrator.progress = layer' -c 'CALL setup.orchestrate_all()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
\! psql -Xqc 'SET etl_orchestrator.progress = off' -c 'CALL setup.orchestrate_all()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SET etl_orchestrator.progress = much;

-- A layer without jobs
SELECT setup.create_layer('platinum');
\! psql -Xqc "CALL setup.orchestrate_layer('platinum')" 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SELECT setup.drop_layer('platinum');

-- Parameters
SELECT setup.add_job('gold', 'of_day', $x$DO $$ BEGIN RAISE 'day is %', setup.param('day'); END $$$x$);
\! psql -Xqc "CALL setup.orchestrate_all(jobs => '{of_day}', params => '{\"day\": \"2024-01-31\"}')" 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SELECT setup.drop_job('gold', 'of_day');

-- In the background
SELECT setup.start_run('silver') AS run \gset
SELECT setup.wait_run(:run);
SELECT setup.cancel_run(:run);
