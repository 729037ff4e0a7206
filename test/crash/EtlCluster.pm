# A server of the test's own with the engine in it, and what the tests of this folder do with it.
#
# Jobs made by add_work() leave three kinds of traces: a line in the file "starts" for each time that they began, which
# no rollback and no crash takes back; a row in test.effects, in the job's transaction; and they wait at a gate, if
# they were given one, until the test opens it. So a test knows where a job is without guessing a time.
package EtlCluster;

use strict;
use warnings FATAL => 'all';

BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} ||= 30; }    # seconds until a condition that does not come true fails its test

use parent qw(PostgreSQL::Test::Cluster Exporter);
use Cwd qw(abs_path);
use EtlCall;
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use Test::More ();
use Time::HiRes qw(time usleep);

our @EXPORT = qw(literal seconds wait_until write_file);

# Dying runs the END blocks, which stop the servers; a signal alone would leave them behind.
$SIG{TERM} = $SIG{INT} = sub { die "stopped by a signal\n" };

# SQL literal of a text, or NULL.
sub literal {
  my ($text) = @_;
  return 'NULL' unless defined $text;
  $text =~ s/'/''/g;
  return $text =~ s/\\/\\\\/g ? "E'$text'" : "'$text'";
}

# How long a block takes.
sub seconds(&) {
  my ($block) = @_;
  my $start = time;
  $block->();
  return time - $start;
}

# True as soon as a block is true, false if that does not happen in time.
sub wait_until(&) {
  my ($condition) = @_;
  my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
  until ($condition->()) {
    return 0 if time > $deadline;
    usleep(10_000);
  }
  return 1;
}

# Writes a file with this content.
sub write_file {
  my ($path, @content) = @_;
  open my $file, '>:raw', $path or die "$path: $!";
  print {$file} @content or die "$path: $!";
  close $file or die "$path: $!";
  return;
}

