-- Jobs that load files of a location.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
\! mkdir $FILES/in $FILES/other && chmod 777 $FILES/in
SELECT setup.create_layer('bronze');
SELECT setup.create_location('in', 'file://' || :'files' || '/in');
SELECT setup.create_location('other', 'file://' || :'files' || '/other');
CREATE ROLE loader LOGIN;
CREATE ROLE stranger LOGIN;
GRANT USAGE ON SCHEMA setup, bronze TO loader, stranger;
SELECT setup.grant_location('in', 'loader');

-- A table of (id, name) of the loader's, and a job of his that loads it.
CREATE PROCEDURE job(name text, arguments text, columns text DEFAULT 'id int, name text') LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE bronze.%1$I (%2$s); ALTER TABLE bronze.%1$I OWNER TO loader', name, columns);
  EXECUTE format('SELECT setup.add_job(''bronze'', %L, table_name => %L, location => ''in'', owner => ''loader'', '
                 'max_attempts => 1, %s)', name, name, arguments);
END $$;
-- "id:name id:name ..." of a table.
CREATE FUNCTION content(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(concat(id, '':'', name), '' '' ORDER BY id, name) FROM bronze.%I', name) INTO result;
  RETURN result;
END $$;
-- What the log says of the last run of a job.
CREATE FUNCTION told(job text) RETURNS text LANGUAGE sql
  AS $$ SELECT concat_ws(' ', status, sqlstate, rows_loaded, message) FROM setup.load_log
         WHERE job_name = job ORDER BY log_id DESC LIMIT 1 $$;
-- What the table of a job holds: "path rows, ...".
CREATE FUNCTION held(job text) RETURNS text LANGUAGE sql
  AS $$ SELECT string_agg(path || ' ' || rows_loaded, ', ' ORDER BY path) FROM setup.load_files
         WHERE job_name = job AND is_current $$;
-- What is said of the last load of a file.
CREATE FUNCTION said(job text, file text) RETURNS text LANGUAGE sql
  AS $$ SELECT concat_ws(' ', status, sqlstate, message) FROM setup.load_files
         WHERE job_name = job AND path = file ORDER BY file_id DESC LIMIT 1 $$;

SELECT plan(168);

-- What a job may say

-- The error of adding a job with these further arguments.
CREATE FUNCTION refused(arguments text, file_path text DEFAULT 'a.csv') RETURNS text LANGUAGE sql
  AS $$ SELECT message FROM caught(format('SELECT setup.add_job(''bronze'', ''x'', table_name => ''x'', file_path => %L, %s)',
                                          file_path, arguments)) $$;
SELECT is(refused($$location => 'in'$$), NULL, 'a job may load a file of a location');
SELECT results_eq($$SELECT location, load_mode, skip_unchanged, reader_options, on_bad_row, provenance
  FROM bronze.load_jobs WHERE job_name = 'x'$$, $$VALUES ('in', 'replace', false, '{}'::jsonb, 'fail', false)$$,
  'which replaces the content of its table');
SELECT is(refused($$location => 'in', load_mode => 'append'$$, '**/*.csv'), NULL, 'or many, by a pattern');
SELECT alike(refused($$location => 'in'$$, '/a.csv'), '%file_path must lead from its location downwards%',
  'a path begins at its location');
SELECT alike(refused($$location => 'in'$$, 'a/../b.csv'), '%file_path must lead from its location downwards%',
  'and does not go up');
SELECT alike(refused($$load_mode => 'append'$$, '/a.csv'), '%are for files in a location', 'a location is needed for modes');
SELECT alike(refused($$provenance => true$$, '/a.csv'), '%are for files in a location', 'and for the rest');
SELECT alike(refused($$location => 'in', load_mode => 'merge'$$), '%load_mode must be%', 'modes are known');
SELECT alike(refused($$location => 'in', load_mode => 'upsert'$$), '%takes key_columns%', 'an upsert needs its key');
SELECT alike(refused($$location => 'in', load_mode => 'upsert', key_columns => '{}'$$), '%takes key_columns%',
  'which is not empty');
SELECT alike(refused($$location => 'in', key_columns => '{id}'$$), '%key_columns are for load_mode upsert',
  'nothing else has one');
SELECT alike(refused($$location => 'in', load_mode => 'append', skip_unchanged => true$$),
  '%skip_unchanged is for load_mode replace%', 'only replacing is skipped');
SELECT is(refused($$location => 'in', reader_options => '{"delimeter": ";"}'$$), 'reader option "delimeter" is not known',
  'reader options are known');
SELECT row_eq($$SELECT * FROM caught($c$SELECT setup.add_job('bronze', 'x', table_name => 'x', file_path => 'a.csv', location => 'in',
    reader_options => '{"delimiter": ";", "quote": ";"}')$c$)$$, ROW('22023'::text,
  'reader options "delimiter" and "quote" are the same character'::text, 'Both are ";".'::text,
  'A field could not be told from the next. What is not given is as for COPY: a comma, and double quotes.'::text),
  'a delimiter is no quote');
SELECT is(refused($$location => 'in', reader_options => '{"quote": ","}'$$),
  'reader options "delimiter" and "quote" are the same character', 'nor is that which is not given');
SELECT is(refused($$location => 'in', reader_options => '{"delimiter": "\\", "escape": "\\"}'$$),
  'reader options "delimiter" and "escape" are the same character', 'nor an escape mark');
SELECT alike(refused($$location => 'in', reader_options => '[]'$$), '%reader_options must be an object%',
  'and an object');
SELECT alike(refused($$location => 'in', reject_limit => 1$$), '%are for on_bad_row reject',
  'a limit of rejects needs rejects');
SELECT alike(refused($$location => 'in', on_bad_row => 'reject', reject_share => 1.5$$),
  '%reject_share must be between 0 and 1', 'a share is one');
SELECT is((caught($$SELECT setup.add_job('bronze', 'x', table_name => 't', file_path => 'a.csv', location => 'in', load_mode => 'merge')$$)).hint,
  'What a job can be told is explained by \d+ setup.load_jobs.', 'the hint says where that stands');
SELECT is((caught($$SELECT setup.add_job('bronze', 'x', table_name => 't', file_path => 'a.csv', location => 'in',
    reader_options => '{"columns": [{"file": "a"}]}')$$)).hint,
  'For example {"columns": [{"file": "Order Date", "column": "order_date"}]}.', 'that of a reader option is an example');
SELECT alike(refused($$location => ''$$), '%location must be the name of a location', 'a location has a name');
SELECT is(refused($$location => 'nowhere'$$), 'job "bronze.x": location "nowhere" does not exist', 'which exists');
SELECT throws_ok($$UPDATE bronze.load_jobs SET load_mode = 'upsert' WHERE job_name = 'x'$$, '23514',
  'job "bronze.x": load_mode upsert takes key_columns, by which a row is known', 'an UPDATE is told the same');

SELECT setup.create_crawler('reads_it', 'in', 'bronze');
SELECT row_eq($$SELECT * FROM caught($a$SELECT setup.drop_location('in')$a$)$$, ROW('2BP01'::text,
  'location "in" is still used'::text, E'job "bronze.x" of role "postgres"\ncrawler "reads_it" of role "postgres"'::text,
  'Drop them first: SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs WHERE location = ''in''; '
  'SELECT setup.drop_crawler(crawler_name) FROM setup.crawlers WHERE location = ''in'';'::text),
  'and which is not dropped while a job reads it');
SELECT setup.drop_job('bronze', 'x'), setup.drop_crawler('reads_it');

-- append: each file once

\! mkdir $FILES/in/a; printf 'id,name\n1,a\n2,b\n' > $FILES/in/a/1.csv; printf 'id,name\n3,c\n' > $FILES/in/a/2.csv
CALL job('added', $$file_path => 'a/*.csv', load_mode => 'append'$$);
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(content('added'), '1:a 2:b 3:c', 'all files are loaded');
SELECT is(told('added'), 'OK 3 2 files', 'the log counts rows and files');
SELECT is(held('added'), 'a/1.csv 2, a/2.csv 1', 'load_files lists them');
SELECT results_eq($$SELECT layer, location, size, content_hash IS NOT NULL, status, rows_rejected, run_id, attempt
  FROM setup.load_files WHERE path = 'a/2.csv'$$,
  $$SELECT 'bronze', 'in', 12::bigint, true, 'LOADED', 0::bigint, last_run(), 1$$, 'with what they were');
SELECT ok((SELECT modified_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AND
                  abs(modified_ns / 1000 - extract(epoch FROM modified_at) * 1000000) < 1 FROM setup.load_files
            WHERE path = 'a/2.csv'), 'and when');
SELECT is((SELECT phase FROM bronze.load_log WHERE job_name = 'added'), 'COPY', 'its phase is COPY');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 0 no new file', 'a second run finds no new file');
SELECT is(content('added'), '1:a 2:b 3:c', 'and loads nothing');
\! printf 'id,name\n4,d\n' > $FILES/in/a/3.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 1 1 file', 'a new file is loaded by itself');
SELECT is(content('added'), '1:a 2:b 3:c 4:d', 'and added');

-- Which file is which

\! touch -d '2020-02-02' $FILES/in/a/1.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 0 no new file; 1 touched', 'a file that was only touched is known by its content');
SELECT is(said('added', 'a/1.csv'), 'LOADED touched: its content is the same', 'load_files says so');
SELECT is((SELECT modified_at::date FROM setup.load_files WHERE path = 'a/1.csv'), '2020-02-02', 'and its new time');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 0 no new file', 'the next run knows that time');
\! mv $FILES/in/a/2.csv $FILES/in/a/renamed.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 0 no new file; 1 renamed', 'a file that was renamed is known by its content');
SELECT is(held('added'), 'a/1.csv 2, a/3.csv 1, a/renamed.csv 1', 'load_files has its new path');
SELECT is(said('added', 'a/renamed.csv'), 'LOADED renamed from "a/2.csv"', 'and tells the old one');
\! cp $FILES/in/a/renamed.csv $FILES/in/a/2.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(content('added'), '1:a 2:b 3:c 3:c 4:d', 'a copy of a file that is still there is another file');
SELECT is(said('added', 'a/2.csv'), 'LOADED a copy of "a/renamed.csv"', 'and is called one');
\! printf 'id,name\n5,e\n' > $FILES/in/a/3.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(content('added'), '1:a 2:b 3:c 3:c 4:d 5:e', 'a file with other content is loaded again');
SELECT is(said('added', 'a/3.csv'),
  'LOADED replaced: its content is new; the rows that it brought before are still there', 'beside its earlier rows');
SELECT is((SELECT array_agg(is_current ORDER BY file_id) FROM setup.load_files WHERE path = 'a/3.csv'), '{f,t}',
  'its earlier version remains in load_files');
\! rm $FILES/in/a/2.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added') || ', ' || held('added'),
  'OK 0 no new file, a/1.csv 2, a/2.csv 1, a/3.csv 1, a/renamed.csv 1', 'a file that is gone stays loaded');

