# What goes wrong around the engine: no worker slots, no memory, a role or the extension that goes away, an upgrade.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The log of a run without times: "job 1 ERROR 53200, job 2 OK".
sub attempts {
  my ($node, $run) = @_;
  return $node->sql("SELECT string_agg(concat_ws(' ', job_name, attempt, status, sqlstate), ', ' "
      . "ORDER BY job_name, log_id) FROM setup.load_log WHERE run_id = $run");
}

# Somebody else takes the worker slots of the server: parallel queries.

my $crowded = EtlCluster->started('crowded', conf => [
  'max_worker_processes = 4', 'max_logical_replication_workers = 0', 'max_parallel_workers = 4',
  'etl_orchestrator.idle_timeout = \'100ms\'' ]);
$crowded->sql('CREATE TABLE test.many AS SELECT generate_series(1, 10000)');
$crowded->sql('ALTER TABLE test.many SET (parallel_workers = 3)');
$crowded->add_work('job');

# A query with that many parallel workers, which ends when it is told to.
sub take_slots {
  my ($workers) = @_;
  my $query = $crowded->call([
    'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0',
    "SET max_parallel_workers_per_gather = $workers", 'SELECT count(*) FROM test.many WHERE pg_sleep(600) IS NULL' ]);
  ok($crowded->becomes_true("SELECT count(*) = $workers FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
    "a query has taken $workers of the server's worker slots");
  return $query;
}

for my $case ([ 3, 'a conductor', 'to start a conductor' ], [ 2, 'a worker', 'jobs stay in the queue' ]) {
  my ($taken, $whom, $complaint) = @$case;
  my $waits = qr/etl_orchestrator waits for a background worker slot,? $complaint/;
  $crowded->forget;
  ok($crowded->becomes_true("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type ~ 'etl_orchestrator'"),
    'only the launcher is there');
  my $logged = $crowded->times_logged($waits);
  my $query = take_slots($taken);
  my $run = $crowded->start_run;
  ok(wait_until { $crowded->times_logged($waits) == $logged + 1 }, "without a slot for $whom the log says so");
  ok($crowded->becomes_true("SELECT bool_or(reason = 'worker') FROM setup.why_waiting($run)"), 'so does why_waiting()');
  is($crowded->effects, '', 'no job begins');
  $query->interrupt->finish;
  is($crowded->ended($run), 'OK', 'once there is room the run goes on by itself');
  is($crowded->effects, 'job 1', 'with its effect once');
  is($crowded->times_logged($waits), $logged + 1, 'and the log has said it once');
}
$crowded->stop;

my $node = EtlCluster->started('main');

# No memory.

$node->add_job('greedy', <<'SQL', max_attempts => 1000, retry_delay => '50 ms', backoff_rate => 1);
SELECT test.work('greedy', 'go');
CREATE TABLE IF NOT EXISTS test.big AS SELECT length(string_agg(repeat('x', 1000000), '')) FROM generate_series(1, 300);
SQL
$node->forget;
my $run = $node->start_run;
ok($node->begun('greedy'), 'a job is running');
my $worker = $node->worker_of('greedy');
my ($size) = slurp_file("/proc/$worker/status") =~ /VmSize:\s+(\d+) kB/;
sub limit_memory { my ($bytes) = @_; return system('prlimit', '--pid', $worker, "--as=$bytes:unlimited") == 0 }
ok(limit_memory(($size + 100_000) * 1024), 'its process may have 100 MB more');
$node->open_gate('go');
ok($node->becomes_true("SELECT count(*) > 0 FROM setup.load_log WHERE run_id = $run"), 'it needs 300, and fails');
ok(limit_memory('unlimited'), 'then there is memory again');
is($node->ended($run), 'OK', 'the run ends OK');
like(attempts($node, $run), qr/^greedy 1 ERROR 53200, (greedy \d+ ERROR 53200, )*greedy \d+ OK$/,
  'out of memory is worth another attempt');
is($node->effects, 'greedy 1', 'and the effect is there once');
$node->sql('SELECT setup.drop_job(\'bronze\', \'greedy\')');

# A role is dropped.

$node->sql('CREATE ROLE alice LOGIN');
$node->add_work('alices_now', owner => 'alice', gate => 'go');
$node->add_work('alices_later', owner => 'alice', depends_on => ['now']);
$node->add_work('now', gate => 'go');
$node->add_work('later', depends_on => ['now']);
$node->forget;
$run = $node->start_run;
ok($node->begun('alices_now', 'now'), 'jobs of two roles are running');
is_deeply($node->failure('DROP ROLE alice'), {}, 'one of the roles is dropped');
$node->open_gate('go');
is($node->ended($run), 'ERROR', 'the run ends ERROR');
is($node->outcome($run), 'alices_later ERROR, alices_now ERROR, later OK, now OK',
  'jobs of the dropped one have failed, those of the other have succeeded');
is($node->effects, 'later 1, now 1', 'without an effect');
$node->sql('DELETE FROM setup.load_jobs WHERE job_name LIKE \'alices%\'');

# DROP DATABASE is refused as for any connection.

$node->forget;
$run = $node->start_run;
ok($node->begun('now'), 'a run is going on');
like($node->failure('DROP DATABASE warehouse', 'postgres')->{detail} // '', qr/other session/,
  'DROP DATABASE is refused because the database is in use');
$node->open_gate('go');
is($node->ended($run), 'OK', 'which does the run no harm');

# The extension is upgraded.

SKIP: {
  my $directory = `pg_config --sharedir`;
  chomp $directory;
  my $script = "$directory/extension/etl_orchestrator--0.1.0--0.1.0.1.sql";
  skip 'the server\'s share directory cannot be written', 5 unless -w "$directory/extension";
  append_to_file($script, "CREATE VIEW setup.new_in_this_version AS SELECT 1 AS one;\n");
  $node->forget;
  $run = $node->start_run;
  ok($node->begun('now'), 'a run is going on');
  my $upgrade = $node->failure('ALTER EXTENSION etl_orchestrator UPDATE TO \'0.1.0.1\'');
  unlink $script;
  is_deeply($upgrade, {}, 'the extension can be upgraded');
  $node->open_gate('go');
  is($node->ended($run), 'OK', 'the run goes on and ends OK');
  is($node->effects, 'later 1, now 1', 'with every effect once');
  is($node->ended($node->start_run), 'OK', 'and so does the next');
}

# The extension is dropped: nobody waits for jobs, and nothing of them is left.

$node->sql('CREATE ROLE bob LOGIN');
$node->add_work("dropped_$_", owner => 'bob', gate => 'never') for 1 .. 2;
$node->forget;
$node->start_run;
ok($node->begun('now', 'dropped_1', 'dropped_2'), 'jobs are running');
my $took = seconds { is_deeply($node->failure('DROP EXTENSION etl_orchestrator'), {}, 'DROP EXTENSION works') };
note sprintf 'DROP EXTENSION in mid-run took %.3f s', $took;
cmp_ok($took, '<', 5, 'within seconds');
ok($node->becomes_true(<<'SQL'), 'conductor and workers leave');
SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type ~ 'etl_orchestrator (conductor|worker)'
SQL
is($node->effects, '', 'what was running is rolled back');
is($node->times_logged(qr/terminated by signal|PANIC/), 0, 'no process of the server has crashed');

done_testing();
