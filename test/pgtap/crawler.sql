-- Crawlers: which tables and jobs files make, how tables follow their files, whose they are.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
CREATE EXTENSION dblink;
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif

CREATE ROLE crawler_owner LOGIN;
CREATE ROLE crawler_member LOGIN;
CREATE ROLE crawler_stranger LOGIN;
GRANT crawler_owner TO crawler_member;
GRANT USAGE ON SCHEMA setup TO crawler_owner, crawler_member, crawler_stranger;
SELECT setup.create_layer('bronze');
GRANT USAGE, CREATE ON SCHEMA bronze TO crawler_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
\set url 'file://' :files
SELECT setup.create_location('landing', :'url');
SELECT setup.grant_location('landing', 'crawler_owner');

-- "column type, column type ..." of a table.
CREATE FUNCTION shape(table_name text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = to_regclass(table_name) AND attnum > 0 AND NOT attisdropped $$;
-- "table action (files)" of a crawl, in its order; what is ignored is left out.
CREATE FUNCTION crawled(name text, dry_run boolean DEFAULT false) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(concat(table_name, ' ', action, ' (', files, ')')) FROM setup.crawl(name, dry_run) WHERE action <> 'ignored' $$;
CREATE FUNCTION crawled_one(name text, of_table text) RETURNS TABLE (action text, changes text[], message text) LANGUAGE sql AS $$
  SELECT action, changes, message FROM setup.crawl(name) WHERE table_name = of_table $$;

\! mkdir -p $FILES/shop $FILES/daily $FILES/mixed $FILES/part/year=2023/month=01 $FILES/part/year=2024/month=02 $FILES/odd $FILES/bad $FILES/grow
\! cd $FILES/shop && printf 'Order ID,Order Date,Amount (EUR),Paid,Zip,Note,ORDER ID\n1,2024-01-31,12.50,true,01234,,a\n2,2024-02-29,7,false,99999,,b\n' > 'Orders 2024.csv'
\! cd $FILES/shop && printf 'Artikel;Preis;Datum;Größe\nA;12,50;31.12.2024;1\nB;3,5;01.01.2024;2\n' > artikel.csv
\! cd $FILES/shop && printf '{"id": 1, "at": "2024-01-31T10:00:00Z", "code": "12", "tags": ["a"]}\n{"id": 3000000000, "at": "2024-01-31T10:00:00Z"}\n' > events.ndjson
\! cd $FILES/shop && printf 'notes' > readme.txt
\! cd $FILES/daily && printf 'id,v\n1,2\n' > 2024-01-01.csv && printf 'id,v\n1,2.5\n' > 2024-01-02.csv
\! cd $FILES/mixed && printf 'id,v\n1,2\n' > a.csv && printf 'x,y\n1,2\n' > b.csv
\! cd $FILES/part && printf 'id\n1\n' > year=2023/month=01/a.csv && printf 'id\n2\n' > year=2024/month=02/b.csv
\! cd $FILES/odd && printf '1,a\n2,b\n' > headless.csv && printf 'id,name\n' > header_only.csv && printf 'select,from,xmin,,2023\nx,1,2,3,4\n' > names.csv
\! cd $FILES/odd && printf '\357\273\277id;"na;me"\r\n1;"x ""y"""\r\n' > marks.csv && printf 'a,b,c\n1_000,"1,234.5",yes\n2,7,no\n' > numbers.csv
\! cd $FILES/odd && printf 'a,b\n01/02/2024,NaN\n03/04/2024,1\n' > ambiguous.csv
\! cd $FILES/bad && : > empty.csv && printf 'PAR1xxxx' > fake.csv && printf 'id\n1\n' > good.csv && printf 'id,n\n1,caf\351\n' > latin.csv && printf 'x' > broken.parquet
\! cd $FILES/bad && printf 'i\0d\0,\0n\0\n\0' > wide.csv && printf 'no gzip' > text.csv.gz && seq -s, 1 2000 > many.csv && mkfifo pipe.csv && mkdir x.csv
\! cd $FILES/grow && printf 'id,v,d\n1,1.5e3,2024-01-01\n' > g.csv
\! mkdir $FILES/hard && cd $FILES/hard && printf 'id;"Preis\nEUR";menge\n1;2;3\n' > split.csv && printf 'id;name\n1;a\n2;caf\351\n' > stray.csv
\! cd $FILES/hard && (yes '{"v": 1}' | head -n 100000; echo '{"v": 1.5}') > late.ndjson && printf 'a;b\n31.12.2024;2024-12-31\n' > styles.csv
\! chmod -R a+rX $FILES


SET SESSION AUTHORIZATION crawler_owner;
SELECT plan(119);

-- What a crawl makes

SELECT setup.create_crawler('shop', 'landing', 'bronze', path => '/shop/');
SELECT is(crawled('shop', dry_run => true),
  ARRAY['bronze.orders_2024 created (1)', 'bronze.artikel created (1)', 'bronze.events created (1)'],
  'a dry run says what a crawl would make');
SELECT is(to_regclass('bronze.events'), NULL, 'and makes nothing');
SELECT is((SELECT count(*) FROM setup.load_jobs), 0::bigint, 'no job either');
SELECT is((SELECT last_crawl_at FROM setup.crawlers), NULL, 'and counts as no crawl');
SELECT is(crawled('shop'),
  ARRAY['bronze.orders_2024 created (1)', 'bronze.artikel created (1)', 'bronze.events created (1)'], 'a crawl makes it');
SELECT is(shape('bronze.orders_2024'),
  'order_id integer, order_date date, amount_eur numeric, paid boolean, zip text, note text, order_id_2 text',
  'a table has the columns of its file, with names that need no quotes and types that values fit');
SELECT is(shape('bronze.artikel'), 'artikel text, preis numeric, datum date, größe integer',
  'semicolons, decimal commas and dates of another style are found out');
SELECT is(shape('bronze.events'), 'id bigint, at timestamp with time zone, code text, tags jsonb',
  'JSON: a number in quotes is a text, what is nested is jsonb');
SELECT is((SELECT array_agg(DISTINCT tableowner::text) FROM pg_tables WHERE schemaname = 'bronze'), '{crawler_owner}',
  'the tables belong to the crawler''s owner');
SELECT results_eq($$SELECT job_name, table_name, file_path, location, load_mode, owner, crawler FROM setup.load_jobs ORDER BY 1$$,
  $$VALUES ('artikel', 'artikel', 'shop/artikel.csv', 'landing', 'replace', 'crawler_owner', 'shop'),
    ('events', 'events', 'shop/events.ndjson', 'landing', 'replace', 'crawler_owner', 'shop'),
    ('orders_2024', 'orders_2024', 'shop/Orders 2024.csv', 'landing', 'replace', 'crawler_owner', 'shop')$$,
  'each has a job that loads it');
SELECT is((SELECT reader_options - 'columns' FROM setup.load_jobs WHERE job_name = 'artikel'),
  '{"quote": "\"", "escape": "\"", "header": true, "encoding": "utf-8", "delimiter": ";", "date_format": "%d.%m.%Y",
    "decimal_separator": ","}'::jsonb, 'which reads the file as it was understood');
SELECT is((SELECT reader_options -> 'columns' -> 6 FROM setup.load_jobs WHERE job_name = 'orders_2024'),
  '{"file": "ORDER ID", "column": "order_id_2"}'::jsonb, 'and knows which column goes where');
SELECT is((SELECT count(*) FROM bronze.orders_2024), 0::bigint, 'nothing is loaded');
SELECT is((SELECT array_agg(DISTINCT action) FROM setup.crawl('shop') WHERE action <> 'ignored'), '{unchanged}',
  'a second crawl of the same files changes nothing');
SELECT results_eq($$SELECT data_set, files, message FROM setup.crawl('shop') WHERE action = 'ignored'$$,
  $$VALUES ('shop/readme.txt', 1, 'is of no known file type')$$, 'files that are not to be read are told about');
SELECT results_eq($$SELECT state, last_status, last_message, last_crawl_at > now() - interval '1 hour' FROM setup.crawlers$$,
  $$VALUES ('READY', 'OK', '3 data sets', true)$$, 'the crawler remembers its last crawl');

-- Data sets

SELECT setup.create_crawler('daily', 'landing', 'bronze', path => 'daily', table_prefix => 'shop_', load_mode => 'append',
  provenance => true);
SELECT is(crawled('daily'), ARRAY['bronze.shop_daily created (2)'], 'files of one folder with the same columns are one set');
SELECT is(shape('bronze.shop_daily'),
  'id integer, v numeric, _source_file text, _source_row bigint, _loaded_at timestamp with time zone',
  'its types hold what all of its files have; provenance has columns of its own');
SELECT results_eq($$SELECT file_path, load_mode, provenance FROM setup.load_jobs WHERE job_name = 'shop_daily'$$,
  $$VALUES ('daily/*.csv', 'append', true)$$, 'one job loads them all');
SELECT setup.create_crawler('mixed', 'landing', 'bronze', path => 'mixed');
SELECT is(crawled('mixed'), ARRAY['bronze.a created (1)', 'bronze.b created (1)'],
  'files of one folder with other columns are sets of their own');
SELECT setup.create_crawler('part', 'landing', 'bronze', path => 'part');
SELECT is(crawled('part'), ARRAY['bronze.part created (2)'], 'partitions are one set');
SELECT is(shape('bronze.part'), 'id integer, year integer, month integer', 'with a column for each');
\! cd $FILES/mixed && printf 'id,v\n1,2\n' > c.csv && mkdir -p $FILES/part/year=2025/month=xii && printf 'id\n1\n' > $FILES/part/year=2025/month=xii/a.csv
SELECT is(crawled('mixed'), ARRAY['bronze.a unchanged (1)', 'bronze.b unchanged (1)', 'bronze.c created (1)'],
  'a file that comes later beside them is one, too');
SELECT is(crawled('part'), ARRAY['bronze.part changed (3)'], 'one that comes to partitions belongs to them');
SELECT is(shape('bronze.part'), 'id integer, year integer, month text', 'whose values may need another type');

-- Odd files

SELECT setup.create_crawler('odd', 'landing', 'bronze', path => 'odd', table_prefix => 'odd_');
SELECT is((SELECT array_agg(DISTINCT action) FROM setup.crawl('odd')), '{created}', 'odd files are data sets');
SELECT is(shape('bronze.odd_headless'), 'column0 integer, column1 text', 'without a header, columns are numbered');
SELECT is(shape('bronze.odd_header_only'), 'id text, name text', 'without rows, they are text');
SELECT is(shape('bronze.odd_names'), 'select text, from integer, xmin_ integer, column3 integer, _2023 integer',
  'words that SQL reserves are names, columns without one get a number');
SELECT is(shape('bronze.odd_marks'), 'id integer, na_me text', 'byte order mark, CR LF and quotes do not matter');
SELECT is(shape('bronze.odd_numbers'), 'a text, b text, c text', '1_000, 1,234.5 and yes are text');
SELECT is(shape('bronze.odd_ambiguous'), 'a text, b text', 'so are dates that can be read in two ways, and NaN beside integers');
SELECT setup.create_crawler('bad', 'landing', 'bronze', path => 'bad', table_prefix => 'bad_');
SELECT results_eq($$SELECT table_name, action, substr(message, 1, strpos(message || ' (', ' (') - 1) FROM setup.crawl('bad')$$,
  $$VALUES ('bronze.bad_broken', 'failed', 'file "bad/broken.parquet" is no Parquet file'),
    ('bronze.bad_empty', 'failed', 'file "bad/empty.csv" is empty'),
    ('bronze.bad_fake', 'failed', 'file "bad/fake.csv" is a Parquet file'),
    ('bronze.bad_good', 'created', NULL),
    ('bronze.bad_latin', 'failed', 'file "bad/latin.csv", line 2: is not in the file''s encoding: The line is: 1,caf\xe9'),
    ('bronze.bad_many', 'failed', 'file "bad/many.csv" has 2000 columns: A table has 1600 at most.'),
    ('bronze.bad_text', 'failed', 'file "bad/text.csv.gz" is not compressed with gzip'),
    ('bronze.bad_wide', 'failed', 'file "bad/wide.csv" has a NUL byte at offset 1: it is no text'),
    (NULL, 'ignored', 'is a named pipe')$$, 'a file that cannot be read says why, and stops no other');
SELECT row_eq($$SELECT last_status, last_message FROM setup.crawlers WHERE crawler_name = 'bad'$$,
  ROW('ERROR'::text, '8 data sets, 1 created, 7 failed'::text), 'the crawl counts as failed');
SELECT setup.create_crawler('bad', reader_options => '{"encoding": "latin-1"}');
SELECT is((SELECT action FROM setup.crawl('bad') WHERE table_name = 'bronze.bad_latin'), 'created', 'options may help');

-- What leaves

\! mkdir -p $FILES/leave/parts && cd $FILES/leave && printf 'id\n1\n' > a.csv && printf 'id\n2\n' > b.csv && printf 'x\n2\n' > c.csv
\! cd $FILES/leave/parts && printf 'y\n1\n' > 1.csv && printf 'y\n1\n' > 2.csv
\! chmod -R a+rX $FILES/leave
SELECT setup.create_crawler('leave', 'landing', 'bronze', path => 'leave', table_prefix => 'l_');
SELECT is(crawled('leave'), ARRAY['bronze.l_a created (1)', 'bronze.l_b created (1)', 'bronze.l_c created (1)',
  'bronze.l_parts created (2)'], 'files are there');
\! cd $FILES/leave && rm a.csv parts/*.csv
SELECT setup.create_crawler('leave', exclusions => '{**/b.csv}');
SELECT results_eq($$SELECT table_name, data_set, files, action, changes, message FROM setup.crawl('leave') WHERE action <> 'unchanged'$$,
  $$VALUES ('bronze.l_a', 'leave/a.csv', 0, 'gone', '{}'::text[], 'the file is not there any more; no run that has its job starts: '
      'SELECT setup.drop_job(''bronze'', ''l_a''); or UPDATE setup.load_jobs SET is_enabled = false WHERE layer = ''bronze'' '
      'AND job_name = ''l_a''; (the table stays)'),
    ('bronze.l_parts', 'leave/parts/*.csv', 0, 'gone', '{}', 'no file of it is there any more; its job finds nothing to load: '
      'SELECT setup.drop_job(''bronze'', ''l_parts''); or UPDATE setup.load_jobs SET is_enabled = false WHERE layer = ''bronze'' '
      'AND job_name = ''l_parts''; (the table stays)'),
    (NULL, 'leave/b.csv', 1, 'ignored', '{}', 'is excluded by "**/b.csv"')$$,
  'what has left is told, with what to do; what is only refused has not');
