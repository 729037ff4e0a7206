# Whatever a job is doing, it stops when its run is cancelled, or when its time, its layer's or its run's is over: at
# once, or else after the grace period, with its process. And the log says why.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $grace = 0.5;
my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 10', "etl_orchestrator.cancel_grace = '${grace}s'" ]);
my $incarnation = $node->incarnation;
my $files = $node->sql('SHOW data_directory') =~ s|/[^/]*$||r;

$node->sql(<<"SQL");
SELECT setup.create_layer('kinds'), setup.create_layer('later');
CREATE TABLE test.locked ();
CREATE UNLOGGED TABLE test.numbers (n int);
CREATE UNLOGGED TABLE kinds.slow (n int);
CREATE FUNCTION test.take_time() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END \$\$;
CREATE TRIGGER slowly BEFORE INSERT ON kinds.slow FOR EACH ROW EXECUTE FUNCTION test.take_time();
COPY (SELECT generate_series(1, 1000000)) TO '$files/large.csv';
CREATE PROCEDURE test.commits_for_ever() LANGUAGE plpgsql AS \$\$ BEGIN LOOP COMMIT; END LOOP; END \$\$;
SQL

my %kind = (
  in_select => 'SELECT max(n) FROM (SELECT generate_series(1, 1000000000000) AS n) s',
  in_lock_wait => 'LOCK TABLE test.locked',
  in_program => 'COPY test.numbers FROM PROGRAM \'yes 4711\' WHERE n <> 4711',
  in_silent_program => 'COPY test.numbers FROM PROGRAM \'sleep 4712\'',
  in_complaint => 'DO $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN RAISE \'woken\'; END $$',
  in_loop_for_others => 'DO $$ BEGIN LOOP BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$',
  in_loop_for_cancels => 'DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; '
    . 'END; END LOOP; END $$');
$node->add_job($_, "SELECT test.mark('$_'); $kind{$_}", layer => 'kinds') for sort keys %kind;
$node->add_job('in_commits', 'SELECT test.mark(\'in_commits\'); CALL test.commits_for_ever()', layer => 'kinds',
  transaction => 'each');
$node->add_job('in_file', undef, layer => 'kinds', table_name => 'slow', file_path => "$files/large.csv");
$node->add_work('next_of_loop', layer => 'kinds', depends_on => ['in_loop_for_cancels']);
$node->add_work('of_later', layer => 'later');
my @kinds = sort keys %kind, 'in_commits', 'in_file';
my $workers = "FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active'";

my $locker = $node->session;
$locker->query_safe('BEGIN; LOCK TABLE test.locked');

sub all_are_running {
  return $node->begun(grep { $_ ne 'in_file' } @kinds)
    && $node->becomes_true('SELECT count(*) = 3 FROM pg_stat_progress_copy')
    && $node->becomes_true('SELECT count(*) = 2 FROM pg_stat_progress_copy WHERE tuples_excluded + tuples_processed > 0');
}

