# The engine is no burden to a database: whoever drops, renames, copies, dumps or leaves it finds it as without.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use IPC::Run;
use Test::More;

my $node = EtlCluster->started('main');

# Runs statements on database postgres and tells how long they took; they must succeed.
sub takes_no_time {
  my ($statement, $name) = @_;
  my $failure;
  my $took = seconds { $failure = $node->failure($statement, 'postgres') };
  note sprintf '%s: %.3f s', $name, $took;
  is_deeply($failure, {}, "$name works");
  cmp_ok($took, '<', 2, "$name takes less than 2 seconds");
  return;
}

# A database in which a run has just ended: its conductor and a worker are still there.
sub warm_database {
  my ($database) = @_;
  $node->forget($database);
  is($node->ended($node->start_run('', $database), $database), 'OK', "a run in $database ends OK");
  isnt($node->processes('worker', $database), '', "a worker stays warm in $database");
  isnt($node->processes('conductor', $database), '', "a conductor stays in $database");
  return;
}

$node->add_work('quick');
$node->sql('CREATE DATABASE quiet', 'postgres');
$node->sql('DROP DATABASE quiet', 'postgres');

# With no run active.

warm_database('warehouse');
takes_no_time('CREATE DATABASE copied TEMPLATE warehouse', 'CREATE DATABASE from the database of a run that has ended');
is($node->sql('SELECT job_name FROM setup.load_jobs', 'copied'), 'quick', 'the copy has the jobs');
warm_database('copied');
takes_no_time('ALTER DATABASE copied RENAME TO renamed', 'ALTER DATABASE RENAME after a run');
warm_database('renamed');
takes_no_time('ALTER DATABASE renamed RENAME TO copied; ALTER DATABASE copied RENAME TO renamed',
  'ALTER DATABASE RENAME to and fro');
warm_database('renamed');
takes_no_time('DROP DATABASE renamed', 'DROP DATABASE after a run');
warm_database('warehouse');

