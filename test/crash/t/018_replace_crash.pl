# What a replace of a table's rows leaves behind when the server crashes, with less in its log, and on a standby.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use Test::More;

my $table = <<'SQL';
CREATE EXTENSION amcheck;
CREATE FUNCTION test.pass(key int, id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock_shared(key);
  RETURN id;
END $$;
CREATE TABLE bronze.versions (id int PRIMARY KEY, version int, big text,
  passed text DEFAULT pg_advisory_xact_lock_shared(1)::text);
CREATE INDEX ON bronze.versions (test.pass(2, id));
CREATE INDEX ON bronze.versions (version);

-- "rows lowest highest" of the version, by the table and by an index, and what is wrong with either.
CREATE FUNCTION test.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  scanned text;
  looked_up text;
BEGIN
  PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true), set_config('enable_indexonlyscan', 'off', true);
  EXECUTE $q$SELECT concat_ws(' ', count(*), min(version), max(version), sum(length(big))) FROM bronze.versions$q$
    INTO scanned;
  PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
  EXECUTE $q$SELECT concat_ws(' ', count(*), min(version), max(version), sum(length(big))) FROM bronze.versions
    WHERE id > 0$q$ INTO looked_up;
  PERFORM bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = 'bronze.versions'::regclass;
  RETURN concat_ws(', ', scanned, nullif(looked_up, scanned),
    (SELECT string_agg(msg, ' ') FROM verify_heapam('bronze.versions', check_toast => NOT pg_is_in_recovery())));
END $$;
SQL

sub prepare {
  my ($node, %options) = @_;
  $node->{csv} = abs_path($node->basedir) . '/versions.csv';
  $node->sql($table);
  $node->add_job('versions', undef, file_path => $node->{csv}, table_name => 'versions', %options);
  write_version($node, 0);
  return;
}

# 200 rows, some with a value that is stored apart.
sub write_version {
  my ($node, $version) = @_;
  open my $handle, '>', "$node->{csv}.new" or die $!;
  print $handle "id,version,big\n", map { "$_,$version," . join('', map { chr 97 + int rand 26 } 1 .. ($_ % 10 ? 5 : 9000)) . "\n" }
    1 .. 200;
  close $handle;
  rename "$node->{csv}.new", $node->{csv} or die $!;
  return;
}

sub state_of { my ($version) = @_; return "200 $version $version 180900" }

# Files in the database's directory that belong to no relation.
sub orphans {
  my ($node) = @_;
  $node->sql('CHECKPOINT');
  my $directory = $node->data_dir . '/base/' . $node->sql('SELECT oid FROM pg_database WHERE datname = \'warehouse\'');
  my %known = map { $_ => 1 } split /\n/, $node->sql('SELECT pg_relation_filenode(oid) FROM pg_class WHERE relkind <> \'v\'');
  opendir my $handle, $directory or die $!;
  my @files = grep { /^(\d+)/ && !$known{$1} && -s "$directory/$_" } readdir $handle;
  return join ' ', sort @files;
}

# A worker is killed.

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.crash_limit = 0' ]);
prepare($node, max_attempts => 5, retry_delay => '1 ms');
is($node->ended($node->start_run), 'OK', 'a table is loaded');
is($node->sql('SELECT test.state()'), state_of(0), 'completely');
is(orphans($node), '', 'no file is left over');
my $version = 0;
for my $phase ([ 1, 'while rows are read' ], [ 2, 'while indexes are built' ]) {
  my ($key, $when) = @$phase;
  write_version($node, ++$version);
  my $keeper = $node->session;
  $keeper->query_safe("SELECT pg_advisory_lock($key)");
  my $run = $node->start_run;
  my $waits = "FROM pg_locks WHERE locktype = 'advisory' AND objid = $key AND NOT granted";
  ok($node->becomes_true("SELECT count(*) = 1 $waits"), "$when:");
  my $worker = $node->sql("SELECT pid $waits");
  # Nothing begins after the crash until it is looked at.
  $node->sql('ALTER SYSTEM SET etl_orchestrator.enabled = off');
  $node->sql('SELECT pg_reload_conf()');
  kill 'KILL', $worker;
  ok(wait_until { !kill 0, $worker }, 'the worker is killed');
  eval { $keeper->quit };
  ok($node->becomes_true('SELECT NOT pg_is_in_recovery()'), 'the server recovers');
  is($node->sql('SELECT test.state()'), state_of($version - 1), 'the table has the old rows, all of them');
  is($node->sql('SELECT count(*) FROM pg_class WHERE relname LIKE \'pg\_temp\_%\''), 0, 'no other table is left');
  is($node->sql('SELECT count(*) FROM pg_class t WHERE relkind = \'t\' AND NOT EXISTS '
        . '(SELECT FROM pg_class c WHERE c.reltoastrelid = t.oid)'), 0, 'nor one of its parts');
  $node->sql('ALTER SYSTEM RESET etl_orchestrator.enabled');
  $node->sql('SELECT pg_reload_conf()');
  is($node->ended_despite_crashes($run), 'OK', 'the load is run again');
  is($node->sql('SELECT test.state()'), state_of($version), 'and replaces the rows');
  is(orphans($node), '', 'and the files of the killed one are gone');
}
for (1 .. 3) {
  write_version($node, ++$version);
  my $run = $node->start_run;
  $node->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run AND status = 'OK'");
  kill 'KILL', (split / /, $node->processes('worker'))[0] || next;
  ok($node->becomes_true("SELECT test.state() = '" . state_of($version) . '\''), 'after a commit a kill takes nothing away');
  is($node->ended_despite_crashes($run), 'OK', 'and the run is OK');
}
is(orphans($node), '', 'and leaves no file');
my @notes = glob $node->data_dir . '/etl_orchestrator.build.*';
is("@notes", '', 'nor a note of one');
$node->stop;

