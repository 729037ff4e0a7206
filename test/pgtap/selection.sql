-- What a run consists of: layers, jobs => ..., upstream, downstream, params, dry_run, setup.run_plan().
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
SELECT setup.create_layer('bronze'), setup.create_layer('silver'), setup.create_layer('gold'),
  setup.create_layer('extra');
-- bronze.a -> silver.b -> silver.c -> gold.d; bronze.side and silver.off stand alone;
-- both silver and gold have a job "twin".
SELECT setup.add_job('bronze', 'a', 'SELECT 1'), setup.add_job('bronze', 'side', 'SELECT 1'),
  setup.add_job('silver', 'b', 'SELECT 1', depends_on => '{bronze.a}'),
  setup.add_job('silver', 'c', 'SELECT 1', depends_on => '{b}'),
  setup.add_job('silver', 'off', 'SELECT 1', is_enabled => false),
  setup.add_job('silver', 'twin', 'SELECT 1'), setup.add_job('gold', 'twin', 'SELECT 1'),
  setup.add_job('gold', 'd', 'SELECT 1', depends_on => '{silver.c}'),
  setup.add_job('extra', 'other', 'SELECT 1');

SELECT plan(48);

-- Layers

CALL setup.orchestrate_bronze();
SELECT is(outcome(), 'a OK, side OK', 'orchestrate_bronze runs the jobs of bronze');
CALL setup.orchestrate_silver();
SELECT is(outcome(), 'b OK, c OK, twin OK', 'orchestrate_silver those of silver, but none that is disabled');
CALL setup.orchestrate_gold();
SELECT is(outcome(), 'd OK, twin OK', 'orchestrate_gold those of gold, without what they depend on in other layers');
CALL setup.orchestrate_layer('extra');
SELECT is(outcome(), 'other OK', 'orchestrate_layer those of any layer');
CALL setup.orchestrate_all();
SELECT is(outcome(), 'a OK, b OK, c OK, d OK, other OK, side OK, twin OK, twin OK',
  'orchestrate_all those of all layers');
SELECT is((SELECT array_agg(layer ORDER BY first) FROM (SELECT layer, min(started_at) AS first FROM setup.load_log
             WHERE run_id = last_run() GROUP BY layer) AS layers), '{bronze,silver,gold,extra}', 'layer after layer');
SELECT is((SELECT count(*) FROM setup.load_log a JOIN setup.load_log b USING (run_id)
  JOIN setup.layers la ON la.layer = a.layer
             JOIN setup.layers lb ON lb.layer = b.layer
            WHERE run_id = last_run() AND la.position < lb.position AND a.finished_at > b.started_at), 0::bigint,
  'no layer starts before the one before has ended');
SELECT results_eq('SELECT layer, started_by COLLATE "C", on_error, max_parallel, params FROM setup.load_runs WHERE run_id = last_run()',
  $$VALUES (NULL::text, 'postgres' COLLATE "C", 'continue', NULL::int, '{}'::jsonb)$$,
    'load_runs keeps what was asked for');
CALL setup.orchestrate_layer('silver', 'stop', 2, '{"x": 1}');
SELECT results_eq('SELECT layer, on_error, max_parallel, params FROM setup.load_runs WHERE run_id = last_run()',
  $$VALUES ('silver', 'stop', 2, '{"x": 1}'::jsonb)$$, 'all of it');
