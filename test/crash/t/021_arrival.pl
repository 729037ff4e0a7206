# Files that arrive in a watched location start the jobs that read them: once each, together, whatever happens to the
# watcher and the server meanwhile.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use IPC::Run;
use Test::More;

my $node = EtlCluster->started('main', conf => ['etl_orchestrator.idle_timeout = 100ms']);
$node->require_files_module;
my $in = $node->make_directory('in');
my $probe = $node->make_directory('probe');

sub write_rows { my ($name, @rows) = @_; return write_file("$in/$name", "id,name\n", map { "$_\n" } @rows) }

# How many runs there are of others than the probe.
sub runs {
  my ($database) = @_;
  return $node->sql(q{SELECT count(DISTINCT run_id) FROM setup.run_steps WHERE job_name <> 'probe'}, $database);
}

# True when a table has that many rows and nothing is running.
sub loaded {
  my ($rows, $table, $database) = @_;
  $table //= 'bronze.orders';
  return $node->becomes_true(
    "SELECT (SELECT count(*) FROM $table) = $rows AND NOT EXISTS (SELECT FROM setup.load_runs WHERE finished_at IS NULL)",
    $database);
}

sub has_watcher { my ($database) = @_; return wait_until { $node->processes('watcher', $database // 'warehouse') =~ /^\d+$/ } }

# Has the watcher look through its locations and waits until it has: it loads a file that is younger than all others, in
# a location of its own that is looked through after the other one.
my $probes = 0;
sub watcher_has_looked {
  my ($database) = @_;
  write_rows('notes.txt', 'no job reads this');
  write_file("$probe/" . ++$probes . '.csv', "id,name\n$probes,x\n");
  return $node->becomes_true("SELECT EXISTS (SELECT FROM bronze.probe WHERE id = $probes)", $database);
}

# The watcher looks, and starts nothing.
sub stays_quiet {
  my ($database) = @_;
  my $runs = runs($database);
  return watcher_has_looked($database) && runs($database) == $runs;
}

# Runs a block while the watcher does nothing: it hears of all at once afterwards.
sub while_watcher_is_stopped(&) {
  my ($block) = @_;
  has_watcher() or die 'there is no watcher';
  my $watcher = $node->processes('watcher', 'warehouse');
  kill 'STOP', $watcher;
  my $done = eval { $block->(); 1 };
  kill 'CONT', $watcher;    # it could not be ended otherwise
  die $@ unless $done;
  return;
}

# Makes a database from the dump of another one; what psql says of it.
sub restore {
  my ($from, $to) = @_;
  my $told;
  $node->safe_psql('postgres', "CREATE DATABASE $to");
  IPC::Run::run(
    [ $node->installed_command('pg_dump'), '-d', $node->connstr($from) ], '|',
    [ $node->installed_command('psql'), '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($to) ], '>', \my $out, '2>',
    \$told) or die $told;
  return $told;
}

write_rows('before.csv', '1,a');
$node->sql(<<"SQL");
CREATE ROLE loader LOGIN;
GRANT USAGE ON SCHEMA setup, bronze TO loader;
CREATE TABLE bronze.orders (id int, name text);
CREATE TABLE bronze.others (id int, name text);
CREATE TABLE bronze.prices (id int, name text);
CREATE TABLE bronze.probe (id int, name text);
ALTER TABLE bronze.prices OWNER TO loader;
SELECT setup.create_location('in', 'file://$in');
SELECT setup.grant_location('in', 'loader');
SELECT setup.create_location('probe', 'file://$probe');
SELECT setup.add_job('bronze', 'probe', table_name => 'probe', location => 'probe', file_path => '*.csv',
                     load_mode => 'append');
SELECT setup.add_job('bronze', 'orders', table_name => 'orders', location => 'in', file_path => '*.csv',
                     load_mode => 'append');
SELECT setup.add_job('bronze', 'others', table_name => 'others', location => 'in', file_path => 'others/**',
                     load_mode => 'append');
SELECT setup.add_job('bronze', 'prices', table_name => 'prices', location => 'in', file_path => 'prices/*.csv',
                     load_mode => 'replace', owner => 'loader');
SELECT setup.add_job('silver', 'never', 'SELECT 1');
SQL
is($node->processes('watcher'), '', 'without a watched location there is no watcher');
$node->sql(q{SELECT setup.create_location('in', watch => true)});
ok(has_watcher(), 'a watched location brings one');
ok(loaded(1), 'which starts the job for the file that is there');
is($node->sql(q{SELECT string_agg(job_name, ' ') FROM setup.load_log}), 'orders', 'and no other job');
is($node->sql(q{SELECT started_by FROM setup.load_runs}), 'postgres', "in its owner's name");
$node->sql(q{SELECT setup.create_location('probe', watch => true)});
ok(stays_quiet(), 'once');

# Arrivals

write_rows('one.csv', '2,b');
ok(loaded(2), 'a file that arrives is loaded');
while_watcher_is_stopped { write_rows("many_$_.csv", "$_,x") for 1 .. 50 };
ok(loaded(52), 'so are 50');
is(runs(), 3, 'in one run');
mkdir "$in/others" or die $!;
mkdir "$in/others/deep" or die $!;
write_rows('others/deep/a.csv', '1,a');
ok(loaded(1, 'bronze.others'), 'and one in a folder that is new');
write_rows('others/deep/b.csv', '1,a');
ok(loaded(2, 'bronze.others'), 'and one that comes there later');
mkdir "$in/prices" or die $!;
write_rows('prices/a.csv', '1,a');
ok(loaded(1, 'bronze.prices'), 'a job of another owner is started, too');
is($node->sql(q{SELECT started_by FROM setup.load_runs ORDER BY run_id DESC LIMIT 1}), 'loader', "in that owner's name");
write_rows('prices/a.csv', '1,a', '2,b');
ok(loaded(2, 'bronze.prices'), 'a file that changes is loaded again');
write_rows('notes.txt', 'x');
write_rows('_hidden.csv', 'x');
ok(stays_quiet(), 'a file that no job reads starts nothing');
write_rows('.x.csv', '3,c');
rename "$in/.x.csv", "$in/renamed.csv" or die $!;
ok(loaded(53), 'a file that is renamed into its place is loaded');

# The number of its lock follows from a crawler's name. The watcher's is 0.

$node->sql(q{SELECT setup.create_crawler('c2ef8e349', 'in', 'bronze', exclusions => '{*}')});
is($node->sql(q{SELECT hashtext(crawler_name) FROM setup.crawlers}), '0', 'a crawler has the number 0');
is_deeply($node->failure(q{SELECT setup.crawl('c2ef8e349')}), {}, 'and runs beside the watcher');
$node->sql(q{SELECT setup.drop_crawler('c2ef8e349')});

# Failures

write_rows('bad.csv', 'not a number,x');
ok($node->becomes_true(q{SELECT count(*) = 1 FROM setup.load_files WHERE path = 'bad.csv' AND status = 'FAILED'}), 'a bad file fails');
ok(stays_quiet(), 'once');
write_rows('good.csv', '4,d');
ok(loaded(54), 'the next file is loaded nevertheless');
write_rows('bad.csv', '5,e');
ok(loaded(55), 'and so is the bad one when it is mended');
$node->sql('ALTER TABLE bronze.orders RENAME TO away');
my $runs = runs();
write_rows('waits.csv', '6,f');
ok(wait_until { $node->log_text =~ /location "in": cannot run the pipeline.*bronze\.orders/ }, 'a run that is not valid is told');
is(runs(), $runs, 'and is not started');
$node->sql('ALTER TABLE bronze.away RENAME TO orders');
$node->sql(q{UPDATE setup.load_jobs SET load_order = 7 WHERE job_name = 'orders'});
ok(loaded(56), 'but when jobs have changed');
$node->sql(q{SELECT setup.pause_job('bronze', 'orders')});
write_rows('paused.csv', '7,g');
ok(stays_quiet(), 'a job that is paused is not started');
$node->sql(q{SELECT setup.release_job('bronze', 'orders')});
ok(loaded(57), 'until it is released');
$node->sql(q{SELECT setup.revoke_location('in', 'loader')});
write_rows('prices/b.csv', '3,c');
ok(stays_quiet(), 'nor is one whose owner may not use the location any more');
unlike($node->log_text, qr/"loader" may not use/, 'of which nothing is said every minute');
$node->sql(q{SELECT setup.grant_location('in', 'loader')});
ok(loaded(3, 'bronze.prices'), 'until it may again');

# Somebody who is adding a job keeps nobody from changing the location.

my $adding = $node->session;
$adding->query(q{BEGIN; SELECT setup.add_job('bronze', 'more', table_name => 'orders', location => 'in', file_path => 'more/*')});
is_deeply($node->failure(q{SELECT setup.create_location('in', stable_for => '0')}), {}, 'a location that jobs come to name can be changed');
$adding->query('ROLLBACK');
$adding->quit;

# A file that is being written

$node->sql(q{SELECT setup.create_location(name, stable_for => '1 s') FROM unnest(ARRAY['in', 'probe']) name});
$runs = runs();
write_rows('.slow.csv', map { "$_,s" } 1 .. 30);
utime time, time + 3600, "$in/.slow.csv" or die $!;    # as if it were written to until then
rename "$in/.slow.csv", "$in/slow.csv" or die $!;
ok(stays_quiet(), 'a file that is being written is left alone');
utime time, time - 3600, "$in/slow.csv" or die $!;
ok(loaded(87), 'and loaded when it is stable');
is(runs(), $runs + 1, 'in one run');
$node->sql(q{SELECT setup.create_location(name, stable_for => '0') FROM unnest(ARRAY['in', 'probe']) name});

# A watcher that dies, a server that goes down

my $watcher = $node->processes('watcher');
$node->sql("SELECT pg_terminate_backend($watcher)");
write_rows('terminated.csv', '1,t');
ok(loaded(88), 'a file that arrives while the watcher is terminated is loaded');
isnt($node->processes('watcher'), $watcher, 'by another one');
has_watcher();
$node->goes_through_a_crash(sub { kill 'KILL', $node->processes('watcher') });
write_rows('killed.csv', '1,k');
ok(loaded(89), 'likewise while it is killed, with the server');
$node->stop;
write_rows('down.csv', '1,d');
$node->start;
ok(loaded(90), 'likewise while the server is down');
$runs = runs();
$node->restart;
ok(has_watcher(), 'after a restart there is a watcher');
ok(stays_quiet(), 'which starts nothing that was started before');
unlink glob "$in/many_*.csv";
$node->restart;
ok($node->becomes_true("SELECT count(*) = 0 FROM setup.file_arrivals WHERE path LIKE 'many%'"), 'and forgets files that are gone');

# A flood of changes. The kernel gives up telling them one by one, and says so.

open my $setting, '<', '/proc/sys/fs/inotify/max_queued_events' or die $!;
my $most = <$setting> + 0;
SKIP: {
  skip 'the queue of the kernel is too long', 2 if $most > 100_000;
  while_watcher_is_stopped {
    for my $i (1 .. $most) { my $time = 1e9 + $i; utime $time, $time, "$in/" . ($i % 2 ? 'notes.txt' : '_hidden.csv') }
    write_rows('flooded.csv', '1,f');
  };
  ok(loaded(91), 'a file whose arrival the kernel could not tell is loaded');
  unlink "$in/notes.txt";
  ok(stays_quiet(), 'and nothing else');
}

# Network file systems tell nothing.

$node->sql(q{SELECT setup.create_location('in', rescan_interval => '1 s')});
my $rows = $node->sql('SELECT count(*) FROM bronze.orders');
write_rows('rescan.csv', '1,r');
ok(loaded($rows + 1), 'a location is looked through at each rescan_interval');

# What is restored or copied watches nothing unasked: another database does, and what was loaded is restored at last. A
# run that is lost with the dump has not read the files that it was started for.

my $is_watched = q{SELECT is_watched FROM setup.watched_locations WHERE location_name = 'in'};
is($node->sql($is_watched), 't', 'a database says what it watches');
$rows = $node->sql('SELECT count(*) FROM bronze.orders');
my $writer = $node->session;
$writer->query('BEGIN; LOCK TABLE bronze.orders IN SHARE MODE');
write_rows('in_run.csv', '1,r');
ok($node->becomes_true("SELECT EXISTS (SELECT FROM setup.file_arrivals WHERE path = 'in_run.csv')"), 'a run reads a file');
write_rows('in_queue.csv', '1,q');
ok($node->becomes_true("SELECT EXISTS (SELECT FROM setup.file_arrivals WHERE path = 'in_queue.csv')"), 'and one that waits will read another');
my $last_run = $node->last_run;
like(restore('warehouse', 'restored'), qr/WARNING:  location "in" is not watched in this database/, 'a restore tells');
is($node->sql($is_watched, 'restored'), 'f', 'what is restored is not watched');
is($node->processes('watcher', 'restored'), '', 'it has no watcher');
$node->sql(q{SELECT setup.create_location('probe', watch => true)}, 'restored');
ok(stays_quiet('restored'), 'and if it has one, for another location, nothing is started');
$node->sql(q{SELECT setup.create_location('in', NULL, watch => true)}, 'restored');
ok(loaded($rows + 2, undef, 'restored'), 'until it is asked for: then what the lost runs have not read is loaded');
is(runs('restored'), 1, 'and nothing else');
cmp_ok($node->last_run('restored'), '>', $last_run, 'by a run with a number of its own');
$node->safe_psql('postgres', 'DROP DATABASE restored');
$writer->query('COMMIT');
$writer->quit;
ok(loaded($rows + 2), 'the database of before goes on by itself');

# A number that is also that of another run, which waits and does not have the job.
$node->add_work('never', layer => 'silver', gate => 'go');
my @silver = map { $node->start_run(q{'silver'}) } 1 .. 2;
ok($node->begun('never'), 'a run of another job waits for one that goes on');
$node->sql("UPDATE setup.file_arrivals SET run_id = $silver[1] WHERE path = 'in_run.csv'");
write_rows('not_in_silver.csv', '1,s');
ok($node->becomes_true('SELECT count(*) = ' . ($rows + 3) . ' FROM bronze.orders'), 'it is not taken for one that will read a file');
$node->open_gate('go');
is(join(' ', map { $node->ended($_) } @silver), 'OK OK', 'it ends as it would');

# It is in nobody's way.

$rows = $node->sql('SELECT count(*) FROM bronze.orders');
is_deeply($node->failure('CREATE DATABASE copy TEMPLATE warehouse', 'postgres'), {}, 'a watched database can be copied');
write_rows('copied.csv', '1,c');
ok(loaded($rows + 1), 'and is watched again');
is($node->ended($node->start_run(q{'silver'}, 'copy'), 'copy'), 'OK', 'the copy works');
is($node->sql($is_watched, 'copy'), 'f', 'but does not watch');
is($node->processes('watcher', 'copy'), '', 'it has no watcher');
$node->sql(q{SELECT setup.create_location('probe', watch => true)}, 'copy');
ok(stays_quiet('copy'), 'and if it has one, for another location, nothing is started');
is($node->sql('SELECT count(*) FROM bronze.orders', 'copy'), $rows, 'or loaded');
$node->sql(q{SELECT setup.create_location('in', NULL, watch => true)}, 'copy');
ok(loaded($rows + 1, undef, 'copy'), 'until it is asked for');
$node->safe_psql('postgres', 'DROP DATABASE copy');
$node->safe_psql('postgres', 'ALTER DATABASE warehouse RENAME TO renamed');
write_rows('renamed2.csv', '1,c');
$node->safe_psql('postgres', 'ALTER DATABASE renamed RENAME TO warehouse');
ok(loaded($rows + 2), 'it can be renamed');
ok(has_watcher(), 'there is a watcher');
$node->sql(q{SELECT setup.create_location(name, watch => false) FROM unnest(ARRAY['in', 'probe']) name});
ok(wait_until { $node->processes('watcher', 'warehouse') eq '' }, 'which leaves when nothing is watched any more');
$node->sql(q{SELECT setup.create_location('in', watch => true)});
ok(has_watcher(), 'and comes back');
$node->sql('DROP EXTENSION etl_orchestrator CASCADE');
ok(wait_until { $node->processes('watcher', 'warehouse') eq '' }, 'it leaves with the extension');
$node->sql(<<"SQL");
CREATE EXTENSION etl_orchestrator;
SELECT setup.create_location('in', 'file://$in', watch => true);
SQL
ok(has_watcher(), 'and comes with it');
$node->safe_psql('postgres', 'DROP DATABASE warehouse');
pass('a watched database can be dropped');
ok(wait_until { $node->processes('watcher', 'warehouse') eq '' }, 'then nobody watches');

done_testing();
