-- Running: what runs at the same time, what waits for what, and what becomes of the rest when a job fails.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE TABLE seen (job text, parents bigint);

SELECT plan(59);

-- Parallel and in sequence

SELECT setup.create_layer('par'), setup.create_layer('seq', execution => 'sequence');
SELECT setup.add_job(layer, job, 'SELECT pg_sleep(1)', load_order => n)
  FROM unnest('{par,seq}'::text[]) layer, (VALUES ('z_first', 1), ('a_second', 2)) AS jobs(job, n);
CALL setup.orchestrate_layer('par');
SELECT is(:'SQLSTATE'::text, '00000', 'a run of two jobs ends without error');
SELECT cmp_ok((SELECT finished_at - started_at FROM setup.load_runs WHERE run_id = last_run()), '<', interval '1.5 s',
  'two independent jobs of one second take less than 1.5 s in a parallel layer');
SELECT ok((SELECT max(started_at) < min(finished_at) FROM setup.load_log WHERE run_id = last_run()),
  'jobs of a parallel layer run at the same time');
CALL setup.orchestrate_layer('seq');
SELECT cmp_ok((SELECT finished_at - started_at FROM setup.load_runs WHERE run_id = last_run()), '>', interval '2 s',
  'two independent jobs of one second take more than 2 s in a layer that runs in sequence');
SELECT ok((SELECT max(started_at) >= min(finished_at) FROM setup.load_log WHERE run_id = last_run()),
  'jobs of such a layer never run at the same time');
SELECT is((SELECT array_agg(job_name ORDER BY started_at) FROM setup.load_log WHERE run_id = last_run()),
  '{z_first,a_second}', 'but in load_order');

SELECT setup.create_layer('narrow');
SELECT setup.add_job('narrow', 'n' || i, 'SELECT pg_sleep(0.05)') FROM generate_series(1, 5) i;
CALL setup.orchestrate_layer('narrow', max_parallel => 1);
SELECT is((SELECT count(*) FROM setup.load_log a JOIN setup.load_log b USING (run_id)
            WHERE run_id = last_run() AND a.step_id < b.step_id
              AND (a.started_at, a.finished_at) OVERLAPS (b.started_at, b.finished_at)), 0::bigint,
  'with max_parallel => 1 no two jobs overlap');
SELECT is((SELECT jobs_ok FROM setup.load_runs WHERE run_id = last_run()), 5, 'and all of them run');

