# Executions that wait cost nothing: a thousand that wait ten seconds have no worker meanwhile and end on time, also where the
# server is restarted; ten thousand that are open leave room in the server's default lock table, and do not slow others.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 4', "etl_orchestrator.idle_timeout = '1s'", 'fsync = off' ]);
is($node->sql('SHOW max_locks_per_transaction'), '64', 'the lock table is as large as it is by default');

$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE FUNCTION test.nothing(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
SET SESSION AUTHORIZATION alice;
SELECT setup.register_task_handler('nothing', 'test.nothing(jsonb)');
SELECT setup.create_state_machine('waits', '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 10, "End": true}}}');
SELECT setup.create_state_machine('sleeps', '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86400, "End": true}}}');
SELECT setup.create_state_machine('works', '{"StartAt": "Work", "States": {"Work": {"Type": "Task", "End": true,
  "Resource": "arn:aws:lambda:x:1:function:nothing"}}}');
SQL

sub start {
  my ($machine, $count) = @_;
  $node->sql("SET SESSION AUTHORIZATION alice; SELECT count(setup.start_execution('$machine')) FROM generate_series(1, $count)");
  return;
}

# How many have entered their Wait.
sub asleep {
  my ($machine) = @_;
  return "SELECT count(*) FROM setup.executions e JOIN setup.execution_events v USING (run_id, run_at) "
    . "WHERE e.state_machine = '$machine' AND v.events::text LIKE '%WaitStateEntered%'";
}

start('waits', 1000);
ok($node->becomes_true('SELECT (' . asleep('waits') . ') = 1000'), 'a thousand executions begin to wait');
ok($node->becomes_true("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker'"),
  'no worker is there while they wait');
is($node->sql("SELECT count(*) FROM setup.executions WHERE status <> 'RUNNING'"), '0', 'none of them has ended by then');
$node->restart;
ok(wait_until { ($node->answer("SELECT count(*) FROM setup.executions WHERE status = 'SUCCEEDED'") // 0) == 1000 },
  'all of them end, though the server was restarted');
my ($least, $most) = split /\|/,
  $node->sql("SELECT extract(epoch FROM min(stopped_at - started_at)) || '|' || extract(epoch FROM max(stopped_at - started_at)) "
    . "FROM setup.executions WHERE state_machine = 'waits'");
cmp_ok($least, '>=', 10, 'none before its time');
note "they took $least to $most s";

# How long a small execution takes, at the median of many, in milliseconds.
sub milliseconds_of_one {
  $node->sql(<<'SQL');
SET SESSION AUTHORIZATION alice;
CREATE OR REPLACE PROCEDURE pg_temp.work() LANGUAGE plpgsql AS $$
DECLARE
  run bigint;
BEGIN
  FOR i IN 1 .. 100 LOOP
    run := setup.start_execution('works');
    COMMIT;
    PERFORM setup.wait_run(run);
  END LOOP;
END $$;
CALL pg_temp.work();
SQL
  return $node->sql("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stopped_at - started_at) * 1000) "
      . "FROM (SELECT * FROM setup.executions WHERE state_machine = 'works' ORDER BY run_id DESC LIMIT 100) e");
}

my $alone = milliseconds_of_one();
start('sleeps', 10_000);
ok($node->becomes_true('SELECT (' . asleep('sleeps') . ') = 10000'), 'ten thousand executions are open');
my $among = milliseconds_of_one();
note sprintf 'a small execution takes %.2f ms alone, %.2f ms among ten thousand open ones: ratio %.2f', $alone, $among, $among / $alone;
cmp_ok($node->sql("SELECT count(*) FROM pg_locks"), '<', 100, 'open executions hold no locks');
is($node->sql("SELECT count(*) FROM setup.executions WHERE status = 'RUNNING'"), '10000', 'they are still open');
$node->sql("SELECT count(setup.stop_execution(run_id)) FROM setup.list_executions(status => 'RUNNING')");
ok($node->becomes_true("SELECT count(*) = 0 FROM setup.executions WHERE status = 'RUNNING'"), 'and can be stopped together');
is($node->sql("SELECT DISTINCT status FROM setup.executions WHERE state_machine = 'sleeps'"), 'ABORTED', 'as ABORTED');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6|out of shared memory/), 0, 'the server\'s log has no crash');
done_testing();
