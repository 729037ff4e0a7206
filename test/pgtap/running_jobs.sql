-- setup.running_jobs: what runs now, how far it is, and what is known of the rest.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE view_owner LOGIN;
CREATE ROLE view_other LOGIN;
GRANT USAGE ON SCHEMA setup TO PUBLIC;
GRANT pg_read_server_files TO view_owner;
CREATE TABLE gates (gate text);
GRANT SELECT ON gates TO PUBLIC;
CREATE FUNCTION gated(gate text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT public.wait_until(%L)', format('EXISTS (SELECT FROM public.gates WHERE gate = %L)', gate))
$$;
SELECT setup.create_layer('work');
GRANT USAGE ON SCHEMA work TO PUBLIC;
CREATE TABLE work.rows (n int);
CREATE TABLE work.loaded (n int);
GRANT ALL ON work.rows, work.loaded TO PUBLIC;

SELECT plan(25);

-- A command of several statements

SELECT setup.add_job('work', 'counts', 'INSERT INTO work.rows SELECT generate_series(1, 42); ' || gated('counts') || '; SELECT 1',
  owner => 'view_owner');
SELECT is((SELECT count(*) FROM setup.running_jobs), 0::bigint, 'nothing runs at first');
SELECT setup.start_run('work') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM setup.running_jobs WHERE statement = 2)');
SELECT results_eq('SELECT run_id, layer, job_name, attempt, owner, statement, rows_so_far FROM setup.running_jobs',
  format('VALUES (%s::bigint, ''work'', ''counts'', 1, ''view_owner'', 2, 42::bigint)', :run),
  'a job that runs is shown with its owner, the statement that it is at, and the rows that it has written');
SELECT results_eq('SELECT pid FROM setup.running_jobs',
  $$SELECT pid FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active'$$,
  'its process is the one that works on it');
SELECT is((SELECT r.since >= s.started_at AND r.since <= clock_timestamp() FROM setup.running_jobs r
             JOIN setup.load_runs s USING (run_id)), true, 'it began after its run');
SELECT is((SELECT running_for >= interval '0' AND running_for <= clock_timestamp() - since FROM setup.running_jobs), true,
  'and has been running since then');
SELECT results_eq('SELECT expected_remaining, copy_bytes, copy_bytes_total, stop_reason FROM setup.running_jobs',
  'VALUES (NULL::interval, NULL::bigint, NULL::bigint, NULL::text)',
  'how long it may still take is not known of one that has never ended; it copies nothing, and nobody stops it');
SELECT alike((SELECT query FROM setup.running_jobs), 'INSERT INTO work.rows%', 'its command is shown');
SELECT ok((SELECT wait_event_type IS NOT DISTINCT FROM 'Timeout' OR wait_event_type IS NULL FROM setup.running_jobs),
  'and what it waits for');

-- Who sees it

SET ROLE view_owner;
SELECT is((SELECT job_name FROM setup.running_jobs), 'counts', 'its owner sees a job');
SET ROLE view_other;
SELECT is((SELECT count(*) FROM setup.running_jobs), 0::bigint, 'another role does not');
SELECT is((SELECT count(*) FROM setup.running_attempts()), 0::bigint, 'by no way');
RESET ROLE;
GRANT view_owner TO view_other;
SET ROLE view_other;
SELECT is((SELECT job_name FROM setup.running_jobs), 'counts', 'unless it is a member of the owner');
RESET ROLE;
REVOKE view_owner FROM view_other;
INSERT INTO gates VALUES ('counts');
SELECT is(setup.wait_run(:run), 'OK', 'the job ends');
SELECT is((SELECT count(*) FROM setup.running_jobs), 0::bigint, 'and is not shown any more');

-- What is known from earlier runs

SELECT wait_until($$EXISTS (SELECT FROM setup.job_history WHERE job_name = 'counts')$$);
UPDATE setup.job_history SET expected_ms = 3600000 WHERE job_name = 'counts';
DELETE FROM gates;
SELECT setup.start_run('work') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM setup.running_jobs WHERE statement = 2)');
SELECT ok((SELECT expected_remaining BETWEEN interval '58 min' AND interval '1 hour' FROM setup.running_jobs),
  'a job that took an hour before may take the rest of an hour');
SELECT ok((SELECT expected_remaining + running_for BETWEEN interval '59 min 59 s' AND interval '60 min 1 s'
             FROM setup.running_jobs), 'less what it has been running for');
INSERT INTO gates VALUES ('counts');
SELECT is(setup.wait_run(:run), 'OK', 'it was quicker');
SELECT setup.drop_job('work', 'counts');

-- A file

\set file :files '/large.csv'
COPY (SELECT generate_series(1, 20000)) TO :'file';
CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END$$;
CREATE TRIGGER slowly BEFORE INSERT ON work.loaded FOR EACH ROW EXECUTE FUNCTION take_time();
SELECT setup.add_job('work', 'loads', file_path => :'file', table_name => 'loaded', owner => 'view_owner');
SELECT setup.start_run('work') AS run \gset
SELECT wait_until('EXISTS (SELECT FROM setup.running_jobs WHERE copy_bytes > 0 AND rows_so_far > 10)');
SELECT is((SELECT copy_bytes_total FROM setup.running_jobs), (pg_stat_file(:'file')).size, 'a file load shows the size of its file');
SELECT cmp_ok((SELECT copy_bytes FROM setup.running_jobs), '<=', (pg_stat_file(:'file')).size, 'how much of it was read');
SELECT cmp_ok((SELECT rows_so_far FROM setup.running_jobs), '<', 20000::bigint, 'and how many rows that were');

-- One that is being stopped

SELECT setup.add_job('work', 'stubborn',
  'DO $do$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $do$');
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run), 'CANCELLED', 'it can be cancelled');
SELECT setup.start_run('work', jobs => '{stubborn}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE wait_event = 'PgSleep')$$);
SELECT setup.cancel_run(:run);
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE stop_reason IS NOT NULL)$$);
SELECT is((SELECT stop_reason FROM setup.running_jobs), 'cancelled', 'a job that was asked to stop, and goes on, says why it should');
SELECT pg_terminate_backend(pid) FROM setup.running_jobs;
SELECT is(setup.wait_run(:run), 'CANCELLED', 'until it is ended');
SELECT setup.start_run('work', jobs => '{stubborn}', timeout => '100 ms') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM setup.running_jobs WHERE stop_reason IS NOT NULL)$$);
SELECT is((SELECT stop_reason FROM setup.running_jobs), 'timed out', 'or that its time is over');
SELECT pg_terminate_backend(pid) FROM setup.running_jobs;
SELECT is(setup.wait_run(:run), 'TIMED_OUT', 'likewise');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY view_owner, view_other;
DROP ROLE view_owner, view_other;