SELECT is((SELECT last_message FROM setup.crawlers WHERE crawler_name = 'leave'), '1 data set, 2 gone', 'and counted');
SELECT setup.drop_job('bronze', 'l_a');
UPDATE setup.load_jobs SET is_enabled = false WHERE job_name = 'l_parts';
SELECT is(crawled('leave'), ARRAY['bronze.l_c unchanged (1)'], 'until that is done');
\! mv $FILES/leave $FILES/left
SELECT throws_ok($$SELECT setup.crawl('leave')$$, '58P01', 'path "leave" of crawler "leave" does not exist',
  'a path that is not there is an error');
SELECT setup.drop_job('bronze', 'l_b'), setup.drop_job('bronze', 'l_c'), setup.drop_job('bronze', 'l_parts'), setup.drop_crawler('leave');

-- How tables follow

SELECT setup.create_crawler('grow', 'landing', 'bronze', path => 'grow');
SELECT is(crawled('grow'), ARRAY['bronze.g created (1)'], 'a file grows');
INSERT INTO bronze.g VALUES (1, 0.1, '2024-01-01'), (2, 1e10, NULL);
UPDATE setup.load_jobs SET is_enabled = false, on_bad_row = 'reject' WHERE job_name = 'g';
\! cd $FILES/grow && printf 'id,v,d,new one\n3000000000,12345678901234567890.5,2024-01-01 10:00:00,x\n' > g.csv
SELECT results_eq($$SELECT action, changes FROM setup.crawl('grow', true)$$,
  $$VALUES ('changed', ARRAY['alter column id from integer to bigint', 'alter column v from double precision to numeric',
    'alter column d from date to timestamp', 'add column new_one text'])$$, 'a dry run says what would change');