\! mv $FILES/in/a/renamed.csv $FILES/in/a/3.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(content('added'), '1:a 2:b 3:c 3:c 4:d 5:e', 'a file that took another one''s name is known by its content, too');
SELECT is(held('added'), 'a/1.csv 2, a/2.csv 1, a/3.csv 1', 'and load_files has it there only');

-- Files that take each other's names

CALL job('rotated', $$file_path => 'l/*', load_mode => 'append'$$);
\! mkdir $FILES/in/l; printf 'id,name\n1,a\n' > $FILES/in/l/log.csv
CALL setup.orchestrate_bronze(jobs => '{rotated}');
\! cd $FILES/in/l; mv log.csv log.1.csv; printf 'id,name\n2,b\n' > log.csv
CALL setup.orchestrate_bronze(jobs => '{rotated}');
SELECT is(content('rotated') || ', ' || told('rotated'), '1:a 2:b, OK 1 1 file; 1 renamed',
  'a log that was rotated is known, though there is another file at its old path');
\! cd $FILES/in/l; mv log.1.csv log.2.csv; mv log.csv log.1.csv; printf 'id,name\n3,c\n' > log.csv
CALL setup.orchestrate_bronze(jobs => '{rotated}');
SELECT is(content('rotated') || ', ' || held('rotated'), '1:a 2:b 3:c, l/log.1.csv 1, l/log.2.csv 1, l/log.csv 1', 'so is a chain of them');
SELECT is(said('rotated', 'l/log.2.csv'), 'LOADED renamed from "l/log.1.csv"', 'each from the one before');
\! cd $FILES/in/l; mv log.csv log_3.csv; printf 'id,name\n4,d\n' > log.csv
CALL setup.orchestrate_bronze(jobs => '{rotated}');
SELECT is(content('rotated') || ', ' || said('rotated', 'l/log.csv'), '1:a 2:b 3:c 4:d, LOADED',
  'in whatever order their names are: nothing was replaced');
