# Files that are no files, or not what they say: each has an outcome that is written down here, none harms the server.
use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Cwd qw(abs_path);
use Encode qw(encode);
use EtlCluster;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = EtlCluster->started('main', conf => [ 'etl_orchestrator.max_workers = 1', 'log_min_messages = warning' ]);
$node->require_files_module;
my $base = $node->make_directory('files');
my $in = $node->make_directory('files/in');

sub gzip { return Compress::Zlib::memGzip($_[0]) }

# (1,a) and (2,b): id INTEGER, name VARCHAR.
my $parquet = decode_base64(<<'B64');
UEFSMRUAFRwVHCwVBBUAFQYVBgAAAgAAAAQBAQAAAAIAAAAVABUgFSAsFQQVABUGFQYAAAIAAAAE
AQEAAABhAQAAAGIVAhk8NQAYDWR1Y2tkYl9zY2hlbWEVBAAVAiUCGAJpZCUiABUMJQIYBG5hbWUl
AAAWBBkcGSwmABwVAhkVABkYAmlkFQAWBBY+Fj4mCDwYBAIAAAAYBAEAAAAWACgEAgAAABgEAQAA
ABERAAAAJgAcFQwZFQAZGARuYW1lFQAWBBZCFkImRjwYAWIYAWEWACgBYhgBYRERAAAAFoABFgQm
CBaAAQAoKER1Y2tEQiB2ZXJzaW9uIHYxLjQuNCAoYnVpbGQgNmRkYWM4MDJmZikA0AAAAFBBUjE=
B64

my $csv = "id,name\n1,a\n2,b\n";
my $numbers = join '', map { "$_\n" } 'v', '"1,234.5"', '007', '1e3', '+5', '" 5"', '5.5', '-0', '99999999999',
  'infinity', 'NaN', '5-', '""';
my @columns_1600 = map { "c$_" } 1 .. 1600;

