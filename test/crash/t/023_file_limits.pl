# A load of a large file ends when it is told to, leaves the server well when it is torn down, and takes no more memory
# than that of a small one. Who loads no file does not pay for it.

use strict;
use warnings FATAL => 'all';

use Compress::Zlib ();
use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 2', 'etl_orchestrator.idle_timeout = 10min', 'fsync = off',
    'max_wal_size = 8GB' ]);
$node->require_files_module;
my $files = $node->make_directory('files');

# Rows 1 to 100,000, so many times. A gzip file may have many members.
my $rows = 100_000;
my $piece = join '', map { sprintf "%d,text of row %d,%d.25,2024-02-29\n", $_, $_, $_ % 1000 } 1 .. $rows;
my %content = ('csv' => [ "id,name,amount,day\n", $piece ]);
$content{'csv.gz'} = [ map { Compress::Zlib::memGzip($_) } @{ $content{csv} } ];
$content{ndjson} =
  [ '', $piece =~ s/^(\d+),([^,]*),([^,]*),(.*)$/{"id": $1, "name": "$2", "amount": $3, "day": "$4"}/gmr ];

sub write_rows {
  my ($name, $times) = @_;
  my ($type) = $name =~ /\.(.*)/;
  return write_file("$files/$name", $content{$type}[0], ($content{$type}[1]) x $times);
}

$node->sql("SELECT setup.create_location('files', 'file://$files')");
my $columns = '(id int, name text, amount numeric(12,2), day date)';
sub add_load {
  my ($job, $file, %options) = @_;
  $node->sql("CREATE TABLE bronze.$job $columns");
  $node->add_job($job, undef, table_name => $job, location => 'files', file_path => $file, max_attempts => 1, %options);
  return;
}

my $loading = "FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND query LIKE 'COPY %' "
  . "AND clock_timestamp() - xact_start";
sub in_mid_load { return $node->becomes_true("SELECT count(*) = 1 $loading > '400 ms'") }

# Nothing that a session does maps DuckDB, but a load.

# How many of these processes have; one that has just ended has not.
sub maps_duckdb {
  my ($pids) = @_;
  return scalar grep { (eval { slurp_file("/proc/$_/maps") } // '') =~ /libduckdb/ } split ' ', $pids;
}
my $session = $node->session;
my $pid = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('SET client_min_messages = warning');
$session->query_safe("SELECT setup.add_job('bronze', 'plain', command => 'SELECT 1')");
$session->query_safe('CALL setup.orchestrate_bronze()');
is(maps_duckdb($pid), 0, 'a session that orchestrates has not mapped libduckdb');
is(maps_duckdb($node->processes('worker')), 0, 'nor has a worker that runs a statement');
is(maps_duckdb($node->processes('launcher')), 0, 'nor has the launcher');
$session->query_safe("SELECT setup.drop_job('bronze', 'plain')");

# Memory. Peaks are of the process, so each load has a worker of its own.

sub peak_of {
  my ($job) = @_;
  $node->sql('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity '
      . "WHERE backend_type = 'etl_orchestrator worker'");
  my $run = $node->start_run("jobs => '{$job}'");
  my $peak = 0;
  until ($node->answer("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run") eq 't') {
    for my $worker (split / /, $node->processes('worker')) {
      my $status = eval { slurp_file("/proc/$worker/status") } // '';
      $peak = $1 if $status =~ /^RssAnon:\s+(\d+)/m && $1 > $peak;
    }
    usleep(10_000);
  }
  is($node->outcome($run), "$job OK", "$job is loaded");
  return $peak;
}
my %rows;
my %pieces = (csv => 8, 'csv.gz' => 8, ndjson => 4);    # some more than a buffer of DuckDB's holds
for my $type (sort keys %pieces) {
  my $job = $type =~ s/\W/_/gr;
  write_rows("small.$type", $pieces{$type});
  write_rows("large.$type", 10 * $pieces{$type});
  add_load("small_$job", "small.$type");
  add_load("large_$job", "large.$type");
  $rows{"large_$job"} = 10 * $pieces{$type} * $rows;
  my ($small, $large) = map { peak_of("${_}_$job") } 'small', 'large';
  note "$type: peak of $small kB for a small file, $large kB for a large one";
  # Up to four buffers of 32 MB, of which the small file does not need all; the large one has 300 MB.
  cmp_ok($large, '<', $small + 3 * 32_768, "$type: a file of ten times the size takes no more memory");
}
cmp_ok(maps_duckdb($node->processes('worker')), '>', 0, 'a worker that has loaded a file has mapped libduckdb');

# Cancels and timeouts.

for my $job ('large_csv', 'large_csv_gz', 'large_ndjson') {
  my $run = $node->start_run("jobs => '{$job}'");
  ok(in_mid_load(), "$job is in mid-load");
  my $seconds = seconds { $node->sql("SELECT setup.cancel_run($run)"); $node->ended($run) };
  note sprintf '%s: cancelled in %.2f s', $job, $seconds;
  is($node->outcome($run), "$job CANCELLED", 'it is cancelled');
  is($node->sql("SELECT count(*) FROM bronze.$job"), $rows{$job}, 'and the table is as before');
}
$node->sql("UPDATE setup.load_jobs SET timeout = '500 ms' WHERE job_name = 'large_csv'");
my $run = $node->start_run("jobs => '{large_csv}'");
my $seconds = seconds { $node->ended($run) };
is($node->outcome($run), 'large_csv TIMED_OUT', 'a load obeys its timeout');
note sprintf 'timed out after %.2f s', $seconds;
$node->sql("UPDATE setup.load_jobs SET timeout = NULL WHERE job_name = 'large_csv'");
my $worker = (split / /, $node->processes('worker'))[0];
is(slurp_file("/proc/$worker/status") =~ /^Threads:\s+(\d+)/m && $1, 1, 'no thread goes on');

# Three files, each in a transaction of its own: whatever ends the load of one, all are there once.

write_rows("part_$_.csv", $_ == 2 ? 20 : 2) for 1 .. 3;
add_load('parts', 'part_*.csv', load_mode => 'append', max_attempts => 10, retry_delay => '10 ms');
my %ends = (
  'SIGTERM of the worker' => sub { $node->sql("SELECT pg_terminate_backend(pid) $loading > '0'") },
  'a fast stop' => sub { $node->stop('fast'); $node->start },
  'an immediate stop' => sub { $node->stop('immediate'); $node->start });
for my $end (sort keys %ends) {
  $node->sql("TRUNCATE bronze.parts; SELECT setup.reset_bookmark('bronze', 'parts')");
  $run = $node->start_run("jobs => '{parts}'");
  ok($node->becomes_true("SELECT count(*) = 1 $loading > '200 ms' AND query LIKE '%part_2.csv%'"),
    "$end: a load is under way");
  $ends{$end}->();
  is($node->ended_despite_crashes($run), 'OK', 'the run ends OK');
  is($node->sql('SELECT count(*), count(DISTINCT id), sum(id) FROM bronze.parts'),
    join('|', 24 * $rows, $rows, 24 * $rows * ($rows + 1) / 2), 'all rows are there once');
  is($node->sql("SELECT string_agg(path || ' ' || rows_loaded, ', ' ORDER BY path) FROM setup.load_files "
        . "WHERE is_current AND job_name = 'parts'"),
    'part_1.csv 200000, part_2.csv 2000000, part_3.csv 200000', 'as load_files says');
}
is($node->times_logged(qr/terminated by signal|PANIC|TRAP:/), 0, 'no process of the server has crashed');
done_testing();
