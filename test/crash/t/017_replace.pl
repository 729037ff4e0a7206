# A file load replaces a table's rows under its readers: none of them waits or finds anything but one whole version, and
# what belongs to the table stays and agrees with the new rows.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'autovacuum_naptime = 1s', 'deadlock_timeout = 1s' ]);
my $file = abs_path($node->basedir) . '/versions.csv';

sub write_rows {
  my ($path, $header, @rows) = @_;
  open my $handle, '>', "$path.new" or die $!;
  print $handle "$header\n", map { "$_\n" } @rows;
  close $handle;
  rename "$path.new", $path or die $!;
  return;
}

sub write_version {
  my ($version, $rows) = @_;
  return write_rows($file, 'id,version', map { "$_,$version" } 1 .. $rows // 5000);
}

# Loads once, and returns the status with whatever the log has to say.
sub load {
  my $run = $node->start_run;
  $node->ended($run);
  return $node->sql(
    "SELECT concat_ws(' ', status, sqlstate, message) FROM setup.load_log WHERE run_id = $run ORDER BY log_id DESC LIMIT 1");
}

# Files in the database's directory that belong to no relation.
sub orphans {
  $node->sql('CHECKPOINT');
  my $directory = $node->data_dir . '/base/' . $node->sql('SELECT oid FROM pg_database WHERE datname = \'warehouse\'');
  my %known = map { $_ => 1 } split /\n/, $node->sql('SELECT pg_relation_filenode(oid) FROM pg_class WHERE relkind <> \'v\'');
  opendir my $handle, $directory or die $!;
  return join ' ', sort grep { /^(\d+)/ && !$known{$1} } readdir $handle;
}

# Readers during replaces.

$node->sql(<<'SQL');
CREATE EXTENSION amcheck;
CREATE TABLE bronze.versions (id int PRIMARY KEY, version int NOT NULL);
CREATE INDEX ON bronze.versions (version, id);
CREATE TABLE test.snapshot_taken ();

-- Reads the table in one transaction after the other, each with a snapshot that is older than the read, once from end
-- to end and once by index, until the gate is open.
CREATE PROCEDURE test.read_versions(expected int) LANGUAGE plpgsql AS $$
DECLARE
  reads int := 0;
  bad int := 0;
  versions int := 0;
  last int := 0;
  scanned record;
  looked_up record;
BEGIN
  LOOP
    PERFORM FROM test.snapshot_taken;
    PERFORM pg_sleep(0.01 * random());
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_indexonlyscan = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE 'SELECT count(*) AS n, min(version) AS low, max(version) AS high FROM bronze.versions' INTO scanned;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_indexonlyscan = on;
    SET LOCAL enable_seqscan = off;
    EXECUTE 'SELECT count(*) AS n, min(version) AS low, max(version) AS high FROM bronze.versions WHERE id > 0'
      INTO looked_up;
    reads := reads + 1;
    bad := bad + (scanned.n <> expected OR scanned.low <> scanned.high OR looked_up IS DISTINCT FROM scanned)::int;
    versions := versions + (scanned.high <> last)::int;
    last := scanned.high;
    EXIT WHEN EXISTS (SELECT FROM test.gates);
    COMMIT;
  END LOOP;
  RAISE NOTICE 'reads %, bad %, versions %', reads, bad, versions;
END
$$;
SQL
$node->add_job('versions', undef, file_path => $file, table_name => 'versions', max_attempts => 1);

write_version(0);
is(load(), 'OK', 'a table is loaded');
is(load(), 'OK', 'and again');
my $table = $node->sql(q{SELECT 'bronze.versions'::regclass::oid});
my $ask_size = q{SELECT pg_relation_size('bronze.versions') + sum(pg_relation_size(indexrelid)) FROM pg_index
  WHERE indrelid = 'bronze.versions'::regclass};
my $size = $node->sql($ask_size);
for my $version (0, 1) {
  write_version($version);
  rename $file, my $copy = "$file.$version" or die $!;
  $node->add_job("version_$version", undef, file_path => $copy, table_name => 'versions', max_attempts => 1);
}
my $caller = $node->session;
$caller->query_safe('SET client_min_messages = warning');
my @levels = ('read committed', 'repeatable read', 'serializable');
my @readers = map {
  $node->call([ "SET default_transaction_isolation = '$_'", 'CALL test.read_versions(5000)' ])
} @levels;
ok($_->backend, 'a reader is reading') for @readers;
$caller->query_safe("CALL setup.orchestrate_bronze(jobs => ARRAY['version_" . $_ % 2 . "'])") for 1 .. 50;
$node->open_gate('go');
is($node->sql(q{SELECT string_agg(DISTINCT concat_ws(' ', status, message), ', ') || ' ' || count(*)
  FROM setup.load_log WHERE job_name IN ('version_0', 'version_1')}), 'OK 50',
  'fifty replaces by one file and the other end OK while others read');
for my $isolation (@levels) {
  my $reader = shift @readers;
  my ($reads, $bad, $versions) = $reader->finish->messages =~ /reads (\d+), bad (\d+), versions (\d+)/;
  is_deeply($reader->failure, {}, "$isolation: the reader gets no error");
  note "$isolation: $reads reads, $versions versions seen";
  is($bad, 0, "$isolation: each read finds one whole version, also by index");
  cmp_ok($versions, '>', 5, "$isolation: the reader saw the table change under it");
}
$node->sql(q{SELECT setup.drop_job('bronze', name) FROM unnest(ARRAY['version_0', 'version_1']) name});
is($node->sql(q{SELECT 'bronze.versions'::regclass::oid}), $table, 'the table is the same');
is($node->sql($ask_size), $size, 'it has not grown');
is(orphans(), '', 'and no file is left of those that were replaced');
is($node->sql(q{SELECT count(*) FROM pg_class WHERE relname LIKE 'pg\_temp\_%'}), 0, 'nor a table');
ok($node->becomes_true(q{SELECT n_live_tup = 5000 AND n_dead_tup = 0 FROM pg_stat_user_tables WHERE relname = 'versions'}),
  'the statistics know how many rows there are');

# A snapshot that is older than the commit, and has not read the table yet.

my $reader = $node->session;
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM test.snapshot_taken');
write_version(7);
is(load(), 'OK', 'a load does not wait for a snapshot that has not touched the table');
is($reader->query_safe('SELECT count(*), min(version), max(version) FROM bronze.versions'), '5000|7|7',
  'an older snapshot finds the new rows, all of them');
$reader->query_safe('COMMIT');

# While the rows are read, and while the indexes are built.

$node->sql(<<'SQL');
CREATE FUNCTION test.pass(key int, id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock_shared(key);
  RETURN id;
END $$;
CREATE TABLE bronze.gated (id int PRIMARY KEY, version int, passed text DEFAULT pg_advisory_xact_lock_shared(1)::text);
CREATE INDEX ON bronze.gated (test.pass(2, id));
INSERT INTO bronze.gated VALUES (1, 0);
SELECT setup.drop_job('bronze', 'versions');
SQL
my $gated = abs_path($node->basedir) . '/gated.csv';
write_rows($gated, 'id,version', '1,1', '2,1');
$node->add_job('gated', undef, file_path => $gated, table_name => 'gated', max_attempts => 1);
my $keeper = $node->session;
for my $phase ([ 1, 'while rows are read' ], [ 2, 'while indexes are built' ]) {
  my ($key, $when) = @$phase;
  $node->sql('DELETE FROM bronze.gated; INSERT INTO bronze.gated VALUES (1, 0)');
  $keeper->query_safe("SELECT pg_advisory_lock($key)");
  my $run = $node->start_run;
  ok($node->becomes_true("SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $key AND NOT granted"),
    "$when:");
  is($node->sql("SET lock_timeout = '100 ms'; SELECT id, version FROM bronze.gated"), '1|0', 'others read the old row');
  is($node->failure("SET lock_timeout = '100 ms'; DELETE FROM bronze.gated")->{sqlstate}, '55P03', 'but cannot write');
  is($node->failure("SET lock_timeout = '100 ms'; SELECT FROM bronze.gated FOR UPDATE")->{sqlstate}, '55P03',
    'nor say that they will');
  $keeper->query_safe("SELECT pg_advisory_unlock($key)");
  is($node->ended($run), 'OK', 'the load ends OK');
  is($node->sql('SELECT id, version FROM bronze.gated ORDER BY id'), "1|1\n2|1", 'with the new rows');
}

# A reader that stays.

write_rows($gated, 'id,version', '1,2');
$reader->query_safe('BEGIN; SELECT * FROM bronze.gated');
my $run = $node->start_run;
ok($node->becomes_true(q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'bronze.gated'::regclass
  AND mode = 'AccessExclusiveLock' AND NOT granted}), 'a load waits for a reader');
my $longest = 0;
for (1 .. 20) {
  my $took = seconds { is($node->sql('SELECT count(*) FROM bronze.gated'), 2, 'others read meanwhile') };
  $longest = $took if $took > $longest;
}
cmp_ok($longest, '<', 3, sprintf 'and wait a moment at most (%.2f s)', $longest);
$reader->query_safe('COMMIT');
is($node->ended($run), 'OK', 'the load ends OK when the reader is gone');
is($node->sql('SELECT id, version FROM bronze.gated'), '1|2', 'with the new row');

$node->sql(q{ALTER DATABASE warehouse SET etl_orchestrator.swap_timeout = '300 ms'});
write_rows($gated, 'id,version', '1,3');
$reader->query_safe('BEGIN; SELECT * FROM bronze.gated');
my $pid = $reader->query_safe('SELECT pg_backend_pid()');
is(load(), 'ERROR 55P03 the new rows of table bronze.gated could not be swapped in: others kept reading it for 300 ms',
  'a load gives up after swap_timeout');
is($node->sql('SELECT detail FROM setup.load_log ORDER BY log_id DESC LIMIT 1'), "It is locked by process $pid.",
  'and says who was in its way');
like($node->sql('SELECT hint FROM setup.load_log ORDER BY log_id DESC LIMIT 1'), qr/swap_timeout/, 'and what to do');
is($reader->query_safe('SELECT id, version FROM bronze.gated'), '1|2', 'the old row stays');
$reader->query_safe('COMMIT');
is(load(), 'OK', 'the next one succeeds');
is($node->sql('SELECT id, version FROM bronze.gated'), '1|3', 'with the new row');
$node->sql('ALTER DATABASE warehouse RESET etl_orchestrator.swap_timeout');

# A deadlock: a reader that wants to write what is being replaced.

write_rows($gated, 'id,version', '1,4');
$keeper->query_safe('SELECT pg_advisory_lock(1)');
$run = $node->start_run;
$node->becomes_true("SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
my $both = $node->call("BEGIN; SELECT * FROM bronze.gated; UPDATE bronze.gated SET version = 5; COMMIT");
ok($node->becomes_true(q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'bronze.gated'::regclass
  AND mode = 'RowExclusiveLock' AND NOT granted}), 'a reader wants to write while a load is on its way');
$node->sql(q{ALTER DATABASE warehouse SET etl_orchestrator.swap_timeout = '1 s'});
$keeper->query_safe('SELECT pg_advisory_unlock(1)');
like($node->ended($run), qr/^(OK|ERROR)$/, 'neither waits for ever');
$both->finish;
like($node->sql('SELECT string_agg(version::text, \' \') FROM bronze.gated'), qr/^[45]$/, 'and nothing is mixed');
$node->sql('ALTER DATABASE warehouse RESET etl_orchestrator.swap_timeout');
$node->sql('SELECT setup.drop_job(\'bronze\', \'gated\')');

# Whatever a table may have.

$node->sql(<<'SQL');
CREATE ROLE reader;
CREATE TABLE bronze.rich (
  gone int,
  id int PRIMARY KEY,
  email text UNIQUE DEFERRABLE INITIALLY DEFERRED,
  big text,
  tags text[],
  place point,
  length int GENERATED ALWAYS AS (length(big)) STORED,
  number int GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL DEFAULT 'new' CHECK (kind <> 'bad'));
ALTER TABLE bronze.rich DROP COLUMN gone;
INSERT INTO bronze.rich (id, email) VALUES (-1, 'a'), (-2, 'b');
ALTER TABLE bronze.rich ADD COLUMN later int DEFAULT 42;
CREATE INDEX rich_lower ON bronze.rich (lower(email));
CREATE INDEX rich_some ON bronze.rich (id) INCLUDE (email) WHERE id % 10 = 0;
CREATE INDEX rich_tags ON bronze.rich USING gin (tags);
CREATE INDEX rich_place ON bronze.rich USING gist (place);
CREATE INDEX rich_hash ON bronze.rich USING hash (email);
CREATE INDEX rich_brin ON bronze.rich USING brin (id);
CREATE INDEX rich_spgist ON bronze.rich USING spgist (place);
CREATE UNIQUE INDEX rich_pair ON bronze.rich (id, email) NULLS NOT DISTINCT;
CREATE STATISTICS bronze.rich_statistics ON id, kind FROM bronze.rich;
ALTER TABLE bronze.rich ALTER email SET STATISTICS 7;
ALTER INDEX bronze.rich_lower SET (fillfactor = 70);
CLUSTER bronze.rich USING rich_pkey;
COMMENT ON TABLE bronze.rich IS 'the table';
COMMENT ON COLUMN bronze.rich.email IS 'the column';
COMMENT ON INDEX bronze.rich_lower IS 'the index';
GRANT SELECT ON bronze.rich TO reader;
GRANT UPDATE (email) ON bronze.rich TO reader;
CREATE VIEW bronze.rich_view AS SELECT id, email FROM bronze.rich;
CREATE MATERIALIZED VIEW bronze.rich_count AS SELECT count(*) AS n FROM bronze.rich;
CREATE FUNCTION bronze.rich_ids() RETURNS SETOF int BEGIN ATOMIC SELECT id FROM bronze.rich; END;
CREATE RULE rich_rule AS ON UPDATE TO bronze.rich WHERE new.id = 0 DO INSTEAD NOTHING;
CREATE UNLOGGED TABLE bronze.unlogged (id int PRIMARY KEY, email text);
CREATE TABLE bronze.part (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE bronze.part_1 PARTITION OF bronze.part FOR VALUES FROM (0) TO (100000);
CREATE INDEX ON bronze.part (id);

CREATE VIEW test.facts AS
  SELECT 'oid', c.oid::text FROM pg_class c WHERE oid = 'bronze.rich'::regclass UNION ALL
  SELECT 'index', concat_ws(' ', i.indexrelid, pg_get_indexdef(i.indexrelid), indisclustered, indisprimary, reloptions)
    FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 'bronze.rich'::regclass UNION ALL
  SELECT 'constraint', concat_ws(' ', oid, conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE conrelid = 'bronze.rich'::regclass UNION ALL
  SELECT 'column', concat_ws(' ', attnum, attname, attstattarget, attacl) FROM pg_attribute
    WHERE attrelid = 'bronze.rich'::regclass UNION ALL
  SELECT 'acl', relacl::text FROM pg_class WHERE oid = 'bronze.rich'::regclass UNION ALL
  SELECT 'comment', concat_ws(' ', objsubid, description) FROM pg_description
    WHERE objoid IN ('bronze.rich'::regclass, 'bronze.rich_lower'::regclass) UNION ALL
  SELECT 'depends', concat_ws(' ', classid, objid, objsubid, refobjsubid, deptype) FROM pg_depend
    WHERE refobjid = 'bronze.rich'::regclass
      AND objid <> (SELECT reltoastrelid FROM pg_class WHERE oid = 'bronze.rich'::regclass) UNION ALL
  SELECT 'toast', concat_ws(' ', t.relname, x.relname, d.deptype, t.relrewrite) FROM pg_class c
    JOIN pg_class t ON t.oid = c.reltoastrelid JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = indexrelid
    JOIN pg_depend d ON d.objid = t.oid AND d.refobjid = c.oid
    WHERE c.oid = 'bronze.rich'::regclass
  ORDER BY 1, 2;

-- The answers of a table scan and of index scans to the same questions.
CREATE FUNCTION test.answers(scan bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  question text;
  answer text;
  answers text := '';
BEGIN
  PERFORM set_config('enable_seqscan', scan::text, true), set_config('enable_indexscan', (NOT scan)::text, true),
    set_config('enable_indexonlyscan', (NOT scan)::text, true), set_config('enable_bitmapscan', (NOT scan)::text, true);
  FOREACH question IN ARRAY ARRAY['id BETWEEN 100 AND 300', 'lower(email) = ''user 77''', 'id % 10 = 0 AND id > 500',
    'tags @> ARRAY[''t3'']', 'place <@ box ''(10,10),(90,90)''', 'email = ''User 99''', 'email > ''User 5'''] LOOP
    EXECUTE 'SELECT concat(count(*), '' '', sum(id), '' '', md5(string_agg(big, '' '' ORDER BY id))) FROM bronze.rich WHERE '
      || question INTO answer;
    answers := answers || answer || E'\n';
  END LOOP;
  RETURN answers;
END $$;

-- The plans that test.answers(false) gets must not be those of test.answers(true).
CREATE FUNCTION test.damage(name regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  index oid;
BEGIN
  FOR index IN SELECT indexrelid FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
      WHERE indrelid = name AND amname = 'btree' LOOP
    PERFORM bt_index_parent_check(index, true, true);
  END LOOP;
  RETURN (SELECT string_agg(msg, ' ') FROM verify_heapam(name, check_toast => true));
END $$;
SQL
my $facts = $node->sql('SELECT * FROM test.facts');
my $rich = abs_path($node->basedir) . '/rich.csv';
my @rows = map { my $id = $_; "$id,User $id," . join('', map { chr(65 + int(rand(50)) % 26) } 1 .. ($id % 50 ? 10 : 9000))
    . ",\"{t$id,t" . $id % 7 . '}","(' . $id % 100 . ',' . $id % 90 . ')"' } 1 .. 1000;
write_rows($rich, 'id,email,big,tags,place', @rows);
my $plain = abs_path($node->basedir) . '/plain.csv';
write_rows($plain, 'id,email', map { "$_,User $_" } 1 .. 1000);
$node->add_job('rich', undef, file_path => $rich, table_name => 'rich', max_attempts => 1);
$node->add_job($_, undef, file_path => $plain, table_name => $_, max_attempts => 1) for qw(unlogged part_1);
for my $time ('first', 'second') {
  $run = $node->start_run;
  is($node->ended($run), 'OK', "$time load:");
  is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND message IS NULL"), 3, 'all are swapped');
  is($node->sql('SELECT * FROM test.facts'), $facts, 'whatever belongs to the table stays');
  is($node->sql('SELECT test.answers(false)'), $node->sql('SELECT test.answers(true)'), 'index and table agree');
  is($node->sql("SELECT test.damage('bronze.$_')"), '', "nothing is wrong with $_") for qw(rich unlogged part_1);
  is($node->sql('SELECT count(*), sum(length), count(DISTINCT number), min(kind), min(later) FROM bronze.rich'),
    '1000|189800|1000|new|42', 'generated columns, identities and defaults are filled');
}
is($node->sql('SELECT count(*) FROM pg_class WHERE oid = (SELECT reltoastrelid FROM pg_class '
      . 'WHERE oid = \'bronze.rich\'::regclass) AND relname = \'pg_toast_\' || \'bronze.rich\'::regclass::oid'), 1,
  'the toast table is called as the server would call it');
is($node->sql('SELECT count(*) FROM pg_class t WHERE relkind = \'t\' AND NOT EXISTS '
      . '(SELECT FROM pg_class c WHERE c.reltoastrelid = t.oid)'), 0, 'no toast table is without its table');
is($node->sql('SELECT count(*) FROM bronze.rich_view'), 1000, 'a view shows the new rows');
is($node->sql('SELECT n FROM bronze.rich_count'), 2, 'a materialized view those it was filled with');
is($node->sql('REFRESH MATERIALIZED VIEW bronze.rich_count; SELECT n FROM bronze.rich_count'), 1000,
  'until it is refreshed');
is($node->sql('SELECT attname FROM pg_stats WHERE tablename = \'rich\' AND attname = \'email\' '
      . 'AND array_length(most_common_vals, 1) IS NULL AND array_length(histogram_bounds, 1) = 8'), 'email',
  'the table is analyzed, with the settings of its columns');
is($node->failure('INSERT INTO bronze.rich (id) VALUES (5)')->{sqlstate}, '23505', 'unique indexes work');
$node->sql('UPDATE bronze.rich SET big = big || \'x\', id = id + 5000; VACUUM bronze.rich; CLUSTER bronze.rich; '
    . 'REINDEX TABLE bronze.rich; VACUUM FULL bronze.rich; DELETE FROM bronze.rich WHERE id % 2 = 0');
is($node->sql("SELECT test.damage('bronze.rich')"), '', 'and so does everything else that one may do with a table');

# What COPY would refuse, in its words.

my %wrong = (
  'a key that is there twice' => [ '7,User 7b,x,,', '23505',
    'duplicate key value violates unique constraint "rich_pkey"', 'Key (id)=(7) already exists.' ],
  'a value against a check' => [ '2000,x,x,,,bad', '23514',
    'new row for relation "rich" violates check constraint "rich_kind_check"', undef ],
  'a null' => [ '2000,x,x,,,', '23502',
    'null value in column "kind" of relation "rich" violates not-null constraint', undef ],
  'a value of no type' => [ 'two,x,x,,,new', '22P02', 'invalid input syntax for type integer: "two"', undef ],
);
$node->sql('SELECT setup.drop_job(\'bronze\', name) FROM unnest(ARRAY[\'unlogged\', \'part_1\']) name');
my $before = $node->sql('SELECT count(*), sum(id) FROM bronze.rich');
for my $what (sort keys %wrong) {
  my ($row, $sqlstate, $message, $detail) = @{ $wrong{$what} };
  my $with_kind = $row =~ tr/,// == 5;
  write_rows($rich, 'id,email,big,tags,place' . ($with_kind ? ',kind' : ''),
    (map { $with_kind ? "$_,new" : $_ } @rows), $row);
  is(load(), "ERROR $sqlstate $message", $what);
  is($node->sql('SELECT detail FROM setup.load_log ORDER BY log_id DESC LIMIT 1'), $detail, 'with the key') if $detail;
}
is($node->sql('SELECT count(*), sum(id) FROM bronze.rich'), $before, 'all of these keep the old rows');
write_rows($plain, 'id,email', '1,x', '100001,x');
$node->add_job('part_1', undef, file_path => $plain, table_name => 'part_1', max_attempts => 1);
$node->sql('SELECT setup.drop_job(\'bronze\', \'rich\')');
is(load(), 'ERROR 23514 new row for relation "part_1" violates partition constraint', 'a row of another partition');

$reader->quit;
$keeper->quit;
done_testing();