# Processes of the programs that jobs copy from.
sub programs {
  return grep { my $text = eval { slurp($_) } // ''; $text =~ /^(yes\0?4711|sleep\0?4712)/ } glob '/proc/[0-9]*/cmdline';
}

sub slurp { my ($path) = @_; open my $file, '<', $path or return ''; local $/; return scalar <$file> // '' }

# What must hold once a run was stopped at a moment, in whatever way: $status and $message are those of its jobs.
sub check_stopped {
  my ($how, $run, $moment, $stubborn, $status, $message) = @_;
  my $late = $node->sql(
    "SELECT extract(epoch FROM max(finished_at) - '$moment') FROM setup.load_log WHERE run_id = $run");
  note sprintf '%s: the last job stopped after %.3f s', $how, $late;
  cmp_ok($late, '<', $grace + 1, "$how: all jobs stop within a second and the grace period");
  is($node->outcome($run), join(', ', (map { "$_ $status" } @kinds), 'next_of_loop SKIPPED, of_later SKIPPED'),
    "$how: what ran is $status, what did not is SKIPPED");
  is($node->sql("SELECT DISTINCT sqlstate, message FROM setup.load_log WHERE run_id = $run AND status = '$status'"),
    "57014|$message", "$how: each log row has the SQLSTATE of a cancel, and says what happened");
  is($node->sql("SELECT string_agg(job_name || ': ' || detail, ', ') FROM setup.load_log "
        . "WHERE run_id = $run AND job_name = 'in_complaint'"),
    'in_complaint: It ended with: woken [P0001]', "$how: what a job raised itself is kept");
  is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND retry_at IS NOT NULL"), '0',
    "$how: nothing is promised another attempt");
  is($node->sql(
      "SELECT count(*) FROM setup.load_log WHERE run_id = $run AND status = '$status' "
        . "AND started_at NOT BETWEEN (SELECT started_at FROM setup.load_runs WHERE run_id = $run) AND '$moment'"),
    '0', "$how: every attempt began when it began, before it was stopped");
  ok($node->becomes_true("SELECT count(*) = 0 $workers"), "$how: no worker goes on");
  is($node->sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $stubborn"), '0',
    "$how: the process of the job that catches cancels is gone");
  ok(wait_until { !programs() }, "$how: the programs are gone");
  is($node->sql('SELECT count(*) FROM kinds.slow'), '0', "$how: the file is not loaded");
}

sub begin {
  my ($arguments) = @_;
  $node->forget;
  my $jobs = join ',', (map { "kinds.$_" } @kinds, 'next_of_loop'), 'later.of_later';
  my $run = $node->start_run("jobs => '{$jobs}'$arguments");
  return ($run, all_are_running(), $node->worker_of('in_loop_for_cancels'));
}

# A cancel.

my ($run, $running, $stubborn) = begin('');
ok($running, 'jobs that select, wait, load, copy, loop and commit are running');
ok(programs() >= 2, 'and the programs that two of them copy from');
my $moment = $node->sql('SELECT clock_timestamp()');
$node->sql("SELECT setup.cancel_run($run)");
is($node->ended($run), 'CANCELLED', 'a run that is cancelled ends CANCELLED');
check_stopped('cancel_run', $run, $moment, $stubborn, 'CANCELLED', 'cancelled together with its run');
is($node->sql("SELECT DISTINCT message FROM setup.load_log WHERE run_id = $run AND status = 'SKIPPED'"),
  'the run was cancelled', 'cancel_run: what did not start says so');

# The time of each job.

$node->sql("UPDATE setup.load_jobs SET timeout = '3 s' WHERE layer = 'kinds'");
($run, $running, $stubborn) = begin('');
ok($running, 'they are running, each with a timeout of three seconds');
is($node->ended($run), 'ERROR', 'a run whose jobs take too long ends ERROR');
$moment = $node->sql("SELECT max(started_at) + interval '3 s' FROM setup.load_log WHERE run_id = $run AND status = 'TIMED_OUT'");
check_stopped('timeout of jobs', $run, $moment, $stubborn, 'TIMED_OUT', 'took longer than its timeout of 3.00 s');
cmp_ok($node->sql("SELECT min(duration_ms) FROM setup.load_log WHERE run_id = $run AND status = 'TIMED_OUT'"), '>', 2900,
  'timeout of jobs: none is stopped sooner');
is($node->sql("SELECT message FROM setup.load_log WHERE run_id = $run AND job_name = 'next_of_loop'"),
  '"kinds.in_loop_for_cancels" did not end OK', 'timeout of jobs: what did not start says why');

# The time of the run.

$node->sql("UPDATE setup.load_jobs SET timeout = NULL WHERE layer = 'kinds'");
($run, $running, $stubborn) = begin(", timeout => '3 s'");
ok($running, 'they are running, in a run with a timeout of three seconds');
is($node->ended($run), 'TIMED_OUT', 'a run that takes too long ends TIMED_OUT');
$moment = $node->sql("SELECT started_at + interval '3 s' FROM setup.load_runs WHERE run_id = $run");
check_stopped('timeout of the run', $run, $moment, $stubborn, 'TIMED_OUT', 'the run took longer than its timeout');
my $why = 'the run took longer than its timeout of 3.00 s';
is($node->sql("SELECT DISTINCT message FROM setup.load_log WHERE run_id = $run AND status = 'SKIPPED'"), $why,
  'timeout of the run: what did not start says so');
is($node->sql("SELECT message FROM setup.load_runs WHERE run_id = $run"), $why, 'timeout of the run: and so does the run');
is($node->sql("SELECT finished_at > '$moment' FROM setup.load_runs WHERE run_id = $run"), 't',
  'timeout of the run: it is not stopped sooner');

# The time of the layer.

$node->sql("SELECT setup.create_layer('kinds', settings => '{\"timeout\": \"3 s\"}')");
($run, $running, $stubborn) = begin('');
ok($running, 'they are running, in a layer with a timeout of three seconds');
is($node->ended($run), 'ERROR', 'a run of which a layer takes too long ends ERROR');
$moment = $node->sql("SELECT min(started_at) + interval '3.1 s' FROM setup.load_log WHERE run_id = $run");
check_stopped('timeout of a layer', $run, $moment, $stubborn, 'TIMED_OUT', 'layer "kinds" took longer than its timeout');
is($node->sql("SELECT message FROM setup.load_log WHERE run_id = $run AND job_name = 'next_of_loop'"),
  'layer "kinds" took longer than its timeout of 3.00 s', 'timeout of a layer: what did not start in it says so');
like($node->sql("SELECT message FROM setup.load_log WHERE run_id = $run AND job_name = 'of_later'"),
  qr/^layer before: "kinds\.\w+" did not end OK$/, 'timeout of a layer: what follows it is skipped for that');

# A single job, so that nothing else happens meanwhile.

$node->sql("SELECT setup.create_layer('kinds', settings => '{\"timeout\": null}')");
for my $single ("'kinds', jobs => '{in_loop_for_cancels}', timeout => '1 s'", "'kinds', jobs => '{in_loop_for_cancels}'") {
  my $how = $single =~ /timeout/ ? 'TIMED_OUT' : 'CANCELLED';
  $node->forget;
  $run = $node->start_run($single);
  ok($node->begun('in_loop_for_cancels'), 'a job that catches cancels is running alone');
  $node->sql("SELECT setup.cancel_run($run)") if $how eq 'CANCELLED';
  $moment = $node->sql("SELECT started_at + interval '1 s' FROM setup.load_runs WHERE run_id = $run");
  is($node->ended($run), $how, "its run ends $how");
  cmp_ok($node->sql("SELECT extract(epoch FROM finished_at - '$moment') FROM setup.load_runs WHERE run_id = $run"), '<',
    $grace + 1, 'within a second and the grace period');
}

$locker->quit;
is($node->incarnation, $incarnation, 'the server has not restarted');

done_testing();