CALL setup.orchestrate_all(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT is((SELECT jobs_ok FROM setup.load_runs WHERE run_id = last_run()), 8,
  'null leaves every option at its default');

-- Jobs by name

CALL setup.orchestrate_all(jobs => '{c}');
SELECT is(outcome(), 'c OK', 'jobs => ... runs exactly these, without their dependencies');
CALL setup.orchestrate_all(jobs => '{c,bronze.side,silver.twin}');
SELECT is(outcome(), 'c OK, side OK, twin OK', 'a job may be named with its layer');
CALL setup.orchestrate_all(jobs => '{c}', upstream => true);
SELECT is(outcome(), 'a OK, b OK, c OK', 'upstream adds what they depend on');
CALL setup.orchestrate_all(jobs => '{b}', downstream => true);
SELECT is(outcome(), 'b OK, c OK, d OK', 'downstream adds what depends on them');
CALL setup.orchestrate_all(jobs => '{c}', upstream => true, downstream => true);
SELECT is(outcome(), 'a OK, b OK, c OK, d OK', 'both add both');
CALL setup.orchestrate_silver(jobs => '{c}', upstream => true, downstream => true);
SELECT is(outcome(), 'b OK, c OK', 'inside the layer that is run');
CALL setup.orchestrate_all(upstream => true, downstream => true);
SELECT is((SELECT jobs_ok FROM setup.load_runs WHERE run_id = last_run()), 8, 'without jobs they change nothing');
CALL setup.orchestrate_all(jobs => '{}');
SELECT is((SELECT status || jobs_total FROM setup.load_runs WHERE run_id = last_run()), 'OK0', 'no jobs are no jobs');
\setenv DB :DBNAME
\set output `psql -XqAtd "$DB" -c "CALL setup.orchestrate_all(jobs => '{}')" 2>&1`
SELECT alike(:'output'::text, '%HINT:  The list of jobs was empty: leave it out for all of them.%', 'as the notice says');
UPDATE setup.load_jobs SET command = 'SELECT 1/0' WHERE job_name = 'b';
CALL setup.orchestrate_all(jobs => '{b,c,twin}');
SELECT is(:'SQLSTATE'::text, 'OR002', 'a name that two layers have is refused');
CALL setup.orchestrate_all(jobs => '{b,c,gold.twin}');
SELECT is(outcome(), 'b ERROR, c SKIPPED, twin SKIPPED',
  'among the jobs that are run dependencies and layers count as ever');
UPDATE setup.load_jobs SET command = 'SELECT 1' WHERE job_name = 'b';
SELECT setup.start_run('silver', jobs => '{c}') AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'start_run takes the same arguments');
SELECT is(outcome(), 'c OK', 'and means the same');

SELECT results_eq(format('SELECT code, detail, hint FROM caught(%L)',
  $$SELECT setup.start_run(jobs => '{nope,off,twin,bronze.a}')$$),
  $$VALUES ('OR002', E'unknown job "nope"\njob "silver.off" is disabled\njob "twin" is in several layers: silver, gold',
    E'The jobs are listed in setup.load_jobs.\n'
    'Enable it with UPDATE setup.load_jobs SET is_enabled = true WHERE layer = ''silver'' AND job_name = ''off''.\n'
    'Name it with its layer, as in ''silver.twin''.')$$,
  'jobs that are unknown, disabled or ambiguous are refused, all in one error');
SELECT is((SELECT detail FROM caught($$SELECT setup.start_run('bronze', jobs => '{silver.c}')$$)),
  'job "silver.c" is not in layer "bronze"',
  'so is a job of another layer than the one that is run');
SELECT throws_ok($$SELECT setup.start_run(jobs => '{a,NULL}')$$, '22004', 'jobs must not contain nulls', 'and null');

-- Parameters, and what a job knows of itself

CREATE TABLE known (what text, value text);
SELECT setup.add_job('extra', 'other', $$
  INSERT INTO public.known SELECT name, setup.param(name)
  FROM unnest('{day,count,deep,flag,nothing,absent}'::text[]) name;
  INSERT INTO public.known SELECT name, current_setting('etl_orchestrator.' || name)
  FROM unnest('{run_id,layer,job,attempt}'::text[]) name$$);
CALL setup.orchestrate_layer('extra',
  params => '{"day": "2024-01-31", "count": 3, "deep": {"er": [1, 2]}, "flag": true, "nothing": null}');
SELECT results_eq('SELECT what, value FROM known WHERE what NOT IN (''run_id'') ORDER BY what COLLATE "C"',
  $$VALUES ('absent', NULL), ('attempt', '1'), ('count', '3'), ('day', '2024-01-31'), ('deep', '{"er": [1, 2]}'), ('flag', 'true'),
           ('job', 'other'), ('layer', 'extra'), ('nothing', NULL)$$,
  'a job reads the parameters of its run, and its own layer, name and attempt');
