# pg_cron runs the pipeline, in both of its modes: over a connection of its own, and in background workers.
#
# It looks at the clock once a minute, so the two servers wait for the next minute together.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my %mode = (connections => 'off', workers => 'on');
my %node;

for my $mode (sort keys %mode) {
  my $node = EtlCluster->started($mode, preload => 'etl_orchestrator,pg_cron', conf => [
    'cron.database_name = \'warehouse\'', "cron.use_background_workers = $mode{$mode}" ]);
  $node->append_conf('postgresql.conf', 'cron.host = \'' . $node->host . '\'');
  $node->restart;
  $node{$mode} = $node;

  my $failure = $node->failure('SELECT setup.schedule(\'nightly\', \'0 2 * * *\')');
  is($failure->{sqlstate}, '55000', "$mode: without pg_cron in the database a schedule is refused");
  like($failure->{hint}, qr/CREATE EXTENSION pg_cron/, "$mode: with the statement that makes it");

  $node->sql('CREATE EXTENSION pg_cron');
  $node->add_work('job');
  my $call = $node->call('SELECT setup.schedule(\'nightly\', \'* * * * *\')')->finish;
  is_deeply($call->failure, {}, "$mode: setup.schedule works");
  like($call->messages, qr/schedule "nightly" counts in time zone GMT/, "$mode: a notice names the time zone");
  is($node->sql('SELECT jobid, jobname, schedule, command, database FROM cron.job'),
    $call->output =~ s/\s+$//r . '|nightly|* * * * *|CALL setup.orchestrate_all(if_running => \'skip\')|warehouse',
    "$mode: the schedule appears in cron.job");
}

# Names, and other databases, while the minute passes.

my $node = $node{workers};
$node->sql('SELECT setup.schedule(\'other\', \'0 2 * * *\', \'CALL setup.orchestrate_gold()\')');
is($node->sql('SELECT command FROM cron.job WHERE jobname = \'other\''), 'CALL setup.orchestrate_gold()',
  'a schedule can have a command of its own');
$node->sql('SELECT setup.schedule(\'other\', \'0 3 * * *\')');
is($node->sql('SELECT string_agg(schedule || \' \' || command, \', \') FROM cron.job WHERE jobname = \'other\''),
  '0 3 * * * CALL setup.orchestrate_all(if_running => \'skip\')', 'the same name again replaces the schedule');
$node->sql('SELECT setup.unschedule(\'other\')');
is($node->sql('SELECT count(*) FROM cron.job WHERE jobname = \'other\''), '0', 'unschedule removes it');

my $failure = $node->failure('SELECT setup.unschedule(\'other\')');
is($failure->{sqlstate}, '42704', 'to unschedule what is not there is an error');
like($failure->{message}, qr/schedule "other" does not exist/, 'which names it');
like($failure->{hint}, qr/cron\.job/, 'and says where to look');
is($node->failure('SELECT setup.schedule(\'broken\', \'not a time\')')->{sqlstate} ? 1 : 0, 1,
  'what is not a time is an error');
is($node->failure('SELECT setup.schedule(NULL, \'0 2 * * *\')')->{sqlstate}, '22004', 'a schedule must have a name');
is($node->failure('SELECT setup.schedule(\'\', \'0 2 * * *\')')->{sqlstate}, '22004', 'which is not empty');

$node->create_warehouse('elsewhere');
for my $statement ('setup.schedule(\'nightly\', \'0 2 * * *\')', 'setup.unschedule(\'nightly\')') {
  $failure = $node->failure("SELECT $statement", 'elsewhere');
  is($failure->{sqlstate}, '55000', "$statement is refused in a database that is not pg_cron's");
  like($failure->{message}, qr/database "warehouse", not in "elsewhere"/, 'the message names both databases');
  like($failure->{hint}, qr/cron\.database_name = 'elsewhere'.*schedule_in_database/s, 'the hint knows two ways');
}

# A role that is no superuser schedules its own jobs.
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
GRANT USAGE ON SCHEMA setup TO alice;
SQL
for my $statement ('setup.schedule(\'hers\', \'* * * * *\')', 'setup.unschedule(\'hers\')') {
  $failure = $node->call("SELECT $statement", user => 'alice')->finish->failure;
  is($failure->{sqlstate}, '42501', "$statement takes the right to use pg_cron");
  is($failure->{hint}, 'A superuser can give it: GRANT USAGE ON SCHEMA cron TO alice;', 'as the hint says');
}
$node->sql('GRANT USAGE ON SCHEMA cron TO alice');
$node->add_work('alices', owner => 'alice');
my $hers = 'SELECT setup.schedule(\'hers\', \'* * * * *\', \'CALL setup.orchestrate_bronze()\')';
my $alice = $node->call($hers, user => 'alice')->finish;
is_deeply($alice->failure, {}, 'a role that may use pg_cron can schedule');
is($node->sql('SELECT username FROM cron.job WHERE jobname = \'hers\''), 'alice', 'under its own name');

# The minute.

$PostgreSQL::Test::Utils::timeout_default = 75;
for my $mode (sort keys %mode) {
  my $node = $node{$mode};
  my $me = $node->sql('SELECT current_user');
  ok($node->becomes_true("SELECT count(*) > 0 FROM setup.load_runs WHERE status = 'OK' AND started_by = '$me'"),
    "$mode: at the next minute pg_cron runs the pipeline")
    or diag $node->sql('SELECT status, return_message FROM cron.job_run_details');
  cmp_ok($node->starts_of('job'), '>=', 1, "$mode: the job of the pipeline has run");
  ok($node->becomes_true('SELECT count(*) > 0 FROM cron.job_run_details WHERE status = \'succeeded\''),
    "$mode: pg_cron counts it as a success");
  $node->sql('SELECT setup.unschedule(\'nightly\')');
  is($node->sql('SELECT count(*) FROM cron.job WHERE jobname = \'nightly\''), '0', "$mode: unschedule ends it");
}
ok($node->becomes_true('SELECT count(*) > 0 FROM setup.load_runs WHERE status = \'OK\' AND started_by = \'alice\''),
  'the run of a role that is no superuser happens under its name');
is($node->sql(<<'SQL'), 'alices', 'and consists of its own jobs');
SELECT string_agg(DISTINCT job_name, ', ') FROM setup.load_log JOIN setup.load_runs USING (run_id)
 WHERE started_by = 'alice'
SQL

# Without the library.

my $bare = EtlCluster->started('bare');
$failure = $bare->failure('SELECT setup.schedule(\'nightly\', \'0 2 * * *\')');
is($failure->{sqlstate}, '55000', 'on a server without pg_cron a schedule is refused');
like($failure->{hint}, qr/^\s*shared_preload_libraries = '.*pg_cron.*'$/m, 'with the line for postgresql.conf');

done_testing();