# Workers of several owners are warm.
$node->sql(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
SQL
$node->sql('CREATE DATABASE owned TEMPLATE warehouse', 'postgres');
$node->add_work("${_}s_job", owner => $_, database => 'owned') for qw(alice bob);
warm_database('owned');
cmp_ok(scalar(split / /, $node->processes('worker', 'owned')), '>=', 3, 'workers of three owners are warm');
takes_no_time('DROP DATABASE owned', 'DROP DATABASE with warm workers of three owners');

# In mid-run of another.

$node->sql('CREATE DATABASE other TEMPLATE warehouse', 'postgres');
$node->add_work('long', gate => 'go');
$node->add_work('after', depends_on => ['long']);
$node->add_job('busy',
  'SELECT test.mark(\'busy\'); DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM test.gates) LOOP END LOOP; END $$');
$node->forget;
my $run = $node->start_run;
ok($node->begun('long', 'busy'), 'a run is going on');
warm_database('other');
takes_no_time('CREATE DATABASE another TEMPLATE other', 'CREATE DATABASE from another one in mid-run');
warm_database('other');
takes_no_time('ALTER DATABASE other RENAME TO other2', 'ALTER DATABASE RENAME of another one in mid-run');
warm_database('other2');
takes_no_time('DROP DATABASE other2', 'DROP DATABASE of another one in mid-run');
takes_no_time('CREATE DATABASE fresh', 'CREATE DATABASE in mid-run');
takes_no_time('DROP DATABASE fresh', 'DROP DATABASE of a database without the extension in mid-run');

# The server gives a database five seconds to become unused.
my $drop = $node->call('DROP DATABASE warehouse', database => 'postgres');
my $rename = $node->call('ALTER DATABASE warehouse RENAME TO elsewhere', database => 'postgres');
is($node->ended($node->start_run('jobs => \'{quick}\'')), 'OK',
  'a run can start while somebody tries to drop its database');
is($drop->finish->failure->{sqlstate}, '55006', 'DROP DATABASE of the one with a run is refused');
is($rename->finish->failure->{sqlstate}, '55006', 'so is ALTER DATABASE RENAME');
$node->open_gate('go');
is($node->ended($run), 'OK', 'the run survives both');
is($node->outcome($run), 'after OK, busy OK, long OK, quick OK', 'with every job OK');

# Runs in two databases at the same time.

$node->forget($_) for qw(warehouse another);
$node->add_work('second_long', gate => 'go', database => 'another');
my $first = $node->start_run('jobs => ARRAY[\'long\', \'after\']');
my $second = $node->start_run('', 'another');
ok($node->begun('long', 'second_long'), 'jobs of two databases run at the same time');
$node->open_gate('go', 'another');
is($node->ended($second, 'another'), 'OK', 'one run ends OK');
is($node->sql("SELECT status FROM setup.load_runs WHERE run_id = $first"), 'RUNNING', 'while the other goes on');
$node->open_gate('go');
is($node->ended($first), 'OK', 'and ends OK');
is($node->effects, 'after 1, long 1', 'the effects of the first are in its database');
is($node->effects('another'), 'quick 1, second_long 1', 'those of the second in the other');

# What the processes are called.

my $titles = join "\n", map { PostgreSQL::Test::Utils::slurp_file("/proc/$_/cmdline") =~ s/\0.*//sr }
  split / /, join ' ', map { $node->processes($_) } qw(launcher conductor worker);
unlike($titles, qr/^(?!postgres: (?:main: )?etl_orchestrator)/m, 'process titles begin with etl_orchestrator');
is($node->sql('SELECT DISTINCT backend_type FROM pg_stat_activity WHERE backend_type ~ \'orchestrator\' ORDER BY 1'),
  join("\n", map { "etl_orchestrator $_" } qw(conductor launcher worker)), 'so do backend types');

# DROP EXTENSION and back.

$node->sql(<<'SQL');
CREATE TABLE bronze.kept AS SELECT 1 AS id;
INSERT INTO setup.etl_config VALUES ('key', 'value');
SQL
is_deeply($node->failure('DROP EXTENSION etl_orchestrator'), {},
  'DROP EXTENSION works without CASCADE, workers being warm');
is($node->sql('SELECT count(*) FROM bronze.kept'), '1', 'data stays');
is($node->sql('SELECT count(*) FROM pg_namespace WHERE nspname IN (\'bronze\', \'silver\', \'gold\', \'test\')'), '4',
  'schemas stay');
is($node->sql('SELECT count(*) FROM pg_class WHERE relname IN (\'load_jobs\', \'load_log\', \'load_runs\')'), '0',
  'tables and views of the extension go');
like($node->failure('CALL setup.orchestrate_all()')->{sqlstate}, qr/^(42883|3F000)$/, 'calls are unknown then');
$node->sql(<<'SQL');
CREATE EXTENSION etl_orchestrator;
GRANT USAGE ON SCHEMA setup TO PUBLIC;
SELECT setup.create_layer(layer) FROM unnest(ARRAY['bronze', 'silver', 'gold']) layer;
SQL
is($node->sql('SELECT count(*) FROM setup.load_jobs'), '0', 'CREATE EXTENSION begins without jobs');
is($node->sql('SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = \'bronze\''
    . ' AND relname IN (\'load_jobs\', \'load_log\')'), '2', 'the views are there again');
$node->add_work('quick');
warm_database('warehouse');

# DROP EXTENSION in mid-run: the server takes it away from under the engine, and nothing is left behind.
$node->add_work('long', gate => 'go');
$node->forget;
$node->start_run('jobs => ARRAY[\'long\']');
ok($node->begun('long'), 'a run is going on');
my $dropped = $node->call([ 'DROP EXTENSION etl_orchestrator', 'INSERT INTO test.gates VALUES (\'go\')' ]);
ok($node->becomes_true(<<'SQL'), 'DROP EXTENSION in mid-run ends what works in the database');
SELECT count(*) = 0 FROM pg_stat_activity
 WHERE backend_type ~ 'etl_orchestrator (conductor|worker)' AND datname = 'warehouse' AND state = 'active'
SQL
is_deeply($dropped->finish->failure, {}, 'and is not in its way');
$node->sql('DROP DATABASE warehouse', 'postgres');
$node->create_warehouse('warehouse');

# Dump and restore.

$node->sql(<<'SQL');
SELECT setup.create_layer('platinum', 7, 'sequence');
CREATE TABLE bronze.kept AS SELECT 1 AS id;
INSERT INTO setup.etl_config VALUES ('base_path_crm', '/data/crm');
SQL
$node->add_work('quick');
$node->add_work('alices', owner => 'alice', load_order => 7, depends_on => ['quick']);
$node->add_work('rare', layer => 'platinum', is_enabled => 'false');
$node->add_work('last', layer => 'gold');
my $surface = <<'SQL';
SELECT 'layer ' || l FROM setup.layers l
UNION ALL SELECT 'job ' || j FROM setup.load_jobs j
UNION ALL SELECT 'config ' || c FROM setup.etl_config c
UNION ALL SELECT 'view ' || n.nspname || '.' || c.relname || ' ' || c.reloptions::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND n.oid > 16383
ORDER BY 1
SQL
is($node->ended($node->start_run), 'OK', 'a run before the dump ends OK');
my $before = $node->sql($surface);
like($before, qr/job .*alices.*alice/, 'there is a job of alice\'s to be dumped');
like($before, qr/view platinum\.load_log/, 'and a view of a layer beside the usual three');

my $dump_file = $node->basedir . '/dump';
my %restore = (
  'pg_dump | psql' => sub {
    IPC::Run::run(
      [ $node->installed_command('pg_dump'), '-d', $node->connstr('warehouse') ], '|',
      [ $node->installed_command('psql'), '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($_[0]) ], '>', \my $out,
      '2>', \$_[1]);
  },
  'pg_dump -Fc and pg_restore' => sub {
    my @dump = ($node->installed_command('pg_dump'), '-Fc', '-d', $node->connstr('warehouse'), '-f', $dump_file);
    my @restore = ($node->installed_command('pg_restore'), '-d', $node->connstr($_[0]), $dump_file);
    IPC::Run::run(\@dump, '2>', \$_[1]) and IPC::Run::run(\@restore, '2>', \$_[1]);
  });
my $number = 0;
for my $how (sort keys %restore) {
  my $database = 'restored_' . ++$number;
  $node->sql("CREATE DATABASE $database", 'postgres');
  my $errors = '';
  ok($restore{$how}->($database, $errors), "$how ends without an error") or diag $errors;
  is($errors, '', "$how has nothing to complain about");
  is($node->sql($surface, $database), $before, "$how keeps layers, jobs with their owners, configuration and views");
  is($node->sql('SELECT count(*) FROM bronze.kept', $database), '1', "$how keeps data");
  is($node->sql('SELECT count(*) FROM setup.load_runs', $database), '0', "$how brings no run that would begin again");
  $node->forget($database);
  my $restored_run = $node->start_run('', $database);
  is($node->ended($restored_run, $database), 'OK', "$how: a run in the restored database ends OK");
  is($node->outcome($restored_run, $database), 'alices OK, last OK, quick OK', "$how: with the jobs of before");
  is($node->sql("SELECT owner FROM setup.load_log WHERE job_name = 'alices'", $database), 'alice',
    "$how: run as their owners");
  is_deeply($node->failure('DROP EXTENSION etl_orchestrator', $database), {},
    "$how: in the restored database, too, DROP EXTENSION takes no CASCADE");
  unlike($node->sql('SELECT string_agg(oid::regclass::text, \' \') FROM pg_class WHERE relkind = \'v\'', $database),
    qr/load_(jobs|log)/, "$how: and leaves no view behind");
}

# A server of its own, where roles have other oids, and one role is not there at all.
$node->sql(<<'SQL');
CREATE ROLE zoe LOGIN;
SELECT setup.add_job('bronze', 'zoes', 'SELECT 1', owner => 'zoe');
SQL
my $far = EtlCluster->started('far');
$far->sql(<<'SQL');
DROP EXTENSION etl_orchestrator;
DROP SCHEMA setup, bronze, silver, gold, test CASCADE;
DO $$ BEGIN FOR i IN 1 .. 200 LOOP EXECUTE 'CREATE ROLE role_' || i; END LOOP; END $$;
CREATE ROLE alice LOGIN;
SQL
my ($from, $to) = map { $_->connstr('warehouse') } $node, $far;
my $told = '';
ok(IPC::Run::run([ $node->installed_command('pg_dump'), '-d', $from ], '|',
    [ $node->installed_command('psql'), '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $to ], '>', \my $restored, '2>', \$told),
  'pg_dump | psql to another server ends without an error') or diag $told;
like($told, qr/WARNING:.*zoes.*"zoe"/, 'it warns of the job whose owner is missing there');
is($far->sql('SELECT string_agg(job_name, \' \' ORDER BY job_name) FROM setup.load_jobs'),
  'alices last quick rare zoes', 'and keeps all jobs');
is($far->sql('SELECT owner_oid = \'alice\'::regrole FROM setup.load_jobs WHERE job_name = \'alices\''), 't',
  'jobs belong to the role of that name, whatever its oid');
isnt($far->sql('SELECT owner_oid FROM setup.load_jobs WHERE job_name = \'alices\''),
  $node->sql('SELECT owner_oid FROM setup.load_jobs WHERE job_name = \'alices\''), 'which is another one there');
$far->sql('SELECT setup.drop_job(\'bronze\', \'zoes\')');
is($far->ended($far->start_run), 'OK', 'a run on the other server ends OK');
$far->stop;

# DROP DATABASE WITH (FORCE) takes what runs there along, and nothing else.

$node->sql('CREATE DATABASE doomed TEMPLATE warehouse', 'postgres');
$node->forget('doomed');
$node->add_work("doomed_$_", gate => 'never', database => 'doomed') for 1 .. 4;
$node->start_run('jobs => ARRAY[\'doomed_1\', \'doomed_2\', \'doomed_3\', \'doomed_4\']', 'doomed');
ok($node->begun(map { "doomed_$_" } 1 .. 4), 'as many jobs as there may be are running');
takes_no_time('DROP DATABASE doomed WITH (FORCE)', 'DROP DATABASE WITH (FORCE) in mid-run');
warm_database('warehouse');

# When nothing is to be done the processes leave by themselves.

my $nobody_left =
  'SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type ~ \'etl_orchestrator (conductor|worker)\'';
$node->append_conf('postgresql.conf', 'etl_orchestrator.idle_timeout = \'200ms\'');
$node->reload;
my $gone = seconds {
  ok($node->becomes_true($nobody_left), 'once idle_timeout is short, conductors and workers leave');
};
note sprintf 'conductors and workers were gone %.3f s after the reload', $gone;
is($node->ended($node->start_run), 'OK', 'a run from cold ends OK');
$gone = seconds {
  ok($node->becomes_true($nobody_left), 'after a run, too, they leave when idle_timeout has passed');
};
note sprintf 'conductor and workers were gone %.3f s after the end of a run', $gone;
isnt($node->processes('launcher'), '', 'the launcher stays');

is($node->times_logged(qr/terminated by signal|PANIC/), 0, 'no process of the server has crashed');

done_testing();
