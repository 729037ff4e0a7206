-- What a job tells: its notices in the log, and nowhere else.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
CREATE ROLE notices_quiet LOGIN;
ALTER ROLE notices_quiet SET client_min_messages = error;
SELECT setup.create_layer('one', settings => '{"retry_delay": "0 s"}');
CREATE FUNCTION notices(job text, nth integer DEFAULT 1) RETURNS text[] LANGUAGE sql AS $$
  SELECT notices FROM setup.load_log WHERE run_id = public.last_run() AND job_name = job AND attempt = nth $$;
CREATE PROCEDURE tell(text) LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', $1; END $$;
CREATE PROCEDURE tells_all_levels() LANGUAGE plpgsql AS $$
BEGIN
  RAISE DEBUG 'debug'; RAISE LOG 'log'; RAISE INFO 'info'; RAISE NOTICE 'notice'; RAISE WARNING 'warning';
END $$;
CREATE PROCEDURE tells_often(times integer) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. times LOOP RAISE NOTICE '%', i; END LOOP;
END $$;
CREATE FUNCTION fails_first() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'attempt %', current_setting('etl_orchestrator.attempt');
  IF current_setting('etl_orchestrator.attempt') = '1' THEN
    RAISE lock_not_available USING MESSAGE = 'not yet';
  END IF;
END $$;

SELECT plan(23);

-- Which

SELECT setup.add_job('one', job, command) FROM (VALUES
  ('levels', 'CALL public.tells_all_levels()'),
  ('quieter', 'SET client_min_messages = warning; CALL public.tells_all_levels()'),
  ('louder', 'SET client_min_messages = debug1; CALL public.tells_all_levels()'),
  ('of_server', 'DROP TABLE IF EXISTS public.never_there'),
  ('silent', 'SELECT 1'),
  ('statements', 'CALL public.tell(''first''); CALL public.tell(''second'')')) AS jobs(job, command);
SELECT setup.add_job('one', 'of_role', 'CALL public.tells_all_levels()', owner => 'notices_quiet'),
  setup.add_job('one', 'each', 'CALL public.tell(''first''); CALL public.tell(''second'')', transaction => 'each');
CALL setup.orchestrate_all();
SELECT is(notices('levels'), '{INFO:  info,NOTICE:  notice,WARNING:  warning}',
  'INFO, NOTICE and WARNING are kept with their level, in their order');
SELECT is(notices('quieter'), '{INFO:  info,WARNING:  warning}', 'client_min_messages of the job holds');
SELECT is(notices('louder'), '{INFO:  info,NOTICE:  notice,WARNING:  warning}', 'but brings nothing of lower levels');
SELECT is(notices('of_role'), '{INFO:  info}', 'and so does that of its role');
SELECT is(notices('of_server'), '{"NOTICE:  table \"never_there\" does not exist, skipping"}',
  'the server''s own are kept');
SELECT is(notices('silent'), NULL, 'a job that tells nothing has none');
SELECT is(notices('statements'), '{NOTICE:  first,NOTICE:  second}', 'those of all its statements are kept');
SELECT is(notices('each'), '{NOTICE:  first,NOTICE:  second}', 'also where each commits by itself');
SELECT is((SELECT notices FROM one.load_log WHERE run_id = last_run() AND job_name = 'of_role'), '{INFO:  info}',
  'the layer''s view of the log shows them');

-- How many, how long, and which letters

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'many', 'CALL public.tells_often(25)'), setup.add_job('one', 'enough',
  'CALL public.tells_often(20)'), setup.add_job('one', 'long', 'CALL public.tell(repeat(''ä'', 2000))'),
  setup.add_job('one', 'odd', $$CALL public.tell('a "quoted" \ {1,2} NULL ''x'''); CALL public.tell('');
    CALL public.tell(E'two\nlines')$$);
CALL setup.orchestrate_all();
SELECT is((notices('many'))[20:], '{NOTICE:  20,and 5 more}', 'the first twenty are kept, of others the number');
SELECT is(array_length(notices('enough'), 1), 20, 'of twenty all are');
SELECT cmp_ok(length((notices('long'))[1]), '<=', 510, 'a long text is cut');
SELECT matches((notices('long'))[1], '^NOTICE:  ä+$', 'between letters');
SELECT is(notices('odd'), ARRAY['NOTICE:  a "quoted" \ {1,2} NULL ''x''', 'NOTICE:  ', E'NOTICE:  two\nlines'],
  'any text is kept as it is');

-- Of attempts that fail

DELETE FROM setup.load_jobs;
SELECT setup.add_job('one', 'again', 'SELECT public.fails_first()'),
  setup.add_job('one', 'at_commit', 'CALL public.tell(''before''); COMMIT');
CALL setup.orchestrate_all();
SELECT is(notices('again'), '{NOTICE:  attempt 1}', 'a failed attempt keeps its notices');
SELECT is(notices('again', 2), '{NOTICE:  attempt 2}', 'and the next its own');
SELECT is(notices('at_commit'), '{NOTICE:  before}', 'what was told before an error stays');

-- Of jobs that share a commit

DELETE FROM setup.load_jobs;
\! ./configure.sh 'SET etl_orchestrator.max_workers = 1' 'SET etl_orchestrator.shared_commit_delay = 1000'
SELECT setup.add_job('one', 'tells_' || n, format('CALL public.tells_often(%s)', n)) FROM generate_series(1, 22) n;
SELECT setup.add_job('one', 'fails', 'CALL public.tell(''before''); SELECT 1 / 0');
INSERT INTO setup.job_history (layer, job_name, expected_ms) SELECT layer, job_name, 0.1 FROM setup.load_jobs;
CALL setup.orchestrate_all();
SELECT cmp_ok((SELECT count(DISTINCT xmin::text) FROM setup.load_log WHERE run_id = last_run() AND status = 'OK'), '<',
  22::bigint, 'jobs share a commit');
SELECT is((SELECT count(*) FROM setup.load_log WHERE run_id = last_run() AND job_name LIKE 'tells%'
  AND array_length(notices, 1) = least(substr(job_name, 7)::integer, 21)), 22::bigint, 'each keeps its own notices');
SELECT is(notices('fails'), '{NOTICE:  before}', 'so does one that fails');
\! ./configure.sh 'RESET etl_orchestrator.max_workers' 'RESET etl_orchestrator.shared_commit_delay'

-- The server's log gets what it would get anyway

DELETE FROM setup.load_jobs;
CREATE FUNCTION secret() RETURNS text LANGUAGE sql AS $$
  SELECT 'secret of ' || oid FROM pg_database WHERE datname = current_database() $$;
CREATE PROCEDURE tells_secret() LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO '%: info', public.secret();
  RAISE NOTICE '%: notice', public.secret();
  RAISE WARNING '%: warning', public.secret();
END $$;
CREATE FUNCTION logged(files text) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(m[1]) FROM regexp_matches(pg_read_file(files || '/../server.log'), secret() || ': (\w+)', 'g') m $$;
SELECT setup.add_job('one', 'tells', 'CALL public.tells_secret()');
\! ./configure.sh 'SET log_min_messages = error'
CALL setup.orchestrate_all();
SELECT is(array_length(notices('tells'), 1), 3, 'notices that the server''s log leaves out are kept');
SELECT is(logged(:'files'), NULL, 'and the server''s log leaves them out');
\! ./configure.sh 'SET log_min_messages = warning'
CALL setup.orchestrate_all();
SELECT is(logged(:'files'), '{warning}', 'it gets what log_min_messages says');
\! ./configure.sh 'RESET log_min_messages'

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP ROLE notices_quiet;
