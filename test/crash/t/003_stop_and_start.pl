# Whatever ends in mid-run, the server, a conductor, a worker, the launcher: the run comes to its end by itself, and
# nothing that was committed happens twice.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => ['etl_orchestrator.idle_timeout = \'10min\'']);

# first ends before the interruption, long and other are interrupted, the rest has not begun.
$node->add_work('first');
$node->add_work('long', gate => 'go');
$node->add_work('other', gate => 'go');
$node->add_work('after', depends_on => [ 'first', 'long' ]);
$node->add_work('last', layer => 'silver');
my @jobs = qw(after first last long other);
my $once = join ', ', map { "$_ 1" } @jobs;

sub begin_run {
  $node->forget;
  my $run = $node->start_run;
  ok($node->begun('long', 'other'), 'jobs are running');
  ok($node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run"), 'one job has ended');
  return $run;
}

sub kill_process {
  my ($signal, @pids) = @_;
  is(kill($signal, @pids), scalar @pids, "$signal reaches process @pids");
  return;
}

sub wait_for_server { return $node->poll_query_until('warehouse', 'SELECT true') }

# blamed: the SQLSTATE of the attempt of job "long" that was killed itself; without it, no attempt may have failed.
sub is_complete {
  my ($run, $how, %options) = @_;
  is($node->ended($run), 'OK', "$how: the run ends OK by itself");
  is($node->sql("SELECT string_agg(job_name, ' ' ORDER BY job_name) FROM setup.load_log "
        . "WHERE run_id = $run AND status = 'OK'"), "@jobs", "$how: every job has one row in the log that is OK");
  is($node->sql("SELECT string_agg(concat_ws(' ', job_name, attempt, status, sqlstate), ', ') FROM setup.load_log "
        . "WHERE run_id = $run AND status <> 'OK'"), $options{blamed} ? "long 1 ERROR $options{blamed}" : '',
    "$how: no attempt counts as failed but the one whose own process ended");
  is($node->effects, $once, "$how: every job has its effect once");
  is($node->starts_of('first'), 1, "$how: what had succeeded is not run again");
  return;
}

# The whole server, and what the fall of one process makes of it.

sub stop_server {
  my ($mode) = @_;
  my $took = seconds { $node->stop($mode) };
  note sprintf 'pg_ctl stop -m %s in mid-run took %.3f s', $mode, $took;
  cmp_ok($took, '<', 2, "pg_ctl stop -m $mode ends within 2 seconds in mid-run");
  $node->start;
  return;
}

sub lose_postmaster {
  my $postmaster = $node->postmaster;
  $node->kill9;
  ok(wait_until { !kill 0, $postmaster }, 'the postmaster is gone');
  return;
}

sub start_again {
  ok(wait_until { $node->start(fail_ok => 1) }, 'the server starts when its last process has noticed');
  return;
}

my @falls = (
  [ 'stop -m fast', sub { stop_server('fast') } ],
  [ 'stop -m fast again', sub { stop_server('fast') } ],
  [ 'stop -m smart', sub { stop_server('smart') } ],
  [ 'stop -m immediate', sub { stop_server('immediate') } ],
  [ 'kill -9 of a worker', sub { kill_process('KILL', $node->worker_of('long')) }, blamed => '57P02' ],
  [ 'kill -9 of the conductor', sub { kill_process('KILL', $node->processes('conductor', 'warehouse')) } ],
  [ 'kill -9 of the launcher', sub { kill_process('KILL', $node->processes('launcher')) } ],
  [ 'kill -9 of the postmaster', sub { lose_postmaster(); start_again() } ],
  [ 'kill -9 of the postmaster, which workers notice before the conductor',
    sub {
      my ($conductor) = $node->processes('conductor', 'warehouse');
      my @workers = map { $node->worker_of($_) } qw(long other);
      kill_process('STOP', $conductor);
      lose_postmaster();
      ok(wait_until { !kill 0, @workers }, 'the workers are gone');
      kill_process('CONT', $conductor);
      start_again();
    } ]);

for my $fall (@falls) {
  my ($how, $let_fall, @blamed) = @$fall;
  my $run = begin_run();
  my $incarnation = $node->incarnation;
  $let_fall->();
  ok(wait_for_server(), "$how: the server is back");
  ok(wait_until { $node->starts_of('long') == 2 && $node->starts_of('other') == 2 },
    "$how: interrupted jobs begin again by themselves");
  isnt($node->incarnation, $incarnation, "$how: the server had restarted");
  $node->open_gate('go');
  is_complete($run, $how, @blamed);
  is(join(' ', map { $node->starts_of($_) } qw(after last long other)), '1 1 2 2',
    "$how: only interrupted jobs begin twice");
}

# A waiting caller is told why its connection ends.

$node->forget;
my $call = $node->call('CALL setup.orchestrate_all()');
ok($node->begun('long', 'other'), 'a caller waits for a run');
$node->stop('fast');
is($call->finish->failure->{sqlstate}, '57P01', 'stop -m fast: a waiting caller is told that the server stops');
$node->start;
$node->open_gate('go');
is($node->ended($node->last_run), 'OK', 'and its run ends OK');

# Jobs that do not sit still when the server stops.

$node->sql(<<'SQL');
SELECT setup.create_layer('stubborn');
CREATE TABLE test.locked ();
SQL
my %stubborn = (
  in_loop => 'DO $$ BEGIN LOOP BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$',
  in_lock_wait => 'LOCK TABLE test.locked; SELECT pg_sleep(600)',
  in_copy => 'COPY (SELECT generate_series(1, 100000000000)) TO \'/dev/null\'');
$node->add_job($_, "SELECT test.mark('$_'); $stubborn{$_}", layer => 'stubborn') for sort keys %stubborn;
$node->forget;
my $locker = $node->session;
$locker->query_safe('BEGIN; LOCK TABLE test.locked');
my $run = $node->start_run('\'stubborn\'');
ok($node->begun(keys %stubborn), 'jobs that loop, wait and copy are running');
stop_server('fast');
eval { $locker->quit };
ok(wait_until { 3 == grep { $node->starts_of($_) == 2 } keys %stubborn }, 'they begin again after the restart');
$node->sql("SELECT setup.cancel_run($run)");
is($node->ended($run), 'CANCELLED', 'and can be cancelled then');
is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run"), '3', 'with one row in the log each');
$node->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs WHERE layer = \'stubborn\'');

