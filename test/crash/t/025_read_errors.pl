# A file that cannot be read fails by itself: neither the files beside it nor the worker suffer.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use EtlCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $library = PostgreSQL::Test::Utils::tempdir() . '/read_errors.so';
system_or_bail($ENV{CXX} // 'g++', '-std=c++20', '-shared', '-fPIC', '-o', $library, 'read_errors.cpp');
my $node;
{
  local $ENV{LD_PRELOAD} = $library;
  $node = EtlCluster->started('main', conf => ['etl_orchestrator.idle_timeout = 10min']);
}
my $files = abs_path($node->basedir) . '/files';
mkdir $files or die $!;
append_to_file("$files/$_.csv", "id\n1\n") for 'a', 'unreadable', 'z';
$node->sql("SELECT setup.create_location('files', 'file://$files')");
$node->sql("CREATE TABLE bronze.$_ (id int)") for 'added', 'skipped';
$node->add_job('added', undef, table_name => 'added', location => 'files', file_path => '*', load_mode => 'append', max_attempts => 1);
$node->add_job('skipped', undef, table_name => 'skipped', location => 'files', file_path => '*', skip_unchanged => 'true',
  max_attempts => 1);
$node->sql("SELECT setup.add_job('bronze', 'plain', command => 'SELECT 1')");
$node->ended($node->start_run("jobs => '{plain}'"));
my $workers = $node->processes('worker');

for my $job ('added', 'skipped') {
  my $run = $node->start_run("jobs => '{$job}'");
  $node->ended($run);
  is($node->sql("SELECT status, sqlstate FROM setup.load_log WHERE run_id = $run"), 'ERROR|58030', "$job fails with an I/O error");
  is($node->sql("SELECT path, message FROM setup.load_files WHERE run_id = $run AND status = 'FAILED'"),
    'unreadable.csv|file "unreadable.csv" of location "files" could not be read: Input/output error', 'that names the file');
}
is($node->sql('SELECT count(*) FROM bronze.added'), 2, 'the other files are loaded');
is($node->processes('worker'), $workers, 'by a worker that goes on');
done_testing();