# Little is logged, so that what is new must be on the disk, or in the log after all, when it is committed.

for my $threshold ('0', '1GB') {
  my $minimal = EtlCluster->started("minimal_$threshold",
    conf => [ 'wal_level = minimal', 'max_wal_senders = 0', "wal_skip_threshold = $threshold" ]);
  prepare($minimal);
  for my $version (0 .. 3) {
    write_version($minimal, $version);
    my $run = $minimal->start_run;
    $minimal->becomes_true("SELECT count(*) = 1 FROM setup.load_log WHERE run_id = $run AND status = 'OK'");
    $minimal->stop('immediate');
    $minimal->start;
    is($minimal->sql('SELECT test.state()'), state_of($version),
      "wal_level minimal, wal_skip_threshold $threshold: the new rows outlive a crash");
  }
  is(orphans($minimal), '', 'and no file is left over');
  $minimal->stop;
}

# A standby.

my $primary = EtlCluster->started('primary', streaming => 1, conf => [ 'checkpoint_timeout = 30s' ]);
prepare($primary);
$primary->ended($primary->start_run);
$primary->sql(<<'SQL');
CREATE TABLE test.reads_stop ();
CREATE PROCEDURE test.read_versions() LANGUAGE plpgsql AS $$
DECLARE
  found record;
  last int := -1;
  bad int := 0;
  versions int := 0;
BEGIN
  LOOP
    EXECUTE 'SELECT count(*) AS n, min(version) AS low, max(version) AS high, sum(length(big)) AS size FROM bronze.versions'
      INTO found;
    bad := bad + (found.n <> 200 OR found.low <> found.high OR found.size <> 180900)::int;
    versions := versions + (last <> found.high)::int;
    last := found.high;
    EXIT WHEN EXISTS (SELECT FROM test.gates);
    COMMIT;
  END LOOP;
  RAISE NOTICE 'bad %, versions %', bad, versions;
END $$;
SQL
$primary->backup('before');
my $standby = EtlCluster->new('standby');
$standby->init_from_backup($primary, 'before', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
my $reader = $standby->call('CALL test.read_versions()');
ok($reader->backend, 'somebody reads on the standby');
for my $version (1 .. 20) {
  write_version($primary, $version);
  is($primary->ended($primary->start_run), 'OK', 'rows are replaced on the primary') if $version == 20;
  $primary->ended($primary->start_run) if $version < 20;
}
$primary->wait_for_catchup($standby);
is($standby->sql('SELECT test.state()'), state_of(20), 'the standby has the new rows, and nothing is wrong with them');
$primary->open_gate('stop');
my ($bad, $versions) = $reader->finish->messages =~ /bad (\d+), versions (\d+)/;
is($bad, 0, 'the reader there finds one whole version each time');
cmp_ok($versions, '>', 3, 'of many');
$primary->wait_for_catchup($standby);
$standby->promote;
is($standby->sql('SELECT test.state()'), state_of(20), 'so it is after a promotion');
$standby->stop;
$primary->stop;

# Subscribers hear of every row.

my $logical = EtlCluster->started('logical', conf => [ 'wal_level = logical' ]);
prepare($logical);

sub told {
  my $run = $logical->start_run;
  $logical->ended($run);
  return $logical->sql("SELECT concat_ws(' ', status, message) FROM setup.load_log WHERE run_id = $run");
}
my $not_swapped = 'OK rows were deleted and inserted, not swapped:';
is(told(), 'OK', 'with wal_level logical rows are swapped');
$logical->sql('CREATE PUBLICATION one FOR TABLE bronze.versions');
is(told(), "$not_swapped the table is published", 'unless they are published');
$logical->sql('DROP PUBLICATION one; CREATE PUBLICATION many FOR TABLES IN SCHEMA bronze');
is(told(), "$not_swapped the table is published", 'or all of the schema are');
$logical->sql('DROP PUBLICATION many');
$logical->sql('SELECT pg_create_logical_replication_slot(\'slot\', \'pgoutput\')');
is(told(), "$not_swapped a replication slot decodes the changes of this database", 'or somebody decodes them');
is($logical->sql('SELECT test.state()'), state_of(0), 'they are there all the same');

done_testing();
