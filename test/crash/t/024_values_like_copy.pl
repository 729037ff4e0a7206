# A value of a file is accepted exactly where COPY accepts it, and equals what COPY makes of it: random values of many
# types, in plain and odd spellings, one by one through COPY, and by jobs on both ways into a table.
#
# ETL_VALUES_SEED makes another choice of values; 0 a random one.

use strict;
use warnings FATAL => 'all';

use EtlCluster;
use Test::More;

my $seed = ($ENV{ETL_VALUES_SEED} // 42) || int(rand(2**31));
srand $seed;
note my $how_to_repeat = "ETL_VALUES_SEED=$seed";
my $values_of_type = 400;

sub pick { return $_[ int rand @_ ] }
sub digits { my ($n) = @_; return join '', map { int rand 10 } 1 .. $n }
sub sign { return pick('', '', '', '-', '-', '+') }
sub blank { return pick(('') x 12, ' ', "\t", '  ') }
sub two { return sprintf '%02d', int rand $_[0] }
sub chance { return rand() < $_[0] }

my @odd_numbers = ('', '-', '+', '.', ' ', '0', '-0', '+0', '00', '007', '-007', '--5', '+-5', '5-', '5 5', '1_000',
  '1__0', '0x1A', '0b11', '0o17', '1e3', '1E3', '1e', 'e1', '1e+2', '1e-2', '1.', '.5', '-.5', '1.5.', '1,5', '1 ',
  ' 1', "1\t", 'NaN', 'nan', 'inf', '-inf', '+inf', 'Infinity', '-Infinity', '+Infinity', 'infinit', 'null', 'NULL',
  "\xd9\xa3", "\xef\xbc\x95", "5\xc2\xa0", '32767', '32768', '-32768', '-32769', '2147483647', '2147483648',
  '-2147483648', '-2147483649', '9223372036854775807', '9223372036854775808', '-9223372036854775808',
  '-9223372036854775809', '9999999999.994', '9999999999.995', '-9999999999.995', '9999999999.99', '10000000000',
  '0.005', '0.004', '-0.005', '1e400', '1e-400', '1e308', '1e309', '4.9e-324', '2e-324', '1.17549435e-38', '1e-45',
  '3.4028235e38', '3.4028236e38', '1e39', '0x1p3', '1.5f', '1d', '123456789012345678', '1234567890123456789',
  '12345678901234567890', '0.1', '1e23', '9007199254740993', '0.30000000000000004', '2.2250738585072011e-308',
  '1' . '0' x 400, '0.' . '0' x 400 . '1');

sub number {
  return pick(@odd_numbers) if chance(0.4);
  my $whole = digits(1 + int rand pick(3, 6, 10, 12, 20));
  my $fraction = chance(0.5) ? '.' . digits(int rand pick(3, 4, 8, 20)) : '';
  my $exponent = chance(0.1) ? pick('e', 'E') . pick('', '+', '-') . int rand pick(5, 40, 400) : '';
  return blank() . sign() . $whole . $fraction . $exponent . blank();
}

sub whole_number { return chance(0.5) ? sign() . digits(1 + int rand pick(3, 5, 10, 19)) : number() }

my @odd_dates = ('', ' ', 'infinity', '-infinity', '+infinity', 'Infinity', 'epoch', '0000-00-00', '0000-01-01',
  '0001-01-01', '2023-02-29', '2024-02-29', '1900-02-29', '2000-02-29', '2024-02-30', '2024-13-01', '2024-00-10',
  '2024-1-2', '20240229', '240229', 'J2451187', '0044-03-15 BC', '4713-01-01 BC', '4714-11-24 BC', '4714-11-23 BC',
  '5874897-12-31', '5874898-01-01', '294276-12-31', '294277-01-01', '99999-01-01', '2024.060', 'Feb 29, 2024',
  '29 February 2024', 'Thu 29 Feb 2024', '2024-Feb-29', '29.02.2024', '02/03/2024', '13/02/2024', '02/13/2024',
  '2024/02/29', '2024-02-29 BC', '2024-02-29Z', '2024-02-29 ', ' 2024-02-29', '2024-02-29x',
  "2024\xe2\x80\x9302\xe2\x80\x9329", '2024-02', '2024', '-2024-01-01', '+2024-01-01');

sub date {
  return pick(@odd_dates) if chance(0.4);
  return blank() . sprintf('%04d-%02d-%02d', int(rand pick(2100, 10_000)), int(rand 14), int(rand 33)) . blank();
}

my @odd_times = ('24:00:00', '24:00:01', '23:59:60', '23:59:60.5', '23:60:00', '12', '12:30', '1:2:3', '12:30:00.',
  '12:30:00.1234567', '12:30:00.9999995', '23:59:59.9999999', '12:30 PM', '00:30 PM', '13:00 PM', '12:30:00,5',
  '123000', '12:30:00 BC', 'noon', '-01:00:00');

sub time_of_day {
  return pick(@odd_times) if chance(0.2);
  return two(25) . ':' . two(61) . ':' . two(61) . (chance(0.5) ? '.' . digits(1 + int rand 7) : '');
}

sub zone {
  return pick(('') x 4, 'Z', '+00', '-05', '+05:30', '+0530', '-15:59', '+16', '+15:59:59', ' UTC', ' Europe/Berlin',
    ' EST', ' Mars', 'z');
}

sub timestamp {
  return date() if chance(0.15);
  return pick('294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.9999999', '4714-11-24 00:00:00 BC', 'infinity',
    'now then', '1.5')
    if chance(0.05);
  return date() . pick(' ', ' ', 'T', 'T', '  ', 't', '_', '') . time_of_day() . zone();
}

sub truth {
  my $word = pick(qw(true false yes no on off t f y n 1 0 tr fal ye o of TRUE False 2 -1 00 01 truee null), '');
  return blank() . $word . blank();
}

my @pieces = ('a', 'b', 'Z', '0', ' ', '  ', ',', '"', "'", '\\', '\\N', '\\n', 'NULL', "\xc3\xa9", "e\xcc\x81",
  "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xe2\x80\x8b", "\t", "\n", "\r\n", ';', '|', '%', '{}', '#');
sub text { return join '', map { pick(@pieces) } 1 .. int rand pick(2, 5, 8) }

sub uuid {
  my $hex = join '', map { sprintf '%x', int rand 16 } 1 .. 32;
  my $plain = join '-', unpack 'A8 A4 A4 A4 A12', $hex;
  return pick($plain, $plain, uc $plain, $hex, "{$plain}", "{$hex}", "$plain ", "{$plain", substr($plain, 1),
    "$plain" . '0', join('-', unpack '(A4)*', $hex), $plain =~ tr/-/_/r, '');
}

sub json {
  return pick('', ' ', 'null', 'NULL', 'true', '1', '1.50', '1e400', '-0', '01', 'NaN', '"a"', '"\\u00e9"',
    '"\\u0000"', '"\\ud800"', '[1, 2', '[]', '{}', '{"a": 1, "a": 2}', '{"b": 1, "a": [true, null]}', "{'a': 1}",
    '{"a": 1,}', "\"\xf0\x9f\x98\x80\"", '[' x 50 . ']' x 50, '{"a": 1.10}', "[1,\n2]", '1 2');
}

sub array {
  return pick('', '{}', '{1,2}', '{ 1 , 2 }', '{NULL,1}', '{null}', '{{1,2},{3,4}}', '{{1},{2,3}}', '[0:1]={1,2}',
    '[1:1]={1,2}', '{1,}', '{,}', '1,2', '{1', '{"1","2"}', '{""}', '{+5,-0}',
    '{' . join(',', map { int rand 3e9 } 1 .. 3) . '}', '{1.5}', '{1,2}x', ' {1}');
}

my %generator = (
  'int2' => \&whole_number, 'int4' => \&whole_number, 'int8' => \&whole_number, 'numeric' => \&number,
  'numeric(12,2)' => \&number, 'numeric(3,-2)' => \&number, 'numeric(18,4)' => \&number, 'float4' => \&number,
  'float8' => \&number, 'date' => \&date, 'timestamp' => \&timestamp, 'timestamp(2)' => \&timestamp,
  'timestamptz' => \&timestamp, 'time' => sub { time_of_day() . zone() }, 'bool' => \&truth, 'text' => \&text,
  'varchar(5)' => \&text, 'char(3)' => \&text, 'uuid' => \&uuid, 'jsonb' => \&json, 'int[]' => \&array,
  'interval' => sub { pick(time_of_day(), number()) . pick('', ' days', ' hours', ' ago') });

# How a file has it. Without quotes where that is the same, at least for COPY.
sub field {
  my ($value) = @_;
  return '""' if $value eq '' && chance(0.5);
  return $value if $value !~ /[",\r\n]/ && $value ne '\\.' && chance(0.7);
  return '"' . $value =~ s/"/""/gr . '"';
}

my $node = EtlCluster->started('main',
  conf => [ 'etl_orchestrator.max_workers = 2', 'log_min_messages = panic', 'fsync = off' ]);
$node->require_files_module;
my $files = $node->make_directory('files');
my $style = pick('ISO, MDY', 'ISO, DMY', 'ISO, YMD', 'German', 'SQL, DMY');
my $zone = pick('UTC', 'America/New_York', 'Asia/Kolkata');
note "$how_to_repeat: DateStyle $style, TimeZone $zone";
$node->sql("ALTER DATABASE warehouse SET datestyle = '$style'; ALTER DATABASE warehouse SET timezone = '$zone'");
$node->sql("SELECT setup.create_location('files', 'file://$files')");
$node->sql('CREATE FUNCTION test.pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$');

sub write_rows { my ($name, @rows) = @_; return write_file("$files/$name", "no,v\n", @rows) }

my @types = sort keys %generator;
my (@copies, @lines);
for my $i (0 .. $#types) {
  my $type = $types[$i];
  my @fields = map { field($generator{$type}->()) } 1 .. $values_of_type;
  $lines[$i] = [ map { "$_,$fields[$_]\n" } 0 .. $#fields ];
  write_rows("$i.csv", @{ $lines[$i] });
  $node->sql("CREATE TABLE bronze.${_}_$i (no int, v $type)") for 'direct', 'routed', 'copied', 'strict';
  $node->sql("CREATE TRIGGER pass BEFORE INSERT ON bronze.routed_$i FOR EACH ROW EXECUTE FUNCTION test.pass()");
  $node->add_job("${_}_$i", undef, table_name => "${_}_$i", location => 'files', file_path => "$i.csv",
    on_bad_row => 'reject')
    for 'direct', 'routed';
  push @copies, map { "COPY bronze.copied_$i FROM STDIN (FORMAT csv);\n$_\\.\n" } @{ $lines[$i] };
}
$node->psql('warehouse', join('', @copies), on_error_stop => 0);
is($node->ended($node->start_run), 'OK', 'all files are loaded');

# Once more what is accepted, where nothing else is.
$node->sql('SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs');
for my $i (0 .. $#types) {
  write_rows("strict_$i.csv", @{ $lines[$i] }[ split /\n/, $node->sql("SELECT no FROM bronze.copied_$i") ]);
  $node->add_job("strict_$i", undef, table_name => "strict_$i", location => 'files', file_path => "strict_$i.csv");
}
is($node->ended($node->start_run), 'OK', 'what COPY accepts is accepted');

for my $i (0 .. $#types) {
  for my $way ('direct', 'routed', 'strict') {
    my ($loaded, $copied) = ("SELECT no, v::text FROM bronze.${way}_$i", "SELECT no, v::text FROM bronze.copied_$i");
    is($node->sql("SELECT 'loaded', * FROM ($loaded EXCEPT ALL $copied) l "
          . "UNION ALL SELECT 'copied', * FROM ($copied EXCEPT ALL $loaded) c ORDER BY 2 LIMIT 10"),
      '', "$types[$i], $way: equal to what COPY reads; $how_to_repeat");
    is($node->sql("SELECT count(*) FROM ((TABLE bronze.${way}_$i) EXCEPT ALL (TABLE bronze.copied_$i)) d"), 0,
      'as values, too');
  }
  my $rejects = "bronze.direct_${i}_rejects";
  next if $node->sql("SELECT to_regclass('$rejects')") eq '';
  is($node->sql("SELECT (SELECT count(*) FROM bronze.direct_$i) + (SELECT count(*) FROM $rejects)"), $values_of_type,
    "$types[$i]: what was not loaded was put aside");
  note "$types[$i]: ", $node->sql("SELECT count(*) FROM bronze.copied_$i"), " of $values_of_type accepted";
}
done_testing();
