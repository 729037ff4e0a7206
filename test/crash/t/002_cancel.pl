# Whoever cancels a run sees its jobs stop within a second; whoever only goes away leaves it going.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => ['etl_orchestrator.max_workers = 6']);
my $incarnation = $node->incarnation;
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
SELECT setup.create_layer(layer) FROM unnest(ARRAY['gated', 'kinds', 'quick', 'shared']) layer;
SQL

# Bronze and silver sleep for ever; two jobs wait for one of the sleepers and for the layer.
$node->add_job('sleeps', 'SELECT test.work(\'sleeps\', NULL); SELECT pg_sleep(600)');
$node->add_job('also_sleeps', 'SELECT test.work(\'also_sleeps\', NULL); SELECT pg_sleep(600)');
$node->add_work('follows', depends_on => ['sleeps']);
$node->add_work('later', layer => 'silver');
my $cancelled = 'also_sleeps CANCELLED, follows SKIPPED, later SKIPPED, sleeps CANCELLED';

# How long after a moment the jobs of a run had stopped, by the server's clock.
sub seconds_to_stop {
  my ($run, $moment) = @_;
  return $node->sql("SELECT extract(epoch FROM max(finished_at) - '$moment') FROM setup.load_log WHERE run_id = $run");
}

sub now { return $node->sql('SELECT clock_timestamp()') }

