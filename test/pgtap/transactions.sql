-- What a job's command may do with its transaction, how long it may take, and what is left of it when it fails.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE TABLE effects (what text PRIMARY KEY, day date);
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
CREATE PROCEDURE commits(what text) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO effects VALUES (what || ' before');
  COMMIT;
  INSERT INTO effects VALUES (what || ' after');
END $$;
SELECT setup.create_layer('one');
CREATE TEMP VIEW log AS SELECT * FROM setup.load_log WHERE run_id = last_run();

SELECT plan(33);

-- One transaction

SELECT setup.add_job('one', 'command', 'COMMIT'), setup.add_job('one', 'block', 'DO $$ BEGIN COMMIT; END $$'),
  setup.add_job('one', 'procedure', 'CALL public.commits(''single'')'), setup.add_job('one', 'begin', 'BEGIN'),
  setup.add_job('one', 'rollback', 'ROLLBACK'), setup.add_job('one', 'vacuum', 'VACUUM setup.layers'),
  setup.add_job('one', 'concurrently', 'CREATE INDEX CONCURRENTLY ON public.effects (day)');
CALL setup.orchestrate_layer('one');
SELECT results_eq('SELECT job_name, status, sqlstate FROM log ORDER BY 1',
  $$VALUES ('begin', 'ERROR', '2D000'), ('block', 'ERROR', '2D000'), ('command', 'ERROR', '2D000'),
           ('concurrently', 'ERROR', '25001'), ('procedure', 'ERROR', '2D000'), ('rollback', 'ERROR', '2D000'),
           ('vacuum', 'ERROR', '25001')$$,
  'a plain job cannot begin or end a transaction, nor run what no transaction block allows');
SELECT is((SELECT count(*) FROM log WHERE hint LIKE '%transaction => ''each''%'), 7::bigint,
  'the hint says what allows it');
SELECT is_empty('SELECT * FROM effects', 'and nothing of it is left');

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'several',
  'INSERT INTO public.effects VALUES (''a''); INSERT INTO public.effects VALUES (''b'')'),
  setup.add_job('one', 'breaks', 'INSERT INTO public.effects VALUES (''lost''); SELECT 1/0; SELECT 2'),
  setup.add_job('one', 'savepoints',
    'SAVEPOINT s; INSERT INTO public.effects VALUES (''undone''); ROLLBACK TO s; RELEASE s;
                                      INSERT INTO public.effects VALUES (''kept'')'),
  setup.add_job('one', 'deferred', 'INSERT INTO public.children VALUES (1)'),
  setup.add_job('one', 'stdin', 'COPY public.effects FROM STDIN'), setup.add_job('one', 'stdout',
    'COPY public.effects TO STDOUT'),
  setup.add_job('one', 'syntax', 'INSERT INTO public.effects VALUES (''not even parsed''); SELCT 1'),
  setup.add_job('one', 'comment', '-- nothing');
CALL setup.orchestrate_layer('one');
SELECT set_eq('SELECT what FROM effects', ARRAY['a', 'b', 'kept'],
  'a command of several statements happens as a whole or not at all');
SELECT is((SELECT status FROM log WHERE job_name = 'savepoints'), 'OK', 'savepoints are allowed');
SELECT alike((SELECT context FROM log WHERE job_name = 'breaks'), '%statement 2 of the job''s command%',
  'the context tells which statement of several failed');
SELECT is((SELECT array_agg(status || ' ' || sqlstate) FROM log WHERE job_name = 'deferred'), '{ERROR 23503}',
  'a constraint that fails at the commit fails the job, and leaves one row');
SELECT is((SELECT count(*) FROM children), 0::bigint, 'and no effect');
SELECT is((SELECT string_agg(sqlstate, ' ') FROM log WHERE job_name IN ('stdin', 'stdout')), '0A000 0A000',
  'a job has no client to copy from or to');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'syntax'), '42601',
  'a syntax error is found before the first statement runs');
SELECT is((SELECT status || rows_loaded FROM log WHERE job_name = 'comment'), 'OK0',
  'a command that holds no statement does nothing');
SELECT is((SELECT array_agg(DISTINCT delivery) FROM log), '{exactly once}', 'a plain job runs exactly once');

-- Each statement by itself

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', job, command, transaction => 'each') FROM (VALUES
  ('procedure', 'CALL public.commits(''each'')'), ('vacuum', 'VACUUM setup.layers'),
  ('concurrently', 'CREATE INDEX CONCURRENTLY by_day ON public.effects (day)'),
  ('breaks', 'INSERT INTO public.effects VALUES (''stays''); SELECT 1/0; SELECT 2'),
  ('group', 'BEGIN; INSERT INTO public.effects VALUES (''grouped''); COMMIT'),
  ('undo', 'BEGIN; INSERT INTO public.effects VALUES (''undone''); ROLLBACK'),
  ('open', 'BEGIN; INSERT INTO public.effects VALUES (''left open'')')) AS jobs(job, command);
