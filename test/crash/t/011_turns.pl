# Whose turn it is: with one worker, jobs and runs come by priority, and runs of the same priority take turns. What waits
# for a worker, or for the engine to be switched on, says so.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => ['etl_orchestrator.max_workers = 1']);

sub set_and_reload {
  my ($name, $value) = @_;
  $node->safe_psql('postgres', "ALTER SYSTEM SET $name = $value");
  $node->reload;
  return;
}

# The jobs of runs in the order in which they began.
sub order {
  my ($what, @runs) = @_;
  my $runs = join ', ', @runs;
  return $node->sql("SELECT string_agg($what, ' ' ORDER BY started_at) FROM setup.load_log WHERE run_id IN ($runs)");
}

# "job: reason", for each job of a run that waits.
sub reasons {
  my ($run) = @_;
  return $node->sql("SELECT string_agg(job_name || ': ' || reason, ', ' ORDER BY job_name) FROM setup.why_waiting($run)");
}

sub explanation {
  my ($run) = @_;
  return $node->sql("SELECT DISTINCT explanation FROM setup.why_waiting($run)");
}

# A job that has the one worker until its gate opens; what is started meanwhile is there when the worker is free.
$node->sql('SELECT setup.create_layer(layer) FROM unnest(ARRAY[\'occupied\', \'ranked\', \'one\', \'two\', \'three\']) layer');
$node->add_work('occupies', layer => 'occupied', gate => 'go');

sub occupy {
  $node->forget;
  my $run = $node->start_run('\'occupied\'');
  $node->begun('occupies') or die 'no worker runs the first job';
  return $run;
}

sub all_ended { my (@runs) = @_; return join ' ', map { $node->ended($_) } @runs }

# Jobs

$node->add_job('low', 'SELECT 1', layer => 'ranked', priority => -1);
$node->add_job('usual_b', 'SELECT 1', layer => 'ranked', load_order => 20);
$node->add_job('usual_a', 'SELECT 1', layer => 'ranked', load_order => 10);
$node->add_job('high', 'SELECT 1', layer => 'ranked', priority => 5, load_order => 30);
$node->add_job('behind_low', 'SELECT 1', layer => 'ranked', priority => 9, depends_on => ['low']);
my $occupying = occupy();
my $run = $node->start_run('\'ranked\'');
ok($node->becomes_true("SELECT status = 'RUNNING' FROM setup.load_runs WHERE run_id = $run"), 'a run has begun');
is(reasons($run), 'behind_low: dependency, high: worker, low: worker, usual_a: worker, usual_b: worker',
  'its jobs wait for the only worker');
is($node->sql("SELECT explanation FROM setup.why_waiting($run) WHERE job_name = 'high'"),
  'all workers are taken: etl_orchestrator.max_workers is 1', 'and say so');
$node->open_gate('go');
is(all_ended($occupying, $run), 'OK OK', 'they get it');
is(order('job_name', $run), 'high usual_a usual_b low behind_low',
  'by priority, then by load_order; priority is no dependency');

# Runs

$node->add_job("$_->[1]", 'SELECT 1', layer => $_->[0])
  for map { my $layer = $_; map { [ $layer, substr($layer, 0, 1) . $_ ] } 1 .. 5 } 'one', 'two', 'three';
$node->sql('DELETE FROM setup.job_history');
$occupying = occupy();
my @runs = map { $node->start_run($_) } '\'one\', priority => -3', '\'two\'', '\'three\', priority => 7';
ok($node->becomes_true("SELECT count(*) = 0 FROM setup.load_runs WHERE status = 'QUEUED'"), 'three runs have begun');
$node->open_gate('go');
is(all_ended($occupying, @runs), 'OK OK OK OK', 'all of them end');
is(order('layer', @runs), join(' ', map { ($_) x 5 } 'three', 'two', 'one'), 'runs of higher priority come first');

$node->sql('DELETE FROM setup.job_history');
$occupying = occupy();
@runs = map { $node->start_run("'$_'") } 'one', 'two', 'three';
ok($node->becomes_true("SELECT count(*) = 0 FROM setup.load_runs WHERE status = 'QUEUED'"), 'three equal runs have begun');
$node->open_gate('go');
is(all_ended($occupying, @runs), 'OK OK OK OK', 'all of them end');
my @layers = split / /, order('layer', @runs);
my %ever = map { $_ => 1 } @layers[ 0 .. 2 ];
is(scalar(keys %ever), 3, 'runs of equal priority take turns');
is_deeply(\@layers, [ (@layers[ 0 .. 2 ]) x 5 ], 'one job each, until the end');

# Switched off

$node->add_work('goes_on', layer => 'occupied', depends_on => ['occupies']);
$run = occupy();
set_and_reload('etl_orchestrator.enabled', 'off');
ok($node->becomes_true("SELECT NOT current_setting('etl_orchestrator.enabled')::boolean"), 'the engine is switched off');
my $other = $node->start_run('\'one\'');
$node->open_gate('go');
ok($node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run"), 'a job that was running ends');
ok($node->becomes_true("SELECT count(*) = 5 FROM setup.why_waiting($other)"), 'others wait');
is(reasons($run) . ', ' . reasons($other), 'goes_on: disabled, ' . join(', ', map { "o$_: disabled" } 1 .. 5),
  'in the run that has begun and in the next');
is(explanation($other), 'etl_orchestrator.enabled is off', 'and say so');
is($node->starts_of('goes_on'), 0, 'nothing new starts');
my $cancelled = $node->start_run('\'two\'');
$node->sql("SELECT setup.cancel_run($cancelled)");
is($node->ended($cancelled), 'CANCELLED', 'a run can be cancelled meanwhile');
is($node->sql('SELECT count(*) FROM setup.running_jobs'), '0', 'and still nothing runs');
set_and_reload('etl_orchestrator.enabled', 'on');
is(all_ended($run, $other), 'OK OK', 'switched on again, everything goes on');
is($node->effects, 'goes_on 1, occupies 1', 'each job ran once');

# Fewer workers, and more

set_and_reload('etl_orchestrator.max_workers', 3);
$node->forget;
$node->add_work("wide_$_", layer => 'one', gate => 'wide') for 1 .. 3;
$run = $node->start_run('\'one\', jobs => \'{wide_1,wide_2,wide_3}\'');
ok($node->begun('wide_1', 'wide_2', 'wide_3'), 'more workers run more jobs at the same time');
$node->open_gate('wide');
is($node->ended($run), 'OK', 'which end');

# A server without a place for a worker

# The engine's launcher has one place, and the conductor the other.
$node->append_conf('postgresql.conf', "max_worker_processes = 2\nmax_logical_replication_workers = 0\n");
$node->restart;
$node->forget;
$run = $node->start_run('\'occupied\', jobs => \'{occupies}\'');
ok($node->becomes_true("SELECT explanation LIKE 'the server has no background worker slot left%' FROM setup.why_waiting($run)"),
  'without a place in the server a job waits for a worker, and says why');
is(reasons($run), 'occupies: worker', 'its reason is worker');
$node->append_conf('postgresql.conf', "max_worker_processes = 16\n");
$node->open_gate('go');
$node->restart;
is($node->ended($run), 'OK', 'with more places it runs');

done_testing();
