# What could hold up everybody, and does not: an open transaction of one role, a smart shutdown, a run that may not start
# what it was called for, a conductor that takes over in the middle of a retry's delay.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 4' ]);

# An open transaction that holds what the engine wants to write.

$node->add_work('crashed_once');
$node->add_work('bystander', layer => 'silver');
$node->sql("INSERT INTO setup.job_holds (layer, job_name, crashes) VALUES ('bronze', 'crashed_once', 1)");
my $holder = $node->session;
$holder->query_safe('BEGIN');
$holder->query_safe("SELECT setup.release_job('bronze', 'crashed_once')");
is($node->ended($node->start_run('\'bronze\'')), 'OK', 'a job succeeds whose crashes somebody is about to forget');
is($node->ended($node->start_run('\'silver\'')), 'OK', 'and others run meanwhile');
$holder->query_safe('ROLLBACK');
$holder->quit;
ok($node->becomes_true("SELECT crashes = 0 FROM setup.job_holds WHERE job_name = 'crashed_once'"),
  'it is forgiven as soon as that is possible');

# A limit that calls a step of a run which may not start any.

$node->sql("DELETE FROM setup.load_jobs; SELECT setup.create_resource('io', 1)");
$node->add_work('holds_io', layer => 'bronze', gate => 'io', resources => '{"io": 1}');
$node->add_work('long', layer => 'silver', gate => 'long');
$node->add_work('wants_io', layer => 'silver', resources => '{"io": 1}', priority => 1);
$node->add_work('wants_io_too', layer => 'gold', resources => '{"io": 1}');
my $first = $node->start_run('\'bronze\'');
$node->begun('holds_io');
my $narrow = $node->start_run('\'silver\', max_parallel => 1');
$node->begun('long');
my $other = $node->start_run('\'gold\'');
ok($node->becomes_true("SELECT reason = 'limit' FROM setup.why_waiting($other)"), 'two runs wait for a resource');
$node->open_gate('io');
is($node->ended($first), 'OK', 'the resource becomes free');
is($node->ended($other), 'OK', 'whoever can use it gets it, while the first in line may not start');
$node->open_gate('long');
is($node->ended($narrow), 'OK', 'which gets it later');

# A delay that began before a conductor took over, in a layer that is not the first.

$node->sql('DELETE FROM setup.load_jobs');
$node->forget;
$node->add_work('before');
$node->add_job('fails', 'SELECT 1 / 0', layer => 'silver', retry_on => '{22012}',
  retry_delay => '1 hour', max_retry_delay => '1 hour');
my $run = $node->start_run;
ok($node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run AND retry_at IS NOT NULL"),
  'a job of the second layer is to be tried again later');
my $due = $node->sql("SELECT retry_at FROM setup.load_log WHERE run_id = $run AND retry_at IS NOT NULL");
is($node->sql("SELECT reason || ' ' || (retry_at = '$due') FROM setup.why_waiting($run)"), 'retry true',
  'why_waiting() says when');
my $conductor = $node->processes('conductor');
$node->sql("SELECT pg_terminate_backend($conductor)");
ok($node->becomes_true("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator conductor' "
      . "AND pid <> $conductor"), 'another conductor takes over');
$node->add_work('sign', layer => 'gold');
is($node->ended($node->start_run('\'gold\'')), 'OK', 'and works');
is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND job_name = 'fails'"), 1, 'the delay goes on');
is($node->sql("SELECT reason FROM setup.why_waiting($run)"), 'retry', 'and why_waiting() says the same');
$node->sql("SELECT setup.cancel_run($run)");
is($node->ended($run), 'CANCELLED', 'a cancel ends it');

# A smart shutdown waits for sessions, and one of them for a run.

$node->sql('DELETE FROM setup.load_jobs');
$node->forget;
$node->add_job('fails', 'SELECT test.work(\'fails\', \'go\'); SELECT 1 / 0', max_attempts => 1);
my $opener = $node->session;
my $call = $node->call('CALL setup.orchestrate_bronze()');
$node->begun('fails');
my $postmaster = $node->postmaster;
kill 'TERM', $postmaster;
ok(wait_until { slurp($node->data_dir . '/postmaster.pid') =~ /stopping/ }, 'a smart shutdown has begun');
$opener->query_safe('INSERT INTO test.gates VALUES (\'go\')');
$opener->quit;
like($call->finish->failure->{message}, qr/^run \d+ failed: 1 job/, 'the run ends, and its caller hears how');
ok(wait_until { !kill 0, $postmaster }, 'and so does the shutdown');
$node->_update_pid(0);

sub slurp { my ($file) = @_; open my $in, '<', $file or return ''; local $/; return <$in> }

done_testing();
