# The server is killed again and again while jobs of several owners append and upsert 200 files: at the end each file's
# rows are there exactly once.
#
# Rows that are appended go past the executor, rows that are upserted through a stage and the executor.
#
# ETL_KILLS says how many kills there are, ETL_KILL_SEED repeats the random choices of victims and delays; what a victim
# is doing at that moment is another time's.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(time usleep);

my $wanted = $ENV{ETL_KILLS} || 50;
my $seed = $ENV{ETL_KILL_SEED} || int(rand(2**31));
srand $seed;
note "to repeat: ETL_KILLS=$wanted ETL_KILL_SEED=$seed";

my $files_of_job = 50;
my %owner_of = (append_1 => 'alice', append_2 => 'bob', upsert_1 => 'alice', upsert_2 => 'carol');

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 4', 'etl_orchestrator.crash_limit = 0', 'fsync = off' ]);
$node->require_files_module;    # without it COPY appends, too
my $files = $node->make_directory('files');
mkdir "$files/$_" or die $! for keys %owner_of;

# File i of a job has 1 + i % 7 rows (i, 1), (i, 2), ... Of these, rows of a round have the round's number, so that no
# round knows the content of another.
sub rows_of { my ($i, $round) = @_; return map { "$i,$_,$round\n" } 1 .. 1 + $i % 7 }

sub write_files {
  my ($round) = @_;
  for my $job (sort keys %owner_of) {
    write_file("$files/$job/$_.csv", "file,part,round\n", rows_of($_, $round)) for 1 .. $files_of_job;
  }
  return;
}

# Rows that are upserted leave one more trace, by which a second load would be told. Each load takes some time, before
# its rows are written and after: where they are appended in a default and an index, since a trigger would send them
# through COPY.
$node->sql(<<"SQL");
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE carol LOGIN;
GRANT USAGE ON SCHEMA bronze TO alice, bob, carol;
UPDATE setup.layers SET max_attempts = 100000, retry_delay = '10 ms', backoff_rate = 1;
SELECT setup.create_location('files', 'file://$files');
SELECT setup.grant_location('files', role) FROM unnest(ARRAY['alice', 'bob', 'carol']) role;
CREATE TABLE test.upserted (job text, file int, part int, round int);
GRANT ALL ON test.upserted TO PUBLIC;
CREATE FUNCTION test.upserted() RETURNS trigger LANGUAGE plpgsql
  AS \$\$ BEGIN INSERT INTO test.upserted VALUES (TG_TABLE_NAME, NEW.file, NEW.part, NEW.round); RETURN NULL; END \$\$;
CREATE FUNCTION test.pause() RETURNS trigger LANGUAGE plpgsql
  AS \$\$ BEGIN PERFORM pg_sleep(random() * 0.05); RETURN NULL; END \$\$;
CREATE FUNCTION test.slowly(part int) RETURNS int LANGUAGE plpgsql IMMUTABLE
  AS \$\$ BEGIN PERFORM pg_catalog.pg_sleep(pg_catalog.random() * 0.005); RETURN part; END \$\$;
SQL
for my $job (grep { /^append/ } sort keys %owner_of) {
  $node->sql(<<"SQL");
CREATE TABLE bronze.$job (file int, part int, round int, slept text DEFAULT pg_sleep(random() * 0.005)::text);
CREATE INDEX ON bronze.$job (test.slowly(part));
SQL
}
for my $job (grep { /^upsert/ } sort keys %owner_of) {
  $node->sql(<<"SQL");
CREATE TABLE bronze.$job (file int, part int, round int, PRIMARY KEY (file, part));
CREATE TRIGGER pause AFTER INSERT ON bronze.$job EXECUTE FUNCTION test.pause();
CREATE TRIGGER upserted AFTER INSERT OR UPDATE ON bronze.$job FOR EACH ROW EXECUTE FUNCTION test.upserted();
SQL
}
for my $job (sort keys %owner_of) {
  $node->sql("ALTER TABLE bronze.$job OWNER TO $owner_of{$job}");
  $node->add_job($job, undef, table_name => $job, location => 'files', file_path => "$job/*.csv", owner => $owner_of{$job},
    $job =~ /^upsert/ ? (load_mode => 'upsert', key_columns => '{file,part}') : (load_mode => 'append'));
}

# The worker of a job, if any runs.
sub busy_worker {
  my $busy = $node->answer("SELECT pid || ' ' || job_name FROM setup.running_jobs") // '';
  my %pid_of = reverse map { split / / } split /\n/, $busy;
  my ($job) = grep { $pid_of{$_} } shuffle sort keys %owner_of;
  return $job && $pid_of{$job};
}

# A process whose end takes the server down: mostly one that loads a file.
sub victim {
  my $kind = rand;
  return $kind < 0.8 ? busy_worker() : $kind < 0.9 ? $node->processes('conductor', 'warehouse') : $node->checkpointer;
}

# True when the server has gone through a crash and is back.
sub kill_once {
  return $node->goes_through_a_crash(sub {
    usleep(int rand 90_000);    # a random moment, not a condition
    my $pid = victim();
    return $pid && kill 'KILL', $pid;
  });
}

my $parts = 0;
$parts += 1 + $_ % 7 for 1 .. $files_of_job;

sub check_round {
  my ($round, $run) = @_;
  is($node->ended_despite_crashes($run), 'OK', "round $round ends OK");
  for my $job (sort keys %owner_of) {
    my $traces = $job =~ /^upsert/ ? "test.upserted WHERE job = '$job' AND" : "bronze.$job WHERE";
    is($node->sql("SELECT count(*) || ' ' || count(DISTINCT (file, part)) FROM $traces round = $round"), "$parts $parts",
      "round $round: each row of the files of $job is there exactly once");
    is($node->sql("SELECT count(*) || ' ' || sum(rows_loaded) || ' ' || count(*) FILTER (WHERE run_id = $run) "
          . "FROM setup.load_files WHERE job_name = '$job' AND is_current"),
      "$files_of_job $parts $files_of_job", 'and load_files says the same');
    is($node->sql("SELECT rows_loaded || ' ' || message FROM setup.load_log "
          . "WHERE run_id = $run AND job_name = '$job' AND status = 'OK'"),
      "$parts $files_of_job files", 'and the log');
  }
  return;
}

my ($done, $round, $began) = (0, 0, time);
while ($done < $wanted) {
  write_files(++$round);
  my $run = $node->start_run;
  while ($done < $wanted && !$node->has_ended($run)) {
    $done += kill_once() ? 1 : 0;
    $node->is_up or BAIL_OUT('the server does not come back');
  }
  check_round($round, $run);
}
note sprintf '%d kills in %d rounds and %.1f s', $done, $round, time - $began;

is($node->sql("SELECT count(*) FROM setup.load_files WHERE status = 'FAILED'"), '0', 'no file has failed');
is($node->sql("SELECT string_agg(DISTINCT sqlstate, ' ') FROM setup.load_log WHERE status <> 'OK' AND sqlstate <> '57P02'"),
  '', 'and no attempt for another reason than the kills');
is($node->sql("SELECT count(*) FROM bronze.upsert_1"), $parts, 'upserted rows have been updated, not added');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash of its own');
is($node->sql("SELECT string_agg(DISTINCT job_name, ' ') FROM setup.load_log WHERE sqlstate = '57P02'"),
  join(' ', sort keys %owner_of), 'loads of every job were torn down');
done_testing();