SELECT is(shape('bronze.g'), 'id integer, v double precision, d date', 'and changes nothing');
RESET SESSION AUTHORIZATION;
CREATE TABLE rewrites (of_table regclass);
CREATE FUNCTION note_rewrite() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
  AS $$ BEGIN INSERT INTO public.rewrites VALUES (pg_event_trigger_table_rewrite_oid()); END $$;
CREATE EVENT TRIGGER note_rewrite ON table_rewrite EXECUTE FUNCTION note_rewrite();
SET SESSION AUTHORIZATION crawler_owner;
SELECT is(crawled('grow'), ARRAY['bronze.g changed (1)'], 'a crawl does it');
RESET SESSION AUTHORIZATION;
DROP EVENT TRIGGER note_rewrite;
SELECT is((SELECT count(*) FROM rewrites), 1::bigint, 'which writes the table anew once, however many types change');
SET SESSION AUTHORIZATION crawler_owner;
SELECT is(shape('bronze.g'), 'id bigint, v numeric, d timestamp without time zone, new_one text',
  'types become wider, columns are added');
SELECT results_eq('SELECT id, v, d FROM bronze.g ORDER BY id',
  $$VALUES (1::bigint, 0.1, '2024-01-01'::timestamp), (2, 10000000000, NULL)$$, 'the rows keep their values');
