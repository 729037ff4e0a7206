# The server is killed again and again while jobs of several owners append and upsert 200 files: at the end each file's
# rows are there exactly once.
#
# ETL_KILLS says how many kills there are, ETL_KILL_SEED repeats their choice: victims and moments.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use Test::More;
use Time::HiRes qw(time usleep);

my $wanted = $ENV{ETL_KILLS} || 50;
my $seed = $ENV{ETL_KILL_SEED} || int(rand(2**31));
srand $seed;
note my $how_to_repeat = "ETL_KILLS=$wanted ETL_KILL_SEED=$seed";

my $files_of_job = 50;
my %owner_of = (append_1 => 'alice', append_2 => 'bob', upsert_1 => 'alice', upsert_2 => 'carol');

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 4', 'etl_orchestrator.crash_limit = 0', 'fsync = off' ]);
my $files = abs_path($node->basedir) . '/files';
mkdir $files or die;

# File i of a job has 1 + i % 7 rows (i, 1), (i, 2), ... Of these, rows of a round have the round's number, so that no
# round knows the content of another.
sub write_files {
  my ($round) = @_;
  for my $job (sort keys %owner_of) {
    mkdir "$files/$job";
    for my $i (1 .. $files_of_job) {
      open my $file, '>', "$files/$job/$i.csv" or die;
      print {$file} "file,part,round\n", map { "$i,$_,$round\n" } 1 .. 1 + $i % 7;
      close $file or die;
    }
  }
  return;
}

# Rows that are upserted leave one more trace, by which a second load would be told. Each load takes some time.
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
SQL
for my $job (sort keys %owner_of) {
  my $upserts = $job =~ /^upsert/;
  $node->sql("CREATE TABLE bronze.$job (file int, part int, round int" . ($upserts ? ', PRIMARY KEY (file, part)' : '') . ')');
  $node->sql("CREATE TRIGGER pause AFTER INSERT ON bronze.$job EXECUTE FUNCTION test.pause()");
  $node->sql("CREATE TRIGGER upserted AFTER INSERT OR UPDATE ON bronze.$job FOR EACH ROW EXECUTE FUNCTION test.upserted()")
    if $upserts;
  $node->sql("ALTER TABLE bronze.$job OWNER TO $owner_of{$job}");
  $node->add_job($job, undef, table_name => $job, location => 'files', file_path => "$job/*.csv", owner => $owner_of{$job},
    load_mode => $upserts ? 'upsert' : 'append', key_columns => $upserts ? '{file,part}' : undef);
}

my $checkpointer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";

sub is_up { return wait_until { defined $node->answer('SELECT 1') } }

# A process whose end takes the server down: mostly one that loads a file.
sub victim {
  my $kind = rand;
  my $query =
      $kind < 0.8 ? 'SELECT pid FROM setup.running_jobs ORDER BY random() LIMIT 1'
    : $kind < 0.9 ? "SELECT pid FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator conductor'"
    :               $checkpointer;
  return $node->answer($query);
}

# Returns true when the server has gone through a crash and is back.
sub kill_once {
  my $before = $node->answer($checkpointer);
  my $pid = victim();
  usleep(int rand 30_000);    # a random moment, not a condition
  return 0 unless $pid && kill 'KILL', $pid;
  return wait_until { my $now = $node->answer($checkpointer); defined $now && $now ne '' && $now ne $before };
}

sub has_ended {
  my ($run) = @_;
  return ($node->answer("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run") // '') eq 't';
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
  while ($done < $wanted && !has_ended($run)) {
    usleep(int rand 60_000);
    $done += kill_once() ? 1 : 0;
    is_up() or BAIL_OUT('the server does not come back');
  }
  check_round($round, $run);
}
note sprintf '%d kills in %.1f s', $done, time - $began;

is($node->sql("SELECT count(*) FROM setup.load_files WHERE status = 'FAILED'"), '0', 'no file has failed');
is($node->sql("SELECT string_agg(DISTINCT sqlstate, ' ') FROM setup.load_log WHERE status <> 'OK' AND sqlstate <> '57P02'"),
  '', 'and no attempt for another reason than the kills');
is($node->sql("SELECT count(*) FROM bronze.upsert_1"), $parts, 'upserted rows have been updated, not added');
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6/), 0, 'the server\'s log has no crash of its own');
cmp_ok($done, '>=', $wanted, "there were $done kills in $round rounds; to repeat them: $how_to_repeat");
done_testing();
