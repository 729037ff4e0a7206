# Executions that were recorded on the real service, started here as a user does: status, output, error, and the
# sequence of events. Where results of tasks were recorded, handlers give them; what waits for a token is told them.
#
# Events that were recorded without a number happened at the same time as others, in branches of a Parallel: they are
# compared as a set. ParallelStateSucceeded was not recorded. SHARED_DIR says where the recordings are.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use JSON::PP;
use Test::More;

my $recordings = ($ENV{SHARED_DIR} // '../shared') . '/asl';
plan(skip_all => "there are no recordings in $recordings") unless -e "$recordings/cases.json";

my $json = JSON::PP->new->utf8->allow_nonref->canonical;

# One worker: branches take turns, as those that were recorded did.
my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 1', 'fsync = off' ]);

$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE TABLE test.cases (file text, line int GENERATED ALWAYS AS IDENTITY, content json, run_id bigint, refused text);
CREATE TABLE test.answers (machine text, state text, turn int, event text, submitted jsonb, output jsonb, error text, cause text);
GRANT SELECT ON test.answers TO alice;

-- What a task that was recorded gave, the first time that its state was tried, the second time, ...
CREATE FUNCTION test.answer(input jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = test AS $$
DECLARE
  given answers;
BEGIN
  SELECT a.* INTO given FROM answers a
   WHERE a.machine = current_setting('etl_orchestrator.layer') AND a.state = current_setting('etl_orchestrator.job')
     AND a.turn = (SELECT count(*) FROM setup.load_log l WHERE l.run_id = current_setting('etl_orchestrator.run_id')::bigint
                      AND l.job_name = current_setting('etl_orchestrator.job'));
  IF given IS NULL THEN RETURN input; END IF;
  IF given.submitted IS NOT NULL THEN RETURN given.submitted; END IF;
  IF given.event LIKE '%Succeeded' THEN RETURN given.output; END IF;
  IF given.event LIKE '%TimedOut' THEN PERFORM pg_sleep(60); END IF;
  RETURN setup.raise_error(given.error, given.cause);
END
$$;

-- Creates the machine of a case and starts it, as alice.
CREATE PROCEDURE test.start(which int) LANGUAGE plpgsql AS $$
DECLARE
  machine text;
  definition jsonb;
  input jsonb;
BEGIN
  SELECT 'case ' || c.line, c.content -> 'definition', coalesce((c.content -> 'input')::jsonb, '{}')
    INTO machine, definition, input FROM test.cases c WHERE c.line = which;
  SET LOCAL SESSION AUTHORIZATION alice;
  BEGIN
    PERFORM setup.create_state_machine(machine, definition);
    PERFORM setup.start_execution(machine, input, 'once');
    RESET SESSION AUTHORIZATION;
    UPDATE test.cases c SET run_id = (SELECT e.run_id FROM setup.executions e WHERE e.state_machine = machine) WHERE c.line = which;
  EXCEPTION WHEN OTHERS THEN
    RESET SESSION AUTHORIZATION;
    UPDATE test.cases c SET refused = SQLERRM WHERE c.line = which;
  END;
END
$$;

GRANT USAGE ON SCHEMA test TO alice;
SET SESSION AUTHORIZATION alice;
SELECT setup.register_task_handler(resource, 'test.answer(jsonb)') FROM unnest(ARRAY['one', 'arn:aws:states:::lambda:invoke',
  'arn:aws:states:::sqs:sendMessage*', 'arn:aws:states:::aws-sdk:s3:*']) resource;
SELECT setup.create_activity('one');
SQL

sub cases_in {
  my ($file) = @_;
  open my $in, '<:raw', "$recordings/$file" or die "$recordings/$file: $!";
  local $/ = undef;
  return $json->decode(<$in>);
}

# A cause that is JSON was recorded as JSON.
sub text_of {
  my ($value) = @_;
  return ref $value ? $json->encode($value) : $value;
}

# Type and name of each event, those that happened at the same time in an order of their own. `numbered` says of each
# place whether it has a number.
sub lines_of {
  my ($events, $numbered) = @_;
  my (@lines, @group);
  for my $i (0 .. $#$events) {
    my $line = join ' ', grep { length } @{ $events->[$i] };
    if ($i <= $#$numbered && !$numbered->[$i]) {
      push @group, $line;
      next;
    }
    push @lines, sort(@group), $line;
    @group = ();
  }
  return [ @lines, sort @group ];
}

sub compare_events {
  my ($case, $run) = @_;
  my @expected = @{ $case->{expected_events} };
  my @numbered = map { !ref $_->{id} } @expected;
  my @found = map { [ split /\|/, $_, 2 ] } split /\n/,
    $node->sql("SELECT type || '|' || coalesce(state, '') FROM setup.execution_history($run) "
      . "WHERE type <> 'ParallelStateSucceeded' ORDER BY id");
  for my $i (0 .. $#found) {
    $found[$i][1] = '' if $i > $#expected || ($numbered[$i] && !defined $expected[$i]{name});
  }
  return is_deeply(lines_of(\@found, \@numbered), lines_of([ map { [ $_->{type}, $_->{name} // '' ] } @expected ], \@numbered),
    "$case->{name}: events");
}

sub load_cases {
  my ($file, $cases) = @_;
  my $path = $node->make_directory($file) . '/cases';
  write_file($path, map { $json->encode($_) . "\n" } @$cases);
  $node->sql(qq{COPY test.cases (content) FROM '$path' (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02');
                UPDATE test.cases SET file = '$file' WHERE file IS NULL;});
  return;
}

sub check_case {
  my ($case, $line) = @_;
  my ($run, $refused, $status, $same, $error) = split /\t/, $node->sql(<<"SQL") . "\t-";
SELECT concat_ws(E'\\t', coalesce(c.run_id::text, '-'), coalesce(c.refused, '-'), coalesce(e.status, '-'),
                 coalesce((e.output = (c.content -> 'expected_output')::jsonb)::text, '-'), coalesce(e.error, '-'))
  FROM test.cases c LEFT JOIN setup.executions e USING (run_id) WHERE c.line = $line
SQL
  my $agrees = is("$status $error" . ($refused eq '-' ? '' : " ($refused)"),
    "$case->{expected_status} " . (text_of($case->{expected_error}) // '-'), "$case->{name}: status and error");
  return 0 unless $agrees;
  if ($status eq 'SUCCEEDED') {
    $agrees = is($same, 'true', "$case->{name}: output") && $agrees;
    diag($node->sql("SELECT e.output, (c.content -> 'expected_output')::jsonb FROM test.cases c "
          . "JOIN setup.executions e USING (run_id) WHERE c.line = $line")) unless $agrees;
  }
  return $agrees && ($case->{expected_events} ? compare_events($case, $run) : 1);
}

# Returns how many agree.
sub run_cases {
  my ($file, $cases) = @_;
  my $first = $node->sql('SELECT coalesce(max(line), 0) + 1 FROM test.cases');
  load_cases($file, $cases);
  my $last = $first + $#$cases;
  $node->sql(join "\n", map { "CALL test.start($_);" } $first .. $last);
  wait_until {
    end_waiting_tasks();
    $node->sql("SELECT count(*) FROM setup.executions WHERE status = 'RUNNING'") eq '0';
  };
  return scalar grep { check_case($cases->[ $_ - $first ], $_) } $first .. $last;
}

# Names of resources were not recorded: what the events tell of their kind.
sub name_resources {
  my ($flow, $resource) = @_;
  for my $state (values %{ $flow->{States} }) {
    $state->{Resource} = $resource if ($state->{Resource} // '') eq '__OPAQUE__';
    name_resources($state->{$_}, $resource) for grep { exists $state->{$_} } qw(Iterator ItemProcessor);
    next unless exists $state->{Branches};
    name_resources($_, $resource) for @{ $state->{Branches} };
  }
  return;
}

# What was recorded of the tasks of a case, as rows of test.answers.
sub store_answers {
  my ($case, $machine) = @_;
  my (%turns, $submitted);
  for my $result (@{ $case->{task_results} // [] }) {
    if ($result->{event} =~ /Submitted$/) {
      $submitted = $json->encode($result->{output});
      next;
    }
    my $turn = $turns{ $result->{state} }++ // 0;
    $node->sql(sprintf 'INSERT INTO test.answers VALUES (%s)', join ', ', map { literal($_) } $machine, $result->{state}, $turn,
      $result->{event}, $submitted, $json->encode($result->{output}), text_of($result->{error}), text_of($result->{cause}));
    undef $submitted;
  }
  return;
}

# Ends the tasks that wait for somebody, as it was recorded. A time that passes by itself is left to pass. It may be that one
# has just been told, and does not wait any more: then this fails, and the next call goes on.
sub end_waiting_tasks {
  $node->answer(<<'SQL');
SET SESSION AUTHORIZATION alice;
SELECT count(*) FROM setup.get_activity_task('one', 'worker');
RESET SESSION AUTHORIZATION;
SELECT CASE WHEN a.event LIKE '%Succeeded' THEN setup.send_task_success(b.token, a.output)
            ELSE setup.send_task_failure(b.token, a.error, a.cause) END
  FROM setup.execution_branches b JOIN setup.executions e USING (run_id) JOIN test.answers a ON a.machine = e.state_machine
 WHERE b.token IS NOT NULL AND b.event IS NULL AND a.event NOT LIKE '%TimedOut' AND (a.submitted IS NOT NULL OR a.event LIKE 'Activity%')
   AND NOT EXISTS (SELECT FROM setup.task_reports r WHERE r.token = b.token);
SQL
  return;
}

my $cases = cases_in('cases.json');
my $agree = run_cases('cases.json', $cases);
is($agree, scalar @$cases, "$agree of " . scalar(@$cases) . ' recorded executions agree');

my $replays = cases_in('replay_cases.json');
for my $i (0 .. $#$replays) {
  my $first = ($replays->[$i]{task_results} // [])->[0] // { event => '' };
  name_resources($replays->[$i]{definition},
    $first->{event} =~ /^Activity/ ? 'arn:aws:states:x:1:activity:one' : 'arn:aws:lambda:x:1:function:one');
  store_answers($replays->[$i], 'case ' . (@$cases + $i + 1));
}
$agree = run_cases('replay_cases.json', $replays);
is($agree, scalar @$replays, "$agree of " . scalar(@$replays) . ' recorded executions with tasks agree');

is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash');
done_testing();
