# What may keep an execution from its end: workers that are terminated, callers that give up, limits of time; and where there
# can be none.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.crash_limit = 3', 'etl_orchestrator.max_workers = 2' ]);
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
SET SESSION AUTHORIZATION alice;
SELECT setup.create_state_machine('endless', '{"StartAt": "Work", "States": {"Work": {"Type": "Task",
  "Resource": "arn:aws:states:::sql:execute", "Parameters": {"Command": "SELECT pg_sleep(600)"}, "End": true}}}');
SELECT setup.create_state_machine('many', '{"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor":
  {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "End": true, "Parameters":
  {"Command.$": "States.Format(''SELECT pg_sleep({})'', $)"}}}}}}}');
SELECT setup.create_state_machine('waits', '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}');
SELECT setup.create_state_machine('limited', '{"StartAt": "F", "TimeoutSeconds": 100, "States": {"F": {"Type": "Fail", "Error": "Own"}}}');
SELECT setup.create_state_machine('caught', '{"StartAt": "Both", "States": {
  "Both": {"Type": "Parallel", "Catch": [{"ErrorEquals": ["Own"], "Next": "After"}], "End": true, "Branches": [
    {"StartAt": "Long", "States": {"Long": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "End": true,
      "Parameters": {"Command": "SELECT pg_sleep(600)"}}}},
    {"StartAt": "Soon", "States": {"Soon": {"Type": "Wait", "Seconds": 1, "Next": "Fails"}, "Fails": {"Type": "Fail", "Error": "Own"}}}]},
  "After": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "Parameters": {"Command": "SELECT 1"}, "Next": "Again"},
  "Again": {"Type": "Task", "Resource": "arn:aws:states:::sql:execute", "Parameters": {"Command": "SELECT 1"}, "Next": "W"},
  "W": {"Type": "Wait", "Seconds": 600, "End": true}}}');
ALTER ROLE alice SET default_transaction_isolation = 'repeatable read';
SQL

sub start {
  my ($machine, $input) = @_;
  return $node->sql("SET SESSION AUTHORIZATION alice; SELECT setup.start_execution('$machine', '" . ($input // '{}') . "')");
}

sub worker { return $node->answer("SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND backend_type LIKE 'etl%worker'") }

sub end_of {
  my ($run) = @_;
  ok($node->becomes_true("SELECT status <> 'RUNNING' FROM setup.executions WHERE run_id = $run"), "execution $run ends");
  return $node->sql("SELECT concat_ws(' ', status, error, cause) FROM setup.executions WHERE run_id = $run");
}

sub terminate_worker {
  my $pid;
  ok(wait_until { $pid = worker() }, 'a worker is at its task');
  $node->sql("SELECT pg_terminate_backend($pid)");
  ok(wait_until { ($node->answer("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") // '') eq '0' }, 'it is terminated');
  return;
}

# A task that ends its worker each time.

my $run = start('endless');
terminate_worker() for 1 .. 3;
is(end_of($run), 'FAILED States.TaskFailed its worker or the server ended 3 times in a row while the task ran',
  'a task whose worker ends three times fails');
is($node->sql("SELECT count(*) FROM setup.execution_branches WHERE run_id = $run AND (is_due OR due IS NOT NULL)"), '0',
  'and nothing of the execution is due');

# Of several that a worker has, only the one that it was at is to blame.

$run = start('many', '[0, 0, 0, 600, 0, 0]');
terminate_worker() for 1 .. 3;
is(end_of($run), 'FAILED States.TaskFailed its worker or the server ended 3 times in a row while the task ran',
  'so does one in a Map');
is($node->sql("SELECT string_agg(status, ' ' ORDER BY status) FROM setup.load_log WHERE run_id = $run"), 'ERROR OK OK OK OK OK',
  'and the others have succeeded, once');

# What others do for a Parallel that has failed is of no use any more, also where the execution goes on.

$run = start('caught');
ok(wait_until { worker() }, 'one branch of a Parallel works');
ok($node->becomes_true("SELECT count(*) = 2 FROM setup.load_log WHERE run_id = $run AND status = 'OK'"),
  'the other fails, which is caught, and the execution goes on');
ok(wait_until { !worker() }, 'the first is stopped');
is($node->sql("SELECT status FROM setup.executions WHERE run_id = $run"), 'RUNNING', 'and nothing else');

# Tasks are shown when they end.

my $shown = $node->call([ 'SET SESSION AUTHORIZATION alice', "CALL setup.run_execution('caught')" ]);
ok(wait_until { $shown->messages =~ /After +OK/ }, 'a caller sees a task that has ended, while the execution goes on');
$shown->interrupt->finish;

# A caller that has joined an execution does not end it.

$run = start('waits');
my $name = $node->sql("SELECT name FROM setup.executions WHERE run_id = $run");
my $call = $node->call([ 'SET SESSION AUTHORIZATION alice', "CALL setup.run_execution('waits', '{}', '$name')" ]);
ok(wait_until { $call->messages =~ /run $run: state machine waits/ }, 'somebody waits for an execution that others have started');
$call->interrupt->finish;
is($call->failure->{sqlstate}, '57014', 'Ctrl-C ends the call');
like($call->messages, qr/run $run goes on in the background/, 'which says so');
is($node->sql("SELECT status FROM setup.executions WHERE run_id = $run"), 'RUNNING', 'and the execution goes on');
$call = $node->call([ 'SET SESSION AUTHORIZATION alice', "CALL setup.run_execution('waits')" ]);
ok($node->becomes_true("SELECT count(*) = 2 FROM setup.executions WHERE state_machine = 'waits' AND status = 'RUNNING'"),
  'somebody starts one');
ok(wait_until { $call->messages =~ /state machine waits/ }, 'and waits for it');
$call->interrupt->finish;
is($node->sql("SELECT status FROM setup.executions WHERE run_id > $run"), 'ABORTED', 'Ctrl-C ends it');

# The time that an execution may take begins anew when it is redriven.

$run = start('limited');
is(end_of($run), 'FAILED Own', 'an execution fails');
for my $round (1 .. 3) {
  $node->sql("SELECT setup.redrive_execution($run)");
  is(end_of($run), 'FAILED Own', "and again, redriven $round times");
}
is($node->sql("SELECT timeout_at - clock_timestamp() BETWEEN '50 s' AND '100 s' FROM setup.executions WHERE run_id = $run"), 't',
  'it has as much time as at first');

# JSON is UTF-8.

$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->sql('CREATE EXTENSION etl_orchestrator', 'latin');
my $refused = $node->failure(
  q{SELECT setup.create_state_machine('m', '{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}')}, 'latin');
is("$refused->{sqlstate} $refused->{message}", '0A000 state machines need a database with encoding UTF8, and this one has LATIN1',
  'in a database of another encoding there are no state machines');

is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6|conductor: /), 0, 'the server\'s log has no complaint');
done_testing();
