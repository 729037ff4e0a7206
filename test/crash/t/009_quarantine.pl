# A job whose own process dies takes the whole server down with it. After three times in a row it is quarantined;
# nobody else is blamed, and everything else goes on.
#
# Job "killer" ends its process with SIGKILL as often as the test has told it to, and then behaves.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'max_prepared_transactions = 2' ]);

$node->sql("UPDATE setup.layers SET retry_delay = '50 ms', backoff_rate = 1");
$node->add_job('killer', <<'SQL', max_attempts => 10);
SELECT test.work('killer', NULL);
COPY (SELECT 1) TO PROGRAM
  'cat >/dev/null; left=$(cat ../deaths); if [ $left -gt 0 ]; then echo $((left - 1)) >../deaths; kill -9 $PPID; fi'
SQL
$node->add_work('after_killer', depends_on => ['killer']);
$node->add_work("quick_$_") for 1 .. 3;
$node->add_work('neighbour', gate => 'go');
$node->add_work('after_neighbour', depends_on => ['neighbour']);

sub let_die {
  my ($times) = @_;
  unlink $node->basedir . '/deaths';
  append_to_file($node->basedir . '/deaths', "$times\n");
  return;
}

sub begin_run {
  my ($deaths, @open_gates) = @_;
  $node->forget;
  $node->open_gate($_) for @open_gates;
  let_die($deaths);
  return $node->start_run;
}

# The attempts of a job in a run: "1 ERROR 57P02, 2 OK".
sub attempts {
  my ($run, $job) = @_;
  return $node->sql("SELECT string_agg(concat_ws(' ', attempt, status, sqlstate), ', ' ORDER BY log_id) "
      . "FROM setup.load_log WHERE run_id = $run AND job_name = '$job'");
}

sub holds { return $node->sql("SELECT string_agg(concat_ws(' ', job_name, crashes, hold), ', ') FROM setup.job_holds") }

# Quarantine.

# Locks outlive a crash where a transaction is prepared: this one keeps the news until somebody listens.
$node->sql('BEGIN; LOCK TABLE setup.notifications; PREPARE TRANSACTION \'no news\'');
my $run = begin_run(100);
ok(wait_until { $node->starts_of('killer') == 3 }, 'a job whose process dies is tried again');
ok($node->becomes_true(<<'SQL'), 'its third death is to be told');
SELECT count(*) > 0 FROM pg_locks WHERE relation = 'setup.notifications'::regclass AND NOT granted
SQL
my $listener = $node->session;
$listener->query_safe('LISTEN etl_orchestrator');
$node->sql('COMMIT PREPARED \'no news\'');
ok($node->becomes_true("SELECT hold = 'quarantined' FROM setup.job_holds WHERE job_name = 'killer'"),
  'after three deaths the job is quarantined');
my $heard = '';
ok(wait_until { $heard .= $listener->query('SELECT 1'); $heard =~ /notification/ },
  'channel etl_orchestrator is notified');
my $number = $node->sql('SELECT max(notification_id) FROM setup.notifications');
like($heard, qr/"etl_orchestrator" with payload "\{"topic" : "quarantine", "notification_id" : $number\}"/,
  'with the topic and the number of the notification');
$listener->quit;
is($node->sql('SELECT topic, subject, run_id, layer, job_name FROM setup.notifications'),
  "quarantine|job \"bronze.killer\" is quarantined|$run|bronze|killer", 'one notification says which job of which run');
like($node->sql('SELECT message FROM setup.notifications'), qr/3 times.*setup\.release_job\('bronze', 'killer'\)/s,
  'how often it died, and what can be done');
is($node->sql("SELECT reason FROM setup.why_waiting($run) WHERE job_name = 'killer'"), 'quarantined',
  'why_waiting() says what it waits for');
is(holds(), 'killer 3 quarantined', 'nobody else is blamed');

# It may not have begun yet when the killer struck: so not always four times.
ok(wait_until { $node->starts_of('neighbour') >= 2 }, 'a neighbour that was running begins again');
$node->open_gate('go');
is($node->ended($run), 'ERROR', 'the run ends');
like(attempts($run, 'killer'), qr/^1 ERROR 57P02, 2 ERROR 57P02, 3 ERROR 57P02(, \d SKIPPED)?$/,
  'each death is an attempt that failed');
is(attempts($run, $_), '1 OK', "job $_ succeeds, with no attempt lost") for qw(neighbour after_neighbour quick_1);
like(attempts($run, 'after_killer'), qr/SKIPPED$/, 'what depends on the quarantined job is skipped');
is($node->effects, 'after_neighbour 1, neighbour 1, quick_1 1, quick_2 1, quick_3 1',
  'every other job has its effect once');

# The next run.

