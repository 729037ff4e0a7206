# What others see of a run: readers never find a table empty or half full, a waiting caller is in nobody's way, and
# progress arrives while it happens.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = EtlCluster->started('main');

# Readers during file loads.

my $rows = 2000;
my $file = abs_path($node->basedir) . '/versions.csv';

sub write_version {
  my ($version) = @_;
  write_file("$file.new", "id,version\n", map { "$_,$version\n" } 1 .. $rows);
  rename "$file.new", $file or die $!;
  return;
}

$node->sql(<<'SQL');
CREATE TABLE bronze.versions (id int, version int);
CREATE TABLE test.snapshot_taken ();

-- Reads the table in one transaction after the other, each with a snapshot that is older than the read, until the gate
-- is open. Tells how many reads there were, how many found anything but one whole version, and how many versions.
CREATE PROCEDURE test.read_versions(expected int) LANGUAGE plpgsql AS $$
DECLARE
  reads int := 0;
  bad int := 0;
  found_rows int;
  found_versions int;
  version int;
  last_version int := 0;
  seen int := 0;
BEGIN
  LOOP
    PERFORM FROM test.snapshot_taken;
    PERFORM pg_sleep(0.02 * random());
    SELECT count(*), count(DISTINCT v.version), max(v.version) INTO found_rows, found_versions, version
      FROM bronze.versions v;
    reads := reads + 1;
    bad := bad + (found_rows <> expected OR found_versions <> 1)::int;
    seen := seen + (version <> last_version)::int;
    last_version := version;
    EXIT WHEN EXISTS (SELECT FROM test.gates);
    COMMIT;
  END LOOP;
  RAISE NOTICE 'reads %, bad %, versions %', reads, bad, seen;
END
$$;
SQL
$node->add_job('versions', undef, file_path => $file, table_name => 'versions');

write_version(0);
is($node->ended($node->start_run), 'OK', 'the first load ends OK');
for my $isolation ('repeatable read', 'read committed') {
  $node->forget;
  my @readers = map {
    $node->call([ "SET default_transaction_isolation = '$isolation'", "CALL test.read_versions($rows)" ])
  } 1 .. 2;
  ok($_->backend, "$isolation: a reader is reading") for @readers;
  my %statuses;
  for my $version (1 .. 30) {
    write_version($version);
    ++$statuses{ $node->ended($node->start_run) };
  }
  $node->open_gate('go');
  is_deeply(\%statuses, { OK => 30 }, "$isolation: thirty replaces end OK while others read");
  for my $reader (@readers) {
    my ($reads, $bad, $versions) = $reader->finish->messages =~ /reads (\d+), bad (\d+), versions (\d+)/;
    is_deeply($reader->failure, {}, "$isolation: a reader gets no error");
    note "$isolation: $reads reads, $versions versions seen";
    is($bad, 0, "$isolation: no snapshot finds the table empty, half full or mixed");
    cmp_ok($versions, '>', 5, "$isolation: the reader saw the table change under it");
  }
}

# One snapshot that stays: taken before the load commits, used after.
my $reader = $node->session;
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM test.snapshot_taken');
write_version(100);
is($node->ended($node->start_run), 'OK', 'a load does not wait for a snapshot that has not touched the table');
is($reader->query_safe('SELECT count(*), count(DISTINCT version) FROM bronze.versions'), "$rows|1",
  'an older snapshot finds one whole version');
$reader->quit;
$node->sql('SELECT setup.drop_job(\'bronze\', \'versions\')');

# A load that fails leaves what was there.
open my $handle, '>>', $file or die $!;
print $handle "1,not a number\n";
close $handle;
$node->add_job('broken', undef, file_path => $file, table_name => 'versions');
is($node->ended($node->start_run), 'ERROR', 'a load of a broken file fails');
is($node->sql('SELECT count(*), min(version) FROM bronze.versions'), "$rows|100", 'and leaves the table as it was');
$node->sql('SELECT setup.drop_job(\'bronze\', \'broken\')');

# A caller that waits.

$node->add_work('a', gate => 'a');
$node->add_work('b', gate => 'b', depends_on => ['a']);
$node->add_work('c', gate => 'c', depends_on => ['b']);
$node->sql('CREATE TABLE test.indexed AS SELECT 1 AS id');
$node->forget;
my $call = $node->call('CALL setup.orchestrate_all()');
ok($node->begun('a'), 'a caller waits for a run');
my $backend = $call->backend;
ok($node->becomes_true(<<"SQL"), 'it holds no snapshot and no transaction id');
SELECT wait_event_type = 'Extension' AND backend_xmin IS NULL AND backend_xid IS NULL
  FROM pg_stat_activity WHERE pid = $backend
SQL
is($node->sql("SELECT string_agg(DISTINCT locktype, ', ') FROM pg_locks WHERE pid = $backend"), 'virtualxid',
  'it holds no lock but that on its own virtual transaction');

$node->open_gate('a');
ok($node->begun('b'), 'the first job has ended');
ok(wait_until { $call->messages =~ /NOTICE:.*bronze *\.? *a\b/ }, 'its notice has arrived while the second is running');
unlike($call->messages, qr/NOTICE:.*bronze *\.? *b\b/, 'that of the second has not');

# A second caller, of other jobs, at the same time.
$node->add_work('x', layer => 'silver', gate => 'x');
$node->add_work('y', layer => 'silver', gate => 'y', depends_on => ['x']);
my $second = $node->call('CALL setup.orchestrate_silver()');
ok($node->begun('x'), 'a second caller\'s run goes on beside the first');
$node->open_gate('x');
ok($node->begun('y'), 'its first job has ended');
ok(wait_until { $second->messages =~ /NOTICE:.*silver *\.? *x\b/ },
  'the notice arrives at the second caller while its next job is running');
unlike($call->messages, qr/NOTICE:.*silver *\.? *x\b/, 'the first caller hears nothing of it');
$node->open_gate('b');
ok(wait_until { $call->messages =~ /NOTICE:.*bronze *\.? *b\b/ }, 'the first caller hears of its own second job');
$node->open_gate($_) for qw(c y);
is_deeply($_->finish->failure, {}, 'both calls end without an error') for $call, $second;
like($call->messages, qr/NOTICE:.*run \d+ OK: 3 jobs/, 'with a summary');

# CREATE INDEX CONCURRENTLY waits for every transaction with a snapshot: the caller is none. The job here
# would be one if it did not commit all the time.
$node->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs');
$node->sql(<<'SQL');
CREATE PROCEDURE test.wait_without_snapshot() LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.mark('waits');
  WHILE NOT EXISTS (SELECT FROM test.gates WHERE gate = 'go') LOOP
    COMMIT;
  END LOOP;
END
$$;
SQL
$node->add_job('waits', 'CALL test.wait_without_snapshot()', transaction => 'each');
$node->forget;
$call = $node->call('CALL setup.orchestrate_all()');
ok($node->begun('waits'), 'a caller waits for a job whose transactions are short');
my $index = $node->call('CREATE INDEX CONCURRENTLY ON test.indexed (id)');
is_deeply($index->finish->failure, {}, 'CREATE INDEX CONCURRENTLY ends during a waiting CALL');
is($node->sql("SELECT count(*) FROM setup.load_runs WHERE status = 'RUNNING'"), '1', 'which is still waiting then');
$node->open_gate('go');
is_deeply($call->finish->failure, {}, 'and ends without an error');

done_testing();