SELECT results_eq($$SELECT is_enabled, on_bad_row, reader_options #>> '{columns,3,column}' FROM setup.load_jobs WHERE job_name = 'g'$$,
  $$VALUES (false, 'reject', 'new_one')$$, 'the job knows the new column, and what was set by hand stays');
\! cd $FILES/grow && printf 'id,d\n1,never\n' > g.csv
SELECT is(crawled('grow'), ARRAY['bronze.g changed (1)'], 'what is no time');
SELECT is(shape('bronze.g'), 'id bigint, v numeric, d text, new_one text', 'makes text, and columns that are gone stay');
SELECT is((SELECT d FROM bronze.g WHERE id = 1), '2024-01-01 00:00:00', 'also with their values');
SELECT is((SELECT reader_options #> '{columns,1}' FROM setup.load_jobs WHERE job_name = 'g'),
  '{"file": "v", "column": "v", "optional": true}'::jsonb, 'files may lack them');
SELECT is(crawled('grow'), ARRAY['bronze.g unchanged (1)'], 'nothing ever becomes narrower');
SELECT setup.create_crawler('grow', on_new_column => 'ignore', on_type_change => 'ignore');
\! cd $FILES/grow && printf 'id,more\nx,1\n' > g.csv
SELECT row_eq($$SELECT action, message FROM setup.crawl('grow')$$, ROW('changed'::text,
  'column "id" stays bigint, though files have values of type text; new column "more" is not loaded'::text),
  'policies may ignore what is new');
SELECT is((SELECT reader_options ->> 'new_columns' FROM setup.load_jobs WHERE job_name = 'g'), 'ignore', 'and so does the job');
SELECT setup.create_crawler('grow', on_new_column => 'fail', on_type_change => 'fail');
SELECT alike((SELECT action || ' ' || message FROM setup.crawl('grow')),
  'failed column "id" is bigint, and files have values of type text; column "more" is new in the files%', 'or fail');
SELECT is(shape('bronze.g'), 'id bigint, v numeric, d text, new_one text', 'which changes nothing');
CREATE VIEW bronze.depends AS SELECT id FROM bronze.g;
SELECT setup.create_crawler('grow', on_new_column => 'add', on_type_change => 'widen');
SELECT alike((SELECT action || ' ' || message FROM setup.crawl('grow')), 'failed cannot alter type%view%', 'so does what a view stops');
SELECT is(shape('bronze.g'), 'id bigint, v numeric, d text, new_one text', 'all of a data set''s changes, or none');
DROP VIEW bronze.depends;
DROP TABLE bronze.g;
SELECT is(crawled('grow'), ARRAY['bronze.g created (1)'], 'a table that is missing is made again');
SELECT is(shape('bronze.g'), 'id text, more integer', 'as its files are now');

-- What is there already

CREATE TABLE bronze.taken_events (mine int);
INSERT INTO bronze.taken_events VALUES (1);
SELECT setup.add_job('bronze', 'taken_artikel', 'SELECT 1');
SELECT setup.create_crawler('taken', 'landing', 'bronze', path => 'shop', table_prefix => 'taken_');
SELECT results_eq($$SELECT action, split_part(message, ' (', 1) FROM setup.crawl('taken') WHERE table_name ~ 'events|artikel' ORDER BY table_name$$,
  $$VALUES ('failed', 'job "bronze.taken_artikel" exists already, and is not this crawler''s'),
    ('failed', 'table bronze.taken_events exists already, and no job of this crawler loads it')$$,
  'tables and jobs of others are left alone');
SELECT setup.drop_crawler('shop');
SELECT is((SELECT count(*) FROM setup.load_jobs WHERE crawler = 'shop'), 3::bigint, 'jobs outlive their crawler');
SELECT setup.create_crawler('shop', 'landing', 'bronze', path => 'shop');
SELECT is((SELECT array_agg(DISTINCT action) FROM setup.crawl('shop') WHERE action <> 'ignored'), '{unchanged}',
  'and one of the same name takes them up');

-- What runs make of it

CALL setup.orchestrate_bronze(jobs => '{orders_2024, artikel, events, part, shop_daily}');
SELECT is((SELECT sum(rows_loaded) FROM setup.load_log WHERE run_id = last_run() AND status = 'OK'), 11::numeric,
  'the jobs load what was crawled');
SELECT results_eq('SELECT order_id, order_date, amount_eur, paid, zip, order_id_2 FROM bronze.orders_2024 ORDER BY 1',
  $$VALUES (1, '2024-01-31'::date, 12.50, true, '01234', 'a'), (2, '2024-02-29', 7, false, '99999', 'b')$$, 'as it is there');
SELECT results_eq('SELECT preis, datum FROM bronze.artikel ORDER BY 1',
  $$VALUES (3.5, '2024-01-01'::date), (12.5, '2024-12-31')$$, 'also where it is written in another way');
SELECT results_eq('SELECT id, year, month FROM bronze.part ORDER BY 2',
  $$VALUES (1, 2023, '01'), (2, 2024, '02'), (1, 2025, 'xii')$$, 'partitions have their values');
SELECT results_eq('SELECT v, _source_file, _source_row FROM bronze.shop_daily ORDER BY 1',
  $$VALUES (2::numeric, 'daily/2024-01-01.csv', 1::bigint), (2.5, 'daily/2024-01-02.csv', 1)$$, 'provenance has, too');
DROP TABLE bronze.artikel;
CALL setup.orchestrate_bronze(jobs => '{artikel}');
SELECT is((SELECT count(*) FROM bronze.artikel), 2::bigint, 'a missing table is made by the crawler of its job');
SELECT results_eq($$SELECT status, message FROM setup.load_log WHERE run_id = last_run()$$,
  $$VALUES ('OK', 'crawler "shop" made the table')$$, 'as the log says');
RESET SESSION AUTHORIZATION;
DROP TABLE bronze.artikel, bronze.events, bronze.part;
CALL setup.orchestrate_bronze(jobs => '{artikel, events, part}');
SELECT results_eq($$SELECT job_name, status, rows_loaded FROM setup.load_log WHERE run_id = last_run() ORDER BY 1$$,
  $$VALUES ('artikel', 'OK', 2::bigint), ('events', 'OK', 2), ('part', 'OK', 3)$$, 'whoever starts the run, and whatever runs at once');
SELECT is((SELECT array_agg(DISTINCT pg_get_userbyid(relowner)) FROM pg_class WHERE relname IN ('artikel', 'events', 'part')),
  '{crawler_owner}', 'as tables of its owner');
-- Somebody else crawls in the meantime, after the run was planned.
SELECT dblink_connect('other', format('dbname=%s host=%s port=%s', current_database(),
  current_setting('unix_socket_directories'), current_setting('port')));
DROP TABLE bronze.artikel;
UPDATE setup.load_jobs SET reader_options = '{}' WHERE job_name = 'artikel';
SELECT dblink_exec('other', 'SET ROLE crawler_owner; BEGIN');
SELECT * FROM dblink('other', $$SELECT count(*) FROM setup.crawl('shop')$$) AS done(rows bigint);
SELECT setup.start_run('bronze', jobs => '{artikel}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory')$$);
SELECT dblink_exec('other', 'COMMIT');
SELECT is(setup.wait_run(:run), 'OK', 'a job waits for a crawl that is under way, and reads its file as that says');
SELECT row_eq(format($$SELECT rows_loaded, message FROM setup.load_log WHERE run_id = %s$$, :run), ROW(2::bigint, NULL::text),
  'it does not say that it has crawled itself');
