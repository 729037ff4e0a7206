# A database that is copied with unfinished runs in it: the copy does not run them a second time by itself.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main');
$node->add_work('first', gate => 'go');
$node->add_work('second', depends_on => ['first']);
$node->add_work('other', layer => 'silver', gate => 'go');

# One run in the middle, and one that waits for it; the server stops, and comes back without the engine, so that the
# database can be copied.
my $running = $node->start_run('\'bronze\'');
ok($node->begun('first'), 'a run is in the middle of its first job');
my $queued = $node->start_run('\'bronze\'');
my $resumed = $node->start_run('\'silver\'');
ok($node->begun('other'), 'and another, too');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE warehouse');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'etl_orchestrator'\n");
$node->forget('copy');
$node->restart;

# The original goes on, the copy does not.

ok($node->begun('first', 'other'), 'in the original they begin again');
$node->open_gate('go');
is(join(' ', map { $node->ended($_) } $running, $queued, $resumed), 'OK OK OK', 'and end');
my $after = $node->start_run('jobs => \'{second}\'', 'copy');
is($node->ended($after, 'copy'), 'OK', 'a run that is started in the copy runs');
is($node->effects('copy'), 'second 1', 'but none of those that were copied');
is($node->sql("SELECT string_agg(job_name || ' ' || reason, ', ') FROM setup.why_waiting($running)", 'copy'),
  'first copied, second copied', 'why_waiting says of their jobs that they were copied');
is($node->sql("SELECT DISTINCT explanation FROM setup.why_waiting($running)", 'copy'),
  'the run was copied together with its database; setup.resume_run() lets it go on here', 'and what can be done');
is($node->sql("SELECT DISTINCT reason FROM setup.why_waiting($queued)", 'copy'), 'copied', 'of the run that was queued, too');
my $failure = $node->failure("SELECT setup.wait_run($running)", 'copy');
is($failure->{sqlstate}, '55000', 'nobody waits for such a run in vain');
like($failure->{message}, qr/^run $running was copied together with its database/, 'but is told');
my $own = $node->start_run('\'bronze\', if_running => \'error\'', 'copy');
$node->open_gate('go', 'copy');
is($node->ended($own, 'copy'), 'OK', 'nor do they count as running');

# What can be done with them.

$node->forget('copy');
$node->sql("SELECT setup.cancel_run($running)", 'copy');
is($node->ended($running, 'copy'), 'CANCELLED', 'cancel_run ends one');
is($node->outcome($running, 'copy'), 'first SKIPPED, second SKIPPED', 'without running its jobs');
$node->sql("SELECT setup.resume_run($resumed)", 'copy');
ok($node->begun('other'), 'resume_run lets one go on');
is($node->sql("SELECT count(*) FROM setup.why_waiting($resumed)", 'copy'), '0', 'nothing holds it back any more');
$node->open_gate('go', 'copy');
is($node->ended($resumed, 'copy'), 'OK', 'to its end');
$node->sql("SELECT setup.resume_run($queued)", 'copy');
is($node->ended($queued, 'copy'), 'OK', 'also one that had not begun');
is($node->effects('copy'), 'first 1, other 1, second 1', 'each of their jobs has its effect once');
is($node->sql("SELECT string_agg(status, ' ' ORDER BY run_id) FROM setup.load_runs WHERE run_id <= $resumed"), 'OK OK OK',
  'what happens in the copy is nothing to the original');

done_testing();
