# Definitions and inputs that would harm an engine: each ends in a clear error, in bounded time and memory, and others go
# on meanwhile.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 2', 'fsync = off' ]);
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE eve LOGIN;
CREATE FUNCTION test.state(state jsonb) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('StartAt', 'A', 'States', jsonb_build_object('A', '{"End": true}' || state)) $$;
SET SESSION AUTHORIZATION alice;
SELECT setup.create_state_machine('good', '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "fine", "End": true}}}');
SQL

# SQLSTATE and message that a statement of eve's fails with.
sub refusal {
  my ($statement) = @_;
  my $failure = $node->failure("SET SESSION AUTHORIZATION eve; $statement");
  return "$failure->{sqlstate} $failure->{message}" . ($failure->{detail} ? " | $failure->{detail}" : '');
}
sub creation { my ($definition) = @_; return "SELECT setup.create_state_machine('bad', $definition)" }

my @refused = (
  [ 'ten thousand levels', creation(q{test.state(jsonb_build_object('Type', 'Pass', 'Result', (repeat('[', 5000) || repeat(']', 5000))::jsonb))}),
    qr/^22P02 the definition is nested too deeply/ ],
  [ 'ten megabytes', creation(q{test.state(jsonb_build_object('Type', 'Pass', 'Result', repeat('x', 10000000)))}),
    qr/^42P17 .* more than 1048576 bytes/s ],
  [ 'twenty thousand states', creation(q{(SELECT jsonb_build_object('StartAt', 'S0', 'States', jsonb_object_agg('S' || i,
      jsonb_build_object('Type', 'Pass', 'Next', 'S' || (i + 1) % 20000))) FROM generate_series(0, 19999) i)}), qr/^42P17 .* more than 10000 states/s ],
  [ 'a number that is no double', creation(q{test.state('{"Type": "Pass", "Result": 1e400}')}), qr/^22P02 .* too large/ ],
  [ 'intrinsic functions within each other', creation(q{test.state(jsonb_build_object('Type', 'Pass', 'Parameters',
      jsonb_build_object('a.$', repeat('States.Array(', 12) || '1' || repeat(')', 12))))}), qr/^42P17 .* is not an intrinsic function/s ],
  [ 'no object', creation(q{'[]'}), qr/^42P17 .* a definition must be an object/s ],
  [ 'half a surrogate pair', creation(q{'{"StartAt": "\ud800"}'}), qr/^22P02 / ],
  [ 'a null character', creation(q{'{"StartAt": "\u0000"}'}), qr/^22P05 / ],
  [ 'an input of ten megabytes', q{SELECT setup.start_execution('own', to_jsonb(repeat('x', 10000000)))}, qr/^54000 the input is larger than/ ],
  [ 'an input of many levels', q{SELECT setup.start_execution('own', (repeat('[', 5000) || repeat(']', 5000))::jsonb)}, qr/^54000 the input has/ ],
  [ 'an input with a huge number', q{SELECT setup.start_execution('own', '1e400')}, qr/^54000 the input has/ ],
  [ 'a token of a megabyte', q{SELECT setup.send_task_success(repeat('x', 1000000))}, qr/^P0002 no task waits/ ],
);
$node->sql(q{SET SESSION AUTHORIZATION eve; SELECT setup.create_state_machine('own', test.state('{"Type": "Pass"}'))});
like(refusal($_->[1]), $_->[2], "refused: $_->[0]") for @refused;

my %jsonata = (
  endless => q{($f := function($x){$f($x + 1)}; $f(1))},
  regex => q{$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)},
  memory => q{($f := function($x){$f($append($x, $x))}; $f([1, 2, 3]))},
);
my %machine = (
  cycle => q{'{"StartAt": "A", "States": {"A": {"Type": "Choice", "Default": "B",
    "Choices": [{"Variable": "$", "IsPresent": true, "Next": "A"}]}, "B": {"Type": "Succeed"}}}'},
  wrap => q{'{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "C"}, "B": {"Type": "Succeed"},
    "C": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "B"}], "Default": "A"}}}'},
  grow => q{'{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a.$": "States.Format(''{}{}'', $.a, $.a)"}, "Next": "C"},
    "B": {"Type": "Succeed"}, "C": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "B"}], "Default": "A"}}}'},
  null_character => q{'{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true, "Parameters": {"a.$": "States.Base64Decode(''AAA='')"}}}}'},
  surrogate => q{test.state(jsonb_build_object('Type', 'Pass', 'Parameters', jsonb_build_object('a.$', 'States.StringToJson(''"\\\\ud800"'')')))},
  map { my $text = $jsonata{$_}; $text =~ s/'/''/g; ($_ => qq{jsonb_build_object('QueryLanguage', 'JSONata') || test.state(jsonb_build_object('Type', 'Pass', 'Output', '{% $text %}'))}) } keys %jsonata
);
my %end = (
  cycle => qr/^FAILED States.Runtime .*maximum number of history events/,
  wrap => qr/^FAILED States.Runtime .*nested more than 1000 levels/,
  grow => qr/^FAILED States.DataLimitExceeded /,
  null_character => qr/^FAILED States.Runtime .*jsonb cannot hold/,
  surrogate => qr/^FAILED States.IntrinsicFailure /,
  map { ($_ => qr/^FAILED States.QueryEvaluationError /) } keys %jsonata
);
for my $name (sort keys %machine) {
  $node->sql("SET SESSION AUTHORIZATION eve; SELECT setup.create_state_machine('$name', $machine{$name}), "
      . "setup.start_execution('$name', '{\"a\": \"x\"}')");
}
# A cycle with as large an input as there may be keeps its worker busy, but neither its memory nor others.
$node->sql(q{SET SESSION AUTHORIZATION eve; SELECT setup.start_execution('cycle', to_jsonb(repeat('x', 20000)), 'large')});

$node->sql(q{SET SESSION AUTHORIZATION alice; SELECT setup.start_execution('good', name => 'meanwhile')});
ok($node->becomes_true(q{SELECT status = 'SUCCEEDED' FROM setup.executions WHERE name = 'meanwhile'}), 'an execution of somebody else goes on meanwhile');

sub most_memory {
  my $most = 0;
  for my $pid (split / /, $node->processes('worker', 'warehouse')) {
    my $status = PostgreSQL::Test::Utils::slurp_file("/proc/$pid/status");
    my ($kilobytes) = $status =~ /RssAnon:\s+(\d+)/;
    $most = $kilobytes if defined $kilobytes && $kilobytes > $most;
  }
  return $most;
}
my $most = 0;
ok(wait_until {
    my $now = eval { most_memory() } // 0;    # a worker may leave while it is looked at
    $most = $now if $now > $most;
    $node->sql(q{SELECT count(*) FROM setup.executions WHERE status = 'RUNNING'}) eq '0';
  }, 'all end');
note sprintf 'a worker had %d MB at most', $most / 1024;
cmp_ok($most, '<', 400 * 1024, 'in bounded memory');
for my $name (sort keys %end) {
  like($node->sql("SELECT status || ' ' || error || ' ' || coalesce(cause, '') FROM setup.executions WHERE state_machine = '$name' AND name <> 'large'"),
    $end{$name}, "$name ends with an error that says why");
}
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6|signal 9/), 0, 'the server\'s log has no crash');
done_testing();