SELECT dblink_disconnect('other');
DROP TABLE bronze.artikel;
\! mv $FILES/shop/artikel.csv $FILES/shop/artikel.away && printf '%s,%s\n' id > $FILES/shop/artikel.csv && printf 'PAR1' > $FILES/shop/artikel.csv
SELECT setup.start_run('bronze', jobs => '{artikel}') AS run \gset
SELECT is(setup.wait_run(:run), 'ERROR', 'where the crawler cannot make it');
SELECT row_eq(format($$SELECT sqlstate, left(message, 73) FROM setup.load_log WHERE run_id = %s AND status = 'ERROR'$$, :run),
  ROW('42P01'::text, 'table bronze.artikel does not exist, and crawler "shop" did not make it: '::text), 'the job fails, with the reason');
\! mv $FILES/shop/artikel.away $FILES/shop/artikel.csv
SELECT setup.drop_crawler('shop');
SELECT is((SELECT detail FROM caught($$SELECT setup.start_run('bronze', jobs => '{artikel}')$$)),
  'job "bronze.artikel": table bronze.artikel does not exist', 'without a crawler a missing table is a problem of the run');
SET SESSION AUTHORIZATION crawler_owner;
SELECT setup.create_crawler('shop', 'landing', 'bronze', path => 'shop');
RESET SESSION AUTHORIZATION;

