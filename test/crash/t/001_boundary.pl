# An error stays an error: it reaches the caller and the log word for word, and never takes the server down.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

# Without the library in shared_preload_libraries.

my $bare = EtlCluster->started('bare', preload => '');
$bare->add_job('job', 'SELECT 1');

for my $statement (
  'CALL setup.orchestrate_all()',
  'CALL setup.orchestrate_layer(\'bronze\')',
  'CALL setup.orchestrate_bronze()',
  'CALL setup.orchestrate_silver()',
  'CALL setup.orchestrate_gold()',
  'SELECT setup.start_run()',
  'SELECT setup.wait_run(1)',
  'SELECT setup.cancel_run(1)') {
  my $failure = $bare->failure($statement);
  is($failure->{sqlstate}, '55000', "$statement is refused where the library is not preloaded");
  like($failure->{hint}, qr/^\s*shared_preload_libraries = 'etl_orchestrator'$/m,
    "$statement shows the line for postgresql.conf");
}
is($bare->sql('SELECT count(*) FROM setup.load_runs'), '0', 'a refused call leaves no run behind');
is($bare->sql('SELECT job_name FROM setup.run_plan()'), 'job', 'looking at the plan takes no engine');
is_deeply($bare->failure('CALL setup.orchestrate_all(dry_run => true)'), {}, 'a dry run takes no engine');
$bare->stop;

# With it.

my $node = EtlCluster->started('main', conf => ['etl_orchestrator.max_workers = 2']);
my $incarnation = $node->incarnation;

$node->sql(<<'SQL');
CREATE PROCEDURE test.lowest() LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'ZZ123', MESSAGE = 'the message: ä "quoted" 100%', DETAIL = 'The detail.',
    HINT = 'The hint.';
END
$$;
CREATE PROCEDURE test.middle() LANGUAGE plpgsql AS $$ BEGIN CALL test.lowest(); END $$;
CREATE PROCEDURE test.highest() LANGUAGE plpgsql AS $$ BEGIN CALL test.middle(); END $$;
CREATE FUNCTION test.endless(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN test.endless(n + 1); END $$;
CREATE TABLE test.parents (id int PRIMARY KEY);
CREATE TABLE test.children (id int REFERENCES test.parents DEFERRABLE INITIALLY DEFERRED);
SQL

my %command = (
  divides => 'SELECT 1 / 0',
  second_statement => 'SELECT 1; SELECT 1 / 0',
  nested => 'CALL test.highest()',
  misspelled => 'SELEC 1',
  too_deep => 'SELECT test.endless(0)',
  too_large => 'SELECT repeat(repeat(\'x\', 1000000), 10000)',
  fails_at_commit => 'INSERT INTO test.effects VALUES (\'fails_at_commit\'); INSERT INTO test.children VALUES (1)',
  kills_itself => 'INSERT INTO test.effects VALUES (\'kills_itself\'); SELECT pg_terminate_backend(pg_backend_pid())',
  cancels_itself => 'SELECT pg_cancel_backend(pg_backend_pid())',
  fine => 'INSERT INTO test.effects VALUES (\'fine\')');
# Each is tried once, even where its error is worth another attempt.
$node->add_job($_, $command{$_}, max_attempts => 1) for sort keys %command;

my $failure = $node->failure('CALL setup.orchestrate_all()');
is($failure->{sqlstate}, 'OR001', 'the call fails');
my $run = $node->last_run;

my %sqlstate = (
  divides => '22012', second_statement => '22012', nested => 'ZZ123', misspelled => '42601', too_deep => '54001',
  too_large => '54000', fails_at_commit => '23503', kills_itself => '57P01', cancels_itself => '57014');
for my $job (sort keys %sqlstate) {
  is($node->sql("SELECT status || ' ' || sqlstate FROM setup.load_log WHERE run_id = $run AND job_name = '$job'"),
    "ERROR $sqlstate{$job}", "job $job fails with its own SQLSTATE");
  like($failure->{detail}, qr/^job "bronze.$job": .* \[$sqlstate{$job}\]$/m, "the call's detail tells about job $job");
}

is($node->sql("SELECT message FROM setup.load_log WHERE run_id = $run AND job_name = 'nested'"),
  'the message: ä "quoted" 100%', 'a message reaches the log word for word');
is($node->sql("SELECT detail || ' ' || hint FROM setup.load_log WHERE run_id = $run AND job_name = 'nested'"),
  'The detail. The hint.', 'so do detail and hint');
like($node->sql("SELECT context FROM setup.load_log WHERE run_id = $run AND job_name = 'nested'"),
  qr/lowest\(\) line 3.*middle\(\) line 1.*highest\(\) line 1/s, 'the context names all three levels');
like($node->sql("SELECT context FROM setup.load_log WHERE run_id = $run AND job_name = 'second_statement'"),
  qr/statement 2 of/, 'the context tells which statement of several failed');
is($node->effects, 'fine 1', 'only what succeeded has an effect');
is($node->sql("SELECT status FROM setup.load_log WHERE run_id = $run AND job_name = 'fine'"), 'OK',
  'a job is not harmed by the failures of others');
is($node->sql("SELECT jobs_ok || ' ' || jobs_failed FROM setup.load_runs WHERE run_id = $run"), '1 9',
  'the run counts successes and failures');

# Texts too long for a page of a table, one after the other in the same worker.

my $noise = join ' ', map { sprintf '%08x', int rand 2**32 } 1 .. 10_000;
$node->sql('SELECT setup.create_layer(\'long\', execution => \'sequence\')');
$node->add_job("command_$_", "SELECT test.work('command_$_', NULL) /* $noise */", layer => 'long', load_order => $_)
  for 1 .. 3;
$node->add_job("message_$_", "DO \$\$ BEGIN RAISE EXCEPTION '%', '$noise'; END \$\$", layer => 'long',
  load_order => 10 + $_)
  for 1 .. 3;
$failure = $node->failure('CALL setup.orchestrate_layer(\'long\')');
my $long_run = $node->last_run;
is($node->ended($long_run), 'ERROR', 'a run with very long texts comes to its end');
is($node->outcome($long_run),
  'command_1 OK, command_2 OK, command_3 OK, message_1 ERROR, message_2 ERROR, message_3 ERROR',
  'jobs with very long commands run');
is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $long_run AND message = '$noise'"), '3',
  'very long messages reach the log in full');
is($failure->{sqlstate}, 'OR001', 'the caller gets the error of the run') or diag explain $failure;
is(() = ($failure->{detail} // '') =~ /^job "long\.message_\d": \Q$noise\E/mg, 3, 'and the messages in full');

# What the workers went through leaves nothing behind.
my $again = $node->start_run('jobs => ARRAY[\'fine\']');
is($node->ended($again), 'OK', 'the next run on the same workers ends OK');
is($node->incarnation, $incarnation, 'the server has not restarted');
is($node->times_logged(qr/terminated by signal|PANIC|server process .* exited/), 0,
  'no process of the server has crashed');

done_testing();
