# Whatever is killed, whenever: executions come to their end, each effect happens once, and each history is complete and
# in order, as that of an execution that nobody disturbed.
#
# ETL_KILLS says how many kills there are, ETL_KILL_SEED repeats their choice.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $wanted = $ENV{ETL_KILLS} || 100;
my $executions = 200;
my $seed = $ENV{ETL_KILL_SEED} || int(rand(2**31));
srand $seed;
note "to repeat: ETL_KILLS=$wanted ETL_KILL_SEED=$seed";

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 4', 'etl_orchestrator.crash_limit = 0', 'fsync = off' ]);

# A task that fails at its first try; a Map; a Parallel with a Wait in it; a chain of tasks; a task that somebody else
# ends.
sub task { my ($next) = @_; return { Type => 'Task', Resource => 'arn:aws:lambda:x:1:function:act', %$next } }
my $machine = {
  StartAt => 'First',
  States => {
    First => { %{ task({ Next => 'Each' }) }, Parameters => { what => 'first', 'run.$' => '$$.Execution.Name' },
      ResultPath => undef, Retry => [ { ErrorEquals => ['States.ALL'], IntervalSeconds => 1, MaxAttempts => 3 } ] },
    Each => { Type => 'Map', ItemsPath => '$.items', ResultPath => '$.mapped', Next => 'Both',
      ItemSelector => { 'what.$' => '$$.Map.Item.Value', 'run.$' => '$$.Execution.Name' },
      ItemProcessor => { StartAt => 'Item', States => { Item => task({ End => JSON::PP::true }) } } },
    Both => { Type => 'Parallel', ResultPath => undef, Next => 'Last', Branches => [
        { StartAt => 'Left', States => { Left => { %{ task({ Next => 'Pause' }) },
              Parameters => { what => 'left', 'run.$' => '$$.Execution.Name' } },
            Pause => { Type => 'Wait', Seconds => 1, Next => 'Later' },
            Later => { %{ task({ End => JSON::PP::true }) }, Parameters => { what => 'later', 'run.$' => '$$.Execution.Name' } } } },
        { StartAt => 'Right', States => { Right => { %{ task({ End => JSON::PP::true }) },
              Resource => 'arn:aws:states:::lambda:invoke.waitForTaskToken',
              Parameters => { FunctionName => 'act', Payload => { what => 'right', 'run.$' => '$$.Execution.Name',
                  'token.$' => '$$.Task.Token' } } } } } ] },
    Last => { %{ task({ End => JSON::PP::true }) }, Parameters => { what => 'last', 'run.$' => '$$.Execution.Name' } }
  }
};
my $definition = JSON::PP->new->canonical->encode($machine);
my $items = '["a", "b", "c", "d", "e"]';
my $effects_of_one = 5 + 5;

$node->sql(<<"SQL");
CREATE ROLE alice LOGIN;
GRANT ALL ON SCHEMA test TO alice;
CREATE TABLE test.done (run text, what text);
CREATE TABLE test.tokens (token text PRIMARY KEY);
GRANT ALL ON test.done, test.tokens TO alice;
CREATE FUNCTION test.act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS \$\$
BEGIN
  INSERT INTO test.done VALUES (input ->> 'run', input ->> 'what');
  PERFORM pg_sleep(random() * 0.01);
  IF input ->> 'what' = 'first' AND current_setting('etl_orchestrator.attempt') = '1' THEN
    PERFORM setup.raise_error('NotYet', 'at the first try it fails');
  END IF;
  INSERT INTO test.tokens SELECT input ->> 'token' WHERE input ? 'token';
  RETURN to_jsonb(input ->> 'what');
END
\$\$;
SET SESSION AUTHORIZATION alice;
SELECT setup.register_task_handler('act', 'test.act(jsonb)');
SELECT setup.create_state_machine('busy', \$json\$$definition\$json\$);
SQL