-- Whose it is

SET SESSION AUTHORIZATION crawler_member;
SELECT is((SELECT count(*) FROM setup.crawlers), 8::bigint, 'members of the owner see its crawlers');
SELECT row_eq($$SELECT * FROM caught($c$SELECT setup.crawl('shop')$c$)$$, ROW('42501'::text,
  'crawler "shop" belongs to role "crawler_owner"'::text,
  'A crawler runs as its owner, to whom its tables belong.'::text, 'Become that role first: SET ROLE crawler_owner;'::text),
  'but must become the owner to run one');
SET ROLE crawler_owner;
SELECT lives_ok($$SELECT setup.crawl('shop')$$, 'then they may');
SET SESSION AUTHORIZATION crawler_stranger;
SELECT is((SELECT count(*) FROM setup.crawlers), 0::bigint, 'others do not see them');
SELECT throws_ok($$SELECT setup.crawl('shop')$$, '42501', 'crawler "shop" belongs to role "crawler_owner"', 'nor run them');
SELECT results_eq($$SELECT code, hint FROM caught($c$SELECT setup.drop_crawler('shop')$c$)$$,
  $$VALUES ('42501', 'It takes that role itself, a member of it, or a superuser.')$$, 'nor drop them, which takes the owner');
SELECT throws_ok($$SELECT setup.create_crawler('shop', path => 'x')$$, '42501', NULL, 'nor change them');
SELECT throws_ok($$SELECT setup.create_crawler('mine', 'landing', 'bronze')$$, '42501', NULL,
  'nor make one for a location that is not theirs to use');
