-- What a job with a location needs before a run starts: the location, its use, the file, the table, the key.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
CREATE ROLE checks_ann LOGIN;
CREATE ROLE checks_team NOLOGIN;
GRANT USAGE ON SCHEMA setup TO checks_ann;
SELECT setup.create_layer('bronze');
GRANT USAGE ON SCHEMA bronze TO checks_ann;
CREATE TABLE bronze.orders (id int, day date, item int);
GRANT INSERT, DELETE ON bronze.orders TO checks_ann;
\! mkdir $FILES/a $FILES/inner && echo id >$FILES/a/x.csv && echo id >$FILES/a/x.txt && echo id >$FILES/secret.csv
\! ln -s ../secret.csv $FILES/inner/link.csv
SELECT setup.create_location('inbox', :'files'), setup.create_location('inner', :'files' || '/inner'),
  setup.create_location('gone', :'files' || '/inner');

-- "problem / remedy" of the job, which loads what the arguments say.
CREATE FUNCTION complaint(path text, arguments text DEFAULT '', location text DEFAULT 'inbox') RETURNS text
  LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT setup.add_job(''bronze'', ''orders'', table_name => ''orders'', file_path => %L, '
                 'location => %L, owner => ''checks_ann'' %s)', path, location, arguments);
  RETURN (SELECT c.detail || ' / ' || c.hint FROM caught('SELECT setup.run_plan()') c);
END $$;
CREATE FUNCTION planned() RETURNS text LANGUAGE sql AS 'SELECT file_path FROM setup.run_plan()';

SELECT plan(25);

-- The location

SELECT alike(complaint('a/x.csv'), 'job "bronze.orders": owner "checks_ann" may not use location "inbox" / '
  '%SELECT setup.grant_location(''inbox'', ''checks_ann'');', 'a location that the job''s owner may not use');
SELECT is(complaint('a/nothing.csv'), complaint('a/x.csv'), 'is not told what it holds');
SELECT is(complaint('*.csv'), complaint('a/x.csv'), 'neither by patterns');
GRANT checks_team TO checks_ann;
SELECT setup.grant_location('inbox', 'checks_team'), setup.grant_location('inner', 'checks_team'),
  setup.grant_location('gone', 'checks_ann');
SELECT is(complaint('a/x.csv'), NULL, 'a grant to one of its roles is enough, without a right on files');
SELECT is(planned(), 'a/x.csv', 'the plan shows the path beneath the location');
\! rmdir $FILES/none 2>/dev/null; mkdir $FILES/none
SELECT setup.create_location('gone', :'files' || '/none');
\! rmdir $FILES/none
SELECT alike(complaint('*.csv', location => 'gone'),
  'job "bronze.orders": directory "%/none" of location "gone" does not exist / %', 'its directory must be there');

-- The file

SELECT is(complaint('./a//x.csv'), NULL, 'a path may be written in several ways');
SELECT is(planned(), 'a/x.csv', 'and is planned in one');
SELECT alike(complaint('a/nothing.csv'), 'job "bronze.orders": file "a/nothing.csv" of location "inbox" does not exist / %', 'a file that is named must be there');
SELECT is(complaint('a/n*.csv'), NULL, 'a pattern need not match anything');
SELECT is(planned(), 'a/n*.csv', 'it is planned as it is');
SELECT alike(complaint('a/x.txt'), 'job "bronze.orders": file "a/x.txt" of location "inbox" is not accepted: it is of no '
  'known file type / %', 'the location''s rules hold for a file that is named');
SELECT alike(complaint('a'), 'job "bronze.orders": file "a" of location "inbox" is a directory / %',
  'a directory is no file');
SELECT alike(complaint('link.csv', location => 'inner'), 'job "bronze.orders": file "link.csv" of location "inner" %',
  'no link leads out of a location');
SELECT setup.create_location('inbox', :'files', min_size => 1000000, stable_for => '1 hour');
SELECT is(complaint('a/x.csv'), NULL, 'size and age count when it is loaded');

-- The table

REVOKE ALL ON bronze.orders FROM checks_ann;
SELECT is(complaint('a/x.csv'), 'job "bronze.orders": owner "checks_ann" may not replace the rows of table bronze.orders / '
  'GRANT USAGE ON SCHEMA bronze TO checks_ann; GRANT INSERT, DELETE ON bronze.orders TO checks_ann;',
  'who replaces needs the right to');
SELECT is(complaint('a/x.csv', $$, load_mode => 'append'$$),
  'job "bronze.orders": owner "checks_ann" may not add rows to table bronze.orders / '
  'GRANT USAGE ON SCHEMA bronze TO checks_ann; GRANT INSERT ON bronze.orders TO checks_ann;', 'so does who appends');
GRANT INSERT ON bronze.orders TO checks_ann;
SELECT is(complaint('a/x.csv', $$, load_mode => 'append'$$), NULL, 'the remedy is one');
CREATE UNIQUE INDEX orders_id_day ON bronze.orders (day, id);
SELECT is(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day}'$$),
  'job "bronze.orders": owner "checks_ann" may not add and update rows of table bronze.orders / '
  'GRANT USAGE ON SCHEMA bronze TO checks_ann; GRANT INSERT, SELECT, UPDATE ON bronze.orders TO checks_ann;',
  'and who merges');
GRANT SELECT, UPDATE ON bronze.orders TO checks_ann;
SELECT is(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day}'$$), NULL,
  'a unique index on the key, in any order, is what an upsert needs');
SELECT is(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id}'$$),
  'job "bronze.orders": table bronze.orders has no unique index on (id) / '
  'CREATE UNIQUE INDEX ON bronze.orders (id);', 'one on more columns is not enough');
SELECT alike(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day,item}'$$),
  '%no unique index on (id, day, item)%', 'nor one on fewer');
DROP INDEX bronze.orders_id_day;
CREATE UNIQUE INDEX orders_id_day ON bronze.orders (id, day) WHERE item > 0;
SELECT alike(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day}'$$), '%no unique index%',
  'nor one of some rows');
DROP INDEX bronze.orders_id_day;
ALTER TABLE bronze.orders ADD UNIQUE (id, day) DEFERRABLE;
SELECT alike(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day}'$$), '%no unique index%',
  'nor one that is checked later');
ALTER TABLE bronze.orders DROP CONSTRAINT orders_id_day_key, ADD PRIMARY KEY (id, day);
SELECT is(complaint('a/x.csv', $$, load_mode => 'upsert', key_columns => '{id,day}'$$), NULL, 'a primary key is one');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY checks_ann, checks_team;
DROP ROLE checks_ann, checks_team;
