# However many rows of a file do not fit, a load that puts them aside needs no more memory; and it stops at its limit.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.idle_timeout = 10min', 'fsync = off', 'max_wal_size = 8GB' ]);
my $files = abs_path($node->basedir) . '/files';
mkdir $files or die $!;
$node->sql("SELECT setup.create_location('files', 'file://$files')");

# Of a thousand rows, 10 fit, 90 have a value that does not, and 900 cannot be taken apart.
my $rows = join '', "1,fits\n" x 10, "one,does not\n" x 90, map { "$_,too many,fields of row $_\n" } 1 .. 900;
my $header = "id,name\n";
write_file("$files/few.csv", $header . $rows x 100);
write_file("$files/many.csv", $header . $rows x 2020);
write_file("$files/endless.csv", $header . $rows x 100 . '1,"a quote that does not end');
sub add_load {
  my ($job, %options) = @_;
  $node->sql("CREATE TABLE bronze.$job (id int, name text)");
  $node->add_job($job, undef, table_name => $job, location => 'files', on_bad_row => 'reject', max_attempts => 1, %options);
  return;
}

# Peak of a worker of its own, in kB.
sub peak_of {
  my ($job) = @_;
  $node->sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker'");
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
add_load($_, file_path => "$_.csv") for 'few', 'many';
my ($few, $many) = map { peak_of($_) } 'few', 'many';
note "peak of $few kB with 99,000 rows that do not fit, $many kB with 2 million";
cmp_ok($many, '<', $few + 65_536, 'twenty times as many rows that do not fit take no more memory');
is($node->sql('SELECT (SELECT count(*) FROM bronze.many), count(*), count(DISTINCT line), min(line), max(line) FROM bronze.many_rejects'),
  '20200|1999800|1999800|12|2020001', 'all of them are put aside, each with its line');
is($node->sql(q{SELECT line, column_name, raw, sqlstate FROM bronze.many_rejects WHERE line IN (1000012, 1000102) ORDER BY line}),
  "1000012|id|one,does not|22P02\n1000102||1,too many,fields of row 1|22P04", 'and what it was');

# The end of this file would fail its load, too.
add_load('endless', file_path => 'endless.csv');
add_load('limited', file_path => 'endless.csv', reject_limit => 5);
add_load('shared', file_path => 'few.csv', reject_share => 0.5);
my $run = $node->start_run("jobs => '{endless,limited,shared}'");
$node->ended($run);
is($node->sql("SELECT job_name, message, detail FROM setup.load_log WHERE run_id = $run ORDER BY job_name"), <<'END' =~ s/\n\z//r,
endless|file "endless.csv", line 100002: a quote does not end|All the rest of the file would be one row.
limited|more than 5 rows of file "endless.csv" do not fit|The first is line 12: invalid input syntax for type integer: "one".
shared|99000 of 100000 rows of file "few.csv" do not fit, more than the job allows|The first is line 12: invalid input syntax for type integer: "one".
END
  'a load ends where its limit is reached');
is($node->sql("SELECT to_regclass('bronze.endless_rejects'), to_regclass('bronze.limited_rejects')"), '|', 'and leaves nothing behind');
done_testing();