SELECT throws_ok($$INSERT INTO setup.crawler_settings (crawler_name, location, layer) VALUES ('x', 'landing', 'bronze')$$,
  '42501', NULL, 'and there is no other way');
RESET SESSION AUTHORIZATION;
SELECT throws_ok($$SELECT setup.crawl('shop')$$, '42501', NULL, 'a superuser becomes the owner first, too');
SELECT throws_ok($$SELECT setup.crawl('nothing')$$, '42704', 'crawler "nothing" does not exist', 'a crawler must be there');
SELECT throws_ok($$SELECT setup.create_crawler('new', 'landing', 'nothing')$$, '42704', NULL, 'so must its layer');
SELECT throws_ok($$SELECT setup.create_crawler('new', 'nothing', 'bronze')$$, '42704', 'location "nothing" does not exist', 'and its location');
SELECT throws_ok(format('SELECT setup.create_crawler(''new'', ''landing'', ''bronze'', %s)', setting), '23514',
                 'crawler "new": ' || problem, setting || ' is refused')
  FROM (VALUES ('path => ''../x''', 'path must lead from its location downwards, without "." and "..", in up to 2000 bytes'),
               ('path => ''a/./b''', 'path must lead from its location downwards, without "." and "..", in up to 2000 bytes'),
               ('path => ''a//b''', 'path must lead from its location downwards, without "." and "..", in up to 2000 bytes'),
               ('table_prefix => repeat(''x'', 64)', 'table_prefix must have up to 63 bytes'),
               ('on_new_column => ''drop''', 'on_new_column must be add, ignore or fail'),
               ('on_type_change => ''drop''', 'on_type_change must be widen, ignore or fail'),
               ('exclusions => ''{a,null}''', 'exclusions must be up to 1000 patterns, none of them null'),
               ('reader_options => ''5''', 'reader_options must be an object, such as {"delimiter": ";"}'),
               ('reader_options => ''{"columns": []}''', 'reader_options cannot have "columns": it finds them out for each data set'),
               ('load_mode => ''upsert''', 'load_mode must be replace or append; an upsert needs to know its key: change the job after the crawl'))
       AS refused(setting, problem);
SELECT throws_ok($$SELECT setup.create_crawler(repeat('x', 64), 'landing', 'bronze')$$, '23514',
  'crawler "' || repeat('x', 64) || '": its name must have 1 to 63 bytes, and no control character', 'a name is a name');
SELECT is((caught($$SELECT setup.create_crawler('new', 'landing', 'bronze', path => '../x')$$)).hint,
  'What a crawler can be told is explained by \d+ setup.crawler_settings.', 'and the hint tells where to look');
