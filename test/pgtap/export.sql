-- Exports: what the files hold, who may write them, that they are there as a whole or not at all, how long they are kept.
\ir tools.psql
SET client_min_messages = error;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\set url 'file://' :files '/out'
\! mkdir -m 777 -p $FILES/out $FILES/elsewhere
CREATE ROLE export_owner LOGIN;
CREATE ROLE export_writer LOGIN;
CREATE ROLE export_stranger LOGIN;
GRANT pg_read_server_files, pg_write_server_files TO export_owner;
GRANT pg_read_server_files TO export_stranger;
GRANT USAGE ON SCHEMA setup TO export_owner, export_writer, export_stranger;

-- What is beneath the location: names, of hidden ones only ".", and nothing of what is in them.
CREATE FUNCTION names() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  CREATE TEMP TABLE IF NOT EXISTS found (path text);
  TRUNCATE found;
  EXECUTE format('COPY found FROM PROGRAM %L WITH (FORMAT csv, QUOTE e''\x01'', DELIMITER e''\x02'')',
    format('cd %L/out && find . -mindepth 1 \( -name ".*" -printf ".\n" -prune -o -printf "%%P\n" \) | LC_ALL=C sort', current_setting('test.files')));
  SELECT string_agg(path, ' ') INTO result FROM found;
  RETURN result;
END $$;
SELECT set_config('test.files', :'files', false) \g /dev/null
-- The content of a file of the location; of a compressed one, what it was.
CREATE FUNCTION content(path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  CREATE TEMP TABLE IF NOT EXISTS lines (n int GENERATED ALWAYS AS IDENTITY, line text);
  TRUNCATE lines;
  EXECUTE format('COPY lines (line) FROM PROGRAM %L WITH (FORMAT csv, QUOTE e''\x01'', DELIMITER e''\x02'')',
    format('cd %L/out && if [ %L = gz ]; then zcat %L; else cat %L; fi', current_setting('test.files'),
      right(content.path, 2), content.path, content.path));
  SELECT string_agg(line, E'\n' ORDER BY n) INTO result FROM lines;
  RETURN result;
END $$;
CREATE FUNCTION magic(path text) RETURNS text LANGUAGE sql AS $$
  SELECT left(data, 8) || ' ' || right(data, 8)
    FROM (SELECT encode(pg_read_binary_file(current_setting('test.files') || '/out/' || path), 'hex') AS data) f $$;

CREATE TABLE goods (id int, name text, price numeric(8,2), since date, at timestamptz, tags text[], extra jsonb, ok boolean);
INSERT INTO goods VALUES
  (1, 'a "quoted", name', 12.50, '2024-02-29', '2024-02-29 12:00+02', '{x,y}', '{"k": [1, null]}', true),
  (2, '', -0.05, 'infinity', NULL, '{}', NULL, false),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, E'two\nlines', 1, NULL, NULL, NULL, NULL, NULL);
GRANT SELECT ON goods TO export_writer, export_owner;
SET timezone = 'UTC';

SELECT plan(100);

-- Who may write

SET SESSION AUTHORIZATION export_stranger;
SELECT row_eq(format('SELECT * FROM caught(%L)', format($$SELECT setup.create_location('out', %L, writable => true)$$, :'url')),
  ROW('42501'::text, 'permission denied to make or change a writable location'::text, ''::text,
  'It takes the right to write the server''s files: GRANT pg_write_server_files TO export_stranger;'::text),
  'pg_read_server_files is not enough for a writable location');
SELECT lives_ok(format($$SELECT setup.create_location('readable', %L)$$, :'url'), 'but for one that is not');
SELECT row_eq($$SELECT * FROM caught($c$SELECT setup.export_table('goods', 'readable')$c$)$$,
  ROW('42501'::text, 'location "readable" is not writable'::text, ''::text,
  'Its owner "export_stranger" can change that, with the right pg_write_server_files: '
  'SELECT setup.create_location(''readable'', writable => true);'::text), 'where nothing can be exported to');
