# The primary is lost in mid-run: the run goes on on the standby that is promoted, and every job has its effect once.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $primary = EtlCluster->started('primary', streaming => 1);
$primary->add_work('first');
$primary->add_work('long', gate => 'go');
$primary->add_work('other', gate => 'go');
$primary->add_work('after', depends_on => [ 'first', 'long' ]);
$primary->add_work("last_$_", layer => 'silver') for 1 .. 10;
my @jobs = ('after', 'first', (map { "last_$_" } 1, 10, 2 .. 9), 'long', 'other');

# The backup is made while jobs run, so that it has whatever the engine keeps about them.
my $run = $primary->start_run;
ok($primary->begun('long', 'other'), 'jobs are running on the primary');
ok($primary->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run"), 'one job has ended');
$primary->backup('in_mid_run');
my $standby = EtlCluster->new('standby');
$standby->init_from_backup($primary, 'in_mid_run', has_streaming => 1);
$standby->start;

# A standby only watches.

$primary->wait_for_catchup($standby);
is($standby->outcome($run), 'first OK', 'the standby knows the run as far as it is');
is($standby->failure($_)->{sqlstate}, '25006', "on a standby $_ is refused")
  for 'SELECT setup.start_run()', "SELECT setup.cancel_run($run)", 'CALL setup.orchestrate_all()';
is($standby->sql("SELECT reason FROM setup.why_waiting($run) WHERE job_name = 'after'"), 'dependency',
  'but a run can be looked at');
is($standby->processes('conductor') . $standby->processes('worker'), '', 'no conductor and no worker is there');
is($standby->starts_of($_), 0, "job $_ does not begin there") for qw(first long);

# The primary is lost.

$primary->stop('immediate');
my $took = seconds {
  $standby->promote;
  ok($standby->begun('long', 'other'), 'after the promotion, interrupted jobs begin on the new primary by themselves');
};
note sprintf 'from pg_ctl promote until jobs began again: %.3f s', $took;
$standby->open_gate('go');
is($standby->ended($run), 'OK', 'the run ends OK there');
is($standby->outcome($run), join(', ', map { "$_ OK" } @jobs), 'every job has one row in the log, and it is OK');
is($standby->effects, join(', ', map { "$_ 1" } @jobs), 'every job has its effect once');
is($standby->starts_of('first'), 0, 'what had succeeded on the old primary is not run again');
is($standby->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND attempt <> 1"), '0',
  'no attempt counts as failed');
is($standby->sql('SELECT count(*) FROM setup.job_holds'), '0', 'no job is blamed for the loss');

# It is as good as the old one.

$standby->forget;
$standby->open_gate('go');
is($standby->ended($standby->start_run), 'OK', 'the next run on the new primary ends OK');
is($standby->effects, join(', ', map { "$_ 1" } @jobs), 'with every effect once');

done_testing();