\! cd $FILES/in/l; mv log.csv x; mv log.1.csv log.csv; mv x log.1.csv
CALL setup.orchestrate_bronze(jobs => '{rotated}');
SELECT is(content('rotated') || ', ' || told('rotated'), '1:a 2:b 3:c 4:d, OK 0 no new file; 2 renamed', 'files may change places');

-- When a file fails

\! printf 'id,name\nx,y\n' > $FILES/in/a/0.csv; printf 'id,name\n6,f\n' > $FILES/in/a/6.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'ERROR 22P02 1 file could not be loaded: "a/0.csv"', 'the attempt fails, and names the file');
SELECT alike((SELECT detail FROM setup.load_log WHERE run_id = last_run()),
  'file "a/0.csv": invalid input syntax for type integer: "x" (line 2, column "id": "x")', 'with its error');
SELECT alike(said('added', 'a/0.csv'), 'FAILED 22P02 invalid input syntax for type integer: "x"%', 'load_files has that, too');
SELECT alike(content('added'), '% 6:f', 'the other files are loaded');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'ERROR 22P02 1 file could not be loaded: "a/0.csv"', 'it is tried again by the next run');
SELECT is((SELECT count(*) FROM bronze.added WHERE id = 6), 1::bigint, 'the others are not');
\! printf 'id,name\n0,z\n' > $FILES/in/a/0.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 1 1 file', 'until it is right');
UPDATE setup.load_jobs SET max_attempts = 2, retry_delay = '0', retry_on = '{all}' WHERE job_name = 'added';
\! printf 'id,name\n7,g\n' > $FILES/in/a/7.csv; printf 'id,name\nx,y\n' > $FILES/in/a/8.csv
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is((SELECT string_agg(status || ' ' || count, ', ' ORDER BY status) FROM (SELECT status, count(*) FROM
  setup.load_files WHERE run_id = last_run() GROUP BY status) s), 'FAILED 2, LOADED 1',
  'a second attempt goes on with the files that are left');
\! rm $FILES/in/a/8.csv

CALL job('starved', $$file_path => 'k/*', load_mode => 'append'$$);
\! mkdir $FILES/in/k; for i in $(seq 100 200); do printf 'id,name\nx,y\n' > $FILES/in/k/bad_$i.csv; done
\! printf 'id,name\n1,a\n' > $FILES/in/k/good.csv
CALL setup.orchestrate_bronze(jobs => '{starved}');
SELECT alike((SELECT detail FROM setup.load_log WHERE run_id = last_run()), '%and 90 more; after so many, 2 others were not tried',
  'after 100 files that fail an attempt gives up');
CALL setup.orchestrate_bronze(jobs => '{starved}');
SELECT is(content('starved'), '1:a', 'the next one begins with files that have not failed');
SELECT is((SELECT count(DISTINCT path) FROM setup.load_files WHERE job_name = 'starved' AND status = 'FAILED'), 101::bigint,
  'so that each of them is tried');
CALL job('deep', $$file_path => 'w/**', load_mode => 'append'$$);
\! name=$(printf 'd%.0s' $(seq 250)); deep=$FILES/in/w/x; for i in 1 2 3 4 5 6 7 8; do deep=$deep/$name; done; mkdir -p $deep; printf 'id,name\n2,b\n' > $deep/2.csv; printf 'id,name\n1,a\n' > $FILES/in/w/1.csv
CALL setup.orchestrate_bronze(jobs => '{deep}');
SELECT is(content('deep') || ', ' || held('deep') || ', ' || left((SELECT detail FROM setup.load_log WHERE run_id = last_run()), 14),
  '1:a, w/1.csv 1, file "w/x/dddd', 'a path that is too long to be remembered fails the attempt');
SELECT is_empty($$SELECT FROM setup.load_files WHERE job_name = 'deep' AND status = 'FAILED'$$, 'and no other file is blamed');

-- Asking for a file once more

SELECT throws_ok($$SELECT setup.reload_file('bronze', 'added', 'a/none.csv')$$, 'P0002',
  'job "bronze.added" has not loaded file "a/none.csv"', 'a file that was not loaded cannot be loaded again');
SELECT setup.reload_file('bronze', 'added', 'a/7.csv');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is((SELECT count(*) FROM bronze.added WHERE id = 7), 2::bigint, 'a file is loaded once more');
SELECT alike(said('added', 'a/7.csv'), 'LOADED loaded again, as was asked for%', 'load_files tells why');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(told('added'), 'OK 0 no new file', 'and only once');
TRUNCATE bronze.added;
SELECT is(setup.reset_bookmark('bronze', 'added'), 6::bigint, 'all files are forgotten');
SELECT is(held('added'), NULL, 'none is left');
CALL setup.orchestrate_bronze(jobs => '{added}');
SELECT is(content('added'), '0:z 1:a 2:b 3:c 6:f 7:g', 'all that are there are loaded again');
SET ROLE stranger;
SELECT throws_ok($$SELECT setup.reset_bookmark('bronze', 'added')$$, '42501', NULL, 'not by just anybody');
SELECT throws_ok($$SELECT setup.reload_file('bronze', 'added', 'a/1.csv')$$, '42501', NULL, 'neither of them');
SELECT is_empty('SELECT FROM setup.load_files', 'who does not see a job does not see its files');
SET ROLE loader;
SELECT isnt_empty('SELECT FROM setup.load_files', 'its owner does');
SELECT throws_ok('UPDATE setup.load_files SET is_current = false', '42501', NULL, 'but changes nothing there');
RESET ROLE;
SELECT throws_ok($$SELECT setup.reset_bookmark('bronze', 'none')$$, '42704', NULL, 'a job must be there');

-- A location of somebody else's

