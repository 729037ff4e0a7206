-- What becomes of the values of files on both ways into a table: past the executor, and by COPY's way, where triggers,
-- foreign keys or partitions want it.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT pass('this needs the module etl_files, which is not installed');
SELECT * FROM finish();
\quit
\endif
SELECT setup.create_layer('bronze');
SELECT setup.create_location('in', 'file://' || :'files', writable => true);
SELECT format('ALTER DATABASE %I SET timezone = ''America/New_York''', current_database()) \gexec
SET timezone = 'America/New_York';

-- Two tables, and jobs that load a file into them: one has a trigger.
CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE PROCEDURE loads(name text, file text, columns text, arguments text DEFAULT 'provenance => false') LANGUAGE plpgsql AS $$
DECLARE
  way text;
BEGIN
  FOREACH way IN ARRAY '{direct,routed}'::text[] LOOP
    EXECUTE format('CREATE TABLE bronze.%I (%s)', name || '_' || way, columns);
    EXECUTE format('SELECT setup.add_job(''bronze'', %1$L, table_name => %1$L, location => ''in'', file_path => %2$L, '
                   'max_attempts => 1, %3$s)', name || '_' || way, file, arguments);
  END LOOP;
  EXECUTE format('CREATE TRIGGER pass BEFORE INSERT ON bronze.%I FOR EACH ROW EXECUTE FUNCTION pass_on()', name || '_routed');