# One process of the engine ends in order; the server goes on.

my $incarnation = $node->incarnation;

$run = begin_run();
my $conductor = $node->processes('conductor', 'warehouse');
my $workers = $node->processes('worker', 'warehouse');
kill_process('TERM', $conductor);
ok($node->becomes_true(<<"SQL"), 'a terminated conductor is followed by another');
SELECT count(*) = 1 FROM pg_stat_activity
 WHERE backend_type = 'etl_orchestrator conductor' AND datname = 'warehouse' AND pid <> $conductor
SQL
is($node->processes('worker', 'warehouse'), $workers, 'while workers go on');
$node->open_gate('go');
is_complete($run, 'termination of the conductor');
is(join(' ', map { $node->starts_of($_) } @jobs), '1 1 1 1 1', 'termination of the conductor: no job begins twice');

# Results that come while there is no conductor are not lost.
for my $round (1 .. 3) {
  $run = begin_run();
  $conductor = $node->processes('conductor', 'warehouse');
  $node->sql("INSERT INTO test.gates VALUES ('go'); SELECT pg_terminate_backend($conductor)") if $round == 1;
  $node->sql("SELECT pg_terminate_backend($conductor); INSERT INTO test.gates VALUES ('go')") if $round == 2;
  $node->sql("INSERT INTO test.gates VALUES ('go'); COMMIT; SELECT pg_sleep(0.004), pg_terminate_backend($conductor)")
    if $round == 3;
  is_complete($run, "termination of the conductor while jobs end, $round");
  is(join(' ', map { $node->starts_of($_) } @jobs), '1 1 1 1 1', "no job begins twice, $round");
}

# Whoever takes over hears of a cancel.
$run = begin_run();
$conductor = $node->processes('conductor', 'warehouse');
$node->sql("SELECT pg_terminate_backend($conductor), setup.cancel_run($run)");
is($node->ended($run), 'CANCELLED', 'a run can be cancelled while there is no conductor');
is($node->outcome($run), 'after SKIPPED, first OK, last SKIPPED, long CANCELLED, other CANCELLED',
  'jobs that the conductor of before had started are stopped by the new one');

# A worker.
$run = begin_run();
my $worker = $node->worker_of('long');
is($node->sql("SELECT pg_terminate_backend($worker)"), 't', 'a worker is terminated');
ok(wait_until { $node->starts_of('long') == 2 }, 'termination of a worker: its job begins again');
$node->open_gate('go');
is_complete($run, 'termination of a worker', blamed => '57P01');
is($node->starts_of('other'), 1, 'termination of a worker: other jobs go on');

# A worker that waits for work.
kill_process('TERM', split / /, $node->processes('worker'));
$node->forget;
$node->open_gate('go');
is($node->ended($node->start_run), 'OK', 'after the termination of idle workers a run ends OK');

# A conductor without a run.
kill_process('TERM', $node->processes('conductor', 'warehouse'));
$node->forget;
$node->open_gate('go');
is($node->ended($node->start_run), 'OK', 'after the termination of an idle conductor a run ends OK');

# The launcher.
$run = begin_run();
my $launcher = $node->processes('launcher');
kill_process('TERM', $launcher);
my $away = seconds {
  ok($node->becomes_true(<<"SQL"), 'a terminated launcher comes back');
SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator launcher' AND pid <> $launcher
SQL
};
note sprintf 'the launcher was back after %.3f s', $away;
$node->open_gate('go');
is_complete($run, 'termination of the launcher');
kill_process('TERM', $node->processes('conductor', 'warehouse'));
$node->forget;
$node->open_gate('go');
is($node->ended($node->start_run), 'OK', 'the new launcher starts conductors');

# All of them at once.
$run = begin_run();
$node->sql(<<'SQL');
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE backend_type IN ('etl_orchestrator launcher', 'etl_orchestrator conductor')
SQL
$node->open_gate('go');
is_complete($run, 'termination of launcher and conductor');

is($node->incarnation, $incarnation, 'none of this restarts the server');

done_testing();
