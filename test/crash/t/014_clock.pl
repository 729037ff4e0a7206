# The clock of the machine is set back, and forth again, in mid-run: whatever takes time takes the time that it takes,
# and so says the log.
#
# A small library that the server preloads sets its clock. What waits here waits for locks: pg_sleep() itself would
# sleep for a month.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use File::Temp qw(tempdir);
use PostgreSQL::Test::Utils;
use Test::More;

my $directory = abs_path(tempdir(CLEANUP => 1));
my ($library, $offset) = ("$directory/wall_clock.so", "$directory/offset");
system_or_bail($ENV{CXX} // 'g++', '-std=c++20', '-shared', '-fPIC', '-o', $library, 'wall_clock.cpp');
append_to_file($offset, pack 'q', 0);
my $node = do {
  local @ENV{qw(LD_PRELOAD ETL_WALL_CLOCK)} = ($library, $offset);
  EtlCluster->started('main', conf => ['autovacuum = off']);
};

sub clock { return $node->sql("SELECT round(extract(epoch FROM clock_timestamp()) / 86400)") }    # in days

my $today = clock();

sub set_clock {
  my ($days) = @_;
  open my $file, '+<', $offset or die;
  syswrite $file, pack 'q', $days * 86400;
  close $file;
  cmp_ok(abs(clock() - $today - $days), '<=', 1, "the clock is set to $days days from today");
  return;
}

$node->sql('CREATE TABLE test.trouble ()');
$node->add_job('retried', <<'SQL', retry_delay => '1 s', backoff_rate => 1, max_attempts => 1000);
DO $$ BEGIN
  IF EXISTS (SELECT FROM test.trouble) THEN RAISE serialization_failure; END IF;
END $$
SQL
$node->add_job('too_slow', 'SELECT test.mark(\'too_slow\'); SELECT pg_advisory_xact_lock(1)', timeout => '2 s');
$node->add_job('steady', 'SELECT test.mark(\'steady\'); SELECT pg_advisory_xact_lock(2)', timeout => '1 hour');

my $holder = $node->session;

sub begin_run {
  my ($arguments) = @_;
  $node->forget;
  $holder->query_safe('SELECT pg_advisory_lock(1), pg_advisory_lock(2)');
  $node->sql('INSERT INTO test.trouble DEFAULT VALUES');
  my $run = $node->start_run($arguments);
  ok($node->begun('too_slow', 'steady'), 'jobs are running');
  ok($node->becomes_true("SELECT count(*) > 0 FROM setup.load_log WHERE run_id = $run AND job_name = 'retried'"),
    'another one has failed, and is to be tried again');
  return $run;
}

# What an expression is for the row of a job in the log of a run.
sub logged {
  my ($run, $job, $expression) = @_;
  return $node->sql("SELECT $expression FROM setup.load_log WHERE run_id = $run AND job_name = '$job'");
}

sub end_trouble { return $node->sql('DELETE FROM test.trouble') }

sub ends_in_time {
  my ($run, $when) = @_;
  end_trouble();
  for my $job ([ 'retried', 'OK', 'is retried' ], [ 'too_slow', 'TIMED_OUT', 'is stopped after its timeout' ]) {
    my ($name, $status, $what) = @$job;
    ok($node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run AND job_name = '$name' "
          . "AND status = '$status'"), "$when: job $name $what");
  }
  $holder->query_safe('SELECT pg_advisory_unlock_all()');
  is($node->ended($run), 'ERROR', "$when: the run ends");
  is(logged($run, 'steady', 'status'), 'OK', "$when: a job that has time left is not stopped");
  is(logged($run, 'too_slow', 'duration_ms BETWEEN 1000 AND 600000'), 't', "$when: the log says how long a job took");
  return;
}

my $run = begin_run();
set_clock(-30);
ends_in_time($run, 'set back');
is(logged($run, 'steady', 'finished_at = started_at'), 't', 'set back: no job ends before it began');

$run = begin_run('timeout => \'1 hour\'');
ok(1, 'a run can be started a month before the last one');
set_clock(0);
ends_in_time($run, 'set forth');
is(logged($run, 'steady', 'finished_at - started_at > \'29 days\''), 't',
  'set forth: the log shows what the clock showed');

$run = begin_run();
set_clock(-30);
my $conductor = $node->processes('conductor');
$node->sql("SELECT pg_terminate_backend($conductor)");
ends_in_time($run, 'set back before another conductor takes over');

# A conductor that dies again and again is started again a little later.

sub conductor_comes {
  return $node->becomes_true('SELECT count(*) > 0 FROM pg_stat_activity '
      . 'WHERE backend_type = \'etl_orchestrator conductor\' AND datname = \'warehouse\'');
}

$run = begin_run();
for (1 .. 3) {
  conductor_comes();
  $node->sql('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity '
      . 'WHERE backend_type = \'etl_orchestrator conductor\'');
}
set_clock(-60);
ok(conductor_comes(), 'set back while a conductor is due: it starts');

# Who waits for a run waits as long as was asked for.

my $waiting = $node->call("SELECT setup.wait_run($run, '2 s')");
ok($waiting->backend, 'somebody waits for the run');
set_clock(-90);
is($waiting->finish->output, "RUNNING\n", 'set back while somebody waits for a run: not for longer');
ends_in_time($run, 'set back again and again');

# Who is idle leaves.

$node->append_conf('postgresql.conf', 'etl_orchestrator.idle_timeout = 1s');
$node->reload;
$run = begin_run();
ends_in_time($run, 'with a short idle timeout');
set_clock(-120);
ok($node->becomes_true('SELECT count(*) = 0 FROM pg_stat_activity '
      . 'WHERE backend_type IN (\'etl_orchestrator conductor\', \'etl_orchestrator worker\')'),
  'set back while they are idle: conductor and workers leave');

is($node->sql('SELECT count(*) FROM setup.load_log WHERE duration_ms < 0'), '0', 'nothing takes less than no time');
is($node->sql('SELECT count(*) FROM setup.load_log WHERE duration_ms > 600000'), '0', 'and nothing takes a month');
is($node->times_logged(qr/terminated by signal|PANIC|conductor: /), 0,
  'the server\'s log has no complaint of the engine');
$holder->quit;

done_testing();