SELECT is((SELECT value FROM known WHERE what = 'run_id'), last_run()::text, 'and the number of its run');
SELECT is(setup.param('day'), NULL, 'outside a job there are no parameters');
SELECT is(current_setting('etl_orchestrator.run_id') || current_setting('etl_orchestrator.job'), '',
  'nor a run or a job');
SET etl_orchestrator.run_id = '1';
SELECT is(setup.param('day'), NULL, 'and pretending to be in a run brings none');
RESET etl_orchestrator.run_id;
SELECT throws_ok($$SELECT setup.start_run(params => '[1]')$$, '22023', 'params must be a JSON object',
  'parameters are a JSON object');

-- Looking before leaping

SELECT last_run() AS before \gset
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.orchestrate_all(dry_run => true, jobs => '{c}', upstream => true)" 2>&1`
SELECT alike(:'output'::text, '%c after b%', 'a dry run prints the plan');
SELECT is(last_run(), :before::bigint, 'and makes no run');
BEGIN;
CALL setup.orchestrate_all(dry_run => true);
SELECT is(:'SQLSTATE'::text, '00000', 'it is possible inside a transaction block');
COMMIT;
UPDATE setup.load_jobs SET depends_on = '{nowhere}' WHERE job_name = 'side';
CALL setup.orchestrate_all(dry_run => true);
SELECT is(:'SQLSTATE'::text, 'OR002', 'it finds the problems that a run would have');
SELECT throws_ok('SELECT * FROM setup.run_plan()', 'OR002', NULL, 'and so does run_plan');
UPDATE setup.load_jobs SET depends_on = '{}' WHERE job_name = 'side';
SELECT results_eq('SELECT layer, job_name, after, command FROM setup.run_plan(''silver'') ORDER BY step',
  $$VALUES ('silver', 'b', '{}'::text[], 'SELECT 1'), ('silver', 'c', '{silver.b}', 'SELECT 1'),
           ('silver', 'twin', '{}', 'SELECT 1')$$,
  'run_plan lists what would run, after what');
SELECT is((SELECT array_agg(layer || '.' || job_name ORDER BY step) FROM setup.run_plan()),
  '{bronze.a,bronze.side,silver.b,silver.c,silver.twin,gold.d,gold.twin,extra.other}',
    'of all layers, in the order of the layers');
SELECT is(last_run(), :before::bigint, 'run_plan makes no run either');
UPDATE setup.load_jobs SET load_order = 1 WHERE job_name = 'twin';
SELECT is((SELECT job_name FROM setup.run_plan('silver') WHERE step = 1), 'twin',
  'load_order decides where dependencies do not');

-- Where a call cannot be

BEGIN;
CALL setup.orchestrate_all();
\set state :SQLSTATE
ROLLBACK;
SELECT is(:'state'::text, '25001', 'a call inside BEGIN is refused');
\set output `psql -XqAt -d :'DBNAME' -c 'BEGIN' -c 'CALL setup.orchestrate_all()' 2>&1`
SELECT alike(:'output'::text, '%HINT:%setup.start_run()%', 'with a hint that names start_run');
SELECT throws_ok('CALL setup.orchestrate_all()', '25001', NULL, 'so is a call inside a function');
\set output `psql -XqAt -d :'DBNAME' -c 'CALL setup.orchestrate_bronze(); SELECT 1' 2>&1`
SELECT alike(:'output'::text, '%cannot be started and awaited inside a transaction block%',
  'or together with other statements');
BEGIN READ ONLY;
SELECT throws_ok('SELECT setup.start_run()', '25006', NULL, 'a read-only transaction starts no run');
ROLLBACK;
BEGIN;
SELECT setup.start_run() AS rolled_back \gset
ROLLBACK;
SELECT is(last_run(), :before::bigint, 'a run whose transaction is rolled back is none');
BEGIN;
SELECT setup.start_run('extra') AS run \gset
COMMIT;
SELECT is(setup.wait_run(:run), 'OK', 'a run whose transaction commits begins then');
SELECT * FROM finish();