sub no_job_is_running {
  return $node->sql(
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active'");
}

# Three ways to cancel.

my %cancel = (
  'Ctrl-C in psql' => sub { $_[0]->interrupt },
  'pg_cancel_backend of the caller' => sub { my $pid = $_[0]->backend; $node->sql("SELECT pg_cancel_backend($pid)") },
  'setup.cancel_run' => sub { my $run = $node->last_run; $node->sql("SELECT setup.cancel_run($run)") });

for my $how (sort keys %cancel) {
  $node->forget;
  my $call = $node->call('CALL setup.orchestrate_all(jobs => \'{sleeps, also_sleeps, follows, later}\')');
  ok($node->begun('sleeps', 'also_sleeps'), "$how: jobs are running");
  my $run = $node->last_run;
  my $moment = now();
  my $took = seconds { $cancel{$how}->($call); $call->finish };
  my $stopped = seconds_to_stop($run, $moment);
  note sprintf '%s: jobs stopped after %.3f s, the call ended after %.3f s', $how, $stopped, $took;
  cmp_ok($stopped, '<', 1, "$how stops the jobs within a second");
  cmp_ok($took, '<', 1.5, "$how ends the call at once");
  is($call->failure->{sqlstate}, $how =~ /cancel_run/ ? 'OR003' : '57014', "$how gives the caller its SQLSTATE");
  like($call->failure->{message}, $how =~ /cancel_run/ ? qr/^run $run was cancelled/ : qr/^canceling run $run /,
    "$how gives the caller a message that says what happened");
  is($node->ended($run), 'CANCELLED', "$how cancels the run");
  is($node->outcome($run), $cancelled, "$how: running jobs are CANCELLED, others SKIPPED");
  is($node->sql("SELECT DISTINCT sqlstate FROM setup.load_log WHERE run_id = $run AND status = 'CANCELLED'"), '57014',
    "$how: the log of a cancelled job has its SQLSTATE");
  is($node->sql("SELECT DISTINCT message FROM setup.load_log WHERE run_id = $run AND status = 'SKIPPED'"),
    'the run was cancelled', "$how: a skipped job says why");
  is($node->effects, '', "$how: nothing that was interrupted has an effect");
  ok(no_job_is_running(), "$how: no job goes on");
}

# Whoever goes away without cancelling.

$node->add_work('gated', layer => 'gated', gate => 'go');
$node->add_work('after_gated', layer => 'gated', depends_on => ['gated']);

my %leave = (
  'pg_terminate_backend of the caller' => sub {
    my $pid = $_[0]->backend;
    $node->sql("SELECT pg_terminate_backend($pid)");
    $_[0]->finish;
    is($_[0]->failure->{sqlstate}, '57P01', 'a terminated caller is told so');
  },
  'kill of the psql process' => sub { $_[0]->kill_client },
  'statement_timeout of the caller' => sub {
    $_[0]->finish;
    is($_[0]->failure->{sqlstate}, '57014', 'a caller whose statement_timeout passes is told so');
    like($_[0]->messages, qr/goes on in the background/, 'and that the run goes on');
  });

for my $how (sort keys %leave) {
  $node->forget;
  my @statements = 'CALL setup.orchestrate_layer(\'gated\')';
  unshift @statements, 'SET statement_timeout = \'500ms\'' if $how =~ /timeout/;
  my $call = $node->call(\@statements);
  ok($node->begun('gated'), "$how: a job is running");
  my $run = $node->last_run;
  $leave{$how}->($call);
  $node->open_gate('go');
  is($node->ended($run), 'OK', "$how leaves the run going");
  is($node->effects, 'after_gated 1, gated 1', "$how: every job has its effect once");
  is($node->starts_of('gated'), 1, "$how: no job is started twice");
}

# Whatever a job is doing.

my $locker = $node->session;
$node->sql('CREATE TABLE test.locked ()');
$locker->query_safe('BEGIN; LOCK TABLE test.locked');
$node->sql(<<'SQL');
CREATE PROCEDURE test.commits_for_ever() LANGUAGE plpgsql AS $$ BEGIN LOOP COMMIT; END LOOP; END $$;
SQL

my %kind = (
  in_sleep => 'SELECT pg_sleep(600)',
  in_lock_wait => 'LOCK TABLE test.locked',
  in_stubborn_loop => 'DO $$ BEGIN LOOP BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$',
  in_copy => 'COPY (SELECT generate_series(1, 100000000000)) TO \'/dev/null\'');
$node->add_job($_, "SELECT test.mark('$_'); $kind{$_}", layer => 'kinds') for sort keys %kind;
$node->add_job('in_commits', 'SELECT test.mark(\'in_commits\'); CALL test.commits_for_ever()', layer => 'kinds',
  transaction => 'each');

$node->forget;
my $run = $node->start_run('\'kinds\'');
ok($node->begun(keys %kind, 'in_commits'), 'jobs that sleep, wait, loop, copy and commit are running');
my $moment = now();
$node->sql("SELECT setup.cancel_run($run)");
is($node->ended($run), 'CANCELLED', 'their run is cancelled');
is($node->outcome($run), join(', ', map { "$_ CANCELLED" } sort keys %kind, 'in_commits'), 'each of them is CANCELLED');
my $stopped = seconds_to_stop($run, $moment);
note sprintf 'jobs that sleep, wait, loop, copy and commit stopped after %.3f s', $stopped;
cmp_ok($stopped, '<', 1, 'each of them stops within a second');
$locker->quit;

# A cancel that comes late finds another job in the worker, and leaves it alone.

$node->add_job("quick_$_", 'SELECT pg_sleep(0.002)', layer => 'quick') for 1 .. 6;
my @rounds = map { <<"SQL" } 1 .. 25;
SELECT setup.start_run('quick') AS run \\gset
SELECT pg_sleep($_ * 0.001) \\g /dev/null
SELECT setup.cancel_run(:run) \\g /dev/null
SELECT setup.start_run('quick') AS next_run \\gset
SELECT setup.wait_run(:run) || ' ' || setup.wait_run(:next_run);
SQL
my %seen = map { $_ => 1 } split /\n/, $node->sql('SET client_min_messages = warning;' . join '', @rounds);
note 'cancelled at random moments, then the next: ', join ', ', sort keys %seen;
is_deeply([ grep { !/^(OK|CANCELLED) OK$/ } keys %seen ], [],
  'a run is OK or CANCELLED whenever it is cancelled, and the next one is OK');
is($node->sql('SELECT count(*) FROM setup.load_log WHERE layer = \'quick\' AND status = \'ERROR\''), '0',
  'no job fails by a cancel that was meant for another');

# One job, by its owner.

$node->add_job('alices', 'SELECT test.mark(\'alices\'), pg_sleep(600)', layer => 'shared', owner => 'alice');
$node->add_work('gated_neighbour', layer => 'shared', gate => 'go');
$node->forget;
$run = $node->start_run('\'shared\'');
ok($node->begun('alices', 'gated_neighbour'), 'a job of alice\'s is running beside another');
my $worker = $node->worker_of('alices');
my $alice = $node->session(user => 'alice');
is($alice->query("SELECT pg_cancel_backend($worker)"), 't', 'alice may cancel the worker of her job');
ok($node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run"), 'her job ends');
$node->open_gate('go');
is($node->ended($run), 'ERROR', 'the run goes on to its end');
is($node->outcome($run), 'alices ERROR, gated_neighbour OK', 'only her job fails');
is($node->sql("SELECT sqlstate FROM setup.load_log WHERE run_id = $run AND job_name = 'alices'"), '57014',
  'it fails with the SQLSTATE of a cancel');
is($alice->query("SELECT count(*) FROM setup.load_runs"), '0', 'alice sees no run of others');
$alice->query("SELECT setup.cancel_run($run)");
like($alice->{stderr}, qr/run $run does not exist/, 'and cancels none');
$alice->{stderr} = '';
$alice->quit;

# Before a run has begun, after it has ended, and without one.

is($node->sql(<<'SQL'), 'CANCELLED', 'a run that is cancelled before it begins ends CANCELLED');
BEGIN;
SELECT setup.start_run('quick') AS run \gset
SELECT setup.cancel_run(:run) \g /dev/null
COMMIT;
SELECT setup.wait_run(:run);
SQL
is($node->sql('SELECT DISTINCT status FROM setup.load_log WHERE run_id = ' . $node->last_run), 'SKIPPED',
  'and all its jobs are SKIPPED');
my $late = $node->call("SELECT setup.cancel_run($run)")->finish;
is_deeply($late->failure, {}, 'cancelling a run that has ended is no error');
like($late->messages, qr/run $run has ended already/, 'but a notice');
is($node->failure('SELECT setup.cancel_run(1000000)')->{sqlstate}, 'P0002', 'cancelling an unknown run is an error');

is($node->incarnation, $incarnation, 'the server has not restarted');

done_testing();