# A running server with the database "warehouse". Options: preload (the libraries; etl_orchestrator), conf (lines for
# postgresql.conf), streaming (whether a standby may follow it).
sub started {
  my ($class, $name, %options) = @_;
  my $node = $class->new($name);
  my $preload = $options{preload} // 'etl_orchestrator';
  $node->init(allows_streaming => $options{streaming}, extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
  $node->append_conf('postgresql.conf', "$_\n")
    for "shared_preload_libraries = '$preload'", 'max_worker_processes = 16', 'restart_after_crash = on',
    'log_statement = none', @{ $options{conf} // [] };
  $node->start;
  $node->create_warehouse('warehouse');
  return $node;
}

# A database with the extension, the layers bronze, silver and gold, and schema test.
sub create_warehouse {
  my ($node, $database) = @_;
  $node->safe_psql('postgres', "CREATE DATABASE $database");
  $node->sql(<<'SQL', $database);
CREATE EXTENSION etl_orchestrator;
GRANT USAGE ON SCHEMA setup TO PUBLIC;
SELECT setup.create_layer(layer) FROM unnest(ARRAY['bronze', 'silver', 'gold']) layer;

CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;
CREATE TABLE test.effects (job text, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE test.gates (gate text PRIMARY KEY);
GRANT ALL ON test.effects, test.gates TO PUBLIC;

-- The server's working directory is the data directory.
CREATE FUNCTION test.mark(job text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', job, 'cat >>../starts');
END
$$;

CREATE FUNCTION test.wait_at(gate text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WHILE NOT EXISTS (SELECT FROM test.gates g WHERE g.gate = wait_at.gate) LOOP
    PERFORM pg_sleep(0.005);
  END LOOP;
END
$$;

CREATE FUNCTION test.work(job text, gate text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.mark(job);
  INSERT INTO test.effects (job) VALUES (work.job);
  PERFORM test.wait_at(gate) WHERE gate IS NOT NULL;
END
$$;
SQL
  return;
}

# The result of a query in a database, "warehouse" if none is named; dies if it fails.
sub sql {
  my ($node, $query, $database) = @_;
  return $node->safe_psql($database // 'warehouse', $query);
}

# The error that a statement raises: sqlstate, message, detail, hint, context. Empty if it raises none.
sub failure {
  my ($node, $statement, $database) = @_;
  return $node->call($statement, database => $database)->finish->failure;
}

# The result of a query, undef where the server does not answer it: it may be down just now.
sub answer {
  my ($node, $query, $database) = @_;
  my ($status, $result);
  eval { ($status, $result) = $node->psql($database // 'warehouse', $query); 1 } or return;
  return $status == 0 ? $result : undef;
}

# True as soon as a query returns true, also where the server goes down meanwhile.
sub becomes_true {
  my ($node, $query, $database) = @_;
  my $last;
  return 1 if wait_until { $last = $node->answer($query, $database); defined $last && $last eq 't' };
  Test::More::diag("never true: $query\nat last: " . ($last // 'no answer'));
  return 0;
}

# Skips the whole test where there is nothing that reads files in all formats.
sub require_files_module {
  my ($node) = @_;
  my $library = $node->sql(q{SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'}) . '/etl_files.so';
  Test::More::plan(skip_all => 'the module etl_files is not installed') unless -e $library;
  return;
}

# A new directory beside the server's own; its path.
sub make_directory {
  my ($node, $name) = @_;
  my $path = abs_path($node->basedir) . "/$name";
  mkdir $path or die "$path: $!";
  return $path;
}

# A psql that runs statements in the background. Options: database, user.
sub call {
  my ($node, $statements, %options) = @_;
  my $connection = $node->connstr($options{database} // 'warehouse');
  $connection .= " user=$options{user}" if $options{user};
  return EtlCall->new($node, $node->installed_command('psql'), $connection, $statements);
}

# A psql that waits for statements; errors do not end it.
sub session {
  my ($node, %options) = @_;
  my @user = $options{user} ? ('-U', $options{user}) : ();
  return $node->background_psql($options{database} // 'warehouse', on_error_stop => 0, timeout => 200,
    extra_params => \@user);
}

# Adds a job. Options: layer (bronze), database, and the arguments of setup.add_job().
sub add_job {
  my ($node, $job, $command, %options) = @_;
  my $database = delete $options{database};
  my @arguments = (literal(delete $options{layer} // 'bronze'), literal($job));
  push @arguments, 'command => ' . literal($command) if defined $command;
  if (my $parents = delete $options{depends_on}) {
    push @arguments, 'depends_on => ARRAY[' . join(', ', map { literal($_) } @$parents) . ']';
  }
  push @arguments, "$_ => " . literal($options{$_}) for sort keys %options;
  $node->sql('SELECT setup.add_job(' . join(', ', @arguments) . ')', $database);
  return;
}

# Adds a job that leaves the traces described above. Option gate: where it waits.
sub add_work {
  my ($node, $job, %options) = @_;
  my $gate = delete $options{gate};
  return $node->add_job($job, 'SELECT test.work(' . literal($job) . ', ' . literal($gate) . ')', %options);
}

sub open_gate {
  my ($node, $gate, $database) = @_;
  $node->sql('INSERT INTO test.gates VALUES (' . literal($gate) . ')', $database);
  return;
}

# Removes all traces and closes all gates.
sub forget {
  my ($node, $database) = @_;
  unlink $node->starts_file;
  $node->sql('DELETE FROM test.effects; DELETE FROM test.gates', $database);
  return;
}

sub starts_file { my ($node) = @_; return $node->basedir . '/starts' }

# How often a job has begun.
sub starts_of {
  my ($node, $job) = @_;
  return 0 unless -e $node->starts_file;
  return scalar grep { $_ eq $job } split /\n/, slurp_file($node->starts_file);
}

# True as soon as each of these jobs has begun.
sub begun {
  my ($node, @jobs) = @_;
  return wait_until { !grep { !$node->starts_of($_) } @jobs };
}

# What remains of the jobs: "a 1, b 1", the number of their committed effects.
sub effects {
  my ($node, $database) = @_;
  return $node->sql(<<'SQL', $database);
SELECT string_agg(job || ' ' || n, ', ' ORDER BY job) FROM (SELECT job, count(*) AS n FROM test.effects GROUP BY job) e
SQL
}

# Starts a run in the background; returns its number.
sub start_run {
  my ($node, $arguments, $database) = @_;
  return $node->sql('SELECT setup.start_run(' . ($arguments // '') . ')', $database);
}

sub last_run { my ($node, $database) = @_; return $node->sql('SELECT max(run_id) FROM setup.load_runs', $database) }

# The status of a run when it has ended; the present one if that does not happen in time.
sub ended {
  my ($node, $run, $database) = @_;
  my $seconds = $PostgreSQL::Test::Utils::timeout_default;
  return $node->sql("SELECT setup.wait_run($run, '$seconds s')", $database);
}

# The same where the server goes down meanwhile.
sub ended_despite_crashes {
  my ($node, $run, $database) = @_;
  $node->becomes_true("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run", $database);
  return $node->sql("SELECT status FROM setup.load_runs WHERE run_id = $run", $database);
}

# Whether a run has ended; false also where the server does not answer.
sub has_ended {
  my ($node, $run) = @_;
  return ($node->answer("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run") // '') eq 't';
}

# What became of the jobs of a run: "a OK, b CANCELLED, c SKIPPED", one entry for each row of the log.
sub outcome {
  my ($node, $run, $database) = @_;
  return $node->sql(<<"SQL", $database);
SELECT string_agg(job_name || ' ' || status, ', ' ORDER BY job_name, log_id) FROM setup.load_log WHERE run_id = $run
SQL
}

# Process ids of "launcher", "conductor" or "worker", separated by spaces; of one database, or everywhere.
sub processes {
  my ($node, $kind, $database) = @_;
  my $where = defined $database ? "AND datname = '$database'" : '';
  return $node->safe_psql('postgres',
    "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity "
      . "WHERE backend_type = 'etl_orchestrator $kind' $where");
}

# The process id of the worker that is running a job.
sub worker_of {
  my ($node, $job, $database) = @_;
  return $node->sql(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active' "
      . 'AND query LIKE ' . literal("%'$job'%"), $database);
}

sub postmaster { my ($node) = @_; return (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0] }

# Process ids of the postmaster's children, as /proc says: not every machine has ps.
sub children {
  my ($node) = @_;
  my $postmaster = $node->postmaster;
  my @children;
  for my $file (glob '/proc/[0-9]*/stat') {
    open my $stat, '<', $file or next;    # it has just ended
    my $line = <$stat> // '';
    push @children, $1 if $line =~ /^(\d+) \(.*\) \w (\d+) / && $2 == $postmaster;
  }
  return @children;
}

# Kills the postmaster, and waits until its children have noticed and are gone, so that the server can be started.
sub kill_postmaster {
  my ($node) = @_;
  my $postmaster = $node->postmaster;
  my @children = $node->children;
  $node->kill9;
  wait_until { !kill 0, $postmaster, @children } or die "the server's processes do not end\n";
  return;
}

# What says that the server has not gone through a crash and its recovery: a process that only a crash restarts.
sub incarnation {
  my ($node) = @_;
  return $node->safe_psql('postgres',
    "SELECT pg_postmaster_start_time() || ' ' || pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
}

# True as soon as the server answers.
sub is_up { my ($node) = @_; return wait_until { defined $node->answer('SELECT 1') } }

# The process id of the checkpointer, undef where the server does not tell.
sub checkpointer {
  my ($node) = @_;
  my $pid = $node->answer(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'}, 'postgres');
  return $pid ? $pid : undef;
}

# Runs a block that kills a process: true when the server has gone through the crash and is back, false if the block
# says that it has killed nobody.
sub goes_through_a_crash {
  my ($node, $block) = @_;
  my $before = $node->checkpointer // '';
  return 0 unless $block->();
  return wait_until { my $now = $node->checkpointer; defined $now && $now ne $before };
}

# Kills a process at a random moment: mostly a worker that is busy, else the conductor or the checkpointer. The server goes
# down with each of them; true when it is back.
sub kill_at_random {
  my ($node, $database) = @_;
  return $node->goes_through_a_crash(sub {
    usleep(int rand 60_000);    # a random moment, not a condition
    my $kind = rand;
    my $busy = $node->answer("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE state = 'active' "
        . "AND backend_type = 'etl_orchestrator worker'") // '';
    my ($worker) = shuffle split / /, $busy;
    my $pid = $worker && $kind < 0.8 ? $worker : $kind < 0.9 ? $node->processes('conductor', $database) : $node->checkpointer;
    return $pid && kill 'KILL', $pid;
  });
}

sub log_text { my ($node) = @_; return slurp_file($node->logfile) }

# How often the server's log matches.
sub times_logged { my ($node, $pattern) = @_; my @found = $node->log_text =~ /$pattern/g; return scalar @found }

1;