# Ends the tasks that wait for somebody; what has been said is not said again, unless the server went down over it.
sub send_tokens {
  return $node->answer(<<'SQL');
DO $$
DECLARE
  given text;
BEGIN
  FOR given IN SELECT token FROM test.tokens FOR UPDATE LOOP
    BEGIN
      PERFORM setup.send_task_success(given, '"answered"');
      DELETE FROM test.tokens WHERE token = given;
    EXCEPTION WHEN no_data_found THEN
      NULL;  -- it is committed together with the branch that waits: not yet
    END;
  END LOOP;
END
$$;
SELECT count(*) FROM setup.executions WHERE status = 'RUNNING';
SQL
}

sub start { my ($name) = @_; return "SELECT setup.start_execution('busy', '{\"items\": $items}', '$name');" }

# What happened in an execution, without what may come in another order: branches of a Parallel, iterations of a Map.
sub history_of {
  my ($name) = @_;
  return $node->sql("SELECT string_agg(h.type || ' ' || coalesce(h.state, ''), E'\\n' ORDER BY h.type, h.state) "
      . "FROM setup.executions e, setup.execution_history(e.run_id) h WHERE e.name = '$name'");
}

$node->sql(start('undisturbed'));
ok(wait_until { (send_tokens() // '') eq '0' }, 'an execution that nobody disturbs ends');
my $history = history_of('undisturbed');
is($node->sql("SELECT status FROM setup.executions"), 'SUCCEEDED', 'it has succeeded');
is($node->sql("SELECT count(*) FROM test.done"), $effects_of_one, 'and done its work');

# They stay open until their tokens are sent, so that each kill finds some.
my ($begun, $kills, $began) = (0, 0, time);
while ($begun < $executions) {
  my @names = map { 'e' . ($begun + $_) } 1 .. 10;
  # Whether it was committed before the server went down: starting it again under its name finds it.
  ok(wait_until { defined $node->answer(join "\n", map { start($_) } @names) }, "executions up to $names[-1] are started");
  $begun += @names;
  while ($kills < $wanted * $begun / $executions) {
    $kills += $node->kill_at_random('warehouse') ? 1 : 0;
    $node->is_up or BAIL_OUT('the server does not come back');
    send_tokens() if rand() < 0.3;
  }
}
my $left = '';
ok(do { local $PostgreSQL::Test::Utils::timeout_default = 120; wait_until { ($left = send_tokens() // '') eq '0' } },
  'all executions end') or diag("$left are open");
note sprintf '%d kills during %d executions and %.1f s', $kills, $begun, time - $began;

is($node->sql("SELECT string_agg(DISTINCT status || coalesce(' ' || error, ''), ', ') FROM setup.executions"), 'SUCCEEDED',
  'each of them has succeeded');
is($node->sql("SELECT count(*) FROM setup.executions WHERE name <> 'undisturbed'"), $executions, 'none was started twice');
is($node->sql("SELECT count(*) || ' ' || count(DISTINCT (run, what)) FROM test.done WHERE run <> 'undisturbed'"),
  join(' ', ($executions * $effects_of_one) x 2), 'each effect happened once');
my @different = grep { history_of("e$_") ne $history } 1 .. $executions;
is("@different", '', 'each history has the same events as that of the undisturbed one');
is($node->sql(<<'SQL'), '0', 'and each event comes after the one that led to it');
SELECT count(*) FROM setup.executions e, setup.execution_history(e.run_id) h
 WHERE h.previous >= h.id OR (h.previous = 0) <> (h.id = 1)
SQL
is($node->sql("SELECT count(*) FROM setup.execution_branches"), 0, 'nothing is left of their branches');
is($node->sql("SELECT count(*) FROM setup.load_log WHERE status = 'OK' AND run_id <> (SELECT run_id FROM setup.executions WHERE name = 'undisturbed')"),
  $executions * $effects_of_one, 'the log has each task that succeeded once');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash of its own');
done_testing();