-- Workers stay for a while for the next job of their owner; they must not keep others from their places.
CREATE ROLE running_idle LOGIN;
CREATE ROLE running_busy LOGIN;
SELECT setup.create_layer('idle'), setup.create_layer('busy');
SELECT setup.add_job('idle', 'i' || i, 'SELECT pg_sleep(0.2)', owner => 'running_idle') FROM generate_series(1, 8) i;
SELECT setup.add_job('busy', 'b' || i, 'SELECT pg_sleep(0.5)', owner => 'running_busy') FROM generate_series(1, 2) i;
CALL setup.orchestrate_layer('idle');
SELECT is((SELECT count(*)::text FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker'),
  current_setting('etl_orchestrator.max_workers'), 'when all workers are taken, and idle,');
CALL setup.orchestrate_layer('busy');
SELECT ok((SELECT max(started_at) < min(finished_at) FROM setup.load_log WHERE run_id = last_run()),
  'two jobs of another owner still run at the same time');

-- A failure in a sequence: load_order is an order, not a dependency

SELECT setup.add_job('seq', 'z_first', 'SELECT 1/0', load_order => 1), setup.add_job('seq', 'a_second', 'SELECT 1',
  load_order => 2);
CALL setup.orchestrate_layer('seq');
SELECT is(outcome(), 'a_second OK, z_first ERROR', 'in a sequence the next job runs after a failed one');

-- A diamond

SELECT setup.create_layer('diamond');
SELECT setup.add_job('diamond', 'a_bottom', 'INSERT INTO public.seen SELECT ''bottom'', count(*) FROM public.seen',
  depends_on => '{left,right}'),
  setup.add_job('diamond', 'left',
    'INSERT INTO public.seen SELECT ''left'', count(*) FROM public.seen WHERE job = ''top''', depends_on => '{top}'),
  setup.add_job('diamond', 'right',
    'INSERT INTO public.seen SELECT ''right'', count(*) FROM public.seen WHERE job = ''top''',
    depends_on => '{diamond.top}'),
  setup.add_job('diamond', 'top', 'INSERT INTO public.seen SELECT ''top'', count(*) FROM public.seen, pg_sleep(0.1)');
CALL setup.orchestrate_layer('diamond');
SELECT results_eq('SELECT job, parents FROM seen ORDER BY job COLLATE "C"',
  $$VALUES ('bottom', 3::bigint), ('left', 1), ('right', 1), ('top', 0)$$,
    'every job of a diamond sees what its parents committed');
SELECT is((SELECT count(*) FROM setup.run_steps s JOIN setup.load_log child USING (run_id, step_id)
             CROSS JOIN unnest(s.depends_on) parent_id
             JOIN setup.load_log parent ON parent.run_id = s.run_id AND parent.step_id = parent_id
            WHERE s.run_id = last_run() AND child.started_at >= parent.finished_at), 4::bigint,
  'no job of a diamond starts before its parents have finished');

-- A failing job in the middle

SELECT setup.create_layer('one'), setup.create_layer('two'), setup.create_layer('three');
CREATE PROCEDURE one.explode() LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the boiler burst' USING ERRCODE = 'ZZ123', DETAIL = 'Steam is everywhere.', HINT = 'Call a plumber.';
END $$;
SELECT setup.add_job('one', 'a_fine', 'SELECT 1'), setup.add_job('one', 'b_breaks', 'CALL one.explode()',
  depends_on => '{a_fine}'),
  setup.add_job('one', 'c_child', 'SELECT 1', depends_on => '{b_breaks}'),
  setup.add_job('one', 'd_grandchild', 'SELECT 1', depends_on => '{c_child}'),
  setup.add_job('one', 'e_independent', 'SELECT pg_sleep(0.2)'), setup.add_job('one', 'f_divides', 'SELECT 1/0'),
  setup.add_job('two', 'g_follows', 'SELECT 1'), setup.add_job('two', 'h_of_fine', 'SELECT 1',
    depends_on => '{one.a_fine}'),
  setup.add_job('two', 'i_of_broken', 'SELECT 1', depends_on => '{one.a_fine,one.b_breaks}'),
  setup.add_job('three', 'j_last', 'SELECT 1'), setup.add_job('three', 'k_of_h', 'SELECT 1',
    depends_on => '{two.h_of_fine}');
UPDATE setup.load_jobs SET is_enabled = layer IN ('one', 'two', 'three');
CALL setup.orchestrate_all();
SELECT is(:'SQLSTATE'::text, 'OR001', 'a call whose run fails raises OR001');
SELECT matches(:'LAST_ERROR_MESSAGE'::text, format('^run %s failed: 11 jobs: 4 OK, 2 failed, 5 skipped, [0-9.]+ m?s$',
  last_run()),
  'its message counts the jobs');
SELECT is(outcome(), 'a_fine OK, b_breaks ERROR, c_child SKIPPED, d_grandchild SKIPPED, e_independent OK, f_divides ERROR, '
  'g_follows SKIPPED, h_of_fine OK, i_of_broken SKIPPED, j_last SKIPPED, k_of_h OK',
  'exactly what depends on a failure is skipped, across layers; the rest runs');
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();
SELECT is((SELECT message FROM log WHERE job_name = 'c_child'), '"one.b_breaks" did not end OK',
  'a skipped job names the dependency that failed');
SELECT is((SELECT message FROM log WHERE job_name = 'd_grandchild'), '"one.c_child" did not end OK',
  'or that was skipped itself');
SELECT is((SELECT message FROM log WHERE job_name = 'i_of_broken'), '"one.b_breaks" did not end OK',
  'also one of an earlier layer');
SELECT is((SELECT message FROM log WHERE job_name = 'g_follows'), 'layer before: "one.b_breaks" did not end OK',
  'a job without dependencies names the layer that it follows');
SELECT alike((SELECT message FROM log WHERE job_name = 'j_last'), 'layer before: "two.%" did not end OK',
  'which is the layer just before');
SELECT results_eq($$SELECT DISTINCT attempt, sqlstate, rows_loaded FROM log WHERE status = 'SKIPPED'$$,
  'VALUES (0, NULL::text, NULL::bigint)', 'a skipped job has attempt 0, no error and no rows');
SELECT results_eq($$SELECT attempt, sqlstate, message, detail, hint FROM log WHERE job_name = 'b_breaks'$$,
  $$VALUES (1, 'ZZ123', 'the boiler burst', 'Steam is everywhere.', 'Call a plumber.')$$,
  'load_log keeps SQLSTATE, message, detail and hint of an error');
SELECT alike((SELECT context FROM log WHERE job_name = 'b_breaks'), 'PL/pgSQL function one.explode() line 3 at RAISE%',
  'and its context');
SELECT is((SELECT rows_loaded FROM log WHERE job_name = 'b_breaks'), NULL, 'a failed attempt has no rows');
SELECT results_eq('SELECT status, jobs_total, jobs_ok, jobs_failed, jobs_skipped FROM setup.load_runs WHERE run_id = last_run()',
  $$VALUES ('ERROR', 11, 4, 2, 5)$$, 'load_runs counts the same');
SELECT ok((SELECT started_at <= (SELECT min(started_at) FROM log) AND finished_at >= (SELECT max(finished_at) FROM log)
             FROM setup.load_runs WHERE run_id = last_run()), 'and spans all of its attempts');
SELECT is((SELECT phase FROM one.load_log WHERE run_id = last_run() AND job_name = 'b_breaks'), 'ERROR',
  'the layer''s load_log shows the phase ERROR');
SELECT is((SELECT array_agg(DISTINCT phase ORDER BY phase) FROM one.load_log WHERE run_id = last_run()),
  '{COMMAND,ERROR,SKIPPED}',
  'and COMMAND and SKIPPED for the others');
\set output `psql -XqAt -d :'DBNAME' -c 'CALL setup.orchestrate_all()' 2>&1`
SELECT alike(:'output'::text, '%job "one.b_breaks": the boiler burst [ZZ123]%',
  'the error lists each failed job with message and SQLSTATE');
SELECT alike(:'output'::text, '%job "one.f_divides": division by zero [22012]%', 'each of them');
SELECT unalike(:'output'::text, '%DETAIL:%c_child%', 'but not what was skipped');
SELECT alike(:'output'::text, '%HINT:%setup.load_log WHERE run_id = ' || last_run() || '%',
  'and says where to read more');

-- on_error => 'stop'

SELECT setup.create_layer('halt'), setup.create_layer('halted');
SELECT setup.add_job('halt', 'a_slow',
  $$SELECT public.wait_until('EXISTS (SELECT FROM setup.load_log WHERE run_id = public.last_run() AND status = ''ERROR'')'), pg_sleep(0.1)$$),
  setup.add_job('halt', 'b_breaks', 'SELECT 1/0'), setup.add_job('halt', 'c_waits', 'SELECT 1', load_order => 200),
  setup.add_job('halted', 'd_follows', 'SELECT 1'), setup.add_job('halted', 'e_of_slow', 'SELECT 1',
    depends_on => '{halt.a_slow}');
UPDATE setup.load_jobs SET is_enabled = layer IN ('halt', 'halted');
CALL setup.orchestrate_all(on_error => 'stop', max_parallel => 2);
SELECT is(outcome(), 'a_slow OK, b_breaks ERROR, c_waits SKIPPED, d_follows SKIPPED, e_of_slow SKIPPED',
  'on_error => ''stop'' lets end what runs, and starts nothing new');
SELECT is((SELECT message FROM log WHERE job_name = 'c_waits'), 'stopped: "halt.b_breaks" did not end OK',
  'and says why');
SELECT is((SELECT status FROM setup.load_runs WHERE run_id = last_run()), 'ERROR', 'the run is then an ERROR');
CALL setup.orchestrate_all(on_error => 'panic');
SELECT is(:'SQLSTATE'::text || ' ' || :'LAST_ERROR_MESSAGE', '22023 on_error "panic" is not known',
  'an unknown on_error is refused');
CALL setup.orchestrate_all(max_parallel => 0);
SELECT is(:'SQLSTATE'::text || ' ' || :'LAST_ERROR_MESSAGE', '22023 max_parallel must be at least 1',
  'max_parallel => 0 is refused');

-- The tables that a layer's jobs declare

UPDATE setup.load_jobs SET is_enabled = false;
SELECT setup.add_job('one', 'claims', 'SELECT 1', table_name => 'never_made'), setup.add_job('two', 'after',
  'SELECT 1'),
  setup.add_job('two', 'after_claims', 'SELECT 1', depends_on => '{one.claims}'),
  setup.add_job('one', 'makes', 'CREATE TABLE one.made ()', table_name => 'made');
CALL setup.orchestrate_all();
SELECT is(:'SQLSTATE'::text, 'OR001', 'a run after which a declared table is missing fails');
SELECT is(outcome(), 'after SKIPPED, after_claims OK, claims OK, makes OK',
  'then the following layer is skipped, but for jobs whose dependencies ended OK');
SELECT is((SELECT message FROM log WHERE job_name = 'after'), 'layer "one" lacks tables', 'with that reason');
SELECT results_eq('SELECT status, message FROM setup.load_runs WHERE run_id = last_run()',
  $$VALUES ('ERROR', 'layer "one": table one.never_made does not exist after its jobs have ended')$$,
  'the run names the table that is missing, and not the one that was made');
\set output `psql -XqAt -d :'DBNAME' -c "CALL setup.orchestrate_layer('one', jobs => '{claims}')" 2>&1`
SELECT alike(:'output'::text, '%DETAIL:%one.never_made%', 'and so does the error');
SELECT results_eq('SELECT * FROM setup.check_tables(''one'')',
  $$VALUES (false, '{one.never_made}'::text[], '{one.made}'::text[], 2, 1)$$,
  'setup.check_tables tells the same');
SELECT throws_ok($$SELECT setup.check_tables('nowhere')$$, '42704', 'layer "nowhere" does not exist',
  'of layers that there are');
DELETE FROM setup.load_jobs WHERE job_name = 'claims';
SELECT is((SELECT "exists" FROM setup.check_tables('one')), true, 'and is content when nothing is missing');

-- Layers without jobs

SELECT setup.create_layer('bare');
CALL setup.orchestrate_layer('bare');
SELECT is(:'SQLSTATE'::text, '00000', 'a layer without jobs runs without error');
SELECT results_eq('SELECT status, layer, jobs_total FROM setup.load_runs WHERE run_id = last_run()',
  $$VALUES ('OK', 'bare', 0)$$,
  'and ends OK with zero jobs');

-- In the background

SELECT setup.add_job('bare', 'first', $$SELECT public.wait_until('pg_try_advisory_xact_lock(7)')$$),
  setup.add_job('bare', 'second', 'SELECT 1', depends_on => '{first}');
SELECT pg_advisory_lock(7);
SELECT setup.start_run('bare') AS run \gset
SELECT ok(setup.wait_run(:run, '10 ms') IN ('QUEUED', 'RUNNING'), 'wait_run gives the present status on timeout');
UPDATE setup.load_jobs SET command = 'SELECT 1/0' WHERE job_name = 'second';
SELECT pg_advisory_unlock(7);
SELECT is(setup.wait_run(:run), 'OK',
  'wait_run waits for the end, and a run goes on with its jobs as they were at its start');
SELECT is(setup.wait_run(:run), 'OK', 'wait_run of a run that has ended returns at once');
SELECT throws_like('SELECT setup.wait_run(setup.start_run(''bare''))',
  'run % cannot begin before this transaction has committed',
  'waiting in the transaction that starts is refused');
SELECT is((SELECT code || ' ' || hint FROM caught('SELECT setup.wait_run(setup.start_run(''bare''))')),
  '55000 COMMIT after setup.start_run(), then wait.', 'with a hint');
SELECT results_eq('SELECT code, message FROM caught(''SELECT setup.wait_run(-1)'')',
  $$VALUES ('P0002', 'run -1 does not exist')$$,
  'an unknown run cannot be waited for');
SELECT throws_ok('SELECT setup.cancel_run(-1)', 'P0002', 'run -1 does not exist', 'nor cancelled');

SELECT setup.add_job('bare', 'first', 'SELECT pg_advisory_xact_lock(8), pg_sleep(60)');
SELECT setup.start_run('bare') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 8)$$);
SELECT setup.cancel_run(:run), clock_timestamp() AS cancelled_at \gset
SELECT is(setup.wait_run(:run), 'CANCELLED', 'cancel_run cancels a run');
SELECT is(outcome(), 'first CANCELLED, second SKIPPED', 'its running job, and those that were to come');
SELECT cmp_ok((SELECT finished_at - :'cancelled_at' FROM setup.load_runs WHERE run_id = :run), '<', interval '1 s',
  'within a second');
SELECT lives_ok('SELECT setup.cancel_run(' || :run || ')', 'cancelling a run that has ended is no error');
SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY running_idle, running_busy;
DROP ROLE running_idle, running_busy;
