# Whatever is killed, whenever, however often: runs of a pipeline of more than 200 jobs come to their end by themselves,
# and every job has its effect exactly once in each run.
#
# ETL_KILLS says how many kills there are, ETL_KILL_SEED repeats their choice: kinds, victims and moments.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use List::Util qw(max sum shuffle);
use Test::More;
use Time::HiRes qw(time usleep);

my $wanted = $ENV{ETL_KILLS} || 12;
my $seed = $ENV{ETL_KILL_SEED} || int(rand(2**31));
srand $seed;
note my $how_to_repeat = "ETL_KILLS=$wanted ETL_KILL_SEED=$seed";

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 6', 'track_commit_timestamp = on' ]);
my $files = abs_path($node->basedir) . '/files';
mkdir $files or die;
append_file("$files/table_$_.csv", "id,name\n1,$_\n2,$_\n3,$_\n") for 1 .. 30;

sub append_file { my ($path, $text) = @_; PostgreSQL::Test::Utils::append_to_file($path, $text); return }

# Of each kind of job some sleep, so that there is something to kill. Attempts that end because their own process was
# killed count; there are more of them than anybody can kill.
$node->sql(<<"SQL");
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE carol LOGIN;
GRANT pg_read_server_files TO alice;
GRANT ALL ON SCHEMA bronze, test TO alice, bob, carol;
UPDATE setup.layers SET max_attempts = 1000, retry_delay = '20 ms', backoff_rate = 1;
INSERT INTO setup.etl_config VALUES ('base_path_files', '$files');