my $incarnation = $node->incarnation;
$run = begin_run(100);
$node->open_gate('go');
is($node->ended($run), 'ERROR', 'the next run ends, too');
is($node->starts_of('killer'), 0, 'and does not begin the quarantined job');
like($node->sql("SELECT message FROM setup.load_log WHERE run_id = $run AND job_name = 'killer'"),
  qr/quarantined.*setup\.release_job/, 'whose row in the log says why');
is(attempts($run, 'after_neighbour'), '1 OK', 'while others do their work');
is($node->incarnation, $incarnation, 'and the server stays up');

# Release.

$run = begin_run(0);
ok($node->begun('neighbour'), 'a run goes on without the quarantined job');
$node->sql('SELECT setup.release_job(\'bronze\', \'killer\')');
ok($node->begun('killer'), 'once released, it begins in the same run');
$node->open_gate('go');
is($node->ended($run), 'OK', 'which ends OK');
is(holds(), '', 'and its deaths are forgotten');

# Success in between.

for my $round (1, 2) {
  $run = begin_run(2, 'go');
  is($node->ended_despite_crashes($run), 'OK', "a job that dies twice and then succeeds lets its run end OK ($round)");
  is(attempts($run, 'killer'), '1 ERROR 57P02, 2 ERROR 57P02, 3 OK', "with two attempts that failed ($round)");
  ok($node->becomes_true("SELECT crashes = 0 AND hold IS NULL FROM setup.job_holds WHERE job_name = 'killer'"),
    "its success forgives ($round)");
}

# No limit.

$node->append_conf('postgresql.conf', 'etl_orchestrator.crash_limit = 0');
$node->reload;
$node->sql('UPDATE setup.load_jobs SET max_attempts = 4 WHERE job_name = \'killer\'');
$run = begin_run(100, 'go');
is($node->ended_despite_crashes($run), 'ERROR', 'with crash_limit = 0 the run ends');
is($node->starts_of('killer'), 4, 'when the job has used up its attempts');
is(attempts($run, 'killer'), join(', ', map { "$_ ERROR 57P02" } 1 .. 4), 'with as many deaths as attempts');
is(holds(), 'killer 4', 'and nothing is quarantined');
$node->append_conf('postgresql.conf', 'etl_orchestrator.crash_limit = 3');
$node->sql('SELECT setup.release_job(\'bronze\', \'killer\')');

# Everything at once, as when the machine fails: nobody knows who was to blame.

$node->add_work('second_neighbour', gate => 'go');
$run = begin_run(0);
ok($node->begun('neighbour', 'second_neighbour'), 'two jobs are running');
my $postmaster = $node->postmaster;
my @children = $node->children;
kill 'STOP', $postmaster, @children;    # so that none of them can react
kill 'KILL', @children;
$node->kill9;
ok(wait_until { !kill 0, $postmaster, @children }, 'all processes of the server are killed');
$node->start;
$node->open_gate('go');
is($node->ended($run), 'OK', 'the run ends OK');
is($node->sql("SELECT count(*) FROM setup.load_log WHERE run_id = $run AND attempt <> 1"), '0', 'no attempt counts');
is(holds(), '', 'no job is blamed');

# What becomes of the notes while the server is down.

my $notes = $node->data_dir . '/etl_orchestrator.crash_notes';
ok(-f $notes, 'the notes are in the data directory');
my $good = slurp_file($notes);

sub write_notes { my ($content) = @_; unlink $notes; append_to_file($notes, $content); return }

sub overwrite {
  my ($content) = @_;    # the file stays the same, as its inode says
  open my $file, '+<', $notes or die;
  print $file $content;
  close $file;
  return;
}

my $noise = join '', map { chr(33 + $_ * 7919 % 94) } 1 .. length $good;
my %spoiled = (
  deleted => sub { unlink $notes },
  empty => sub { truncate $notes, 0 },
  'cut in the middle' => sub { truncate $notes, 100 },
  'full of something else' => sub { overwrite($noise) },
  'full of something else after a good beginning' => sub { overwrite(substr($good, 0, 64) . substr($noise, 64)) },
  'too long' => sub { overwrite($good . $noise) },
  'of another server' => sub { write_notes($good) },
  'a directory' => sub { unlink $notes; mkdir $notes });
for my $how (sort keys %spoiled) {
  $node->stop;
  $spoiled{$how}->();
  ok($node->start(fail_ok => 1), "notes that are $how keep no server from starting") or BAIL_OUT('no server');
  $run = begin_run(1, 'go');
  is($node->ended_despite_crashes($run), 'OK', "notes that were $how: a run ends OK");
  is(attempts($run, 'killer'), '1 ERROR 57P02, 2 OK', "notes that were $how: a death is still counted");
  is($node->sql('SELECT count(*) FROM setup.job_holds WHERE job_name <> \'killer\''), '0',
    "notes that were $how: nobody is blamed wrongly");
  rmdir $notes;
}

done_testing();