END $$;
-- What became of a job on both ways: the rows, or the error with its detail. Once, where it is the same.
CREATE FUNCTION outcomes(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  way text;
  outcome text;
  told text;
BEGIN
  FOREACH way IN ARRAY '{direct,routed}'::text[] LOOP
    SELECT replace(concat_ws(' ', sqlstate, message, detail), '_' || way, '') INTO outcome
      FROM setup.load_log WHERE run_id = last_run() AND job_name = name || '_' || way AND status <> 'OK';
    IF NOT FOUND THEN
      EXECUTE format('SELECT string_agg(t::text, '' '' ORDER BY t::text) FROM bronze.%I t', name || '_' || way) INTO outcome;
    END IF;
    told := CASE WHEN told IS NULL OR told = outcome THEN outcome ELSE told || ' -- ' || outcome END;
  END LOOP;
  RETURN told;
END $$;

\! printf 'a;b;c\n31.12.2024;2024-12-31;2024-12-31 10:00\n01.02.2024;;\n' > $FILES/dates.csv
CALL loads('dates', 'dates.csv', 'a date, b date, c timestamp',
  $$reader_options => '{"delimiter": ";", "date_format": "%d.%m.%Y", "timestamp_format": "%d.%m.%Y %H:%M"}'$$);
\! printf 'a\n2024-31-12\n2024-12-31\n' > $FILES/swapped.csv
CALL loads('swapped', 'swapped.csv', 'a date', $$reader_options => '{"date_format": "%Y-%d-%m"}'$$);
\! printf 'with_zone,without,day\n01.02.2024 12:00 +0200,01.02.2024 12:00 +0200,x\n' > $FILES/zones.csv
CALL loads('zones', 'zones.csv', 'with_zone timestamptz, without timestamp, day text',
  $$reader_options => '{"timestamp_format": "%d.%m.%Y %H:%M %z"}'$$);
\! printf 'v\n"1,5"\n7\n' > $FILES/commas.csv; printf 'v\n"1,5"\n1.234\n' > $FILES/thousands.csv; printf '{"v": 1.5}\n{"v": "2,5"}\n' > $FILES/commas.json
CALL loads('commas', 'commas.csv', 'v numeric', $$reader_options => '{"decimal_separator": ","}'$$);
CALL loads('thousands', 'thousands.csv', 'v numeric', $$reader_options => '{"decimal_separator": ","}'$$);
CALL loads('thousands_float', 'thousands.csv', 'v float8', $$reader_options => '{"decimal_separator": ","}'$$);
CALL loads('commas_json', 'commas.json', 'v numeric', $$reader_options => '{"decimal_separator": ","}'$$);
CREATE DOMAIN needed AS text NOT NULL;
\! printf 'id,name\n1,a\n2,\n' > $FILES/nulls.csv
CALL loads('nulls', 'nulls.csv', 'id int, name needed');
CREATE TABLE exported (id int, b bytea, t text, n numeric(5,0));
INSERT INTO exported VALUES (1, '\xab6364', 'é', 12345), (2, '\x', '', -5), (3, '\x005c7841410a', '\x', 0), (4, NULL, NULL, NULL);
SELECT setup.export_table('exported', 'in') \g /dev/null
CALL loads('bytes', 'public/exported.parquet', 'id int, b bytea, t text, n numeric(5,0)');
CALL loads('rounded', 'public/exported.parquet', 'id int, b bytea, t text, n numeric(5,-1)');
CREATE TABLE texts_as_bytes (id int, b bytea);
INSERT INTO texts_as_bytes VALUES (1, 'caf\303\251'), (2, '{"a": 1}');
SELECT setup.export_table('texts_as_bytes', 'in') \g /dev/null
CALL loads('texts', 'public/texts_as_bytes.parquet', 'id int, b text');
-- (1, {a: 1, b: [true, null]}, [1, 2]) and (2, null, null)
\! echo UEFSMRUAFRwVICwVBBUAFQYVBgAADjQCAAAABAEBAAAAAgAAABUAFZIBFSIsFQQVABUGFQYAAEkYQQAAAEECAPYBAAwBAAAAFQAV >> $FILES/nested.b64
\! echo lgIVOiwVBhUAFQYVBgAAiwEYIQAAAEECAHYBAABhASUAHHYkAO4BAAUBAAEVABXkARVCLBUGFQAVBhUGAAByGCEAAABBAgB2AQAA >> $FILES/nested.b64
\! echo QQElAA92JACCAQAcAQAAAAIAAAAVAhmsNQAYDWR1Y2tkYl9zY2hlbWEVBgAVAiUCGAJpZCUiADUCGAFzFQQAFQIlAhgBYSUiADUC >> $FILES/nested.b64
\! echo GAFiFQIVBgA1BBgEbGlzdBUCABUAJQIYB2VsZW1lbnQANQIYAWwVAhUGADUEGARsaXN0FQIAFQIlAhgHZWxlbWVudCUiABYEGRwZ >> $FILES/nested.b64
\! echo TCYAHBUCGRUAGRgCaWQVAhYEFj4WQiYIPBgEAgAAABgEAQAAABYAKAQCAAAAGAQBAAAAEREAAAAmABwVAhkVABkoAXMBYRUCFgQW >> $FILES/nested.b64
\! echo tgEWRiZKPBgEAQAAABgEAQAAABYCKAQBAAAAGAQBAAAAEREAAAAmABwVABkVABlIAXMBYgRsaXN0B2VsZW1lbnQVAhYGFroCFl4m >> $FILES/nested.b64
\! echo kAE8GAEBGAEBOAEBGAEBEREAAAAmABwVAhkVABk4AWwEbGlzdAdlbGVtZW50FQIWBhaIAhZmJu4BPBgEAgAAABgEAQAAADgEAgAA >> $FILES/nested.b64
\! echo ABgEAQAAABERAAAAFrYGFgQmCBbMAgAoKER1Y2tEQiB2ZXJzaW9uIHYxLjQuNCAoYnVpbGQgNmRkYWM4MDJmZikApQEAAFBBUjE= >> $FILES/nested.b64
\! base64 -d $FILES/nested.b64 > $FILES/nested.parquet
CALL loads('nested', 'nested.parquet', 'id int, s jsonb, l jsonb');
\! printf 'id,name\n1,"a\nb"\nx,c\n' > $FILES/bad_value.csv; printf 'id,name\n1,a\n2\n3,c\n' > $FILES/bad_record.csv
CALL loads('bad_value', 'bad_value.csv', 'key int, label text');
CALL loads('bad_record', 'bad_record.csv', 'id int, name text');
\! printf 'id,name\n1,a\nx,b\n2,"c\nd"\n3\n9,e\n' > $FILES/checked.csv
CALL loads('checked', 'checked.csv', 'id int CHECK (id < 5), name text', $$on_bad_row => 'reject'$$);
-- Lines that end in quotes, and look like rows.
\! (echo id,name; for i in 1 2 3 4 5; do printf '%d,"' $i; yes '7,x' | head -c 15000000; printf '"\n'; done) > $FILES/rows_in_quotes.csv
CALL loads('rows_in_quotes', 'rows_in_quotes.csv', 'id int, name text');
\! printf 'during\n"[2020-01-01,2021-01-01)"\n"[2020-06-01,2020-07-01)"\n' > $FILES/excluding.csv
CREATE TABLE bronze.excluding (during daterange, EXCLUDE USING gist (during WITH &&));
SELECT setup.add_job('bronze', 'excluding', table_name => 'excluding', location => 'in', file_path => 'excluding.csv',
  max_attempts => 1);
CALL setup.orchestrate_bronze();

SELECT plan(32);

-- Dates, numbers, nulls

SELECT is(outcomes('dates'), '(2024-02-01,,) (2024-12-31,2024-12-31,"2024-12-31 10:00:00")',
  'beside a format, dates in ISO form are read');
SELECT is(outcomes('swapped'), '22007 invalid input syntax for type date: "2024-12-31 (not %Y-%d-%m)" '
  'File "swapped.csv", line 3, column "a": "2024-12-31 (not %Y-%d-%m)".', 'but not where the format begins like them');
SELECT is(outcomes('zones'), '("2024-02-01 05:00:00-05","2024-02-01 10:00:00",x)',
  'a format''s zone says which moment is meant; without a zone it is in UTC');
SELECT is(outcomes('commas'), '(1.5) (7)', 'decimal commas are read');
SELECT alike(outcomes('thousands'), '22P02 invalid input syntax for type numeric: "1.234" (with decimal_separator ",")%line 3%', 'points are none, then');
SELECT alike(outcomes('thousands_float'), '22P02 invalid input syntax for type double precision: "1.234" (with decimal_separator ",")%',
  'not of a double precision either');
SELECT is(outcomes('commas_json'), '(1.5) (2.5)', 'but of JSON''s own numbers');
SELECT is(outcomes('nulls'), '23502 domain needed does not allow null values File "nulls.csv", line 3, column "name": "".',
  'a domain is asked about nulls');

-- Parquet

SELECT results_eq(format('SELECT * FROM bronze.bytes_%s ORDER BY id', way), 'SELECT * FROM exported ORDER BY id',
  'bytes and texts that were exported are loaded as they were, ' || way) FROM unnest('{direct,routed}'::text[]) way;
SELECT is((SELECT string_agg(n::text, ' ' ORDER BY id) FROM bronze.rounded_direct), '12350 -10 0',
  'a negative scale rounds');
SELECT is((SELECT string_agg(n::text, ' ' ORDER BY id) FROM bronze.rounded_routed), '12350 -10 0', 'on both ways');
SELECT is(outcomes('texts'), '(1,café) (2,"{""a"": 1}")', 'bytes into a text are UTF-8');
SELECT is(outcomes('nested'), '(1,"{""a"": 1, ""b"": [true, null]}","[1, 2]") (2,,)', 'structs and lists become jsonb');

-- Where in the file

SELECT is(outcomes('bad_value'), '22P02 invalid input syntax for type integer: "x" '
  'File "bad_value.csv", line 4, column "id": "x".', 'a value that does not fit has its line and its name in the file');
SELECT is(outcomes('bad_record'), '22P04 file "bad_record.csv", line 3: expected 2 columns, found 1 The record is: 2',
  'so has a record that is none');
SELECT alike(outcomes('checked'), '23514 new row for relation "checked" violates check constraint "checked_id_check" '
  'File "checked.csv", line 7.%', 'also behind rows that were put aside');
SELECT is((SELECT hint FROM setup.load_log WHERE job_name = 'bad_value_routed'),
  (SELECT hint FROM setup.load_log WHERE job_name = 'bad_value_direct'), 'the hint is the same on both ways');
SELECT is((SELECT context FROM setup.load_log WHERE job_name = 'bad_value_routed'), NULL, 'no other line is told');
SELECT alike((SELECT concat_ws(' ', sqlstate, detail) FROM setup.load_log WHERE job_name = 'excluding'), '23P01 Key %',
  'nothing is said of the line where several may be meant');
SELECT is((SELECT string_agg(concat_ws(' ', job_name, status, rows_loaded), ', ' ORDER BY job_name) FROM setup.load_log
            WHERE job_name LIKE 'rows_in_quotes%'),
  'rows_in_quotes_direct OK 5, rows_in_quotes_routed OK 5', 'texts of many lines that look like rows are texts');
SELECT is((SELECT string_agg(length(name)::text, ' ') FROM bronze.rows_in_quotes_direct),
  '15000000 15000000 15000000 15000000 15000000', 'whole ones');

-- Triggers, foreign keys, partitions

CREATE FUNCTION name_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := coalesce(NEW.name, 'filled');
  IF NEW.name = 'bad' THEN RAISE 'no % here', NEW.name USING HINT = 'Say good.', DETAIL = 'It is bad.'; END IF;
  RETURN NEW;
END $$;
CREATE TABLE bronze.filled (id int, name text NOT NULL);
CREATE TRIGGER name_it BEFORE INSERT ON bronze.filled FOR EACH ROW EXECUTE FUNCTION name_it();
CREATE TABLE bronze.named (LIKE bronze.filled);
CREATE TRIGGER name_it BEFORE INSERT ON bronze.named FOR EACH ROW EXECUTE FUNCTION name_it();
CREATE TABLE bronze.parted (id int, name text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE bronze.parted_low PARTITION OF bronze.parted FOR VALUES FROM (0) TO (2);
CREATE TABLE bronze.parted_high PARTITION OF bronze.parted FOR VALUES FROM (2) TO (9);
CREATE TRIGGER name_it BEFORE INSERT ON bronze.parted_high FOR EACH ROW EXECUTE FUNCTION name_it();
CREATE TABLE bronze.keys (id int PRIMARY KEY);
INSERT INTO bronze.keys VALUES (1), (2);
CREATE TABLE bronze.referring (id int REFERENCES bronze.keys, name text NOT NULL);
\! printf 'id,name\n1,a\n2,\nx,c\n' > $FILES/lacking.csv; printf 'id,name\n1,"a\nb"\n2,bad\n' > $FILES/raised.csv
SELECT setup.add_job('bronze', t, table_name => t, location => 'in', file_path => 'lacking.csv', on_bad_row => 'reject', max_attempts => 1)
  FROM unnest('{filled,parted,referring}'::text[]) t;
SELECT setup.add_job('bronze', 'named', table_name => 'named', location => 'in', file_path => 'raised.csv', max_attempts => 1);
-- What is kept of a file's load is seen at the next one of the same transaction.
CREATE TABLE bronze.counted (id int, name text);
CREATE TABLE contexts (name text);
CREATE FUNCTION count_contexts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO contexts SELECT c.name FROM pg_backend_memory_contexts c WHERE c.name LIKE 'etl_files%';
  RETURN NULL;
END $$;
CREATE TRIGGER count_contexts BEFORE INSERT ON bronze.counted FOR EACH STATEMENT EXECUTE FUNCTION count_contexts();
\! mkdir $FILES/many; for i in 1 2 3; do printf 'id,name\n1,a\n' > $FILES/many/$i.csv; done
SELECT setup.add_job('bronze', 'counted', table_name => 'counted', location => 'in', file_path => 'many/*.csv', max_attempts => 1);
CREATE ROLE latin LOGIN;
ALTER ROLE latin SET client_encoding = 'LATIN1';
GRANT USAGE ON SCHEMA setup, bronze TO latin;
SELECT setup.grant_location('in', 'latin');
CREATE TABLE bronze.latin (id int, name text);
ALTER TABLE bronze.latin OWNER TO latin;
CREATE TRIGGER pass BEFORE INSERT ON bronze.latin FOR EACH ROW EXECUTE FUNCTION pass_on();
\! printf 'id,name\n1,caf\303\251\n' > $FILES/latin.csv
SELECT setup.add_job('bronze', 'latin', table_name => 'latin', location => 'in', file_path => 'latin.csv', owner => 'latin', max_attempts => 1);
CALL setup.orchestrate_bronze(jobs => '{filled,parted,referring,named,counted,latin}');

SELECT is((SELECT string_agg(concat(id, name), ' ' ORDER BY id) FROM bronze.filled), '1a 2filled',
  'a trigger may fill what is missing, also where bad rows are put aside');
SELECT is((SELECT string_agg(concat(id, name), ' ' ORDER BY id) FROM bronze.parted), '1a 2filled', 'that of a partition, too');
SELECT is((SELECT string_agg(concat(id, name), ' ' ORDER BY id) FROM bronze.referring), '1a', 'where none is');
SELECT is((SELECT string_agg(concat_ws(' ', line, sqlstate), ', ' ORDER BY line) FROM bronze.referring_rejects),
  '3 23502, 4 22P02', 'the row is put aside');
SELECT row_eq($$SELECT message, detail, hint FROM setup.load_log WHERE job_name = 'named'$$,
  ROW('no bad here'::text, E'File "raised.csv", line 4.\nIt is bad.'::text, 'Say good.'::text),
  'an error of a trigger has the line, and its own words');
SELECT matches((SELECT context FROM setup.load_log WHERE job_name = 'named'), '^PL/pgSQL function [a-z_.]+\(\) line 4 at RAISE$',
  'and its context');
SELECT is((SELECT string_agg(name, ', ' ORDER BY name) FROM (SELECT name FROM contexts GROUP BY name HAVING count(*) > 3) c), NULL,
  'a load leaves nothing in memory for the next one');
SELECT is((SELECT name FROM bronze.latin), 'café', 'the client encoding of the owner does not matter');

-- With several threads

SELECT format('ALTER DATABASE %I SET etl_orchestrator.file_threads = 3', current_database()) \gexec
CREATE TABLE bronze.threaded (id int, name text);
SELECT setup.add_job('bronze', 'threaded', table_name => 'threaded', location => 'in', file_path => 'rows_in_quotes.csv', max_attempts => 1);
CALL setup.orchestrate_bronze(jobs => '{threaded,bad_record_direct,bad_record_routed}');
SELECT is((SELECT string_agg(length(name)::text, ' ') FROM bronze.threaded),
  '15000000 15000000 15000000 15000000 15000000', 'several threads do not take the lines of a text for rows');
SELECT is(outcomes('bad_record'), '22P04 file "bad_record.csv", line 3: expected 2 columns, found 1 The record is: 2',
  'and leave out no record that is none');

SELECT * FROM finish();
