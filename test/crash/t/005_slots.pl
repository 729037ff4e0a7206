# Short of worker slots, jobs queue; they do not fail, and nobody starves.
#
# Idle workers would stay for minutes here: what ends at all ends because they give way when they are in the way.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $waits = qr/etl_orchestrator waits for a background worker slot/;

my $patient = 'etl_orchestrator.idle_timeout = \'10min\'';

# Room for launcher, conductor and one worker.

my $tight = EtlCluster->started('tight', conf => [
  'max_worker_processes = 3', 'max_logical_replication_workers = 0', 'max_parallel_workers = 0',
  'etl_orchestrator.max_workers = 4', $patient ]);
$tight->add_work("job_$_") for 1 .. 8;
$tight->forget;
my $run = $tight->start_run;
is($tight->ended($run), 'OK', 'with room for one worker all jobs of a run finish');
is($tight->effects, join(', ', map { "job_$_ 1" } 1 .. 8), 'each of them once');
is($tight->times_logged($waits), 1, 'one line of the server\'s log says what is short');
like($tight->log_text, qr/HINT:.*max_worker_processes/, 'and what to do');

# The only worker there is room for is alice's, then bob's, then carol's.
$tight->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs');
for my $owner (qw(alice bob carol)) {
  $tight->sql("CREATE ROLE $owner LOGIN");
  $tight->add_work("$owner$_", owner => $owner) for 1 .. 3;
}
$tight->forget;
my $took = seconds {
  is($tight->ended($tight->start_run), 'OK', 'with room for one worker the jobs of three owners finish');
};
note sprintf 'nine jobs of three owners, room for one worker: %.3f s', $took;
is($tight->effects, join(', ', map { my $owner = $_; map { "$owner$_ 1" } 1 .. 3 } qw(alice bob carol)),
  'each job of each owner once');

# Another database needs the slots that idle processes of the first hold.
$tight->create_warehouse('elsewhere');
$tight->add_work('job', database => 'elsewhere');
$tight->append_conf('postgresql.conf', 'etl_orchestrator.idle_timeout = \'500ms\'');
$tight->reload;
is($tight->ended($tight->start_run('', 'elsewhere'), 'elsewhere'), 'OK',
  'a run in another database gets the slots of the first when they have been idle');
$tight->stop;

# No room for a worker at all.

my $full = EtlCluster->started('full', conf => [ 'max_worker_processes = 2', 'max_logical_replication_workers = 0' ]);
$full->add_work('job');
my $call = $full->call('CALL setup.orchestrate_all()');
ok(wait_until { $full->times_logged($waits) == 1 }, 'without room for a worker the log says so');
my $stuck = $full->last_run;
is($full->sql("SELECT status FROM setup.load_runs WHERE run_id = $stuck"), 'RUNNING',
  'the run waits, it does not fail');
$took = seconds { $call->interrupt->finish };
cmp_ok($took, '<', 1, 'Ctrl-C ends the wait within a second');
is($full->ended($stuck), 'CANCELLED', 'and cancels the run');
is($full->outcome($stuck), 'job SKIPPED', 'whose job has not begun');
$full->stop;

# No room for a conductor.

my $crammed = EtlCluster->started('crammed', conf => [
  'max_worker_processes = 1', 'max_logical_replication_workers = 0' ]);
$crammed->add_work('job');
$call = $crammed->call('CALL setup.orchestrate_all()');
ok(wait_until { $crammed->times_logged($waits) == 1 }, 'without room for a conductor the log says so');
ok(wait_until { $call->messages =~ /has not begun yet/ }, 'and the caller is told that the run has not begun');
like($call->messages, qr/HINT:.*setup\.why_waiting\(\d+\)/, 'and how to find out why');
like($crammed->sql('SELECT string_agg(explanation, \' \') FROM setup.why_waiting(' . $crammed->last_run . ')'),
  qr/max_worker_processes/, 'which names the setting that is too small');
$crammed->append_conf('postgresql.conf', 'max_worker_processes = 3');
$crammed->restart;
$call->finish;
is($crammed->ended($crammed->last_run), 'OK', 'the run begins once there is room');
is($crammed->times_logged(qr/$waits to start a conductor/), 1, 'what is short is logged once, not again and again');
$crammed->stop;

# As many workers as the setting allows.

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 1', $patient ]);

