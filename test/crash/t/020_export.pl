# Exports that end in the middle, by a cancel, a termination or a crash, and several to the same path: a file is there as
# a whole, or not at all.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use POSIX ();
use Test::More;

my $node = EtlCluster->started('main');
$node->require_files_module;
my $out = $node->make_directory('out');

$node->sql(<<"SQL");
SELECT setup.create_location('out', 'file://$out', writable => true);
CREATE TABLE test.goods AS SELECT i AS id, md5(i::text) AS name FROM generate_series(1, 200000) i;
-- Stops after half of its rows until the gate is open.
CREATE FUNCTION test.gated(id int, gate text) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
  IF id = 100000 THEN
    PERFORM test.mark(gate), test.wait_at(gate);
  END IF;
  RETURN id;
END
\$\$;
CREATE VIEW test.first AS SELECT test.gated(id, 'first') AS id, name FROM test.goods;
CREATE VIEW test.second AS SELECT test.gated(id, 'second') AS id, name FROM test.goods;
SQL

# What is there, hidden names as ".".
sub names {
  my ($directory) = @_;
  opendir my $handle, $directory // $out or die $!;
  return join ' ', sort map { /^\./ ? '.' : $_ } grep { !/^\.\.?$/ } readdir $handle;
}

sub export_call {
  my ($table, @more) = @_;
  return "SELECT sum(rows) FROM setup.export_table('$table', 'out', " . join(', ', "'csv'", @more) . ')';
}

sub lines_of { my ($path) = @_; open my $file, '<', $path or die $!; my @lines = <$file>; return scalar @lines }

# The process of an export that has reached the gate.
sub export_at_gate {
  my ($gate, @more) = @_;
  my $call = $node->call(export_call("test.$gate", @more));
  ok($node->begun($gate), "an export has written a half");
  my $pid = $node->sql("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT sum%' AND pid <> pg_backend_pid()");
  return ($call, $pid);
}

for my $path ([ "path => 'a.csv'", 'a.csv' ], [ "path => 'a', partition_by => '{name}'", 'a' ]) {
  my ($argument, $name) = @$path;
  my ($call, $pid) = export_at_gate('first', $argument);
  is(names(), '.', "$name: half an export is hidden");
  my $seconds = seconds { $node->sql("SELECT pg_cancel_backend($pid)"); $call->finish };
  note sprintf '%s: cancelled in %.2f s', $name, $seconds;
  is($call->failure->{sqlstate}, '57014', 'a cancel ends it');
  is(names(), '', 'and leaves nothing');
  $node->forget;

  ($call, $pid) = export_at_gate('first', $argument);
  $seconds = seconds { $node->sql("SELECT pg_terminate_backend($pid)"); $call->finish };
  note sprintf '%s: terminated in %.2f s', $name, $seconds;
  is($call->failure->{sqlstate}, '57P01', 'so does a termination');
  is(names(), '', 'and leaves nothing');
  $node->forget;

  my $before = $node->incarnation;
  ($call, $pid) = export_at_gate('first', $argument);
  kill 'KILL', $pid;
  $call->finish;
  $node->becomes_true('SELECT true');
  isnt($node->incarnation, $before, 'a crash');
  is(names(), '.', 'leaves what is hidden');
  is($node->sql('SELECT count(*) FROM setup.exports'), 0, 'and no row');
  $node->forget;
  next if $name eq 'a';    # 200000 files would take too long
  is($node->sql(export_call('test.goods', $argument)), 200000, 'the next export succeeds');
  is(names(), $name, 'and removes what the crash left');
  unlink "$out/$name";
  $node->sql('DELETE FROM setup.exports');
}
$node->sql(q{CREATE TABLE test.few AS SELECT id % 3 AS part, name FROM test.goods LIMIT 100});
is($node->sql(export_call('test.few', q{path => 'a', partition_by => '{part}'})), 100, 'also the next of a folder');
is(names(), 'a', 'which removes it, too');
is(names("$out/a"), 'part=0 part=1 part=2', 'and is complete');
$node->forget;

# Two at a time: each is whole, the later commit stays.
my ($first) = export_at_gate('first', "path => 'both.csv'");
my ($second) = export_at_gate('second', "path => 'both.csv'");
is(names(), '. . a', 'two exports to the same path do not disturb each other');
$node->open_gate('second');
is($second->finish->output, "200000\n", 'the second ends first');
is(lines_of("$out/both.csv"), 200001, 'and is complete');
my $inode = (stat "$out/both.csv")[1];
$node->open_gate('first');
is($first->finish->output, "200000\n", 'the first ends second');
is(lines_of("$out/both.csv"), 200001, 'and is complete');
isnt((stat "$out/both.csv")[1], $inode, 'and is there instead');
is(names(), 'a both.csv', 'and nothing else');
is($node->sql(q{SELECT table_name FROM setup.exports WHERE path = 'both.csv'}), 'test.first', 'as the list says');
$node->forget;

# Readers during replaces see a whole file.
my $test = $$;
my $reader = fork;
die $! unless defined $reader;
if ($reader == 0) {    # leaves without END blocks, which are the test's
  my $bad = 0;
  my $done = eval {
    until (-e "$out/../stop" || getppid() != $test) { $bad++ if lines_of("$out/both.csv") != 200001 }
    1;
  };
  POSIX::_exit($done && !$bad ? 0 : 1);
}
$node->sql(export_call('test.goods', "path => 'both.csv'")) for 1 .. 10;
write_file("$out/../stop");
waitpid $reader, 0;
is($?, 0, 'whoever reads during ten exports finds a whole file');

done_testing();