SET SESSION AUTHORIZATION export_owner;
SELECT lives_ok(format($$SELECT setup.create_location('out', %L, writable => true)$$, :'url'), 'pg_write_server_files is');
SET SESSION AUTHORIZATION export_writer;
SELECT throws_ok($$SELECT setup.export_table('goods', 'out')$$, '42501', 'permission denied for location "out"',
  'a location has to be granted');
SELECT throws_ok($$SELECT setup.export_table('goods', 'nowhere')$$, '42704', NULL, 'and to be there');
SET SESSION AUTHORIZATION export_owner;
SELECT setup.grant_location('out', 'export_writer') \g /dev/null

\if :installed
\else
SET SESSION AUTHORIZATION export_writer;
SELECT throws_ok($$SELECT setup.export_table('goods', 'out')$$, '0A000', NULL, 'exporting needs the module etl_files');
SELECT * FROM finish();
\q
\endif

-- What the files hold

SET SESSION AUTHORIZATION export_writer;
SELECT results_eq($$SELECT file, rows FROM setup.export_table('goods', 'out', 'csv')$$,
  $$VALUES ('public/goods.csv', 4::bigint)$$, 'the path is schema/table.format');
RESET SESSION AUTHORIZATION;
SELECT is(content('public/goods.csv'), $$id,name,price,since,at,tags,extra,ok
1,"a ""quoted"", name",12.50,2024-02-29,2024-02-29 10:00:00+00,"{x,y}","{""k"": [1, null]}",t
2,"",-0.05,infinity,,{},,f
3,,,,,,,
4,"two
lines",1.00,,,,,$$, 'CSV is as COPY writes it');
CREATE TEMP TABLE back (LIKE goods);
SELECT format('COPY back FROM %L WITH (FORMAT csv, HEADER)', :'files' || '/out/public/goods.csv') \gexec
SELECT results_eq('SELECT * FROM back ORDER BY id', 'SELECT * FROM goods ORDER BY id', 'and COPY reads it back');
SELECT setup.export_table('goods', 'out', 'csv.gz'), setup.export_table('goods', 'out', 'json'),
       setup.export_table('goods', 'out'), setup.export_table('goods', 'out', 'json.gz') \g /dev/null
SELECT is(content('public/goods.csv.gz'), content('public/goods.csv'), 'csv.gz is that, compressed');
SELECT is(content('public/goods.ndjson'), (SELECT string_agg(row_to_json(g)::text, E'\n' ORDER BY id) FROM goods g),
  'JSON is an object of row_to_json() on each line');
SELECT is(content('public/goods.ndjson.gz'), content('public/goods.ndjson'), 'also compressed');
SELECT is(magic('public/goods.parquet'), '50415231 50415231', 'Parquet begins and ends with PAR1');
SET datestyle = 'German'; SET extra_float_digits = -10; SET bytea_output = escape; SET intervalstyle = sql_standard;
CREATE VIEW odd AS SELECT date '2024-02-29' AS d, 0.1::float8 + 0.2 AS f, '\x00ff'::bytea AS b, interval '1 day 2 hours' AS i;
SELECT setup.export_table('odd', 'out', 'csv') \g /dev/null
SELECT is(content('public/odd.csv'), E'd,f,b,i\n2024-02-29,0.30000000000000004,\\x00ff,1 day 02:00:00',
  'a view is exported, and no setting of the session changes how');
SELECT setup.export_table('odd', 'out', 'json') \g /dev/null
SELECT is(content('public/odd.ndjson'), '{"d":"2024-02-29","f":0.30000000000000004,"b":"\\x00ff","i":"1 day 02:00:00"}',
  'nor in JSON');
SELECT is(current_setting('bytea_output') || current_setting('extra_float_digits'), 'escape-10', 'it has them still');
RESET datestyle; RESET extra_float_digits; RESET bytea_output; RESET intervalstyle;
SELECT is(current_setting('datestyle'), 'ISO, MDY', 'of which none is lost');
CREATE TABLE documents (j json);
INSERT INTO documents VALUES (E'{"a":\n\r 1}');
SELECT setup.export_table('documents', 'out', 'json') \g /dev/null
SELECT is(content('public/documents.ndjson'), '{"j":{"a":   1}}', 'a line break in json ends no line');
CREATE TABLE nothing (id int, name text);
SELECT results_eq(format($$SELECT file, rows FROM setup.export_table('nothing', 'out', %L)$$, format),
  format('VALUES (%L, 0::bigint)', 'public/nothing.' || ending), 'an empty table gives a file of format ' || format)
  FROM (VALUES ('csv', 'csv'), ('json', 'ndjson'), ('parquet', 'parquet')) AS formats(format, ending);
SELECT is(content('public/nothing.csv'), 'id,name', 'which has a header');
CREATE TABLE "Odd ""Name" ("A" int, "a" int, "b,c" int, "select" int);
INSERT INTO "Odd ""Name" VALUES (1, 2, 3, 4);
SELECT results_eq($$SELECT file, rows FROM setup.export_table('"Odd ""Name"', 'out', 'csv')$$,
  $$VALUES ('public/Odd "Name.csv', 1::bigint)$$, 'names may be odd');
SELECT is(content('public/Odd "Name.csv'), E'A,a,"b,c",select\n1,2,3,4', 'also of columns');
SELECT throws_ok($$SELECT setup.export_table('"Odd ""Name"', 'out')$$, '42701', 'columns "A" and "a" differ by case only',
  'though Parquet''s readers do not tell case');
CREATE TABLE dropped (a int, b int, c int GENERATED ALWAYS AS (a + 1) STORED);
ALTER TABLE dropped DROP COLUMN b;
INSERT INTO dropped VALUES (1);
SELECT setup.export_table('dropped', 'out', 'csv') \g /dev/null
SELECT is(content('public/dropped.csv'), E'a,c\n1,2', 'dropped columns are gone, generated ones are there');
CREATE TABLE many AS SELECT i, repeat('x', i % 50) AS t FROM generate_series(1, 10000) i;
SELECT setup.export_table('many', 'out', 'csv') \g /dev/null
SELECT is(md5(content('public/many.csv')), (SELECT md5(string_agg(line, E'\n' ORDER BY n)) FROM (
    SELECT 0 AS n, 'i,t' AS line UNION ALL SELECT i, i || ',' || CASE t WHEN '' THEN '""' ELSE t END FROM many) l),
  'many rows come in their order');
SELECT throws_ok($$SELECT setup.export_table('no_such_table', 'out')$$, '42P01', NULL, 'an unknown table is told');
SELECT throws_ok($$SELECT setup.export_table('goods; DROP TABLE goods', 'out')$$, '42602', NULL, 'a name is a name only');
SELECT throws_ok($$SELECT setup.export_table('setup.run_ids', 'out')$$, '42809', '"setup.run_ids" is not a table or view',
  'a sequence is no table');
CREATE TABLE limits (n numeric(4,1), t timestamp);
INSERT INTO limits VALUES ('NaN', NULL);
SELECT throws_ok($$SELECT setup.export_table('limits', 'out')$$, '22003', 'value NaN cannot be exported as decimal(4,1)',
  'Parquet has no NaN in decimals');
UPDATE limits SET n = 1, t = '294276-12-31';
SELECT throws_ok($$SELECT setup.export_table('limits', 'out')$$, '22008', 'timestamp is too late to be exported',
  'and no timestamps after 294246');
SELECT lives_ok($$SELECT setup.export_table('limits', 'out', 'csv')$$, 'which CSV has');

-- With whose eyes

SET SESSION AUTHORIZATION export_writer;
SELECT throws_ok($$SELECT setup.export_table('many', 'out')$$, '42501', 'permission denied for table many',
  'only what the caller may SELECT is exported');
RESET SESSION AUTHORIZATION;
ALTER TABLE goods ENABLE ROW LEVEL SECURITY;
CREATE POLICY cheap ON goods USING (price < 10);
SET SESSION AUTHORIZATION export_writer;
SELECT results_eq($$SELECT file, rows FROM setup.export_table('goods', 'out', 'csv', path => 'mine.csv')$$,
  $$VALUES ('mine.csv', 2::bigint)$$, 'row level security holds');
RESET SESSION AUTHORIZATION;
ALTER TABLE goods DISABLE ROW LEVEL SECURITY;

-- Where

SELECT throws_ok(format($$SELECT setup.export_table('goods', 'out', path => %L)$$, path), '22023', NULL, 'the path ' || path || ' is refused')
  FROM unnest('{../x.parquet,/x.parquet,.x.parquet,a/.b/x.parquet,x.csv,x,""}'::text[]) path;
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', 'xlsx')$$, '22023', 'format "xlsx" is not known', 'and a format that is none');
\! ln -s $FILES/elsewhere $FILES/out/link
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', path => 'link/x.parquet')$$, '42501', NULL, 'no link leads out');
\! rm $FILES/out/link; echo mine > $FILES/out/own.csv; chmod 666 $FILES/out/own.csv
SELECT row_eq($$SELECT * FROM caught($c$SELECT setup.export_table('goods', 'out', 'csv', path => 'own.csv')$c$)$$,
  ROW('58P02'::text, '"own.csv" of location "out" exists already, and no export that is still listed wrote it'::text, ''::text,
      'Give another path, or replace => true, which removes a folder with everything in it. After a restore of the '
      'database that is needed once for each path.'::text), 'what no export wrote stays');
SELECT is(content('own.csv'), 'mine', 'as it was');
SELECT lives_ok($$SELECT setup.export_table('nothing', 'out', 'csv', path => 'own.csv', replace => true)$$, 'unless the caller says so');
SELECT is(content('own.csv'), 'id,name', 'then it is replaced');
INSERT INTO nothing VALUES (1, 'x');
SELECT setup.export_table('nothing', 'out', 'csv', path => 'own.csv') \g /dev/null
SELECT is(content('own.csv'), E'id,name\n1,x', 'what an export wrote is replaced by the next');
\! echo changed > $FILES/out/other.csv; chmod 666 $FILES/out/other.csv; mv $FILES/out/other.csv $FILES/out/own.csv
SELECT throws_ok($$SELECT setup.export_table('nothing', 'out', 'csv', path => 'own.csv')$$, '58P02',
  '"own.csv" of location "out" was changed since it was exported', 'but not what somebody has changed since');
SELECT is(content('own.csv'), 'changed', 'which stays');
SELECT setup.export_table('nothing', 'out', 'csv', path => 'own.csv', replace => true) \g /dev/null
SELECT is(content('own.csv'), E'id,name\n1,x', 'until the caller says so');
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', path => 'own.csv/x.parquet')$$, '42809',
  'file "own.csv/x.parquet" of location "out" cannot be created: "own.csv" is no directory', 'a file is no folder');