# [ name, content, how it is read, what becomes of it, and with on_bad_row => 'reject' where that differs ]: rows, then
# what was put aside (line, column, <raw>, error), or the error with the beginning of its detail.
my $knows_bases = $node->pg_version >= 16;
my @cases = (
  # Encodings
  [ utf8 => "id,name\n1,\xc3\xa9\n", {},
    q{OK (1,é)} ],
  [ latin1_untold => "id,name\n1,a\n2,caf\xe9\n3,c\n", {},
    q{22021 file "latin1_untold.csv", line 3: is not in the file's encoding [The record is: 2,caf\\xe9]},
    q{OK (1,a) (3,c) | 3 name <2,caf\\xe9> 22021 is not in the file's encoding} ],
  [ latin1 => "id,name\n1,caf\xe9\n", { options => '{"encoding": "latin-1"}' },
    q{OK (1,café)} ],
  [ utf16_untold => encode('UTF-16', $csv), {},
    q{22P04 file "utf16_untold.csv" is encoded in UTF-16} ],
  [ utf16 => encode('UTF-16LE', "\x{feff}id,name\n1,caf\xe9\n"), { options => '{"encoding": "utf-16"}' },
    q{OK (1,café)} ],
  [ utf16_no_mark => encode('UTF-16LE', "id,name\n1,caf\xe9\n"), { options => '{"encoding": "utf-16"}' },
    q{OK (1,café)} ],
  [ utf16_half => encode('UTF-16LE', "id,name\n1,caf\xe9\n") . 'x', { options => '{"encoding": "utf-16"}' },
    q{22P04 file "utf16_half.csv", line 3: expected 2 columns, found 1 [The record is: x]},
    q{OK (1,café) | 3 name <x> 22P04 expected 2 columns, found 1} ],
  [ utf16_quote_unclosed => encode('UTF-16LE', "id,name\n1,a\n2,\"b\n3,c\n"), { options => '{"encoding": "utf-16"}' },
    q{22P04 file "utf16_quote_unclosed.csv", line 3: a quote does not end [All the rest of the file would be one row.]} ],
  [ utf16_told_utf8 => $csv, { options => '{"encoding": "utf-16"}' },
    q{42703 the header of file "utf16_told_utf8.csv" does not fit table bronze.t [No column for: "摩測浡੥ⰱ੡ⰲ੢". / The file has: "摩測浡੥ⰱ੡ⰲ੢". / The tab]} ],
  [ mark => "\xef\xbb\xbf$csv", {},
    q{OK (1,a) (2,b)} ],
  [ mark_twice => "\xef\xbb\xbf\xef\xbb\xbf$csv", {},
    q{42703 the header of file "mark_twice.csv" does not fit table bronze.t [No column for: "<MARK>id". / The file has: "<MARK>id", "name". / The table]} ],
  [ mark_only => "\xef\xbb\xbf", {},
    q{22P04 file "mark_only.csv" has no header [It is empty, or its first line is.]} ],
  [ overlong => "id,name\n1,\xc0\x80\n2,b\n", {},
    q{22021 file "overlong.csv", line 2: is not in the file's encoding [The record is: 1,\\xc0\\x80]},
    q{OK (2,b) | 2 name <1,\\xc0\\x80> 22021 is not in the file's encoding} ],
  [ surrogate => "id,name\n1,\xed\xa0\x80\n2,b\n", {},
    q{22021 file "surrogate.csv", line 2: is not in the file's encoding [The record is: 1,\\xed\\xa0\\x80]},
    q{OK (2,b) | 2 name <1,\\xed\\xa0\\x80> 22021 is not in the file's encoding} ],
  [ nul_in_value => "id,name\n1,a\0b\n2,b\n", {},
    q{22021 invalid byte sequence for encoding "UTF8": 0x00 [File "nul_in_value.csv", line 2, column "name": "a\\x00b".]},
    q{OK (2,b) | 2 name <1,a\\x00b> 22021 invalid byte sequence for encoding "UTF8": 0x00} ],
  [ bytes_far_below => join('', "id,name\n", (map { "$_,n\n" } 1 .. 5000), "x,\"\xff\"\n", "5002,\xff\n", "5003,b\n"), {},
    q{22021 file "bytes_far_below.csv", line 5002: is not in the file's encoding [The record is: x,"\\xff"]},
    q{OK (1,n) (2,n) (3,n) (4... of 43901 | 5002 name <x,"\\xff"> 22021 is not in the file's encoding; 5003 name <5002,\\xff> 22021 is not in the file's encoding} ],
  [ nul_in_header => "id,na\0me\n1,a\n", {},
    q{22P04 file "nul_in_header.csv" has a NUL byte at offset 5: it is no text} ],
  [ only_nuls => "\0" x 5000, {},
    q{22P04 file "only_nuls.csv" has a NUL byte at offset 0: it is no text} ],
  [ noise => join('', map { chr(($_ * 7919 + int($_ / 251) * 31) % 256) } 1 .. 50_000), {},
    q{22021 the header of file "noise.csv" is not in its encoding [It is: \\xef\\xdeͼ\\xab\\x9a\\x89xgVE4#??\\xf0\\xdfν\\xac\\x9b\\x8ayhW]} ],

  # Quotes
  [ quote_unclosed => "id,name\n1,a\n2,\"b\n3,c\n", {},
    q{22P04 file "quote_unclosed.csv", line 3: a quote does not end [All the rest of the file would be one row.]} ],
  [ quote_unclosed_far => "id,name\n1,\"a\n" . "2,b\n" x 4_500_000, {},
    q{22P04 file "quote_unclosed_far.csv", line 2: a quote does not end [All the rest of the file would be one row.]} ],
  [ quote_unclosed_header => "id,\"name\n1,a\n2,b\n", {},
    q{22P04 file "quote_unclosed_header.csv" has no header [A quote in its first line does not end.]} ],
  [ quote_inside => "id,name\n1,a\"b\n2,b\n", {},
    q{OK (1,"a""b") (2,b)} ],
  [ quote_then_text => "id,name\n1,\"a\"b\n2,b\n", {},
    q{22P04 file "quote_then_text.csv", line 2: a quote does not end where its value does [The record is: 1,"a"b]},
    q{OK (2,b) | 2 name <1,"a"b> 22P04 a quote does not end where its value does} ],
  [ quote_doubled => "id,name\n1,\"a\"\"b\"\n2,\"\"\"\"\n", {},
    q{OK (1,"a""b") (2,"""")} ],
  [ quote_backslash => "id,name\n1,\"a\\\"b\"\n2,b\n", {},
    q{22P04 file "quote_backslash.csv", line 2: a quote does not end where its value does [The record is: 1,"a\\"b"]},
    q{OK (2,b) | 2 name <1,"a\\"b"> 22P04 a quote does not end where its value does} ],
  [ quote_backslash_told => "id,name\n1,\"a\\\"b\"\n2,b\n", { options => '{"escape": "\\\\"}' },
    q{OK (1,"a""b") (2,b)} ],
  [ escape_itself => "id,name\n1,\"C:\\\\dir\\\\\"\n2,\"a\\\\\\\"b\"\n", { options => '{"escape": "\\\\"}' },
    q{OK (1,"C:\\\\dir\\\\") (2,"a\\\\""b")} ],
  [ escape_other => "id,name\n1,\"a\nb\"\n2,\"C:\\temp\"\n", { options => '{"escape": "\\\\"}' },
    q{22P04 file "escape_other.csv", line 4: the escape mark stands before something else than a quote or itself [The line is: 2,"C:\\temp"]} ],
  [ blanks_and_quote => "id,name\n1,  \"a\n2,b\n", {},
    q{OK (1,"  ""a") (2,b)} ],

  # Above the rows
  [ skip => "Report\n\nid,name\n1,a\n2,b\n", { options => '{"skip": 2}' },
    q{OK (1,a) (2,b)} ],
  [ skip_rejects => "Report\nof 2024\nid,name\n1,a\n2\nx,c\n4,d\n", { options => '{"skip": 2}' },
    q{22P04 file "skip_rejects.csv", line 5: expected 2 columns, found 1 [The record is: 2]},
    q{OK (1,a) (4,d) | 5 name <2> 22P04 expected 2 columns, found 1; 6 id <x,c> 22P02 invalid input syntax for type integer: "x"} ],
  [ skip_quoted_lines => "\"Report,\nof 2024\",\n\nid,name\n1,a\nx,b\n", { options => '{"skip": 3}' },
    q{22P02 invalid input syntax for type integer: "x" [File "skip_quoted_lines.csv", line 6, column "id": "x".]},
    q{OK (1,a) | 6 id <x,b> 22P02 invalid input syntax for type integer: "x"} ],
  [ skip_no_header => "Report\n1,a\nx,b\n", { options => '{"skip": 1, "header": false}' },
    q{22P02 invalid input syntax for type integer: "x" [File "skip_no_header.csv", line 3, column "1": "x".]},
    q{OK (1,a) | 3 1 <x,b> 22P02 invalid input syntax for type integer: "x"} ],
  [ skip_all => "Report\nid,name\n", { options => '{"skip": 9}' },
    q{22P04 file "skip_all.csv" has no header [It is empty, or its first line is.]} ],
  [ skip_quote => "\"Report of\nid,name\n1,a\n2,b\n3,c\n", { options => '{"skip": 1}' },
    q{22P04 file "skip_quote.csv", line 1: a quote does not end in the skipped lines [Where the rows begin cannot be told: skipped lines are read ]} ],
  [ skip_text_behind => "Report\n\"of\" 2024\nid,name\n1,a\n", { options => '{"skip": 2}' },
    q{22P04 file "skip_text_behind.csv", line 2: text stands behind a quoted value in a skipped line [Where the rows begin cannot be told: skipped lines are read ]} ],
  [ skip_quote_inside => "5\" disks\nid,name\n1,a\n", { options => '{"skip": 1}' },
    q{OK (1,a)} ],
  [ skip_ends_mixed => "Report\r\nid,name\n1,a\n", { options => '{"skip": 1}' },
    q{22P04 file "skip_ends_mixed.csv" is no CSV file [Its lines end in different ways: LF, CR LF, CR.]} ],
  [ header_text_behind => "\"id\"x,name\n1,a\n", {},
    q{22P04 file "header_text_behind.csv" has no header [A quote in its first line does not end where its name does.]} ],
  [ header_quoted_lf => "\"key\nid\",label\r\n1,a\r\n2,b\r\n", {},
    q{OK (1,a) (2,b)} ],
  [ header_quoted_crlf => "\"key\r\nid\",label\n1,a\nx,b\n", {},
    q{22P02 invalid input syntax for type integer: "x" [File "header_quoted_crlf.csv", line 4, column "key? / id": "x"]},
    q{OK (1,a) | 4 key? / id <x,b> 22P02 invalid input syntax for type integer: "x"} ],
  [ header_quoted_cr => "\"key\rid\",label\n1,a\n2,b\n", {},
    q{OK (1,a) (2,b)} ],
  [ header_cr => "id,name\rx,y\n1,a\n", {},
    q{22P04 file "header_cr.csv" is no CSV file [Its lines end in different ways: LF, CR LF, CR.]} ],
  [ header_open_18mb => "id,\"" . ('x' x 6_000_000 . "\n") x 3 . "\"\n1,a\n", {},
    q{54000 file "header_open_18mb.csv" has a row of more than 16 MB} ],

  # Sizes
  [ line_100mb => "id,name\n1," . 'x' x 100_000_000 . "\n2,b\n", {},
    q{54000 file "line_100mb.csv" has a row of more than 16 MB} ],
  [ field_20mb => "id,name\n1,\"" . "xxxxxxx\n" x 2_500_000 . "\"\n2,b\n", {},
    q{54000 file "field_20mb.csv", line 2: a line has more than 16 MB [The record is: 1,"xxxxxxx / xxxxxxx / xxxxxxx / xxxxxxx / xxxxxxx / xx]},
    q{54000 file "field_20mb.csv" has a row of more than 16 MB} ],
  [ field_10mb => "id,name\n1,\"" . "xxxxxxx\n" x 1_250_000 . "\"\n2,b\n", {},
    q{OK (1,"xxxxxxx / xxxxxxx / ... of 10000012} ],
  [ nuls_1gb => undef, { make => sub { truncate_new($_[0], 1 << 30) } },
    q{22P04 file "nuls_1gb.csv" has a NUL byte at offset 0: it is no text} ],
  [ columns_1600 => join(',', @columns_1600) . "\n" . join(',', (1) x 1600) . "\n",
    { columns => join(', ', map { "$_ int2" } @columns_1600) },
    q{OK (1,1,1,1,1,1,1,1,1,1... of 3201} ],
  [ columns_2000 => join(',', map { "c$_" } 1 .. 2000) . "\n", {},
    q{54011 file "columns_2000.csv" has 2000 columns [A table has 1600 at most.]} ],
  [ delimiters => ',' x 3_000_000 . "\n", {},
    q{54011 file "delimiters.csv" has 3000001 columns [A table has 1600 at most.]} ],
  [ header_200_lines => "id,\"" . "name\n" x 200 . "\"\n1,a\n", {},
    q{22P04 file "header_200_lines.csv" has no header [A quote in its first line does not end.]} ],

  # Rows
  [ rows_short => "id,name\n1,a\n2\n3,c\n", {},
    q{22P04 file "rows_short.csv", line 3: expected 2 columns, found 1 [The record is: 2]},
    q{OK (1,a) (3,c) | 3 name <2> 22P04 expected 2 columns, found 1} ],
  [ rows_long => "id,name\n1,a\n2,b,x\n3,c\n", {},
    q{22P04 file "rows_long.csv", line 3: expected 2 columns, found 3 [The record is: 2,b,x]},
    q{OK (1,a) (3,c) | 3 <2,b,x> 22P04 expected 2 columns, found 3} ],
  [ rows_of_nothing => "id,name\n1,a\n\n\n2,b\n\n", {},
    q{OK (1,a) (2,b)} ],
  [ row_of_spaces => "id,name\n1,a\n  \n2,b\n", {},
    q{22P04 file "row_of_spaces.csv", line 3: expected 2 columns, found 1 [The record is:   ]},
    q{OK (1,a) (2,b) | 3 name <  > 22P04 expected 2 columns, found 1} ],
  [ delimiter_behind => "id,name,\n1,a,\n", {},
    q{42703 the header of file "delimiter_behind.csv" does not fit table bronze.t [No column for: "". / The file has: "id", "name", "". / The table]} ],
  [ delimiter_other_rows => "id;name\n1\n1;a\n", {},
    q{42703 the header of file "delimiter_other_rows.csv" does not fit table bronze.t [No column for: "id;name". / The file has: "id;name". / The table]} ],
  [ delimiter_other => "id;name\n1;a\n", {},
    q{42703 the header of file "delimiter_other.csv" does not fit table bronze.t [No column for: "id;name". / The file has: "id;name". / The table]} ],
  [ names_other => "key,label\nx,a\n", {},
    q{22P02 invalid input syntax for type integer: "x" [File "names_other.csv", line 2, column "key": "x".]},
    q{22P04 file "names_other.csv" has neither a name nor a row that fits table bronze.t} ],
  [ copy_end => "id,name\n1,a\n\\.\n2,b\n", {},
    q{22P04 file "copy_end.csv", line 3: expected 2 columns, found 1 [The record is: \\.]},
    q{OK (1,a) (2,b) | 3 name <\\.> 22P04 expected 2 columns, found 1} ],
  [ control_z => "id,name\n1,a\n\x1a", {},
    q{22P04 file "control_z.csv", line 3: expected 2 columns, found 1 [The record is: ?]},
    q{OK (1,a) | 3 name <?> 22P04 expected 2 columns, found 1} ],

  # Headers
  [ header_twice => "id,name,ID\n1,a,2\n", {},
    q{42701 the header of file "header_twice.csv" names column "id" twice} ],
  [ header_empty_name => "id,\n1,a\n", {},
    q{42703 the header of file "header_empty_name.csv" does not fit table bronze.t [No column for: "". / The file has: "id", "". / The table has: "i]} ],
  [ header_all_empty => ",\n1,a\n", {},
    q{OK (1,a)} ],
  [ header_reserved => "select,Order,user\n1,2,3\n", { columns => '"select" int, "order" int, "user" int' },
    q{OK (1,2,3)} ],
  [ header_odd => qq(a b,"a""b","a,b",\xc3\xa9,c1,c0\n1,2,3,4,5,6\n),
    { columns => qq("a b" int, "a""b" int, "a,b" int, "\xc3\xa9" int, c0 int, c1 int) },
    q{OK (1,2,3,4,6,5)} ],
  [ header_sql => qq{"x'); DROP TABLE t; --",id\n1,2\n}, { columns => 'a int, b int' },
    q{OK (1,2)} ],
  [ header_long => 'x' x 100 . ",id\n1,2\n", { columns => 'a int, id int' },
    q{42703 the header of file "header_long.csv" does not fit table bronze.t [No column for: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]} ],
  [ header_only => "id,name\n", {},
    q{OK} ],
  [ empty => '', {},
    q{22P04 file "empty.csv" has no header [It is empty, or its first line is.]} ],
  [ newlines => "\n" x 5000, {},
    q{22P04 file "newlines.csv" has no header [It is empty, or its first line is.]} ],
  [ spaces => ' ' x 5000, {},
    q{42703 the header of file "spaces.csv" does not fit table bronze.t [No column for: "". / The file has: "                          ]} ],

  # Ends of lines
  [ ends_cr => "id,name\r1,a\r2,b\r", {},
    q{OK (1,a) (2,b)} ],
  [ ends_crlf => "id,name\r\n1,a\r\n2,b\r\n", {},
    q{OK (1,a) (2,b)} ],
  [ ends_mixed => "id,name\n1,a\r\n2,b\n", {},
    q{22P04 file "ends_mixed.csv" is no CSV file [Its lines end in different ways: LF, CR LF, CR.]} ],
  [ ends_mixed_crlf => "id,name\r\n1,a\n2,b\r\n", {},
    q{22P04 file "ends_mixed_crlf.csv" is no CSV file [Its lines end in different ways: LF, CR LF, CR.]} ],
  [ ends_mixed_cr => "id,name\n1,a\r2,b\n", {},
    q{22P04 file "ends_mixed_cr.csv" is no CSV file [Its lines end in different ways: LF, CR LF, CR.]} ],
  [ ends_quoted_cr => "id,name\n1,\"a\rb\"\n2,\"c\r\nd\"\n", {},
    q{OK (1,"a?b") (2,"c? / d")} ],
  [ ends_quoted_crlf => "id,name\r\n1,\"a\r\nb\"\r\n2,\"c\nd\"\r\nx,\"e\r\nf\"\r\n", {},
    q{22P02 invalid input syntax for type integer: "x" [File "ends_quoted_crlf.csv", line 6, column "id": "x".]},
    q{OK (1,"a? / b") (2,"c / d") | 6 id <x,"e? / f"> 22P02 invalid input syntax for type integer: "x"} ],
  [ ends_none => "id,name\n1,a\n2,b", {},
    q{OK (1,a) (2,b)} ],

  # Compressed
  [ gzip => gzip($csv), { file => 'gzip.csv.gz' },
    q{OK (1,a) (2,b)} ],
  [ gzip_twice => gzip("id,name\n1,a\n") . gzip("2,b\n"), { file => 'gzip_twice.csv.gz' },
    q{OK (1,a) (2,b)} ],
  [ gzip_quote_unclosed => gzip("id,name\n1,a\n2,\"b\n3,c\n"), { file => 'gzip_quote_unclosed.csv.gz' },
    q{22P04 file "gzip_quote_unclosed.csv.gz", line 3: a quote does not end [All the rest of the file would be one row.]} ],
  [ gzip_rows_in_quotes => gzip("id,name\n" . join '', map { "$_,\"" . "7,x\n" x 3_000_000 . "\"\n" } 1 .. 3),
    { file => 'gzip_rows_in_quotes.csv.gz' },
    q{OK (1,"7,x / 7,x / 7,x / 7,x / ... of 36000020} ],
  [ gzip_truncated => substr(gzip(join '', "id,name\n", map { "$_,name$_\n" } 1 .. 50_000), 0, 60_000),
    { file => 'gzip_truncated.csv.gz' },
    q{22P04 file "gzip_truncated.csv.gz" ends too early: it was cut off} ],
  [ gzip_no_trailer => substr(gzip($csv), 0, -6), { file => 'gzip_no_trailer.csv.gz' },
    q{22P04 file "gzip_no_trailer.csv.gz" ends too early: it was cut off} ],
  [ gzip_bad_sum => gzip_with_bad_sum(), { file => 'gzip_bad_sum.csv.gz' },
    q{22P04 file "gzip_bad_sum.csv.gz" is damaged, or something follows its content} ],
  [ gzip_bad_middle => gzip_with_bad_middle(), { file => 'gzip_bad_middle.csv.gz' },
    q{22P04 file "gzip_bad_middle.csv.gz" is damaged, or something follows its content} ],
  [ gzip_garbage => gzip($csv) . 'garbage' x 10, { file => 'gzip_garbage.csv.gz' },
    q{22P04 file "gzip_garbage.csv.gz" is damaged, or something follows its content} ],
  [ gzip_zeros => gzip($csv) . "\0" x 512, { file => 'gzip_zeros.csv.gz' },
    q{22P04 file "gzip_zeros.csv.gz" is damaged, or something follows its content} ],
  [ gzip_empty => '', { file => 'gzip_empty.csv.gz' },
    q{22P04 file "gzip_empty.csv.gz" is empty} ],
  [ gzip_of_nothing => gzip(''), { file => 'gzip_of_nothing.csv.gz' },
    q{22P04 file "gzip_of_nothing.csv.gz" has no header [It is empty, or its first line is.]} ],
  [ gzip_bomb => gzip("\0" x 50_000_000), { file => 'gzip_bomb.csv.gz' },
    q{54000 file "gzip_bomb.csv.gz" has a row of more than 16 MB} ],
  [ gzip_called_csv => gzip($csv), {},
    q{22P04 file "gzip_called_csv.csv" is compressed with gzip} ],
  [ csv_called_gzip => $csv, { file => 'csv_called_gzip.csv.gz' },
    q{22P04 file "csv_called_gzip.csv.gz" is not compressed with gzip} ],

  # Parquet
  [ parquet => $parquet, { file => 'parquet.parquet' },
    q{OK (1,a) (2,b)} ],
  [ parquet_truncated => substr($parquet, 0, 150), { file => 'parquet_truncated.parquet' },
    q{22P04 file "parquet_truncated.parquet" is damaged, or no Parquet file} ],
  [ parquet_cut_inside => substr($parquet, 0, 60) . substr($parquet, 100), { file => 'parquet_cut_inside.parquet' },
    q{22P04 file "parquet_cut_inside.parquet" is damaged, or no Parquet file} ],
  [ parquet_long_footer => substr($parquet, 0, -8) . "\xff\xff\xff\x7fPAR1", { file => 'parquet_long_footer.parquet' },
    q{22P04 file "parquet_long_footer.parquet" is damaged, or no Parquet file} ],
  [ parquet_bad_footer => substr($parquet, 0, 100) . "\xff" x 100 . substr($parquet, 200),
    { file => 'parquet_bad_footer.parquet' },
    q{22P04 file "parquet_bad_footer.parquet" is damaged, or no Parquet file} ],
  [ parquet_bad_pages => substr($parquet, 0, 4) . "\xff" x 60 . substr($parquet, 64), { file => 'parquet_bad_pages.parquet' },
    q{22P04 file "parquet_bad_pages.parquet" is damaged, or no Parquet file} ],
  [ parquet_magic => 'PAR1PAR1', { file => 'parquet_magic.parquet' },
    q{22P04 file "parquet_magic.parquet" is damaged, or no Parquet file} ],
  [ parquet_empty => '', { file => 'parquet_empty.parquet' },
    q{22P04 file "parquet_empty.parquet" is empty} ],
  [ parquet_called_csv => $parquet, {},
    q{22P04 file "parquet_called_csv.csv" is a Parquet file} ],
  [ csv_called_parquet => $csv, { file => 'csv_called_parquet.parquet' },
    q{22P04 file "csv_called_parquet.parquet" is no Parquet file} ],

  # JSON
  [ json => '[{"id": 1, "name": "a"}, {"name": null, "id": 2}]', { file => 'json.json' },
    q{OK (1,a) (2,)} ],
  [ ndjson => qq({"id": 1, "name": "a"}\n{"name": "b"}\n\n{"id": 3, "name": "\\u00e9"}), { file => 'ndjson.ndjson' },
    q{OK (1,a) (,b) (3,é)} ],
  [ json_object => '{"id": 1, "name": {"first": [1, 2]}}', { file => 'json_object.json' },
    q{OK (1,"{""first"":[1,2]}")} ],
  [ json_empty => '', { file => 'json_empty.json' },
    q{22P04 file "json_empty.json" is empty} ],
  [ json_empty_array => '[]', { file => 'json_empty_array.json' },
    q{22P04 file "json_empty_array.json" has no columns [It holds no object that has any.]} ],
  [ json_unterminated => '[{"id": 1, "name": "a"}, {"id": 2, "name": "b', { file => 'json_unterminated.json' },
    q{22P04 file "json_unterminated.json" cannot be read [Malformed JSON in file "json_unterminated.json", at byte 21 ]} ],
  [ json_deep => '[' x 100_000, { file => 'json_deep.json' },
    q{22P04 file "json_deep.json" cannot be read [Malformed JSON in file "json_deep.json", at byte 100000 in r]} ],
  [ json_deep_value => '{"id": 1, "name": ' . '[' x 100_000 . ']' x 100_000 . '}', { file => 'json_deep_value.json' },
    q{OK (1,[[[[[[[[[[[[[[[[[... of 200004} ],
  [ json_numbers => '[1, 2, 3]', { file => 'json_numbers.json' },
    q{22P04 file "json_numbers.json" has values that are not objects [Each row must be an object: {"column": value, ...}.]} ],
  [ json_text => '"id"', { file => 'json_text.json' },
    q{22P04 file "json_text.json" has values that are not objects [Each row must be an object: {"column": value, ...}.]} ],
  [ json_nan => '[{"id": NaN, "name": "a"}]', { file => 'json_nan.json' },
    q{22P02 invalid input syntax for type integer: "NaN" [File "json_nan.json", row 1, column "id": "NaN".]},
    q{OK | id <NaN> 22P02 invalid input syntax for type integer: "NaN"} ],
  [ json_keys_twice => '[{"id": 1, "id": 2, "name": "a"}]', { file => 'json_keys_twice.json' },
    q{22P04 file "json_keys_twice.json" cannot be read [JSON transform error in file "json_keys_twice.json", in reco]} ],
  [ json_keys_cases => '[{"id": 1, "ID": 2, "name": "a"}]', { file => 'json_keys_cases.json' },
    q{42701 the header of file "json_keys_cases.json" names column "id" twice} ],
  [ json_surrogate => '[{"id": 1, "name": "\ud800"}]', { file => 'json_surrogate.json' },
    q{22P04 file "json_surrogate.json" cannot be read [Malformed JSON in file "json_surrogate.json", at byte 26 in ]} ],
  [ json_nul => '[{"id": 1, "name": "a\u0000b"}, {"id": 2, "name": "b"}]', { file => 'json_nul.json' },
    q{22021 invalid byte sequence for encoding "UTF8": 0x00 [File "json_nul.json", row 1, column "name": "a\\x00b".]},
    q{OK (2,b) | name <a\\x00b> 22021 invalid byte sequence for encoding "UTF8": 0x00} ],
  [ json_latin1 => qq([{"id": 1, "name": "caf\xe9"}]), { file => 'json_latin1.json' },
    q{22P04 file "json_latin1.json" cannot be read [Malformed JSON in file "json_latin1.json", at byte 23 in rec]} ],
  [ json_mark => qq(\xef\xbb\xbf[{"id": 1, "name": "a"}]), { file => 'json_mark.json' },
    q{22P04 file "json_mark.json" begins with a byte order mark, which JSON does not have} ],
  [ json_big_number => '[{"id": 123456789012345678901234567890.5, "name": 1e400}]',
    { file => 'json_big_number.json', columns => 'id numeric, name numeric' },
    q{OK (1234567890123456800... of 434} ],
  [ json_garbage => '[{"id": 1, "name": "a"}] x', { file => 'json_garbage.json' },
    q{22P04 file "json_garbage.json" cannot be read [Malformed JSON in file "json_garbage.json", at byte 1 in rec]} ],
  [ json_bad_value => '[{"id": 1, "name": "a"}, {"id": "x", "name": "b"}]', { file => 'json_bad_value.json' },
    q{22P02 invalid input syntax for type integer: "x" [File "json_bad_value.json", row 2, column "id": "x".]},
    q{OK (1,a) | id <x> 22P02 invalid input syntax for type integer: "x"} ],
  [ ndjson_bad_line => qq({"id": 1, "name": "a"}\n{"id": 2, "name"\n{"id": 3, "name": "c"}\n),
    { file => 'ndjson_bad_line.ndjson' },
    q{22P04 file "ndjson_bad_line.ndjson" cannot be read [Malformed JSON in file "ndjson_bad_line.ndjson", at byte 17 ]} ],
  [ json_called_csv => '[{"id": 1, "name": "a"}]', {},
    q{22P04 file "json_called_csv.csv" has no header [A quote in its first line does not end where its name does.]} ],
  [ csv_called_json => $csv, { file => 'csv_called_json.json' },
    q{22P04 file "csv_called_json.json" cannot be read [Malformed JSON in file "csv_called_json.json", at byte 1 in ]} ],

  # Values
  [ integers => $numbers, { columns => 'v int' },
    q{22P02 invalid input syntax for type integer: "1,234.5" [File "integers.csv", line 2, column "v": "1,234.5".]},
    q{OK (7) (5) (5) (0) | 2 v <"1,234.5"> 22P02 invalid input syntax for type integer: "1,234.5"; 4 v <1e3> 22P02 invalid input syntax for type integer: "1e3"; 7 v <5.5> 22P02 invalid input syntax for type integer: "5.5"; 9 v <99999999999> 22003 value "99999999999" is out of range for type integer; 10 v <infinity> 22P02 invalid input syntax for type integer: "infinity"; 11 v <NaN> 22P02 invalid input syntax for type integer: "NaN"; 12 v <5-> 22P02 invalid input syntax for type integer: "5-"; 13 v <""> 22P02 invalid input syntax for type integer: ""} ],
  [ numerics => $numbers, { columns => 'v numeric(12,2)' },
    q{22P02 invalid input syntax for type numeric: "1,234.5" [File "numerics.csv", line 2, column "v": "1,234.5".]},
    q{OK (7.00) (1000.00) (5.00) (5.00) (5.50) (0.00) (NaN) | 2 v <"1,234.5"> 22P02 invalid input syntax for type numeric: "1,234.5"; 9 v <99999999999> 22003 numeric field overflow; 10 v <infinity> 22003 numeric field overflow; 12 v <5-> 22P02 invalid input syntax for type numeric: "5-"; 13 v <""> 22P02 invalid input syntax for type numeric: ""} ],
  [ integers_new => "v\n1_000\n0x10\n", { columns => 'v int' }, $knows_bases ? 'OK (1000) (16)' :
    (q{22P02 invalid input syntax for type integer: "1_000" [File "integers_new.csv", line 2, column "v": "1_000".]},
    q{OK | 2 v <1_000> 22P02 invalid input syntax for type integer: "1_000"; }
      . q{3 v <0x10> 22P02 invalid input syntax for type integer: "0x10"}) ],
  [ numerics_new => "v\n1_000\n0x10\n", { columns => 'v numeric' }, $knows_bases ? 'OK (1000) (16)' :
    (q{22P02 invalid input syntax for type numeric: "1_000" [File "numerics_new.csv", line 2, column "v": "1_000".]},
    q{OK | 2 v <1_000> 22P02 invalid input syntax for type numeric: "1_000"; }
      . q{3 v <0x10> 22P02 invalid input syntax for type numeric: "0x10"}) ],
  [ floats => $numbers, { columns => 'v float8' },
    q{22P02 invalid input syntax for type double precision: "1,234.5" [File "floats.csv", line 2, column "v": "1,234.5".]},
    q{OK (7) (1000) (5) (5) (5.5) (-0) (99999999999) (Infinity) (NaN) | 2 v <"1,234.5"> 22P02 invalid input syntax for type double precision: "1,234.5"; 12 v <5-> 22P02 invalid input syntax for type double precision: "5-"; 13 v <""> 22P02 invalid input syntax for type double precision: ""} ],
  [ decimal_commas => qq(v\n"1,5"\n"1.234,5"\n2\n1.234\n),
    { columns => 'v numeric', options => '{"decimal_separator": ","}' },
    q{22P02 invalid input syntax for type numeric: "1.234,5" (with decimal_separator ",") [File "decimal_commas.csv", line 3, column "v": "1.234,5".]},
    q{OK (1.5) (2) | 3 v <"1.234,5"> 22P02 invalid input syntax for type numeric: "1.234,5" (with decimal_separator ","); 5 v <1.234> 22P02 invalid input syntax for type numeric: "1.234" (with decimal_separator ",")} ],
  [ dates => join('', map { "$_\n" } 'v', '2024-02-29', '29.02.2024', '02/29/2024', '20240229', 'Feb 29 2024', '29/02/2024',
      '0000-00-00', '2023-02-29', '2024-02-30', 'infinity', ''), { columns => 'v date' },
    q{22008 date/time field value out of range: "29.02.2024" [File "dates.csv", line 3, column "v": "29.02.2024".]},
    q{OK (2024-02-29) (2024-02-29) (2024-02-29) (2024-02-29) (infinity) () | 3 v <29.02.2024> 22008 date/time field value out of range: "29.02.2024"; 7 v <29/02/2024> 22008 date/time field value out of range: "29/02/2024"; 8 v <0000-00-00> 22008 date/time field value out of range: "0000-00-00"; 9 v <2023-02-29> 22008 date/time field value out of range: "2023-02-29"; 10 v <2024-02-30> 22008 date/time field value out of range: "2024-02-30"} ],
  [ dates_told => join('', map { "$_\n" } 'v', '29.02.2024', '29.02.2023', '2024-02-29'),
    { columns => 'v date', options => '{"date_format": "%d.%m.%Y"}' },
    q{22007 invalid input syntax for type date: "29.02.2023 (not %d.%m.%Y)" [File "dates_told.csv", line 3, column "v": "29.02.2023 (not ]},
    q{OK (2024-02-29) (2024-02-29) | 3 v <29.02.2023> 22007 invalid input syntax for type date: "29.02.2023 (not %d.%m.%Y)"} ],
  [ timestamps => join('', map { "$_\n" } 'v', '2024-02-29T12:00:00Z', '2024-02-29 12:00:60', '2024-02-29 24:00:00',
      '2024-02-29 25:00:00', '12:00'), { columns => 'v timestamp' },
    q{22008 date/time field value out of range: "2024-02-29 25:00:00" [File "timestamps.csv", line 5, column "v": "2024-02-29 25:00]},
    q{OK ("2024-02-29 12:00:00") ("2024-02-29 12:01:00") ("2024-03-01 00:00:00") | 5 v <2024-02-29 25:00:00> 22008 date/time field value out of range: "2024-02-29 25:00:00"; 6 v <12:00> 22007 invalid input syntax for type timestamp: "12:00"} ],
);

sub truncate_new {
  my ($path, $size) = @_;
  write_file($path, '');
  truncate $path, $size or die $!;
  return;
}

sub gzip_with_bad_sum {
  my $content = gzip("id,name\n1,a\n2,b\n");
  substr($content, -8, 4) ^= "\xff\xff\xff\xff";
  return $content;
}

sub gzip_with_bad_middle {
  my $content = gzip(join '', "id,name\n", map { "$_,name$_\n" } 1 .. 50_000);
  substr($content, 30_000, 4) = "\xff\xff\xff\xff";
  return $content;
}

my (@setup, %known);
for my $case (@cases) {
  my ($name, $content, $how) = @$case;
  die "$name twice" if $known{$name}++;
  my $file = $how->{file} // "$name.csv";
  $how->{make} ? $how->{make}->("$in/$file") : write_file("$in/$file", $content);
  $case->[1] = undef;
  for my $kind ('fail', 'reject') {
    my $table = "${name}_$kind";
    push @setup, "CREATE TABLE bronze.$table (" . ($how->{columns} // 'id int, name text') . ')';
    push @setup, "SELECT setup.add_job('bronze', '$table', table_name => '$table', location => 'in', "
      . "file_path => '$file', on_bad_row => '$kind', max_attempts => 1, reader_options => "
      . literal($how->{options} // '{}') . ')';
  }
}
$node->sql("SELECT setup.create_location('in', 'file://$in')");
$node->sql(join ";\n", @setup);
$node->sql(<<'SQL');
CREATE FUNCTION test.printable(t text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN regexp_replace(replace(replace(t, E'\n', ' / '), E'\uFEFF', '<MARK>'), '[[:cntrl:]]', '?', 'g');
-- What became of a job: its rows, and those that were put aside, or its error.
CREATE FUNCTION test.outcome(job text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  entry record;
  result text;
  rejects text;
BEGIN
  SELECT * INTO entry FROM setup.load_log l WHERE l.job_name = job ORDER BY log_id DESC LIMIT 1;
  IF entry.status <> 'OK' THEN
    RETURN test.printable(concat_ws(' ', entry.sqlstate, entry.message, '[' || left(entry.detail, 60) || ']'));
  END IF;
  EXECUTE format('SELECT string_agg(t::text, '' '' ORDER BY ctid) FROM bronze.%I t', job) INTO result;
  IF to_regclass(format('bronze.%I', job || '_rejects')) IS NOT NULL THEN
    EXECUTE format('SELECT string_agg(concat_ws('' '', r.line, r.column_name, ''<'' || left(r.raw, 30) || ''>'', r.sqlstate, r.error), ''; ''
      ORDER BY r.line, r.raw) FROM bronze.%I r WHERE run_id = (SELECT max(run_id) FROM setup.load_runs)', job || '_rejects') INTO rejects;
  END IF;
  IF length(result) > 100 THEN result := left(result, 20) || '... of ' || length(result); END IF;
  RETURN test.printable(concat_ws(' ', 'OK', result, '| ' || rejects));
END
$$;
SQL

my $incarnation = $node->incarnation;

# Open files that are none of the server's own: it keeps those of tables open for a while.
sub descriptors_of {
  my ($pid) = @_;
  my $data = abs_path($node->data_dir);
  return scalar grep { (readlink // '') !~ m{^\Q$data\E/} } glob "/proc/$pid/fd/*";
}

# A run of all of them, in the one worker: what it holds afterwards.
sub run_all {
  my $run = $node->start_run(q{jobs => ARRAY(SELECT job_name FROM setup.load_jobs)});
  $node->becomes_true("SELECT finished_at IS NOT NULL FROM setup.load_runs WHERE run_id = $run");
  my $worker = $node->processes('worker');
  my %state = map { /^(RssAnon|Threads):\s+(\d+)/ ? ($1 => $2) : () } split /^/, slurp_file("/proc/$worker/status");
  return (pid => $worker, descriptors => descriptors_of($worker), %state);
}

my @rounds = ({ run_all() });
my %outcomes = split /\n/, $node->sql(<<'SQL');
SELECT string_agg(concat_ws(E'\n', job_name, regexp_replace(test.outcome(job_name), 'bronze\.\w+_(fail|reject)\y', 'bronze.t', 'g')),
                  E'\n') FROM setup.load_jobs
SQL
for my $case (@cases) {
  my ($name, undef, undef, $fails, $rejects) = @$case;
  is("$outcomes{\"${name}_fail\"}\n$outcomes{\"${name}_reject\"}", "$fails\n" . ($rejects // $fails), $name);
}
push @rounds, { run_all() } for 2, 3;
# What allocators keep goes up and down by some MB; a leak grows in every round.
my $allowed = 32_768;
push @rounds, { run_all() } while @rounds < 6 && $rounds[-1]{RssAnon} >= $rounds[-2]{RssAnon} + $allowed;
note join ', ', map { "$_ $rounds[1]{$_} $rounds[2]{$_}" } sort keys %{ $rounds[2] };
is($rounds[2]{pid}, $rounds[0]{pid}, 'one worker loads all files three times');
is($rounds[2]{descriptors}, $rounds[1]{descriptors}, 'it keeps no descriptor');
is($rounds[2]{Threads}, 1, 'no thread');
cmp_ok($rounds[-1]{RssAnon}, '<', $rounds[-2]{RssAnon} + $allowed, 'and no memory');

# Names that lead elsewhere, and things that are no files.

write_file("$base/secret.csv", $csv);
write_file("$in/there.csv", $csv);
my $odd = "$in/odd";
mkdir $_ or die $! for $odd, "$odd/directory.csv";
write_file("$odd/good.csv", $csv);
write_file("$odd/unreadable.csv", $csv);
chmod 0, "$odd/unreadable.csv";
system('mkfifo', "$odd/fifo.csv") == 0 or die;
my %links = (outside => '../../secret.csv', absolute => "$base/secret.csv", loop => 'loop.csv', zero => '/dev/zero',
  proc => '/proc/self/environ', nowhere => 'none.csv', inside => 'good.csv');
symlink $links{$_}, "$odd/$_.csv" or die $! for keys %links;
write_file("$odd/caf\xe9.csv", $csv);

$node->sql('CREATE TABLE bronze.odd (id int, name text)');

# What becomes of a job that reads this path.
sub told_of {
  my ($path) = @_;
  my $added = $node->failure("SELECT setup.add_job('bronze', 'odd', table_name => 'odd', location => 'in', "
      . 'max_attempts => 1, file_path => ' . literal($path) . ')');
  return "$added->{sqlstate} $added->{message}" if %$added;
  my $started = $node->failure("SELECT setup.start_run(jobs => '{odd}')");
  my $told = %$started ? "$started->{sqlstate} $started->{detail}" : $node->ended($node->last_run);
  $told = $node->sql("SELECT test.outcome('odd')") unless %$started;
  $node->sql("SELECT setup.drop_job('bronze', 'odd')");
  return $told;
}
my $upwards = qr/^23514 job "bronze.odd": file_path must lead from its location downwards/;
like(told_of($_), $upwards, $_) for '../secret.csv', 'odd/../../secret.csv', "$base/secret.csv", '/etc/passwd';
my %refusals = (
  directory => 'is a directory', fifo => 'is a named pipe', loop => 'goes through symbolic links that are not followed',
  nowhere => 'does not exist', unreadable => 'cannot be read by the server: Permission denied',
  map { $_ => 'leads out of the location' } qw(outside absolute zero proc));
is(told_of("odd/$_.csv"), qq{OR002 job "bronze.odd": file "odd/$_.csv" of location "in" $refusals{$_}}, "odd/$_.csv")
  for sort keys %refusals;
is(told_of('odd/inside.csv'), 'OK (1,a) (2,b)', 'a link inside the location');
unlink "$odd/unreadable.csv" or die $!;
is(told_of('odd/*'), 'OK (1,a) (2,b) (1,a) (2,b)', 'a pattern means the files, and nothing else');

# What happens to files after the run was planned: a job's program does it. And while they are read: a trigger does.

my %harm = (
  vanishes => 'rm F', becomes_fifo => 'rm F; mkfifo F', becomes_link => 'rm F; ln -s ../secret.csv F',
  becomes_directory => 'rm F; mkdir F', becomes_empty => ': >F', becomes_unreadable => 'chmod 0 F',
  becomes_binary => 'head -c 5000 /dev/zero >F');
my %harm_while_read = (
  grows => 'echo 3,c >>F', shrinks => 'truncate -s 20 F', is_emptied => ': >F', is_renamed => 'mv F F.old',
  is_touched => 'touch -d 2000-01-01 F');
my $long = join '', "id,name\n", map { "$_," . 'x' x 1000 . "\n" } 1 .. 80_000;
sub program {
  my ($name, $command) = @_;
  $command =~ s{F}{'$in/$name.csv'}g;
  return "COPY (SELECT) TO PROGRAM " . literal("cat >/dev/null; $command");
}
for my $name (keys %harm, keys %harm_while_read) {
  write_file("$in/$name.csv", $harm{$name} ? $csv : $long);
  $node->sql("CREATE TABLE bronze.$name (id int, name text)");
  $node->add_job($name, undef, table_name => $name, location => 'in', file_path => "$name.csv", max_attempts => 1,
    $harm{$name} ? (depends_on => ["does_$name"]) : ());
  $node->add_job("does_$name", program($name, $harm{$name})) if $harm{$name};
  $node->sql("CREATE FUNCTION test.$name() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN "
      . program($name, $harm_while_read{$name}) . "; RETURN NULL; END \$\$; CREATE TRIGGER harm BEFORE INSERT ON "
      . "bronze.$name FOR EACH STATEMENT EXECUTE FUNCTION test.$name()")
    if $harm_while_read{$name};
}
my @harmed = (sort(keys %harm), sort keys %harm_while_read);
my $run = $node->start_run("jobs => ARRAY['" . join("', '", map { ($harm{$_} ? "does_$_" : (), $_) } @harmed) . "']");
$node->ended($run);
my %harmed = (
  becomes_binary => '22P04 file "becomes_binary.csv" has a NUL byte at offset 0: it is no text',
  becomes_directory => '42809 file "becomes_directory.csv" of location "in" is a directory',
  becomes_empty => '22P04 file "becomes_empty.csv" has no header [It is empty, or its first line is.]',
  becomes_fifo => '42809 file "becomes_fifo.csv" of location "in" is a named pipe',
  becomes_link => '42501 file "becomes_link.csv" of location "in" leads out of the location',
  becomes_unreadable => '42501 file "becomes_unreadable.csv" of location "in" cannot be read by the server: Permission denied',
  vanishes => '58P01 file "vanishes.csv" of location "in" does not exist',
  is_renamed => 'OK (1,xxxxxxxxxxxxxxxxx... of 80708893',
  map { $_ => qq{55006 file "$_.csv" changed while it was read} } qw(grows is_emptied is_touched shrinks));
is($node->sql("SELECT test.outcome('$_')"), $harmed{$_}, "a file that $_" =~ s/_/ /gr) for @harmed;

my $said = $node->sql(<<'SQL');
SELECT string_agg(concat_ws(' ', message, detail, hint, context), E'\n') FROM setup.load_log
SQL
my $foreign = qr{duckdb|/proc/self|read_(csv|json|parquet)|varchar|strict_mode|ignore_errors|reject_(errors|scans)|possible fixes
  |auto_detect|sniff|protocol}xi;
unlike($said, $foreign, 'errors are in words of ours');
is($node->incarnation, $incarnation, 'the server has not crashed');
is($node->times_logged(qr/terminated by signal|PANIC|exited with exit code [2-9]/), 0, 'and no process of it has');
is($node->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'etl_orchestrator worker' AND state = 'active'"), 0,
  'no load goes on');
done_testing();
