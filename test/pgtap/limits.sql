-- Limits: how many jobs of a layer, of a name, of a resource, of a table and of a run go on at the same time, in all runs
-- together. Each job here waits at a gate of its own, so that the test knows which of them run.
\ir tools.psql
SET client_min_messages = warning;
CREATE TABLE gates (gate text);

-- What a job does: waits until its gate is open.
CREATE FUNCTION wait_at(gate text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('EXISTS (SELECT FROM public.gates g WHERE %L LIKE g.gate)', gate))
$$;
CREATE FUNCTION add(layer text, job text, max_concurrent integer DEFAULT 1, resources jsonb DEFAULT '{}',
                    table_name text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  SELECT setup.add_job(layer, job, format('SELECT public.wait_at(%L)', job), max_concurrent => max_concurrent,
                       resources => resources, table_name => table_name)
$$;
CREATE FUNCTION open(gate text) RETURNS void LANGUAGE sql AS 'INSERT INTO gates VALUES (gate)';

-- "a b c": the jobs that run now.
CREATE FUNCTION running() RETURNS text LANGUAGE sql AS
  $$SELECT string_agg(job_name, ' ' ORDER BY job_name COLLATE "C") FROM setup.running_jobs$$;
CREATE FUNCTION wait_for(jobs text) RETURNS text LANGUAGE sql AS
  $$SELECT wait_until(format('public.running() IS NOT DISTINCT FROM %L', jobs)); SELECT running()$$;

-- "a: explanation": what a run waits for because of a limit.
CREATE FUNCTION limited(run bigint) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(job_name || ': ' || explanation, ', ' ORDER BY job_name COLLATE "C")
    FROM setup.why_waiting(run) WHERE reason = 'limit'
$$;

-- Of the jobs that a LIKE pattern fits, how many ran at the same time at most, in all runs since the last call.
CREATE FUNCTION most_at_once(jobs text DEFAULT '%') RETURNS bigint LANGUAGE sql AS $$
  SELECT max((SELECT count(*) FROM setup.load_log b
               WHERE b.job_name LIKE jobs AND b.started_at <= a.started_at AND b.finished_at > a.started_at))
    FROM setup.load_log a WHERE a.job_name LIKE jobs AND a.status = 'OK'
$$;

SELECT plan(37);

-- A layer

SELECT setup.create_layer('layered', settings => '{"max_concurrent": 2}'), setup.create_layer('other');
SELECT add('layered', job) FROM unnest('{la,lb,lc,ld}'::text[]) job;
SELECT add('other', 'oa');
SELECT setup.start_run(jobs => '{layered.la,layered.lb,layered.lc}') AS first \gset
SELECT wait_for('la lb') \g /dev/null
SELECT setup.start_run(jobs => '{layered.ld,other.oa}') AS second \gset
SELECT wait_until(format('public.limited(%s) IS NOT NULL', :second));
SELECT is(limited(:first), 'lc: layer "layered": 2 of 2 places are in use', 'no more jobs of a layer run than it allows');
SELECT is(limited(:second), 'ld: layer "layered": 2 of 2 places are in use', 'and none of another run');
SELECT setup.create_layer('layered', settings => '{"max_concurrent": 3}');
SELECT is(wait_for('la lb lc'), 'la lb lc', 'a higher limit lets the next start, in the middle of a run');
SELECT setup.create_layer('layered', settings => '{"max_concurrent": 1}');
SELECT open('la'), open('lb');
SELECT is(wait_for('lc'), 'lc', 'a lower one lets go on what runs');
SELECT is(limited(:second), 'ld: layer "layered": 1 of 1 places are in use', 'but lets nothing start until there is room');
SELECT setup.create_layer('layered', settings => '{"max_concurrent": null}');
SELECT is(wait_for('lc ld'), 'lc ld', 'without a limit everything starts');
SELECT setup.create_layer('layered', settings => '{"max_concurrent": 2}');
SELECT add('layered', 'le');
SELECT setup.start_run(jobs => '{layered.le}') AS third \gset
SELECT wait_until(format('public.limited(%s) IS NOT NULL', :third));
SELECT is(limited(:third), 'le: layer "layered": 2 of 2 places are in use', 'a new limit counts what was running before it');
SELECT open('%');
SELECT is(setup.wait_run(:first) || ' ' || setup.wait_run(:second) || ' ' || setup.wait_run(:third), 'OK OK OK',
  'all jobs run in the end');
SELECT is(most_at_once('l%'), 3::bigint, 'and never more at the same time than the highest limit was');

-- A job

TRUNCATE gates;
SELECT setup.create_layer('named');
SELECT add('named', 'na'), add('named', 'nb', max_concurrent => 2), add('named', 'nc');
SELECT setup.start_run(jobs => '{named.na,named.nb}') AS first \gset
SELECT setup.start_run(jobs => '{named.na,named.nb,named.nc}') AS second \gset
SELECT is(wait_for('na nb nb nc'), 'na nb nb nc', 'a job runs as often at the same time as its max_concurrent says');
SELECT is(limited(:second), 'na: job "named.na": 1 of 1 places are in use', 'which is once where it says nothing');
SELECT open('%');
SELECT is(setup.wait_run(:first) || ' ' || setup.wait_run(:second), 'OK OK', 'then it runs for the other run');
SELECT is(most_at_once('na'), 1::bigint, 'and not before');

-- A resource

TRUNCATE gates;
SELECT setup.create_layer('fed'), setup.create_resource('io', 4);
SELECT add('fed', 'f' || i, resources => '{"io": 2}') FROM generate_series(1, 5) i;
SELECT setup.start_run('fed', jobs => '{f1,f2,f3,f4,f5}') AS run \gset
SELECT is(wait_for('f1 f2'), 'f1 f2', 'jobs take units of a resource, and no more of them run than it has units for');
SELECT is(limited(:run), 'f3: resource "io": 4 of 4 units are in use, f4: resource "io": 4 of 4 units are in use, '
  'f5: resource "io": 4 of 4 units are in use', 'the others wait for it');
SELECT setup.create_resource('io', 6);
SELECT is(wait_for('f1 f2 f3'), 'f1 f2 f3', 'more units let the next start, in the middle of the run');
SELECT setup.create_resource('io', 1);
SELECT open('f1'), open('f2');
SELECT is(wait_for('f3'), 'f3', 'fewer let go on what runs');
SELECT is(limited(:run), 'f4: resource "io": 2 of 1 units are in use, f5: resource "io": 2 of 1 units are in use',
  'but let nothing start');
SELECT open('f3');
SELECT is(wait_for('f4'), 'f4', 'a job that takes more than there is now runs when no other takes any');
SELECT open('%');
SELECT is(setup.wait_run(:run), 'OK', 'so that all of them run in the end');
SELECT is(most_at_once('f%'), 3::bigint, 'and never more at the same time than there were units for');
SELECT is((SELECT bool_and(a.finished_at <= b.started_at) FROM setup.load_log a, setup.load_log b
            WHERE a.job_name = 'f4' AND b.job_name = 'f5'), true, 'those that are too large one after the other');
SELECT is((SELECT code || ': ' || detail FROM caught('SELECT setup.start_run(''fed'')')),
  'OR002: ' || (SELECT string_agg(format('job "fed.f%s": it takes 2 units of resource "io", which has 1', i), E'\n')
                  FROM generate_series(1, 5) i),
  'a run whose jobs take more than a resource has is refused');
SELECT add('fed', 'f1', resources => '{"io": 1, "gold": 1}');
SELECT is((SELECT code || ': ' || detail FROM caught('SELECT setup.start_run(''fed'', jobs => ''{f1}'')')),
  'OR002: job "fed.f1": resource "gold" does not exist', 'and one whose job takes what there is not');
SELECT setup.create_resource('gold', 1);
SELECT is((SELECT code FROM caught('SELECT setup.start_run(''fed'', jobs => ''{f1}'')')), '00000',
  'until somebody makes it');
SELECT is(setup.wait_run(last_run()), 'OK', 'it then runs');
SELECT setup.drop_resource('gold');
SELECT is((SELECT code FROM caught('SELECT setup.start_run(''fed'', jobs => ''{f1}'')')), 'OR002',
  'and not any more when it is dropped');
SELECT throws_ok('SELECT setup.drop_resource(''gold'')', '42704', 'resource "gold" does not exist',
  'a resource is dropped once');
SELECT throws_ok($$SELECT setup.add_job('fed', 'f1', 'SELECT 1', resources => '{"io": 0}')$$, '23514', NULL,
  'nobody takes no units');

-- A table

TRUNCATE gates;
SELECT setup.create_layer('tables'), setup.create_layer('more');
CREATE TABLE tables.target ();
SELECT add('tables', 't' || i, table_name => 'target') FROM generate_series(1, 3) i;
SELECT add('more', 't4', table_name => 'tables.target'), add('more', 't5', table_name => 'none');
CREATE TABLE more.none ();
SELECT setup.start_run('tables') AS first \gset
SELECT wait_for('t1') \g /dev/null
SELECT setup.start_run('more') AS second \gset
SELECT is(wait_for('t1 t5'), 't1 t5', 'of the jobs that write a table one runs at a time, in all runs together');
SELECT is(limited(:first), 't2: another job is writing table tables.target, t3: another job is writing table tables.target',
  'others of its run wait');
SELECT is(limited(:second), 't4: another job is writing table tables.target', 'and so do those of another run');
SELECT open('%');
SELECT is(setup.wait_run(:first) || ' ' || setup.wait_run(:second), 'OK OK', 'each of them runs');
SELECT is((SELECT count(*) FROM setup.load_log a JOIN setup.load_log b ON a.log_id < b.log_id
            WHERE a.table_name = 'tables.target' AND b.table_name = a.table_name
              AND (a.started_at, a.finished_at) OVERLAPS (b.started_at, b.finished_at)), 0::bigint,
  'and no two of them at the same time');

-- A run

TRUNCATE gates;
SELECT setup.create_layer('many');
SELECT add('many', 'm' || i) FROM generate_series(1, 4) i;
SELECT setup.start_run('many', max_parallel => 2) AS run \gset
SELECT is(wait_for('m1 m2'), 'm1 m2', 'no more jobs of a run start than its max_parallel says');
SELECT is(limited(:run), 'm3: max_parallel of the run: 2 of 2 jobs are running, m4: max_parallel of the run: 2 of 2 jobs are running',
  'the others wait for that');
SELECT open('%');
SELECT is(setup.wait_run(:run) || ' ' || most_at_once('m%'), 'OK 2', 'until the end of the run');

SELECT * FROM finish();