SELECT results_eq($$SELECT code, message, hint FROM caught($c$SELECT setup.create_crawler('new', 'landing', 'bronze',
    reader_options => '{"delimiter": "ab"}')$c$)$$,
  $$VALUES ('22023', 'reader option "delimiter" must be a single one-byte character', 'For example {"delimiter": ";"}.')$$,
  'options are checked');
SELECT is_empty($$SELECT FROM setup.crawlers WHERE crawler_name = 'new'$$, 'none of these was made');
SELECT is((caught($$SELECT setup.drop_crawler('nothing')$$)).hint, 'SELECT crawler_name FROM setup.crawlers; lists your crawlers.',
  'an unknown crawler has a hint');
\setenv DB :DBNAME
\set output `psql -XAtq -d "$DB" -c "UPDATE setup.crawler_settings SET owner = 'crawler_nobody' WHERE crawler_name = 'bad'" 2>&1`
SELECT is(:'output'::text, E'WARNING:  crawler "bad": role "crawler_nobody" does not exist\n'
  'HINT:  A superuser can give it another owner: UPDATE setup.crawler_settings SET owner = ...',
  'an owner that is not there, as after a restore, is a warning');
UPDATE setup.crawler_settings SET owner = 'crawler_owner' WHERE crawler_name = 'bad';

-- Running

SELECT setup.revoke_location('landing', 'crawler_owner');
SET SESSION AUTHORIZATION crawler_owner;
SELECT throws_ok($$SELECT setup.crawl('shop')$$, '42501', NULL, 'the right to the location is needed at each crawl');
RESET SESSION AUTHORIZATION;
SELECT setup.grant_location('landing', 'crawler_owner');
SELECT dblink_connect('other', format('dbname=%s host=%s port=%s', current_database(),
  current_setting('unix_socket_directories'), current_setting('port')));
SELECT dblink_exec('other', 'SET ROLE crawler_owner; BEGIN');
SELECT * FROM dblink('other', $$SELECT count(*) FROM setup.crawl('shop')$$) AS done(rows bigint);
SELECT is((SELECT string_agg(crawler_name, ' ') FROM setup.crawlers WHERE state = 'RUNNING'), 'shop',
  'a crawler is RUNNING until its transaction ends');
SET ROLE crawler_owner;
SELECT throws_ok($$SELECT setup.crawl('shop')$$, '55006', 'crawler "shop" is running already', 'and runs once at a time');
SELECT lives_ok($$SELECT setup.crawl('shop', true)$$, 'but for dry runs');
RESET ROLE;
SELECT dblink_exec('other', 'ROLLBACK');
SELECT is((SELECT count(*) FROM setup.crawlers WHERE state = 'RUNNING'), 0::bigint, 'whatever its end');
SELECT dblink_disconnect('other');

-- Files that are hard to judge

SET SESSION AUTHORIZATION crawler_owner;
SELECT setup.create_crawler('hard', 'landing', 'bronze', path => 'hard');
SELECT is(crawled('hard'), ARRAY['bronze.late created (1)', 'bronze.split created (1)', 'bronze.stray failed (1)',
  'bronze.styles created (1)'], 'each has a table');
SELECT is(shape('bronze.split'), 'id integer, preis_eur integer, menge integer', 'a header may have several lines');
SELECT is((SELECT message FROM setup.crawl('hard') WHERE table_name = 'bronze.stray'),
  'file "hard/stray.csv", line 3: is not in the file''s encoding: The line is: 2;caf\xe9 '
  '(If the file has another encoding, name it: reader_options => ''{"encoding": "latin-1"}'', or utf-16.)',
  'a row that is not in the encoding is told, since no type could be sure of it');
SELECT setup.create_crawler('hard', reader_options => '{"encoding": "latin-1"}');
SELECT setup.crawl('hard');
SELECT is(shape('bronze.stray'), 'id integer, name text', 'with its encoding the file is read');
SELECT is(shape('bronze.late'), 'v double precision', 'JSON: fractions behind the sample count');
SELECT is(shape('bronze.styles'), 'a date, b date', 'dates may be in another style and in ISO form');
CALL setup.orchestrate_bronze(jobs => '{styles}');
SELECT is((SELECT concat_ws(' ', a, b) FROM bronze.styles), '2024-12-31 2024-12-31', 'and are loaded so');

SELECT * FROM finish();
