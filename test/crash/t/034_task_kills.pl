# Tasks that start runs, executions and queries, and wait for them, while processes are killed: each is started once.
#
# ETL_KILLS says how many kills there are, ETL_KILL_SEED repeats their choice.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use JSON::PP;
use Test::More;

my $wanted = $ENV{ETL_KILLS} || 25;
my $executions = 50;
my $seed = $ENV{ETL_KILL_SEED} || int(rand(2**31));
srand $seed;
note "to repeat: ETL_KILLS=$wanted ETL_KILL_SEED=$seed";

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 4', 'etl_orchestrator.crash_limit = 0', 'fsync = off' ]);

my $name = '$$.Execution.Name';
sub task { my ($resource, $parameters, $next) = @_;
  return { Type => 'Task', Resource => "arn:aws:states:::$resource", Parameters => $parameters, ResultPath => undef, %$next } }
my $definition = JSON::PP->new->canonical->encode({
  StartAt => 'Job',
  States => {
    Job => task('glue:startJobRun.sync', { JobName => 'work', Arguments => { '--run.$' => $name } }, { Next => 'Query' }),
    Query => task('athena:startQueryExecution.sync',
      { 'QueryString.$' => "States.Format('INSERT INTO test.done VALUES (\\'{}\\', \\'query\\')', $name)" }, { Next => 'Child' }),
    Child => task('states:startExecution.sync:2', { StateMachineArn => 'child', Input => { 'run.$' => $name } }, { Next => 'Tell' }),
    Tell => task('sns:publish', { TopicArn => 'ended', 'Message.$' => $name }, { End => JSON::PP::true }),
  } });

$node->sql(<<"SQL");
CREATE ROLE alice LOGIN;
GRANT ALL ON SCHEMA test TO alice;
CREATE TABLE test.done (run text, what text);
GRANT ALL ON test.done TO alice;
SELECT setup.create_layer('bronze');
SET SESSION AUTHORIZATION alice;
SELECT setup.add_job('bronze', 'work', 'INSERT INTO test.done VALUES (setup.param(''run''), ''job''); SELECT pg_sleep(random() * 0.01)',
  max_concurrent => 1000, max_attempts => 1000, retry_delay => '10 ms', retry_on => '{all}');
SELECT setup.create_state_machine('child', '{"StartAt": "Work", "States": {"Work": {"Type": "Task",
  "Resource": "arn:aws:states:::sql:query", "Parameters": {"Query": "SELECT test.note(\$1 ->> ''run'')", "Arguments.\$": "\$"}, "End": true}}}');
SELECT setup.create_state_machine('parent', \$json\$$definition\$json\$);
CREATE FUNCTION test.note(run text) RETURNS boolean LANGUAGE sql AS 'INSERT INTO test.done VALUES (run, ''child'') RETURNING true';
SQL

sub open_executions { return $node->answer("SELECT count(*) FROM setup.executions WHERE status = 'RUNNING'") // '' }

my ($begun, $kills) = (0, 0);
while ($begun < $executions) {
  my @names = map { 'e' . ($begun + $_) } 1 .. 5;
  ok(wait_until { defined $node->answer(join "\n", map { "SELECT setup.start_execution('parent', '{}', '$_');" } @names) },
    "executions up to $names[-1] are started");
  $begun += @names;
  while ($kills < $wanted * $begun / $executions) {
    $kills += $node->kill_at_random('warehouse') ? 1 : 0;
    $node->is_up or BAIL_OUT('the server does not come back');
  }
}
ok(do { local $PostgreSQL::Test::Utils::timeout_default = 120; wait_until { open_executions() eq '0' } }, 'all executions end')
  or diag(open_executions() . ' are open');

is($node->sql("SELECT string_agg(DISTINCT status || coalesce(' ' || error || ' ' || cause, ''), ', ') FROM setup.executions"),
  'SUCCEEDED', 'each of them has succeeded');
is($node->sql("SELECT string_agg(state_machine || ' ' || n, ', ' ORDER BY state_machine) "
      . "FROM (SELECT state_machine, count(*) AS n FROM setup.executions GROUP BY state_machine) e"),
  "child $executions, parent $executions", 'each has started one other');
is($node->sql("SELECT count(*) FROM setup.load_runs WHERE state_machine IS NULL AND status = 'OK'"), $executions,
  'and one run of a job');
is($node->sql("SELECT count(*) FROM setup.query_executions"), $executions, 'and one query');
is($node->sql("SELECT count(*) || ' ' || count(DISTINCT message) FROM setup.notifications WHERE topic = 'ended'"),
  "$executions $executions", 'and told it once');
is($node->sql("SELECT count(*) || ' ' || count(DISTINCT (run, what)) FROM test.done"), join(' ', (3 * $executions) x 2),
  'each effect happened once');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash of its own');
done_testing();
