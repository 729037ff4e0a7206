-- Which tables a file load swaps the rows of, and what it does and says where it cannot.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
\! printf 'id,name\n1,a\n2,b\n' > $FILES/two.csv
\! printf 'id,name\n1,a\n2,b\n2,c\n' > $FILES/twice.csv
SELECT setup.create_layer('bronze');
CREATE ROLE replace_ann;
CREATE ROLE replace_bob;
GRANT pg_read_server_files TO replace_ann;
GRANT USAGE, CREATE ON SCHEMA bronze TO replace_ann, replace_bob;
SELECT format('ALTER ROLE replace_ann LOGIN; GRANT CONNECT ON DATABASE %I TO replace_ann', current_database()) \gexec
CREATE FUNCTION any_int() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 > 0';
CREATE FUNCTION is_plain(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
CREATE TABLE heard (what text);
CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO heard VALUES (concat_ws(' ', tg_table_name, tg_op));
  RETURN NULL;
END $$;
CREATE ACCESS METHOD replace_heap TYPE TABLE HANDLER heap_tableam_handler;

-- A table of (id, name) with one old row, whatever else it has, and a job that loads two others.
CREATE PROCEDURE loads(job text, more text DEFAULT '', "options" text DEFAULT '', job_owner name DEFAULT 'postgres',
  file text DEFAULT 'two') LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE bronze.%I (id int, name text%s) %s', job, more, "options");
  EXECUTE format('INSERT INTO bronze.%I (id, name) VALUES (3, ''old'')', job);
  EXECUTE format('ALTER TABLE bronze.%I OWNER TO %I', job, job_owner);
  PERFORM setup.add_job('bronze', job, table_name => job, owner => job_owner, max_attempts => 1,
    file_path => current_setting('replace.files') || '/' || file || '.csv');
END $$;
SELECT set_config('replace.files', :'files', false);
CREATE FUNCTION content(job text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(id || name, '' '' ORDER BY id) FROM bronze.%I', job) INTO result;
  RETURN result;
END $$;
CREATE FUNCTION told(job text) RETURNS text LANGUAGE sql
  AS $$ SELECT concat_ws(' ', status, sqlstate, message) FROM setup.load_log WHERE run_id = last_run()
    AND job_name = job $$;

-- Nothing stands in the way of these.
CALL loads('plain');
CALL loads('unlogged', ', UNIQUE (id)');
ALTER TABLE bronze.unlogged SET UNLOGGED;
CALL loads('of_ann', ', PRIMARY KEY (id)', '', 'replace_ann');
CALL loads('guarded', '', '', 'replace_ann');
ALTER TABLE bronze.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY none ON bronze.guarded USING (false);
CALL loads('update_trigger');
CREATE TRIGGER hears BEFORE UPDATE ON bronze.update_trigger FOR EACH STATEMENT EXECUTE FUNCTION hear();
CALL loads('disabled_trigger');
CREATE TRIGGER hears AFTER INSERT ON bronze.disabled_trigger FOR EACH STATEMENT EXECUTE FUNCTION hear();
ALTER TABLE bronze.disabled_trigger DISABLE TRIGGER hears;
CALL loads('server_functions', ', at timestamptz DEFAULT clock_timestamp(), r float DEFAULT random(), '
  'no serial, CHECK (id > 0 AND is_plain(id))');
CALL loads('ruled');
CREATE RULE keep AS ON DELETE TO bronze.ruled DO INSTEAD NOTHING;
CREATE RULE lose AS ON INSERT TO bronze.ruled DO INSTEAD NOTHING;
CALL loads('parent');
CREATE TABLE bronze.child () INHERITS (bronze.parent);
CREATE TABLE bronze.whole (id int, name text) PARTITION BY RANGE (id);
CALL loads('slice');
ALTER TABLE bronze.whole ATTACH PARTITION bronze.slice FOR VALUES FROM (0) TO (10);
CALL loads('uploaded', ', PRIMARY KEY (id)', '', 'postgres', 'twice');

-- Something does in that of these.
CREATE TABLE bronze.partitioned (id int, name text) PARTITION BY RANGE (id);
CREATE TABLE bronze.partitioned_1 PARTITION OF bronze.partitioned DEFAULT;
INSERT INTO bronze.partitioned VALUES (3, 'old');
SELECT setup.add_job('bronze', 'partitioned', table_name => 'partitioned', file_path => :'files' || '/two.csv');
CALL loads('other_method', '', 'USING replace_heap');
CALL loads('of_bob', '', '', 'replace_ann');
ALTER TABLE bronze.of_bob OWNER TO replace_bob;
GRANT INSERT, DELETE ON bronze.of_bob TO replace_ann;
CALL loads('forced', '', '', 'replace_ann');
ALTER TABLE bronze.forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one ON bronze.forced USING (id = 1);
CALL loads('referenced', ', PRIMARY KEY (id)');
CREATE TABLE bronze.refers (id int REFERENCES bronze.referenced);
CALL loads('referenced_ruled', ', PRIMARY KEY (id)');
CREATE TABLE bronze.refers_to_ruled (id int REFERENCES bronze.referenced_ruled);
CREATE RULE keep AS ON DELETE TO bronze.referenced_ruled DO INSTEAD NOTHING;
CREATE TABLE bronze.keys (id int PRIMARY KEY);
INSERT INTO bronze.keys VALUES (1), (2), (3);
CALL loads('refers_well', ', FOREIGN KEY (id) REFERENCES bronze.keys');
CREATE TABLE bronze.few_keys (id int PRIMARY KEY);
INSERT INTO bronze.few_keys VALUES (1), (3);
CALL loads('refers_badly', ', FOREIGN KEY (id) REFERENCES bronze.few_keys');
CALL loads('inserts', '');
CREATE TRIGGER hears AFTER INSERT ON bronze.inserts FOR EACH ROW EXECUTE FUNCTION hear();
CALL loads('deletes', '');
CREATE TRIGGER hears AFTER DELETE ON bronze.deletes FOR EACH STATEMENT EXECUTE FUNCTION hear();
CALL loads('truncates', '');
CREATE TRIGGER hears AFTER TRUNCATE ON bronze.truncates FOR EACH STATEMENT EXECUTE FUNCTION hear();
CALL loads('excludes', ', EXCLUDE USING btree (id WITH =)');
CALL loads('half_indexed');
INSERT INTO bronze.half_indexed VALUES (3, 'twin');
CREATE UNIQUE INDEX CONCURRENTLY half ON bronze.half_indexed (id);
CALL loads('asks_default', ', n int DEFAULT any_int()');
CALL loads('asks_check', ', CHECK (is_fine(id))');

CREATE TEMP TABLE storage AS SELECT oid, oid::regclass::text AS name, pg_relation_filenode(oid) AS file FROM pg_class
  WHERE relnamespace = 'bronze'::regnamespace AND relkind = 'r';
CALL setup.orchestrate_bronze();

SELECT plan(45);

SELECT is(content(name) || ' ' || told(name), '1a 2b OK', name || ' is swapped')
  FROM unnest(ARRAY['plain', 'unlogged', 'of_ann', 'update_trigger', 'disabled_trigger', 'server_functions',
    'ruled', 'slice']) name;
SELECT is(told('guarded') || (SELECT count(*) FROM bronze.guarded), 'OK2',
  'row level security that is not for the owner does not matter');
SELECT is(content('parent'), '1a 2b', 'of a table that others inherit from only its own rows are');
SELECT is(told('uploaded'), 'ERROR 23505 duplicate key value violates unique constraint "uploaded_pkey"',
  'a duplicate is reported as COPY would');
SELECT is((SELECT detail FROM setup.load_log WHERE run_id = last_run() AND job_name = 'uploaded'),
  'Key (id)=(2) already exists.', 'with its key');
SELECT is(content('uploaded'), '3old', 'and keeps the old rows');

CREATE FUNCTION why(job text) RETURNS text LANGUAGE sql
  AS $$ SELECT replace(told(job), 'OK rows were deleted and inserted, not swapped: ', '') $$;
SELECT is(why(name), reason, name || ' is not swapped')
  FROM (VALUES
    ('partitioned', 'the table is partitioned'),
    ('other_method', 'the table''s access method is not heap'),
    ('of_bob', 'the table belongs to another role'),
    ('referenced', 'a foreign key of table "refers" refers to it'),
    ('refers_well', 'the table has a foreign key'),
    ('inserts', 'the table has trigger "hears"'),
    ('deletes', 'the table has trigger "hears"'),
    ('truncates', 'the table has trigger "hears"'),
    ('excludes', 'the table has exclusion constraint "excludes_id_excl"'),
    ('half_indexed', 'its index "half" is not valid'),
    ('asks_default', 'a default calls a function that may read the table'),
    ('asks_check', 'a constraint calls a function that may read the table')) AS t(name, reason);
SELECT is(content(name), '1a 2b', name || ' has the new rows')
  FROM unnest(ARRAY['partitioned', 'other_method', 'of_bob', 'referenced', 'refers_well', 'inserts', 'deletes',
    'truncates', 'excludes', 'half_indexed', 'asks_default', 'asks_check']) name;
SELECT alike(told('forced'), 'ERROR 0A000 %row-level security',
  'row level security refuses what it refuses COPY');
SELECT is(told('refers_badly'),
  'ERROR 23503 insert or update on table "refers_badly" violates foreign key constraint "refers_badly_id_fkey"',
  'foreign keys are checked');
SELECT is(told('referenced_ruled'),
  'ERROR 0A000 the rows of table bronze.referenced_ruled cannot be replaced: a rule says what to delete means',
  'rows that would stay are not added to');
SELECT is(content('forced') || content('refers_badly') || content('referenced_ruled'), '3old3old3old',
  'these keep the old rows');
SELECT is((SELECT string_agg(what, ', ' ORDER BY what) FROM heard), 'deletes DELETE, inserts INSERT, inserts INSERT',
  'triggers fire where rows are deleted and inserted');
SELECT is((SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM storage WHERE pg_relation_filenode(oid) <> file),
  'bronze.disabled_trigger bronze.guarded bronze.of_ann bronze.parent bronze.plain bronze.ruled '
  'bronze.server_functions bronze.slice bronze.unlogged bronze.update_trigger',
  'only tables that are swapped have new files');

-- Limits of a job hold for what is not SQL, too.
ALTER ROLE replace_ann SET default_transaction_read_only = on;
CALL setup.orchestrate_bronze(jobs => '{of_ann}');
SELECT is(told('of_ann'), 'ERROR 25006 cannot execute COPY FROM in a read-only transaction', 'who may not write does not');
ALTER ROLE replace_ann RESET default_transaction_read_only;
CALL loads('slow', ', slept text');
ALTER TABLE bronze.slow ALTER slept SET DEFAULT pg_sleep(60)::text;
ALTER DATABASE :"DBNAME" SET statement_timeout = '200 ms';
CALL setup.orchestrate_bronze(jobs => '{slow}');
SELECT is(told('slow') || ' ' || content('slow'), 'TIMED_OUT 57014 canceling statement due to statement timeout 3old',
  'statement_timeout ends a load');

SELECT * FROM finish();
DROP OWNED BY replace_ann, replace_bob;
DROP ROLE replace_ann, replace_bob;