SET ROLE stranger;
SELECT row_eq($$SELECT code, message, hint FROM caught($a$SELECT setup.add_job('bronze', 'spy', table_name => 'spy', location => 'in',
    file_path => '**')$a$)$$, ROW('42501'::text, 'permission denied for location "in"'::text,
  'Its owner "postgres" can allow it: SELECT setup.grant_location(''in'', ''stranger'');'::text),
  'a job names no location that its owner may not use');
SELECT setup.add_job('bronze', 'spy', table_name => 'spy', file_path => '/spy.csv');
SELECT throws_ok($$UPDATE bronze.load_jobs SET location = 'in', file_path = '**' WHERE job_name = 'spy'$$, '42501',
  'permission denied for location "in"', 'nor does it come to do so');
RESET ROLE;
GRANT stranger TO loader;
SET ROLE loader;
SELECT throws_ok($$UPDATE bronze.load_jobs SET owner = 'stranger' WHERE job_name = 'added'$$, '42501',
  'permission denied for location "in"', 'nor is one that does given to somebody who may not');
RESET ROLE;
REVOKE stranger FROM loader;
SELECT setup.revoke_location('in', 'loader');
SET ROLE loader;
SELECT lives_ok($$UPDATE bronze.load_jobs SET is_enabled = true WHERE job_name = 'added'$$,
  'who has lost a location may still change a job');
RESET ROLE;
SELECT setup.grant_location('in', 'loader'), setup.drop_job('bronze', 'spy');

-- With provenance

\! mkdir $FILES/in/p; printf 'id,name\n1,a\n2,b\n' > $FILES/in/p/1.csv; printf 'id,name\n3,c\n' > $FILES/in/p/2.csv
CALL job('origins', $$file_path => 'p/**', load_mode => 'append', provenance => true$$,
  'id int, name text, _source_file text, _source_row bigint, _loaded_at timestamptz');
CREATE FUNCTION origins() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', id, _source_file, _source_row), ', ' ORDER BY id) FROM bronze.origins $$;
CALL setup.orchestrate_bronze(jobs => '{origins}');
SELECT is(origins(), '1 p/1.csv 1, 2 p/1.csv 2, 3 p/2.csv 1', 'rows tell where they come from');
\! printf 'id,name\n4,d\n' > $FILES/in/p/1.csv; mkdir $FILES/in/p/old; mv $FILES/in/p/2.csv $FILES/in/p/old/2.csv
CALL setup.orchestrate_bronze(jobs => '{origins}');
SELECT is(origins(), '3 p/old/2.csv 1, 4 p/1.csv 1', 'rows of a file that was replaced go, those of a renamed one follow');
SELECT is(said('origins', 'p/1.csv'), 'LOADED replaced: its content is new', 'and load_files tells no more');
SELECT setup.reload_file('bronze', 'origins', 'p/1.csv');
CALL setup.orchestrate_bronze(jobs => '{origins}');
SELECT is(origins(), '3 p/old/2.csv 1, 4 p/1.csv 1', 'a file that is loaded once more replaces its rows');
\! mv $FILES/in/p/old/2.csv $FILES/in/p/1.csv
CALL setup.orchestrate_bronze(jobs => '{origins}');
SELECT is(origins(), '3 p/1.csv 1', 'where a file took another one''s name, the rows of that one go');

\! cd $FILES/in/p; printf 'id,name\n4,d\n' > 2.csv
CALL setup.orchestrate_bronze(jobs => '{origins}');
\! cd $FILES/in/p; mv 1.csv 3.csv; mv 2.csv 1.csv; mv 3.csv 2.csv
CALL setup.orchestrate_bronze(jobs => '{origins}');
SELECT is(origins(), '3 p/2.csv 1, 4 p/1.csv 1', 'where files changed places, so did their rows');

-- Two jobs that load files of one path into one table
\! mkdir $FILES/in/eu $FILES/in/us; for i in eu us; do printf "id,name\n1,$i\n" > $FILES/in/$i/2024.csv; done
SELECT setup.create_location(l, 'file://' || :'files' || '/in/' || l), setup.grant_location(l, 'loader') FROM unnest('{eu,us}'::text[]) l;
CREATE TABLE bronze.sales (id int, name text, _source_file text, _source_row bigint, _loaded_at timestamptz);
CREATE TABLE bronze.old_sales () INHERITS (bronze.sales);
ALTER TABLE bronze.sales OWNER TO loader;
SELECT setup.add_job('bronze', l, table_name => 'sales', location => l, file_path => '*', owner => 'loader', load_mode => 'append',
  provenance => true, max_attempts => 1) FROM unnest('{eu,us}'::text[]) l;