-- Parted

\! rm -rf $FILES/out/*
DELETE FROM setup.exports;
SELECT results_eq($$SELECT file, rows FROM setup.export_table('goods', 'out', 'csv', '{since,ok}', 'parts')$$,
  $$VALUES ('parts/since=2024-02-29/ok=t/data_0.csv', 1::bigint), ('parts/since=infinity/ok=f/data_0.csv', 1),
           ('parts/since=__HIVE_DEFAULT_PARTITION__/ok=__HIVE_DEFAULT_PARTITION__/data_0.csv', 2)$$,
  'a file for each combination of values, in hive style');
SELECT is(content('parts/since=infinity/ok=f/data_0.csv'), E'id,name,price,at,tags,extra\n2,"",-0.05,,{},', 'without these columns');
SELECT setup.export_table('goods', 'out', 'json', '{id}', 'parts') \g /dev/null
SELECT is(names(), 'parts parts/id=1 parts/id=1/data_0.ndjson parts/id=2 parts/id=2/data_0.ndjson parts/id=3 '
  'parts/id=3/data_0.ndjson parts/id=4 parts/id=4/data_0.ndjson', 'a folder is replaced as a whole');
\! echo mine > $FILES/out/parts/id=2/mine.txt; rm $FILES/out/parts/id=3/data_0.ndjson
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', 'json', '{id}', 'parts')$$, '58P02',
  '"parts/id=2/mine.txt" of location "out" exists already, and no export that is still listed wrote it', 'but not with what somebody else has put into it');
SELECT is(content('parts/id=2/mine.txt'), 'mine', 'which stays');
\! mv $FILES/out/parts $FILES/out/folder; echo mine > $FILES/out/parts
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', 'json', '{id}', 'parts')$$, '58P02',
  '"parts" of location "out" was changed since it was exported', 'nor a file that is there instead of the folder');
\! rm $FILES/out/parts; mv $FILES/out/folder $FILES/out/parts
SELECT setup.export_table('goods', 'out', 'json', '{id}', 'parts', replace => true) \g /dev/null
SELECT is(names(), 'parts parts/id=1 parts/id=1/data_0.ndjson parts/id=2 parts/id=2/data_0.ndjson parts/id=3 '
  'parts/id=3/data_0.ndjson parts/id=4 parts/id=4/data_0.ndjson', 'unless the caller says so');
SELECT is(content('parts/id=1/data_0.ndjson')::jsonb, (SELECT to_jsonb(g) - 'id' FROM goods g WHERE id = 1),
  'JSON leaves the columns out, too');
SELECT results_eq($$SELECT file, rows FROM setup.export_table('nothing', 'out', partition_by => '{name}')$$,
  $$VALUES ('public/nothing/name=x/data_0.parquet', 1::bigint)$$, 'the folder is schema/table');
SELECT throws_ok(format($$SELECT setup.export_table('nothing', 'out', partition_by => %L)$$, columns), code, NULL, 'partition_by ' || columns || ' is refused')
  FROM (VALUES ('{id,name}', '22023'), ('{id,id}', '42703'), ('{x}', '42703')) AS wrong(columns, code);
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', path => 'parts/id=1/x.parquet')$$, '58P02',
  'path "parts/id=1/x.parquet" overlaps that of another export, "parts"', 'exports do not overlap');
SELECT throws_ok($$SELECT setup.export_table('goods', 'out', partition_by => '{id}', path => 'public')$$, '58P02',
  'path "public" overlaps that of another export, "public/nothing"', 'neither way');

-- As a whole or not at all

\! rm -rf $FILES/out/*
DELETE FROM setup.exports;
BEGIN;
SELECT setup.export_table('goods', 'out', 'csv', path => 'a.csv') \g /dev/null
SELECT is(names(), '.', 'before the commit a file is hidden');
SAVEPOINT s;
SELECT setup.export_table('goods', 'out', 'csv', path => 'b.csv') \g /dev/null
ROLLBACK TO s;
SELECT setup.export_table('goods', 'out', 'csv', '{id}', path => 'c') \g /dev/null
COMMIT;
SELECT is(names(), 'a.csv c c/id=1 c/id=1/data_0.csv c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/data_0.csv c/id=4 c/id=4/data_0.csv',
  'it appears at commit, unless it was rolled back');
BEGIN;
SELECT setup.export_table('goods', 'out', 'csv', path => 'b.csv') \g /dev/null
SELECT setup.export_table('nothing', 'out', 'csv', path => 'a.csv') \g /dev/null
ROLLBACK;
SELECT is(names(), 'a.csv c c/id=1 c/id=1/data_0.csv c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/data_0.csv c/id=4 c/id=4/data_0.csv',
  'a rollback leaves nothing');
CREATE VIEW failing AS SELECT i, 10 / (5000 - i) AS x FROM generate_series(1, 10000) i;
SELECT throws_ok($$SELECT setup.export_table('failing', 'out', 'csv', path => 'a.csv')$$, '22012', NULL, 'an error in the query is told');
SELECT is(names(), 'a.csv c c/id=1 c/id=1/data_0.csv c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/data_0.csv c/id=4 c/id=4/data_0.csv',
  'and leaves nothing but the file of before');
\! mkdir -p $FILES/out/.a.csv.export-0123456789abcdef $FILES/out/.a.csv.export-0123456789abcdee/new/x=1; chmod -R 777 $FILES/out/.a*
SELECT setup.export_table('goods', 'out', 'csv', path => 'a.csv') \g /dev/null
SELECT is(names(), 'a.csv c c/id=1 c/id=1/data_0.csv c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/data_0.csv c/id=4 c/id=4/data_0.csv',
  'what a crash left is removed by the next export');

-- What fails when everything is written, in a transaction that has published something already

SELECT setup.export_table('nothing', 'out', 'csv', path => 'late.csv') \g /dev/null
BEGIN;
SELECT setup.export_table('goods', 'out', 'csv', path => 'late.csv') \g /dev/null
SELECT setup.export_table('goods', 'out', 'csv', path => 'blocked.csv') \g /dev/null
\! echo mine > $FILES/out/blocked.csv; chmod 666 $FILES/out/blocked.csv
COMMIT;
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE',
  '58P02 "blocked.csv" of location "out" exists already, and no export that is still listed wrote it', 'a file that has come meanwhile stops the commit');
SELECT is(content('late.csv') || ', ' || content('blocked.csv'), E'id,name\n1,x, mine', 'and all files are as they were');
\! rm $FILES/out/blocked.csv
CREATE EXTENSION dblink;
SELECT dblink_connect('other', format('dbname=%s host=%s port=%s', current_database(),
  current_setting('unix_socket_directories'), current_setting('port'))) \g /dev/null
CREATE TABLE reads (i int);
CREATE TABLE writes (i int);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM reads \g /dev/null
SELECT setup.export_table('goods', 'out', 'csv', path => 'late.csv') \g /dev/null
SELECT setup.export_table('goods', 'out', 'csv', path => 'new.csv') \g /dev/null
INSERT INTO writes VALUES (1);
SELECT dblink_exec('other', 'BEGIN ISOLATION LEVEL SERIALIZABLE') \g /dev/null
SELECT * FROM dblink('other', 'SELECT count(*) FROM writes') AS seen(n bigint) \g /dev/null
SELECT dblink_exec('other', 'INSERT INTO reads VALUES (1)'), dblink_exec('other', 'COMMIT') \g /dev/null
COMMIT;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '40001', 'a transaction may fail when its files have their names');
SELECT is(content('late.csv'), E'id,name\n1,x', 'then what they replaced has its name again');
SELECT is(names(), 'a.csv c c/id=1 c/id=1/data_0.csv c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/data_0.csv c/id=4 c/id=4/data_0.csv late.csv',
  'and what is new is gone');
BEGIN;
SELECT setup.export_table('nothing', 'out', 'csv', path => 'late.csv') \g /dev/null
SELECT setup.export_table('odd', 'out', 'csv', path => 'late.csv') \g /dev/null
SAVEPOINT s;
SELECT setup.export_table('goods', 'out', 'csv', path => 'late.csv') \g /dev/null
ROLLBACK TO s;
COMMIT;
SELECT is(left(content('late.csv'), 7), 'd,f,b,i', 'of several exports to one path the last counts');
\! rm $FILES/out/late.csv
DELETE FROM setup.exports WHERE path = 'late.csv';

-- Whose export it is

SET SESSION AUTHORIZATION export_owner;
SELECT setup.grant_location('out', 'export_stranger') \g /dev/null
SET SESSION AUTHORIZATION export_writer;
SELECT setup.export_table('goods', 'out', 'csv', path => 'hers.csv'), setup.export_table('goods', 'out', 'csv', '{id}', 'hers') \g /dev/null
SELECT lives_ok($$SELECT setup.export_table('goods', 'out', 'csv', path => 'hers.csv')$$, 'who has exported exports again');
SET SESSION AUTHORIZATION export_stranger;
CREATE TEMP VIEW mine AS SELECT 1 AS id, 2 AS n;
SELECT row_eq($$SELECT * FROM caught($c$SELECT setup.export_table('mine', 'out', 'csv', path => 'hers.csv')$c$)$$,
  ROW('42501'::text, '"hers.csv" of location "out" is an export of another role: "export_writer"'::text, ''::text,
      'Give another path, or let a member of that role export. The location''s owner may replace it, with replace => true.'::text),
  'but nobody else, who may write there, too');
SELECT throws_ok($$SELECT setup.export_table('mine', 'out', 'csv', path => 'hers.csv', replace => true)$$, '42501', NULL,
  'whatever he says');
SELECT throws_ok($$SELECT setup.export_table('mine', 'out', 'csv', '{id}', 'hers')$$, '42501', NULL, 'nor a folder');
SET SESSION AUTHORIZATION export_owner;
CREATE TEMP VIEW owned AS SELECT 1 AS id, 2 AS n;
SELECT throws_ok($$SELECT setup.export_table('owned', 'out', 'csv', path => 'hers.csv')$$, '42501', NULL,
  'the owner of the location may do it');
SELECT lives_ok($$SELECT setup.export_table('owned', 'out', 'csv', path => 'hers.csv', replace => true)$$, 'if he says so');
RESET SESSION AUTHORIZATION;
GRANT export_writer TO export_stranger;
SET SESSION AUTHORIZATION export_stranger;
SELECT lives_ok($$SELECT setup.export_table('mine', 'out', 'csv', '{id}', 'hers')$$, 'a member of the role may, too');
RESET SESSION AUTHORIZATION;
REVOKE export_writer FROM export_stranger;
UPDATE setup.exports SET owner_oid = 4000000000 WHERE path = 'hers';
SET SESSION AUTHORIZATION export_writer;
SELECT lives_ok($$SELECT setup.export_table('goods', 'out', 'csv', '{id}', 'hers')$$, 'what a role has left that is gone is nobody''s');
RESET SESSION AUTHORIZATION;
SELECT setup.revoke_location('out', 'export_stranger') \g /dev/null
\! rm -rf $FILES/out/hers $FILES/out/hers.csv
DELETE FROM setup.exports WHERE path LIKE 'hers%';

-- What is written down, and for how long

SELECT results_eq('SELECT path, table_name, format, partition_by, files, rows, exported_by FROM setup.exports ORDER BY path',
  $$VALUES ('a.csv', 'public.goods', 'csv', '{}'::text[], 1::bigint, 4::bigint, 'postgres'),
           ('c', 'public.goods', 'csv', '{id}', 4, 4, 'postgres')$$, 'setup.exports lists what is there');
SELECT is((SELECT sum(bytes) FROM setup.exported_files), (SELECT sum(bytes) FROM setup.exports), 'with all its files');
SET SESSION AUTHORIZATION export_stranger;
SELECT is_empty('SELECT FROM setup.exports', 'a stranger does not see it');
SELECT throws_ok($$SELECT setup.drop_expired_files('out')$$, '42501', 'location "out" belongs to role "export_owner"', 'nor removes it');
SELECT is_empty('SELECT setup.drop_expired_files()', 'nor by accident');
SET SESSION AUTHORIZATION export_owner;
SELECT is((SELECT count(*) FROM setup.exported_files), 5::bigint, 'the owner of the location does');
SELECT setup.create_location('out', retention => '30 days') \g /dev/null
SELECT is_empty($$SELECT setup.drop_expired_files('out')$$, 'young files stay');
RESET SESSION AUTHORIZATION;
UPDATE setup.exports SET exported_at = now() - interval '31 days';
\! echo more >> $FILES/out/c/id=2/data_0.csv; touch $FILES/out/c/id=3/other.csv
SET SESSION AUTHORIZATION export_owner;
SELECT results_eq($$SELECT location_name, file FROM setup.drop_expired_files()$$,
  $$VALUES ('out', 'a.csv'), ('out', 'c/id=1/data_0.csv'), ('out', 'c/id=3/data_0.csv'), ('out', 'c/id=4/data_0.csv')$$,
  'old files are removed');
RESET SESSION AUTHORIZATION;
SELECT is(names(), 'c c/id=2 c/id=2/data_0.csv c/id=3 c/id=3/other.csv', 'but none that was changed, or that no export wrote');
SELECT is_empty('SELECT FROM setup.exports', 'and are off the list');
SELECT throws_ok($$SELECT setup.create_location('out', retention => '-1 day')$$, '23514', NULL, 'a retention is a time');
SELECT lives_ok($$SELECT setup.create_location('out', retention => '0')$$, 'and can be taken back');
SELECT is(retention, NULL, 'with 0') FROM setup.locations WHERE location_name = 'out';

SELECT * FROM finish();
