# Executions that are stopped and redriven, again and again, whatever they are at: each effect happens once, each history is
# complete and in order.
#
# ETL_STOPS says how many stops there are, ETL_STOP_SEED repeats their choice.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;
use Time::HiRes qw(usleep);

my $wanted = $ENV{ETL_STOPS} || 200;
my $at_once = 5;
my $seed = $ENV{ETL_STOP_SEED} || int(rand(2**31));
srand $seed;
note "to repeat: ETL_STOPS=$wanted ETL_STOP_SEED=$seed";

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 4', 'fsync = off' ]);

# A Map some of whose iterations have still to begin whenever it is stopped, a Map in a Map, a Wait, a chain of tasks.
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
GRANT ALL ON SCHEMA test TO alice;
CREATE TABLE test.done (run text, what text);
GRANT ALL ON test.done TO alice;
CREATE FUNCTION test.act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO test.done VALUES (input ->> 'run', input ->> 'what');
  PERFORM pg_sleep(random() * 0.05);
  RETURN input -> 'what';
END $$;
SET SESSION AUTHORIZATION alice;
SELECT setup.register_task_handler('act', 'test.act(jsonb)');
SELECT setup.create_state_machine('busy', $json${
  "StartAt": "Few",
  "States": {
    "Few": {"Type": "Map", "MaxConcurrency": 2, "ItemsPath": "$.few", "ResultPath": null, "Next": "Both",
      "ItemSelector": {"what.$": "$$.Map.Item.Value", "run.$": "$$.Execution.Name"},
      "ItemProcessor": {"StartAt": "One", "States": {
        "One": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}},
    "Both": {"Type": "Parallel", "ResultPath": null, "Next": "Last", "Branches": [
      {"StartAt": "Outer", "States": {"Outer": {"Type": "Map", "ItemsPath": "$.outer", "End": true,
        "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": {"Type": "Map", "End": true,
          "ItemSelector": {"what.$": "$$.Map.Item.Value", "run.$": "$$.Execution.Name"},
          "ItemProcessor": {"StartAt": "Two", "States": {
            "Two": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true}}}}}}}}},
      {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 1, "Next": "Three"},
        "Three": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true,
          "Parameters": {"what": "three", "run.$": "$$.Execution.Name"}}}}]},
    "Last": {"Type": "Task", "Resource": "arn:aws:lambda:x:1:function:act", "End": true,
      "Parameters": {"what": "last", "run.$": "$$.Execution.Name"}}}}$json$);
SQL
my $input = '{"few": ["a", "b", "c", "d", "e", "f"], "outer": [["g", "h"], ["i"], ["j", "k", "l"]]}';
my $effects_of_one = 14;

# What an execution refuses because it has just ended, or goes on, is an answer, too.
sub try_to {
  my ($function, $run) = @_;
  return $node->sql(<<"SQL");
DO \$\$ BEGIN PERFORM setup.$function($run); EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END \$\$;
SELECT status FROM setup.executions WHERE run_id = $run;
SQL
}

my ($stops, $executions) = (0, 0);
my @runs;
while ($stops < $wanted) {
  while (@runs < $at_once) {
    push @runs, $node->sql("SET SESSION AUTHORIZATION alice; SELECT setup.start_execution('busy', '$input', 'e$executions')");
    ++$executions;
  }
  my $chosen = int rand @runs;
  my $status = try_to('stop_execution', $runs[$chosen]);
  if ($status eq 'ABORTED') {
    ++$stops;
    next if rand() < 0.3;    # goes on later, or at the end of the test
    usleep(rand(20_000)) if rand() < 0.5;
    try_to('redrive_execution', $runs[$chosen]);
  } else {
    splice @runs, $chosen, 1;
  }
  usleep(rand(60_000));
}
note "$stops stops of $executions executions";
my $open = sub {
  try_to('redrive_execution', $_) for split /\n/, $node->sql("SELECT run_id FROM setup.executions WHERE status = 'ABORTED'");
  return $node->sql("SELECT count(*) FROM setup.executions WHERE status IN ('RUNNING', 'ABORTED')") eq '0';
};
ok(wait_until { $open->() }, 'all executions end when they are redriven for the last time')
  or diag $node->sql('SELECT run_id, status, error, cause FROM setup.executions');

is($node->sql("SELECT string_agg(DISTINCT status || coalesce(' ' || error || cause, ''), ', ') FROM setup.executions"), 'SUCCEEDED',
  'each of them has succeeded');
is($node->sql("SELECT count(*) || ' ' || count(DISTINCT (run, what)) FROM test.done"), join(' ', ($executions * $effects_of_one) x 2),
  'each effect happened once');
is($node->sql(<<'SQL'), '0', 'each history says how often it was stopped and redriven, and ends with its success');
SELECT count(*) FROM setup.executions e, LATERAL (
  SELECT count(*) FILTER (WHERE type = 'ExecutionRedriven') AS redrives, count(*) FILTER (WHERE type = 'ExecutionAborted') AS aborts,
    count(*) AS events, max(id) AS last, (array_agg(type ORDER BY id DESC))[1] AS ending
  FROM setup.execution_history(e.run_id)) h
WHERE (h.redrives, h.aborts, h.events, h.ending) IS DISTINCT FROM (e.redrive_count, e.redrive_count, h.last, 'ExecutionSucceeded')
SQL
is($node->sql(<<'SQL'), '', 'each event comes after the one that led to it');
SELECT DISTINCT concat_ws(' ', h.id, h.previous, h.type, h.state) FROM setup.executions e, setup.execution_history(e.run_id) h
 WHERE h.previous >= h.id OR (h.previous = 0) <> (h.id = 1 OR h.type = 'ExecutionAborted')
SQL
is($node->sql(<<'SQL'), $effects_of_one * $executions, 'the log has each task that succeeded once');
SELECT count(*) FROM setup.load_log WHERE status = 'OK'
SQL
is($node->sql('SELECT count(*) FROM setup.execution_branches'), '0', 'nothing is left of their branches');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash');
done_testing();