CREATE FUNCTION sales() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', name, _source_file), ', ' ORDER BY name) FROM ONLY bronze.sales $$;
CALL setup.orchestrate_bronze(jobs => '{eu, us}');
INSERT INTO bronze.old_sales SELECT * FROM bronze.sales;
\! printf 'id,name\n2,eu 2\n' > $FILES/in/eu/2024.csv
CALL setup.orchestrate_bronze(jobs => '{eu}');
SELECT is(sales(), 'eu 2 2024.csv, us 2024.csv', 'a file that is replaced takes no rows of another job''s along');
SELECT is((SELECT count(*) FROM bronze.old_sales), 2::bigint, 'nor any of a table that inherits');
\! mv $FILES/in/us/2024.csv $FILES/in/us/24.csv
CALL setup.orchestrate_bronze(jobs => '{us}');
SELECT is(sales(), 'eu 2 2024.csv, us 24.csv', 'nor does one that is renamed');
DROP TABLE bronze.old_sales;
ALTER TABLE bronze.sales ALTER COLUMN _loaded_at TYPE timestamptz(0);
SELECT is((SELECT concat_ws(E'\n', detail, hint) FROM caught($$SELECT setup.start_run(jobs => '{eu}')$$)),
  'job "bronze.eu": column "_loaded_at" of table bronze.sales is of type timestamp(0) with time zone, not timestamp with time zone
ALTER TABLE bronze.sales ALTER COLUMN _loaded_at TYPE timestamptz;', 'which takes the exact moment of their load');

-- upsert

\! mkdir $FILES/in/u; printf 'id,name\n1,a\n2,b\n2,c\n' > $FILES/in/u/1.csv
CALL job('merged', $$file_path => 'u/*', load_mode => 'upsert', key_columns => '{id}'$$, 'id int PRIMARY KEY, name text');
CALL setup.orchestrate_bronze(jobs => '{merged}');
SELECT is(content('merged'), '1:a 2:c', 'of two rows of a file with one key the later one counts');
\! printf 'id,name\n2,d\n3,e\n' > $FILES/in/u/2.csv
CALL setup.orchestrate_bronze(jobs => '{merged}');
SELECT is(content('merged'), '1:a 2:d 3:e', 'rows are added, or updated by their key');
SELECT is(told('merged'), 'OK 2 1 file', 'and counted');
CREATE TABLE bronze.merges (id int);
GRANT INSERT ON bronze.merges TO loader;
CREATE FUNCTION remember_merge() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN INSERT INTO bronze.merges VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON bronze.merged FOR EACH ROW EXECUTE FUNCTION remember_merge();
\! printf 'id,name\n2,d\n4,f\n' > $FILES/in/u/3.csv
CALL setup.orchestrate_bronze(jobs => '{merged}');
SELECT is(told('merged'), 'OK 2 1 file', 'without what triggers write elsewhere');
CALL setup.orchestrate_bronze(jobs => '{merged}');
SELECT is(told('merged'), 'OK 0 no new file', 'each file once');

CALL job('partly', $$file_path => 'v/*', load_mode => 'upsert', key_columns => '{id}'$$,
  'id int UNIQUE, name text, kept text DEFAULT ''default'', no int GENERATED ALWAYS AS IDENTITY');
\! mkdir $FILES/in/v; printf 'id,name\n1,a\n,b\n,c\n' > $FILES/in/v/1.csv
CALL setup.orchestrate_bronze(jobs => '{partly}');
SELECT is((SELECT string_agg(concat_ws(' ', id, name, kept, no > 0), ', ' ORDER BY name) FROM bronze.partly),
  '1 a default t, b default t, c default t', 'columns that are not in the file get their defaults; a row without a key is new');
UPDATE bronze.partly SET kept = 'by hand';
\! printf 'id,name\n1,d\n' > $FILES/in/v/2.csv
CALL setup.orchestrate_bronze(jobs => '{partly}');
SELECT is((SELECT kept || ' ' || name FROM bronze.partly WHERE id = 1), 'by hand d', 'or keep what they hold');
\! printf 'name\nx\n' > $FILES/in/v/3.csv
CALL setup.orchestrate_bronze(jobs => '{partly}');
SELECT alike(said('partly', 'v/3.csv'), 'FAILED 42703 there is nothing for key column "id" of table bronze.partly in the file',
  'the key must be there');

-- Rows of many lengths, so that short ones would fit where long ones did not
CREATE TABLE lines AS SELECT n, n * 7919 % 500 AS id, n || repeat('x', n * n % 97 * 20) AS name FROM generate_series(1, 20000) n;
CALL job('long', $$file_path => 'long/*', load_mode => 'upsert', key_columns => '{id}'$$, 'id int PRIMARY KEY, name text');
\! mkdir -m 777 $FILES/in/long
SELECT format('COPY (SELECT id, name FROM lines ORDER BY n) TO %L WITH (FORMAT csv, HEADER)', :'files' || '/in/long/1.csv') \gexec
CALL setup.orchestrate_bronze(jobs => '{long}');
SELECT set_eq('SELECT id, name FROM bronze.long', 'SELECT DISTINCT ON (id) id, name FROM lines ORDER BY id, n DESC',
  'of the rows with one key the last counts, however many there are');

-- A role whose transactions only read

CREATE ROLE careful LOGIN;
ALTER ROLE careful SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA setup, bronze TO careful;
SELECT setup.grant_location('in', 'careful');
CREATE TABLE bronze.read_only (id int, name text);
ALTER TABLE bronze.read_only OWNER TO careful;
SELECT setup.add_job('bronze', 'read_only', table_name => 'read_only', location => 'in', file_path => 'u/1.csv',
                     load_mode => 'append', owner => 'careful');
CALL setup.orchestrate_bronze(jobs => '{read_only}');
SELECT is(said('read_only', 'u/1.csv'), 'FAILED 25006 cannot execute COPY FROM in a read-only transaction',
  'a role whose transactions only read loads nothing');
SELECT setup.drop_job('bronze', 'read_only');

-- Names that are no columns

\! mkdir $FILES/in/n; printf 'v;n\na;2\nb;3' > $FILES/in/n/1.csv
CALL job('parted', $$file_path => 'n/*.csv'$$, 'v text, n text');
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT row_eq($$SELECT sqlstate, message, detail, hint FROM setup.load_log WHERE job_name = 'parted'$$,
  ROW('42703'::text, 'the header of file "n/1.csv" does not fit table bronze.parted'::text,
      E'No column for: "v;n".\nThe file has: "v;n".\nThe table has: "v", "n".'::text,
      'Its fields seem to be parted by another mark: set the job''s reader_options to {"delimiter": ";"}.'::text),
  'a file with another delimiter is not taken for one column');
UPDATE setup.load_jobs SET reader_options = '{"delimiter": ";"}' WHERE job_name = 'parted';
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT is(told('parted'), 'OK 2 1 file', 'with its delimiter it is read');
\! printf 'x\na\n' > $FILES/in/n/1.csv
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT alike(told('parted'), 'ERROR 42703 %', 'a column less, of another name, does not fit either');
UPDATE setup.load_jobs SET reader_options = '{"header": false}' WHERE job_name = 'parted';
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT is(told('parted'), 'OK 2 1 file', 'without a header it does');
\! mkdir $FILES/in/n/n=7; mv $FILES/in/n/1.csv $FILES/in/n/n=7/
ALTER TABLE bronze.parted ADD _source_file text, ADD _source_row bigint, ADD _loaded_at timestamptz;
UPDATE setup.load_jobs SET reader_options = '{}', provenance = true, file_path = 'n/**/*.csv' WHERE job_name = 'parted';
CALL setup.orchestrate_bronze(jobs => '{parted}');
SELECT results_eq('SELECT v, n FROM bronze.parted', $$VALUES ('a', '7')$$, 'columns that are not for the file do not count');
DROP TABLE bronze.parted;
SELECT setup.drop_job('bronze', 'parted');

-- Names of reject tables

\! mkdir $FILES/in/l; printf 'id,name\nx,a\n1,b\n' > $FILES/in/l/1.csv
GRANT CREATE ON SCHEMA bronze TO loader;
SELECT format('CALL job(%L, %L)', repeat('t', 62) || n, format($$file_path => 'l/1.csv', on_bad_row => 'reject', load_mode => %L$$, mode))
  FROM (VALUES (1, 'replace'), (2, 'append')) AS modes(n, mode) \gexec
CALL setup.orchestrate_bronze(jobs => ARRAY[repeat('t', 62) || 1, repeat('t', 62) || 2]);
REVOKE CREATE ON SCHEMA bronze FROM loader;
SELECT is((SELECT count(DISTINCT relname) FROM pg_class WHERE relname ~ '^t{46}_[0-9a-f]{8}_rejects$'), 2::bigint,
  'two tables with long names have two reject tables');
SELECT alike(told(repeat('t', 62) || 1), 'OK 1 1 row was rejected: bronze.t%\_rejects', 'as the log says');
SELECT alike(told(repeat('t', 62) || 2), 'OK 1 1 file; 1 row was rejected: bronze.t%\_rejects', 'also of files that are added');
SELECT format('DROP TABLE bronze.%I', relname) FROM pg_class WHERE relname LIKE repeat('t', 46) || '%' AND relkind = 'r' \gexec
SELECT setup.drop_job('bronze', repeat('t', 62) || n) FROM unnest('{1,2}'::int[]) n;

-- What errors say

\! mkdir $FILES/in/e; printf 'v;n\na;2,5\nb;1.234,5\n' > $FILES/in/e/1.csv
CALL job('commas', $$file_path => 'e/1.csv', reader_options => '{"delimiter": ";", "decimal_separator": ","}'$$, 'v text, n numeric CHECK (n > 2)');
CALL setup.orchestrate_bronze(jobs => '{commas}');
SELECT row_eq($$SELECT message, detail, hint FROM setup.load_log WHERE job_name = 'commas'$$,
  ROW('invalid input syntax for type numeric: "1.234,5" (with decimal_separator ",")'::text, 'File "e/1.csv", line 3, column "n": "1.234,5".'::text,
    'Mend the file, set the job''s reader_options, or let on_bad_row => ''reject'' put such rows aside.'::text),
  'a value is quoted as the file has it');
GRANT CREATE ON SCHEMA bronze TO loader;
UPDATE setup.load_jobs SET on_bad_row = 'reject' WHERE job_name = 'commas';
CALL setup.orchestrate_bronze(jobs => '{commas}');
SELECT is(told('commas'), 'OK 1 1 row was rejected: bronze.commas_rejects', 'one row is no rows');
REVOKE CREATE ON SCHEMA bronze FROM loader;
SELECT is((SELECT error FROM bronze.commas_rejects), 'invalid input syntax for type numeric: "1.234,5" (with decimal_separator ",")', 'also of a row that is put aside');
\! printf 'v;n\na;2,5\nb;1,5\n' > $FILES/in/e/1.csv
CALL setup.orchestrate_bronze(jobs => '{commas}');
SELECT row_eq($$SELECT sqlstate, hint FROM setup.load_log WHERE job_name = 'commas' ORDER BY log_id DESC LIMIT 1$$,
  ROW('23514'::text, 'Mend the file, or change what the table demands of its rows.'::text), 'a CHECK puts no row aside, and no hint says so');
UPDATE setup.load_jobs SET on_bad_row = 'fail' WHERE job_name = 'commas';
CALL setup.orchestrate_bronze(jobs => '{commas}');
SELECT is((SELECT hint FROM setup.load_log WHERE job_name = 'commas' ORDER BY log_id DESC LIMIT 1),
  'Mend the file, or change what the table demands of its rows.', 'whatever the job does with bad rows');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER nothing BEFORE INSERT ON bronze.commas FOR EACH ROW EXECUTE FUNCTION nothing();
\! printf 'v;n\na;2,5\nb;1.234,5\n' > $FILES/in/e/1.csv
CALL setup.orchestrate_bronze(jobs => '{commas}');
SELECT row_eq($$SELECT message, detail FROM setup.load_log WHERE job_name = 'commas' ORDER BY log_id DESC LIMIT 1$$,
  ROW('invalid input syntax for type numeric: "1.234,5" (with decimal_separator ",")'::text, 'File "e/1.csv", line 3, column "n": "1.234,5".'::text), 'by COPY, too');
\! printf 'id,name\n1,a\nx,b\n' > $FILES/in/e/2.csv; seq 1 20000 | gzip | head -c 2000 > $FILES/in/e/cut.csv.gz
CALL job('shortly', $$file_path => 'e/[2c]*', load_mode => 'append', reader_options => '{"header": false}'$$);
CALL setup.orchestrate_bronze(jobs => '{shortly}');
SELECT is((SELECT detail FROM setup.load_log WHERE job_name = 'shortly'),
  E'file "e/2.csv": invalid input syntax for type integer: "id" (line 1, column "id": "id")\n'
  'file "e/cut.csv.gz" ends too early: it was cut off', 'each file is named once, with the place in it');
DROP TABLE bronze.commas, bronze.commas_rejects, bronze.shortly;
SELECT setup.drop_job('bronze', 'commas'), setup.drop_job('bronze', 'shortly');

-- replace

\! mkdir $FILES/in/r; printf 'id,name\n1,a\n' > $FILES/in/r/1.csv; printf 'id,name\n2,b\n' > $FILES/in/r/2.csv
CALL job('replaced', $$file_path => 'r/*.csv'$$);
CALL job('skipped', $$file_path => 'r/*.csv', skip_unchanged => true$$);
INSERT INTO bronze.replaced VALUES (99, 'old');
CALL setup.orchestrate_bronze(jobs => '{replaced,skipped}');
SELECT is(content('replaced'), '1:a 2:b', 'all files together replace the content');
SELECT is(told('replaced'), 'OK 2 2 files', 'and are counted');
SELECT is(held('replaced'), 'r/1.csv 1, r/2.csv 1', 'and listed');
SELECT is((SELECT count(content_hash) FROM setup.load_files WHERE job_name = 'replaced'), 0::bigint,
  'their content is not looked at twice');
DELETE FROM bronze.replaced;
DELETE FROM bronze.skipped WHERE id = 1;
CALL setup.orchestrate_bronze(jobs => '{replaced,skipped}');
SELECT is(content('replaced'), '1:a 2:b', 'they are loaded each time');
SELECT is(told('skipped'), 'OK 0 unchanged: 2 files as loaded before', 'but where unchanged files are to be skipped');
SELECT is(content('skipped'), '2:b', 'the table is left alone');
TRUNCATE bronze.skipped;
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(content('skipped'), '1:a 2:b', 'unless it was emptied since');
DROP TABLE bronze.skipped;
CREATE TABLE bronze.skipped (id int, name text) PARTITION BY LIST (id);
CREATE TABLE bronze.skipped_all PARTITION OF bronze.skipped DEFAULT;
ALTER TABLE bronze.skipped OWNER TO loader;
ALTER TABLE bronze.skipped_all OWNER TO loader;
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(content('skipped'), '1:a 2:b', 'or dropped and made again');
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(told('skipped'), 'OK 0 unchanged: 2 files as loaded before', 'also where its rows are in partitions');
DROP TABLE bronze.skipped;
CREATE TABLE bronze.skipped (id int, name text);
ALTER TABLE bronze.skipped OWNER TO loader;
CALL setup.orchestrate_bronze(jobs => '{skipped}');
\! touch -d '2020-02-02' $FILES/in/r/1.csv
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(told('skipped'), 'OK 0 unchanged: 2 files as loaded before', 'a file that was touched is unchanged');
\! printf 'id,name\n3,c\n' > $FILES/in/r/1.csv
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(content('skipped'), '2:b 3:c', 'one with other content is not');
\! rm $FILES/in/r/1.csv
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(content('skipped'), '2:b', 'nor is a set with a file less');
DELETE FROM bronze.skipped;
SELECT setup.reload_file('bronze', 'skipped', 'r/2.csv');
CALL setup.orchestrate_bronze(jobs => '{skipped}');
SELECT is(content('skipped'), '2:b', 'nor one with a file that is to be loaded once more');
UPDATE setup.load_jobs SET priority = 3 WHERE job_name = 'skipped';
SELECT is(held('skipped'), 'r/2.csv 1', 'a job that changes otherwise goes on');
UPDATE setup.load_jobs SET reader_options = '{"null_string": "b"}' WHERE job_name = 'skipped';
SELECT is(held('skipped'), NULL, 'one that reads in another way begins again');
\! printf 'id,name\nx,c\n' > $FILES/in/r/1.csv
CALL setup.orchestrate_bronze(jobs => '{replaced}');
SELECT alike(told('replaced'), 'ERROR 22P02 %', 'a file that fails fails the load');
SELECT is(content('replaced'), '1:a 2:b', 'which leaves the table as it was');
SELECT alike(said('replaced', 'r/1.csv'), 'FAILED 22P02 %', 'load_files tells which file it was');
SELECT is(held('replaced'), 'r/1.csv 1, r/2.csv 1', 'and that the table holds what it held');
\! rm $FILES/in/r/*.csv
CALL setup.orchestrate_bronze(jobs => '{replaced}');
SELECT is(told('replaced'), 'OK 0 no file of location "in" matches "r/*.csv"', 'a pattern may match nothing');
SELECT is(content('replaced'), '1:a 2:b', 'then the table is left alone');

-- One file, and what keeps a run from starting

\! printf 'id,name\n1,a\n' > $FILES/in/one.csv; chmod 644 $FILES/in/one.csv
CALL job('one', $$file_path => './one.csv'$$);
CALL setup.orchestrate_bronze(jobs => '{one}');
SELECT is(content('one') || ', ' || told('one'), '1:a, OK 1', 'a job may load one file');
CREATE FUNCTION refusal(job text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(E'\n', detail, hint) FROM caught(format('SELECT setup.start_run(jobs => ARRAY[%L])', job)) $$;
\! rm $FILES/in/one.csv
SELECT is(refusal('one'), 'job "bronze.one": file "one.csv" of location "in" does not exist
Put the file there, or disable the job: UPDATE setup.load_jobs SET is_enabled = false WHERE layer = ''bronze'' AND job_name = ''one'';',
  'which must be there');
UPDATE setup.load_jobs SET location = 'other' WHERE job_name = 'one';
SELECT is(refusal('one'), 'job "bronze.one": owner "loader" may not use location "other"
Its owner "postgres" can allow it: SELECT setup.grant_location(''other'', ''loader'');', 'in a location that the owner may use');
CREATE TABLE bronze.foreign_table (id int);
SELECT setup.add_job('bronze', 'foreign', table_name => 'foreign_table', location => 'in', file_path => '*.csv',
  load_mode => 'append', owner => 'loader');
SELECT alike(refusal('foreign'), 'job "bronze.foreign": owner "loader" may not add rows to table bronze.foreign_table
%GRANT INSERT ON bronze.foreign_table TO loader;', 'the table must be one that the owner may add to');
GRANT INSERT ON bronze.foreign_table TO loader;
SELECT is(refusal('foreign'), '', 'to append takes no other right');
CALL job('keyless', $$file_path => 'u/*', load_mode => 'upsert', key_columns => '{id,name}'$$);
SELECT is(refusal('keyless'), 'job "bronze.keyless": table bronze.keyless has no unique index on (id, name)
CREATE UNIQUE INDEX ON bronze.keyless (id, name);', 'an upsert needs an index on its key');
CREATE UNIQUE INDEX ON bronze.keyless (name, id);
SELECT is(refusal('keyless'), '', 'in any order');
UPDATE setup.load_jobs SET provenance = true, rescue_column = 'rest' WHERE job_name = 'keyless';
SELECT alike(refusal('keyless'), '%has no column "_source_row"%has no column "rest"%
ALTER TABLE bronze.keyless ADD COLUMN rest jsonb;', 'and what a job fills must be there');
SELECT setup.cancel_run(run_id) FROM setup.load_runs WHERE finished_at IS NULL;

-- Files of another shape

CALL job('shaped', $$file_path => 'j/*', load_mode => 'append',
  reader_options => '{"columns": [{"file": "id", "column": "id"}, {"file": "name", "column": "name"}], "new_columns": "ignore"}'$$,
  'id int, name text, rest jsonb');
\! mkdir $FILES/in/j; echo '{"id": 1, "more": true}' > $FILES/in/j/1.ndjson; echo '{"level": "info", "text": "x"}' > $FILES/in/j/2.ndjson
CALL setup.orchestrate_bronze(jobs => '{shaped}');
SELECT is(content('shaped'), '1:', 'a JSON file may lack fields and have others');
SELECT alike(said('shaped', 'j/2.ndjson'), 'FAILED 22P04 file "j/2.ndjson" has another shape than its job knows
Missing: "id", "name".
New: "level", "text".%', 'but where it has none that is known, it is another file');
UPDATE setup.load_jobs SET rescue_column = 'rest' WHERE job_name = 'shaped';
CALL setup.orchestrate_bronze(jobs => '{shaped}');
SELECT is((SELECT rest FROM bronze.shaped WHERE id IS NULL), '{"level": "info", "text": "x"}', 'unless all of it is kept');

-- Loads that are stopped, and loads that meet

CREATE TABLE gate (is_open boolean);
GRANT SELECT ON gate TO loader;
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WHILE NEW.name = 'slow' AND NOT EXISTS (SELECT FROM public.gate) LOOP
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN NEW;
END $$;
\! mkdir $FILES/in/s; printf 'id,name\n1,a\n2,b\n' > $FILES/in/s/1.csv; printf 'id,name\n3,slow\n' > $FILES/in/s/2.csv
\! printf 'id,name\n4,d\n' > $FILES/in/s/3.csv
CALL job('stopped', $$file_path => 's/*', load_mode => 'append', statement_timeout => '300 ms'$$);
CREATE TRIGGER wait_at_gate BEFORE INSERT ON bronze.stopped FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
SELECT setup.start_run(jobs => '{stopped}') AS run \gset
SELECT is(setup.wait_run(:run) || ', ' || held('stopped'), 'ERROR, s/1.csv 2, s/3.csv 1',
  'statement_timeout ends the load of a file, not that of the others');
SELECT alike(said('stopped', 's/2.csv'), 'FAILED 57014 canceling statement due to statement timeout%', 'as load_files tells');
TRUNCATE bronze.stopped;
SELECT setup.reset_bookmark('bronze', 'stopped');
UPDATE setup.load_jobs SET statement_timeout = NULL, timeout = '1 s' WHERE job_name = 'stopped';
SELECT setup.start_run(jobs => '{stopped}') AS run \gset
SELECT is(setup.wait_run(:run) || ', ' || told('stopped'), 'ERROR, TIMED_OUT 57014 took longer than its timeout of 1.00 s',
  'the timeout of the job ends all');
SELECT is(content('stopped') || ', ' || held('stopped'), '1:a 2:b 4:d, s/1.csv 2, s/3.csv 1',
  'what was loaded by then stays; the file that had failed was the last to be tried');
UPDATE setup.load_jobs SET timeout = NULL WHERE job_name = 'stopped';
SELECT setup.start_run(jobs => '{stopped}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%s/2.csv%' AND wait_event = 'PgSleep')$$);
SELECT setup.cancel_run(:run);
SELECT is(setup.wait_run(:run) || ', ' || told('stopped'), 'CANCELLED, CANCELLED 57014 cancelled together with its run',
  'a cancel does, too');
SELECT is((SELECT count(*) FROM setup.load_files WHERE run_id = :run), 0::bigint, 'it is no fault of the file');
SELECT setup.reset_bookmark('bronze', 'stopped');
TRUNCATE bronze.stopped;
SELECT setup.start_run(jobs => '{stopped}') AS run \gset
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%s/2.csv%' AND wait_event = 'PgSleep')$$);
SELECT ok((SELECT rows_so_far >= 2 FROM setup.running_jobs), 'the rows of files that are done count as progress');
INSERT INTO setup.load_files (layer, job_name, location, path, size, modified_at, modified_ns, status, rows_loaded, run_id,
                              attempt, is_current)
VALUES ('bronze', 'stopped', 'in', 's/2.csv', 0, now(), 0, 'LOADED', 0, 0, 1, true);
INSERT INTO gate VALUES (true);
SELECT is(setup.wait_run(:run) || ', ' || content('stopped'), 'OK, 1:a 2:b 4:d',
  'of two loads of a file at the same time one is rolled back');
SELECT is(told('stopped'), 'OK 3 2 files', 'and counts for the other');

-- Jobs that change, and history

UPDATE setup.load_jobs SET job_name = 'joined' WHERE job_name = 'merged';
SELECT is(held('joined'), 'u/1.csv 2, u/2.csv 2, u/3.csv 2', 'what a job has loaded follows its name');

\setenv DB :DBNAME
\! createdb "$DB"_copy && pg_dump -d "$DB" | psql -Xqo /dev/null -d "$DB"_copy 2>/dev/null
\set run `psql -XqAtd "$DB"_copy -c 'SET etl_orchestrator.progress = off' -c "CALL setup.orchestrate_bronze(jobs => '{added,joined}')" -c "SELECT string_agg(concat_ws(' ', status, rows_loaded, message), ', ') FROM setup.load_log" 2>&1`
SELECT alike(:'run'::text, '%OK 0 no new file, OK 0 no new file', 'a restored database knows what it has loaded');
\! printf 'id,name\n9,i\n' > $FILES/in/u/9.csv
\set run `psql -XqAtd "$DB"_copy -c 'SET etl_orchestrator.progress = off' -c "CALL setup.orchestrate_bronze(jobs => '{joined}')" -c "SELECT rows_loaded || ' ' || message FROM setup.load_log ORDER BY log_id DESC LIMIT 1" 2>&1`
SELECT alike(:'run'::text, '%1 1 file', 'and goes on from there');
\! dropdb --force "$DB"_copy
SELECT setup.drop_job('bronze', 'joined');
SELECT is_empty($$SELECT FROM setup.load_files WHERE job_name = 'joined'$$, 'and goes with it');
UPDATE setup.load_files SET loaded_at = now() - interval '1 year';
SELECT setup.drop_history(now() - interval '1 month');
SELECT is((SELECT count(*) FROM setup.load_files WHERE NOT is_current), 0::bigint,
  'what the table does not hold leaves with the rest of history');
SELECT is(held('origins'), 'p/1.csv 1, p/2.csv 1', 'what it holds stays');

SELECT * FROM finish();
DROP OWNED BY loader, stranger;
DROP ROLE loader, stranger;