CREATE TABLE test.counters (job text PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TABLE test.rows (job text);
CREATE TABLE test.committed (job text, part int);
GRANT ALL ON test.counters, test.rows, test.committed TO PUBLIC;
CREATE PROCEDURE test.commits_itself(job text) LANGUAGE plpgsql AS \$\$
BEGIN
  FOR part IN 1 .. 3 LOOP
    INSERT INTO test.committed VALUES (job, part);
    COMMIT;
    PERFORM pg_sleep(0.05);
  END LOOP;
END \$\$;

CREATE FUNCTION test.pause(number int) RETURNS text LANGUAGE sql
  AS \$\$ SELECT CASE WHEN number % 5 = 0 THEN '; SELECT pg_sleep(0.3)' ELSE '' END \$\$;

DO \$\$
BEGIN
  FOR i IN 1 .. 30 LOOP
    EXECUTE format('CREATE TABLE bronze.table_%s (id int, name text)', i);
    EXECUTE format('ALTER TABLE bronze.table_%s OWNER TO alice', i);
    PERFORM setup.add_job('bronze', 'file_' || i, table_name => 'table_' || i, owner => 'alice',
                          file_path => '{base_path_files}/table_' || i || '.csv');
  END LOOP;
  FOR i IN 1 .. 45 LOOP
    PERFORM setup.add_job('bronze', 'first_' || i, owner => (ARRAY['alice', 'bob', 'carol'])[1 + i % 3],
                          command => format('UPDATE test.counters SET n = n + 1 WHERE job = %L', 'first_' || i)
                                     || test.pause(i));
  END LOOP;
  FOR i IN 1 .. 75 LOOP
    PERFORM setup.add_job('silver', 'second_' || i, owner => (ARRAY['bob', 'carol'])[1 + i % 2],
                          depends_on => ARRAY['bronze.file_' || 1 + i % 30, 'bronze.first_' || 1 + i % 45],
                          command => format('INSERT INTO test.rows VALUES (%L)', 'second_' || i) || test.pause(i));
  END LOOP;
  FOR i IN 1 .. 3 LOOP
    PERFORM setup.add_job('silver', 'procedure_' || i, owner => 'bob', transaction => 'each',
                          command => format('CALL test.commits_itself(%L)', 'procedure_' || i));
  END LOOP;
  FOR i IN 1 .. 40 LOOP
    PERFORM setup.add_job('silver', 'third_' || i, owner => (ARRAY['alice', 'bob', 'carol'])[1 + i % 3],
                          depends_on => ARRAY['second_' || i, 'second_' || i + 20],
                          command => format('UPDATE test.counters SET n = n + 1 WHERE job = %L', 'third_' || i)
                                     || test.pause(i));
  END LOOP;
  FOR i IN 1 .. 25 LOOP
    PERFORM setup.add_job('gold', 'last_' || i, owner => (ARRAY['alice', 'bob', 'carol'])[1 + i % 3],
                          command => format('INSERT INTO test.rows VALUES (%L)', 'last_' || i) || test.pause(i));
  END LOOP;
END \$\$;
INSERT INTO test.counters SELECT job_name FROM setup.load_jobs WHERE command LIKE 'UPDATE%';
SQL

my $to_blame = 0;    # attempts that may fail, because their own process was killed or terminated
my %crashes_of;      # jobs whose own worker was killed: three times in a row quarantine a job, which is right

# Process id and job of a worker that runs one; (undef) if none does.
sub busy_worker {
  my $busy = $node->answer("SELECT pid || ' ' || job_name FROM setup.running_jobs ORDER BY pid") // '';
  for my $candidate (shuffle split /\n/, $busy) {
    my ($pid, $job) = split / /, $candidate;
    return ($pid, $job) if ($crashes_of{$job} // 0) < 2;
  }
  return (undef);
}

sub process {
  my ($kind) = @_;
  my $pids = $node->answer("SELECT pid FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator $kind'") // '';
  return $pids =~ /^(\d+)/ ? $1 : undef;
}

# Kills a process, and returns true when the server has gone through the crash.
sub kill_process {
  my ($pid) = @_;
  return $node->goes_through_a_crash(sub { defined $pid && kill 'KILL', $pid });
}

sub terminate {
  my ($pid) = @_;    # and the job, of a worker
  return 0 unless defined $pid;
  return ($node->answer("SELECT pg_terminate_backend($pid)") // '') eq 't' ? 1 : 0;
}

sub fall_of_worker {
  my ($pid, $job) = busy_worker();
  return unless defined $job;
  ++$crashes_of{$job};
  ++$to_blame;
  return kill_process($pid);
}

sub fall_and_start { my ($mode) = @_; $node->stop($mode); $node->start; return 1 }

# Each returns false if there was nobody to kill.
my %kills = (
  'kill -9 of a worker' => \&fall_of_worker,
  'kill -9 of the conductor' => sub { kill_process(process('conductor')) },
  'kill -9 of the launcher' => sub { kill_process(process('launcher')) },
  'kill -9 of the postmaster' => sub { $node->kill_postmaster; $node->start; return 1 },
  'kill -9 of the checkpointer' => sub { kill_process($node->checkpointer) },
  'termination of a worker' => sub { my $done = terminate(busy_worker()); $to_blame += $done; return $done },
  'termination of the conductor' => sub { terminate(process('conductor')) },
  'stop -m immediate' => sub { fall_and_start('immediate') },
  'stop -m fast' => sub { fall_and_start('fast') },
  'stop -m immediate right after the start' => sub { fall_and_start('immediate'); return fall_and_start('immediate') },
  'kill -9 of the postmaster right after the start' =>
    sub { fall_and_start('immediate'); $node->kill_postmaster; $node->start; return 1 },
  'kill -9 of the launcher right after a crash' => sub {
    fall_of_worker() or return;
    return kill_process(process('launcher'));
  },
  'kill -9 of the conductor right after a crash' => sub {
    kill_process(process('launcher')) or return;
    wait_until { process('conductor') };
    return kill_process(process('conductor'));
  });

# How much of a run is done; grows with every job that ends, and when the run does.
sub progress {
  my ($run) = @_;
  return $node->answer("SELECT (SELECT count(*) FROM setup.load_log WHERE run_id = $run AND status = 'OK') + "
      . "(SELECT count(*) FROM setup.load_runs WHERE run_id = $run AND finished_at IS NOT NULL)");
}

sub has_ended {
  my ($run) = @_;
  return ($node->answer("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run") // '') eq 't';
}

my %times;    # of each kind of kill: seconds from the first answer of the server until the run went on

# False if there was nobody to kill.
sub kill_once {
  my ($run, $how) = @_;
  $kills{$how}->() or return 0;
  unless ($node->is_up) {
    fail("$how: the server comes back");
    BAIL_OUT('there is no server');
  }
  my $back = time;
  my $before = progress($run) // 0;
  ok(wait_until { (progress($run) // 0) > $before || has_ended($run) }, "$how: the run goes on")
    or diag($node->sql("SELECT * FROM setup.why_waiting($run)"));
  push @{ $times{$how} }, time - $back;
  return 1;
}

# The jobs' history, so that the short ones may share commits.
is($node->ended($node->start_run), 'OK', 'undisturbed, the run ends OK');
ok($node->becomes_true('SELECT count(*) = (SELECT count(*) FROM setup.load_jobs) FROM setup.job_history'),
  'the engine knows how long each job takes');

# How many transactions of a run had several successes.
sub shared_commits {
  my ($run) = @_;
  return $node->sql("SELECT count(*) FROM (SELECT FROM setup.load_log WHERE run_id = $run AND status = 'OK' "
      . 'GROUP BY pg_xact_commit_timestamp(xmin) HAVING count(*) > 1) s');
}

my $done = 0;
my @kinds;
my $last_phase = -1;
while ($done < $wanted) {
  my $phase = $done < $wanted / 2 ? 0 : 1;
  if ($phase != $last_phase) {
    my $delay = $phase == 0 ? 5 : 0;
    $node->append_conf('postgresql.conf', "etl_orchestrator.shared_commit_delay = $delay");
    $node->restart;
    note "shared_commit_delay = $delay";
    $last_phase = $phase;
  }
  my $run = $node->start_run;
  while ($done < $wanted && !has_ended($run)) {
    usleep(int rand 150_000);    # a random moment, not a condition
    @kinds = shuffle sort keys %kills unless @kinds;
    $done += kill_once($run, shift @kinds);
  }
  is($node->ended($run), 'OK', "run $run ends OK");
  # Two commits may fall into the same microsecond.
  cmp_ok(shared_commits($run), $phase == 0 ? '>' : '<', 3, $phase == 0 ? 'jobs shared commits' : 'each had its own');
}

my $runs = $node->sql('SELECT count(*) FROM setup.load_runs');
is($node->sql("SELECT count(*) FROM setup.load_runs WHERE status <> 'OK'"), '0', "all $runs runs are OK");
is($node->sql(<<'SQL'), '0', 'every step has exactly one OK row');
SELECT count(*) FROM setup.run_steps s
 WHERE (SELECT count(*) FROM setup.load_log l
         WHERE l.run_id = s.run_id AND l.step_id = s.step_id AND status = 'OK') <> 1
SQL
is($node->sql("SELECT string_agg(job || ' ' || n, ', ') FROM test.counters WHERE n <> $runs"), '',
  "every counter is $runs, the number of runs");
is($node->sql("SELECT string_agg(job || ' ' || n, ', ') FROM (SELECT job, count(*) AS n FROM test.rows GROUP BY job) r "
      . "WHERE n <> $runs"), '', 'no row is double, and none is missing of a job that has rows');
is($node->sql('SELECT count(DISTINCT job) FROM test.rows'), '100', 'every job that inserts has rows');
is($node->sql(join ' UNION ALL ', map { "SELECT '$_' FROM bronze.table_$_ HAVING "
      . "coalesce(string_agg(id || name, ' ' ORDER BY id), '') <> '1$_ 2$_ 3$_'" } 1 .. 30), '',
  'every table has the content of its file');
is($node->sql('SELECT count(*) FROM '
      . "(SELECT FROM test.committed GROUP BY job, part HAVING count(*) >= $runs) c"),
  '9', 'what commits by itself has happened at least once');
is($node->sql('SELECT count(*) FROM setup.job_holds WHERE hold IS NOT NULL'), '0', 'nothing is quarantined');
cmp_ok($node->sql("SELECT count(*) FROM setup.load_log WHERE status <> 'OK'"), '<=', $to_blame,
  "no more attempts have failed than the $to_blame whose own process was killed or terminated")
  or diag($node->sql("SELECT * FROM setup.load_log WHERE status <> 'OK'"));
is($node->sql("SELECT string_agg(DISTINCT sqlstate, ' ') FROM setup.load_log WHERE status <> 'OK' "
      . "AND sqlstate NOT IN ('57P01', '57P02')"), '', 'and none for another reason');
is($node->sql(<<'SQL'), '0', 'no job began before what it depends on had ended');
SELECT count(*) FROM setup.run_steps s JOIN setup.load_log l USING (run_id, step_id)
  JOIN setup.load_log p ON p.run_id = s.run_id AND p.step_id = ANY (s.depends_on) AND p.status = 'OK'
 WHERE l.started_at < p.finished_at
SQL
is($node->times_logged(qr/PANIC|TRAP:|signal 11|signal 6|unexpected state|conductor: /), 0,
  'the server\'s log has no complaint of the engine');

note sprintf '%-48s %3d times, the run went on after %.2f s on average, %.2f s at most', $_, scalar @{ $times{$_} },
  sum(@{ $times{$_} }) / @{ $times{$_} }, max(@{ $times{$_} })
  for sort keys %times;
cmp_ok(scalar(map { @$_ } values %times), '>=', $wanted, "there were $wanted kills; to repeat them: $how_to_repeat");
done_testing();
