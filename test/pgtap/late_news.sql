-- A run is the first of its week, and the transaction that starts it takes its time to commit: the conductor must not
-- look for it before it can know of the new partitions.
\ir tools.psql
CREATE EXTENSION dblink;
SELECT plan(4);
\set module '\'' :gates '\''
CREATE FUNCTION gates_delay_commits(integer) RETURNS void LANGUAGE c AS :module;
SELECT gates_delay_commits(0) \g /dev/null
SELECT setup.create_layer('bronze'), setup.add_job('bronze', 'only', command => 'SELECT 1') \g /dev/null

SELECT setup.start_run() AS run \gset
SELECT is(setup.wait_run(:run, '20 s'), 'OK', 'a run of before, which leaves its conductor waiting for more');
SELECT cmp_ok(setup.drop_history(now() + interval '3 weeks'), '>', 0, 'there are no partitions any more');
-- Makes the conductor look, and know of none: it has begun when it waits for a lock, and has ended when it sleeps.
CREATE FUNCTION wait_for_conductor(what text) RETURNS void LANGUAGE sql AS $$
  SELECT wait_until(format('EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() '
                           'AND backend_type LIKE %L AND wait_event_type = %L)', '%conductor', what)) $$;
SELECT setup.pause_job('bronze', 'only') \g /dev/null
SELECT dblink_connect('other', 'dbname=' || current_database()),
       dblink_exec('other', 'BEGIN; LOCK TABLE setup.load_runs IN ACCESS EXCLUSIVE MODE') \g /dev/null
SELECT setup.release_job('bronze', 'only') \g /dev/null
SELECT wait_for_conductor('Lock') \g /dev/null
SELECT dblink_disconnect('other'), wait_for_conductor('Extension') \g /dev/null

SELECT gates_delay_commits(300) \g /dev/null
SELECT setup.start_run() AS run \gset
SELECT gates_delay_commits(0) \g /dev/null
SELECT is(setup.wait_run(:run, '5 s'), 'OK', 'the first run of a week begins at once');
SELECT is((SELECT count(*) FROM setup.load_log), 1::bigint, 'and runs its job');
SELECT * FROM finish();