CALL setup.orchestrate_layer('one');
SELECT is((SELECT status FROM log WHERE job_name = 'procedure'), 'OK',
  'with transaction => ''each'' a procedure may commit');
SELECT is((SELECT count(*) FROM effects WHERE what IN ('each before', 'each after')), 2::bigint,
  'and both of its halves are there');
SELECT is((SELECT status FROM log WHERE job_name = 'vacuum'), 'OK', 'VACUUM works');
SELECT is((SELECT status FROM log WHERE job_name = 'concurrently'), 'OK', 'CREATE INDEX CONCURRENTLY works');
SELECT has_index('effects', 'by_day', 'and has made the index');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'breaks'), '22012', 'a statement that fails fails the job');
SELECT ok(EXISTS (SELECT FROM effects WHERE what = 'stays'), 'but what ran before it stays');
SELECT is((SELECT status FROM log WHERE job_name = 'group'), 'OK', 'BEGIN and COMMIT group statements');
SELECT is((SELECT count(*) FROM effects WHERE what = 'grouped'), 1::bigint, 'which are then there');
SELECT ok(NOT EXISTS (SELECT FROM effects WHERE what = 'undone'), 'ROLLBACK undoes them');
SELECT results_eq($$SELECT status, sqlstate, message FROM log WHERE job_name = 'open'$$,
  $$VALUES ('ERROR', '2D000', 'the command left a transaction open')$$, 'a transaction that is left open is an error');
SELECT ok(NOT EXISTS (SELECT FROM effects WHERE what = 'left open'), 'and rolled back');
SELECT is((SELECT array_agg(DISTINCT delivery) FROM log), '{at least once}',
  'the log says that such a job runs at least once');

-- A job begins with a fresh transaction, whose mode it may set

DELETE FROM setup.load_jobs;
CREATE TABLE isolation (job text, level text, read_only text, seen bigint);
SELECT setup.add_job('one', 'a_serial',
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
   INSERT INTO public.isolation SELECT ''serial'', current_setting(''transaction_isolation'')'),
  setup.add_job('one', 'b_reads', 'SET TRANSACTION READ ONLY; SELECT 1'),
  setup.add_job('one', 'c_writes_anyway', 'SET TRANSACTION READ ONLY; INSERT INTO public.isolation VALUES (''never'')');
CALL setup.orchestrate_layer('one');
SELECT is((SELECT level FROM isolation WHERE job = 'serial'), 'serializable',
  'a job can set its isolation level before its first query');
SELECT is((SELECT status FROM log WHERE job_name = 'a_serial'), 'OK', 'and is logged');
SELECT is((SELECT status FROM log WHERE job_name = 'b_reads'), 'OK', 'a read-only job is logged too');
SELECT is((SELECT sqlstate FROM log WHERE job_name = 'c_writes_anyway'), '25006', 'and cannot write itself');

-- Timeouts

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'by_set', 'SET statement_timeout = ''50ms''; SELECT pg_sleep(30)'),
  setup.add_job('one', 'later_statement', 'SET statement_timeout = ''50ms''; SELECT 1; SELECT 2; SELECT pg_sleep(30)'),
  setup.add_job('one', 'in_time', 'SET statement_timeout = ''10s''; SELECT pg_sleep(0.01); SELECT pg_sleep(0.01)'),
  setup.add_job('one', 'each_set', 'SET statement_timeout = ''50ms''; SELECT pg_sleep(30)', transaction => 'each');
CREATE ROLE transactions_slow LOGIN;
ALTER ROLE transactions_slow SET statement_timeout = '50ms';
SELECT setup.add_job('one', 'by_role', 'SELECT pg_sleep(30)', owner => 'transactions_slow');
CALL setup.orchestrate_layer('one');
SELECT results_eq($$SELECT job_name, status, sqlstate FROM log ORDER BY 1$$,
  $$VALUES ('by_role', 'TIMED_OUT', '57014'), ('by_set', 'TIMED_OUT', '57014'), ('each_set', 'TIMED_OUT', '57014'),
           ('in_time', 'OK', NULL), ('later_statement', 'TIMED_OUT', '57014')$$,
  'statement_timeout is enforced, whether the job sets it or its owner''s settings do');
SELECT is((SELECT message FROM log WHERE job_name = 'by_set'), 'canceling statement due to statement timeout',
  'and told as such');
SELECT cmp_ok((SELECT max(duration_ms) FROM log), '<', 10000::numeric, 'in time');

-- A worker is itself again after each of these

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'after', 'SELECT pg_sleep(0.1); INSERT INTO public.effects VALUES (''still working'')');
CALL setup.orchestrate_layer('one');
SELECT is(outcome(), 'after OK', 'a timeout of the job before does not hit the next one');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY transactions_slow;
DROP ROLE transactions_slow;
