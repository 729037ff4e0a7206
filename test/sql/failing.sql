-- Runs that fail: what the caller reads, and what the log keeps.
\set SHOW_CONTEXT never
\setenv PGDATABASE :DBNAME
SELECT setup.create_layer('first', execution => 'sequence'), setup.create_layer('second', execution => 'sequence');
UPDATE setup.load_jobs SET is_enabled = false;
SELECT setup.add_job('first', 'a_divides', 'SELECT 1 / 0', load_order => 1),
  setup.add_job('first', 'b_commits', 'DO $$ BEGIN COMMIT; END $$', load_order => 2),
  setup.add_job('first', 'c_after_a', 'SELECT 1', depends_on => '{a_divides}', load_order => 3),
  setup.add_job('first', 'd_independent', 'SELECT 1', load_order => 4),
  setup.add_job('first', 'e_second_statement', 'SELECT 1; INSERT INTO nowhere VALUES (1)', load_order => 5),
  setup.add_job('second', 'f_follows', 'SELECT 1', load_order => 1),
  setup.add_job('second', 'g_depends', 'SELECT 1', depends_on => '{first.d_independent}', load_order => 2);
\! psql -Xc 'CALL setup.orchestrate_all()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SELECT job_name, attempt, status, sqlstate, message FROM setup.load_log WHERE run_id = 3 ORDER BY log_id;
SELECT detail, hint, context FROM setup.load_log WHERE run_id = 3 AND job_name IN ('b_commits', 'e_second_statement') ORDER BY log_id;

-- Stop at the first failure
\! psql -Xc "CALL setup.orchestrate_all(on_error => 'stop')" 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'

-- A table that no job has made
UPDATE setup.load_jobs SET is_enabled = false;
SELECT setup.add_job('first', 'promises', 'SELECT 1', table_name => 'promised'), setup.add_job('second', 'f_follows', 'SELECT 1');
\! psql -Xc 'CALL setup.orchestrate_all()' 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
SELECT * FROM setup.check_tables('first');

-- A message of several lines, and a long one
SELECT setup.add_job('first', 'promises', 'DO $$ BEGIN RAISE ''line one
line two''; END $$'), setup.add_job('second', 'f_follows', $x$DO $$ BEGIN RAISE '%', repeat('long ', 40); END $$$x$, depends_on => '{}');
\! psql -Xc "CALL setup.orchestrate_layer('first')" 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
\! psql -Xc "CALL setup.orchestrate_layer('second')" 2>&1 | sed -E 's/ +[0-9.]+ m?s$/ <time>/'
DELETE FROM setup.load_jobs WHERE layer IN ('first', 'second');
SELECT setup.drop_layer('first'), setup.drop_layer('second');
UPDATE setup.load_jobs SET is_enabled = true;
