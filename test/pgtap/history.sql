-- History: weekly partitions, how they come and go.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
SET TimeZone = 'UTC';
CREATE ROLE history_guest LOGIN;
GRANT USAGE ON SCHEMA setup TO history_guest;
SELECT setup.create_layer('one');
SELECT setup.add_job('one', 'a', 'SELECT 1');
-- The names of the weeks that a moment's rows belong to, and those that are there.
CREATE FUNCTION week_of(moment timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT to_char(date_trunc('week', moment AT TIME ZONE 'UTC'), 'YYYYMMDD') $$;
CREATE FUNCTION weeks(parent text DEFAULT 'load_runs') RETURNS SETOF text LANGUAGE sql AS $$
  SELECT substr(c.relname, length(parent) + 2) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = ('setup.' || parent)::regclass $$;
-- A run of the past.
CREATE FUNCTION past_run(moment timestamptz, finished boolean DEFAULT true) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO setup.load_runs (status, started_by, started_by_oid, database_oid, requested_at, started_at, finished_at,
                               jobs_total, pipeline)
  VALUES (CASE WHEN finished THEN 'OK' ELSE 'RUNNING' END, current_user, current_user::regrole,
          -- an unfinished one of another database: nobody takes it up here
          CASE WHEN finished THEN (SELECT oid FROM pg_database WHERE datname = current_database()) ELSE 1 END,
          moment, moment, CASE WHEN finished THEN moment END, 1, 'past ' || moment)
  RETURNING run_id $$;

SELECT plan(37);

-- Where rows are

SELECT set_eq('SELECT weeks()', format('VALUES (week_of(now())), (week_of(now() + %L))', '1 week'),
  'there are partitions for this week and the next');
CALL setup.orchestrate_all();
SELECT results_eq(format($$SELECT tableoid::regclass::text FROM setup.%s WHERE run_id = last_run()$$, parent),
  ARRAY['setup.' || parent || '_' || week_of(now())], parent || ' has its rows in the partition of their week')
  FROM unnest(ARRAY['load_runs', 'run_steps', 'load_log']) parent;
SELECT is((SELECT count(DISTINCT at) FROM (SELECT requested_at AS at FROM setup.load_runs
    UNION ALL SELECT run_at FROM setup.run_steps UNION ALL SELECT run_at FROM setup.load_log) x), 1::bigint,
  'by the time at which the run was asked for, whatever the time of the row');

-- Making partitions

SELECT setup.make_partitions('2020-02-23 23:59:59.999999+00'), setup.make_partitions('2020-02-24 00:00+00');
SELECT set_eq($$SELECT w FROM weeks() w WHERE w < '2021'$$, ARRAY['20200217', '20200224'],
  'a week begins on Monday at midnight in UTC');
SET TimeZone = 'Pacific/Auckland';
SELECT setup.make_partitions('2020-03-01 23:30+00');
RESET TimeZone;
SELECT set_eq($$SELECT w FROM weeks() w WHERE w < '2021'$$, ARRAY['20200217', '20200224'],
  'whatever the time zone of the session');
SELECT lives_ok($$SELECT setup.make_partitions('2020-02-18')$$, 'what is there already is left alone');
SELECT set_eq('SELECT weeks(''run_steps'')', 'SELECT weeks()', 'the steps have the same weeks');
SELECT set_eq('SELECT weeks(''load_log'')', 'SELECT weeks()', 'and the log');
SELECT is((SELECT count(*) FROM pg_depend d JOIN pg_inherits i ON d.objid = i.inhrelid
    WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass),
  (SELECT 4 * count(*) FROM weeks()), 'each partition is a member of the extension');
SELECT has_index('setup', 'load_log_20200217', 'load_log_20200217_one_success', 'a partition has the index');
SELECT throws_ok($$INSERT INTO setup.load_log (run_id, layer, job_name, attempt, status, started_at, finished_at,
    duration_ms, owner, step_id, round, owner_oid, run_at)
  SELECT 1, 'one', 'a', n, 'OK', now(), now(), 0, 'postgres', 0, 0, 10, '2020-02-18' FROM generate_series(1, 2) n$$,
  '23505', NULL, 'that lets a step of a round succeed once');

-- Dropping weeks

SELECT past_run('2020-02-18') AS old_run \gset
SELECT past_run('2020-02-25', false) AS unfinished \gset
INSERT INTO setup.run_cancellations VALUES (:old_run), (:unfinished);
INSERT INTO setup.notifications (created_at, topic, subject, message, owner_oid)
  VALUES ('2020-02-18', 'test', 'old', '', 10), ('2020-03-30', 'test', 'young', '', 10);
SELECT setup.make_partitions('2020-03-10');
SELECT is(setup.drop_history('2020-02-23 23:59+00'), 0, 'a week that had not ended stays as a whole');
SELECT is(setup.drop_history('2020-03-16 00:00+00'), 2, 'weeks that had ended go, and are counted,');
SELECT set_eq($$SELECT w FROM weeks() w WHERE w < '2021'$$, ARRAY['20200224'], 'but none with an unfinished run');
SELECT set_eq($$SELECT weeks(parent) FROM unnest(ARRAY['run_steps', 'load_log']) parent$$, 'SELECT weeks()',
  'steps and log go together with the runs');
SELECT is_empty('SELECT FROM setup.load_runs WHERE run_id = ' || :old_run, 'so that an old run is not there any more');
SELECT results_eq('SELECT run_id FROM setup.run_cancellations', ARRAY[:unfinished::bigint], 'nor its cancellation');
SELECT results_eq('SELECT subject FROM setup.notifications', ARRAY['young'], 'nor old notifications');
SELECT throws_ok('SELECT setup.wait_run(' || :old_run || ')', 'P0002', NULL, 'nobody can wait for it');
SELECT is((SELECT count(*) FROM setup.load_runs WHERE run_id = last_run()), 1::bigint, 'this week''s runs are');
UPDATE setup.load_runs SET status = 'OK', finished_at = '2020-02-26' WHERE run_id = :unfinished;
SELECT is(setup.drop_history('2020-03-16'), 1, 'when its run has finished, a week goes too');
SELECT is(setup.drop_history('2020-03-16'), 0, 'and nothing is left to drop');

-- Nobody else's business

SET SESSION AUTHORIZATION history_guest;
SELECT throws_ok('SELECT setup.' || call, '42501', NULL, 'nobody else can call ' || call)
  FROM unnest(ARRAY['drop_history(now())', 'make_partitions(now())']) call;
SELECT throws_ok(format('SELECT * FROM setup.%s_%s', parent, week_of(now())), '42501', NULL,
  'nor look into partitions of ' || parent) FROM unnest(ARRAY['load_runs', 'run_steps', 'load_log']) parent;
RESET SESSION AUTHORIZATION;

-- By itself

CREATE VIEW conductor AS SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'etl_orchestrator conductor';
SELECT setup.make_partitions('2020-02-18'), setup.make_partitions(now() - interval '60 days');
SELECT past_run('2020-02-18') AS a, past_run(now() - interval '60 days') AS b \gset
CALL setup.orchestrate_all();
SELECT wait_until('NOT EXISTS (SELECT FROM weeks() w WHERE w = ''20200217'')');
SELECT pass('the engine drops what is older than log_retention');
SELECT is((SELECT count(*) FROM weeks() w WHERE w = week_of(now() - interval '60 days')), 1::bigint,
  'which is 90 days');
\! ./configure.sh "SET etl_orchestrator.log_retention = '30d'"
CALL setup.orchestrate_all();
SELECT wait_until('NOT EXISTS (SELECT FROM weeks() w WHERE w = week_of(now() - interval ''60 days''))');
SELECT pass('unless told otherwise');

-- A conductor that need not stay keeps history before it leaves.
\! ./configure.sh 'SET etl_orchestrator.idle_timeout = 0'
SELECT wait_until('NOT EXISTS (SELECT FROM conductor)');
SELECT setup.make_partitions('2020-02-18');
SELECT past_run('2020-02-18') AS a \gset
CALL setup.orchestrate_all();
SELECT wait_until('NOT EXISTS (SELECT FROM conductor)');
SELECT is((SELECT count(*) FROM weeks() w WHERE w = '20200217'), 0::bigint, 'also where the conductor leaves at once');
\! ./configure.sh 'SET etl_orchestrator.log_retention = 0'
SELECT setup.make_partitions('2020-02-18');
SELECT past_run('2020-02-18') AS a \gset
CALL setup.orchestrate_all();
SELECT wait_until('NOT EXISTS (SELECT FROM conductor)');
SELECT is((SELECT count(*) FROM weeks() w WHERE w = '20200217'), 1::bigint, '0 keeps all');
\! ./configure.sh 'RESET etl_orchestrator.log_retention' 'RESET etl_orchestrator.idle_timeout'

-- A week without partitions

SELECT setup.add_job('one', 'a', 'SELECT 1', owner => 'history_guest');
SELECT setup.drop_history(now() + interval '2 weeks') > 0 AS dropped \gset
SELECT is_empty('SELECT weeks()', 'when the partitions of this week are gone');
SET SESSION AUTHORIZATION history_guest;
SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run), 'OK', 'whoever starts a run makes them');
RESET SESSION AUTHORIZATION;
SELECT wait_until(format('EXISTS (SELECT FROM weeks() w WHERE w = %L)', week_of(now() + interval '1 week')));
SELECT pass('and the engine those of the next');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY history_guest;
DROP ROLE history_guest;