sub set_max_workers {
  my ($workers) = @_;
  $node->append_conf('postgresql.conf', "etl_orchestrator.max_workers = $workers");
  $node->reload;
  ok($node->becomes_true("SELECT current_setting('etl_orchestrator.max_workers') = '$workers'"),
    "max_workers is $workers");
  return;
}

my @owners = qw(alice bob carol dave erin);
$node->sql(join ' ', map { "CREATE ROLE $_ LOGIN;" } @owners);
$node->add_work($_ . 's', owner => $_) for @owners;
$node->add_work('later_' . $_ . 's', layer => 'silver', owner => $_) for @owners;
my $all = join ', ', sort map { ("${_}s 1", "later_${_}s 1") } @owners;

for my $workers (2, 1) {
  set_max_workers($workers);
  $node->forget;
  $took = seconds {
    is($node->ended($node->start_run), 'OK', "jobs of five owners finish with $workers workers at most");
  };
  note sprintf 'ten jobs of five owners with max_workers = %d: %.3f s', $workers, $took;
  is($node->effects, $all, "each job once ($workers)");
}

# Two databases share the workers.
$node->create_warehouse('elsewhere');
$node->add_work("elsewhere_$_", database => 'elsewhere') for 1 .. 5;

sub runs_in_two_databases {
  my ($when) = @_;
  $node->forget;
  my $here = $node->start_run;
  my $there = $node->start_run('', 'elsewhere');
  is($node->ended($here), 'OK', "$when a run in one database ends OK while another one wants the only worker");
  is($node->ended($there, 'elsewhere'), 'OK', "$when so does the run in the other");
  is($node->ended($node->start_run), 'OK', "$when an idle worker of another database gives way");
  return;
}

runs_in_two_databases('with one worker,');
set_max_workers(2);
is($node->ended($node->start_run), 'OK', 'two workers are warm');
set_max_workers(1);
runs_in_two_databases('after max_workers was lowered,');
$node->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs WHERE layer = \'silver\'');

# One owner has much to do, another little: it does not wait for the whole queue.
$node->add_job("alices_$_", 'SELECT pg_sleep(0.02)', owner => 'alice', layer => 'gold') for 1 .. 40;
$node->add_work('bobs_one', owner => 'bob', layer => 'gold');
$node->forget;
is($node->ended($run = $node->start_run('\'gold\'')), 'OK', 'a long queue of one owner and a job of another finish');
cmp_ok($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND owner = 'alice' AND log_id > "
      . "(SELECT log_id FROM setup.load_log WHERE run_id = $run AND owner = 'bob')"), '>', 0,
  'an owner with one job does not wait for all of another\'s');

# Never more than the setting says.
set_max_workers(3);
$node->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs');
$node->add_work("gated_$_", gate => 'go') for 1 .. 20;
$node->forget;
$run = $node->start_run;
my $starts = sub { my $n = 0; $n += $node->starts_of("gated_$_") for 1 .. 20; return $n };
ok(wait_until { $starts->() == 3 }, 'three of twenty jobs begin');
my $watch = $node->call(<<'SQL');
DO $$
DECLARE
  most int := 0;
  present int;
BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT count(*) INTO present FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker';
    most := greatest(most, present);
    EXIT WHEN EXISTS (SELECT FROM setup.load_runs WHERE run_id = (SELECT max(run_id) FROM setup.load_runs)
                         AND finished_at IS NOT NULL);
    PERFORM pg_sleep(0.001);
  END LOOP;
  RAISE NOTICE 'at most % workers', most;
END
$$
SQL
ok($watch->backend, 'somebody watches');
is($starts->(), 3, 'the others wait');
$node->open_gate('go');
is($node->ended($run), 'OK', 'all twenty finish');
like($watch->finish->messages, qr/at most 3 workers/, 'at no moment there are more workers than max_workers');

# max_parallel limits one run.
$node->forget;
$run = $node->start_run('max_parallel => 2');
ok(wait_until { $starts->() == 2 }, 'with max_parallel => 2 two jobs begin');
$node->open_gate('go');
is($node->ended($run), 'OK', 'and all finish');
is($node->sql(<<"SQL"), '2', 'at no moment more than two jobs of the run are running');
SELECT max(overlap) FROM (
  SELECT count(*) AS overlap FROM setup.load_log a JOIN setup.load_log b
      ON b.run_id = a.run_id AND b.started_at <= a.started_at AND b.finished_at > a.started_at
   WHERE a.run_id = $run GROUP BY a.log_id) o
SQL

done_testing();
