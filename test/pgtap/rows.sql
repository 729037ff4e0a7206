-- load_log.rows_loaded: rows written to the declared table, else all rows written. And statistics after a load.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
SELECT setup.create_layer('count');
CREATE TABLE count.target (id int PRIMARY KEY, note text DEFAULT '');
CREATE TABLE count.audit (id int);
CREATE TABLE count.copied (id int);
CREATE TABLE count.audited (id int);
CREATE TABLE count.each_target (id int);
CREATE TABLE count.source AS SELECT i AS id FROM generate_series(1, 10) i;
CREATE TABLE count.parted (id int) PARTITION BY RANGE (id);
CREATE TABLE count.parted_low PARTITION OF count.parted FOR VALUES FROM (0) TO (4);
CREATE TABLE count.parted_high PARTITION OF count.parted FOR VALUES FROM (4) TO (100);
CREATE TABLE count."Odd ""name" (id int);
CREATE MATERIALIZED VIEW count.squares AS SELECT id * id AS square FROM count.source;
CREATE PROCEDURE count.fill() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO count.target SELECT id + 100 FROM count.source WHERE id <= 3;
  INSERT INTO count.audit VALUES (1), (2);
END $$;
CREATE FUNCTION count.audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO count.audit VALUES (new.id);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_row AFTER INSERT ON count.audited FOR EACH ROW EXECUTE FUNCTION count.audit_row();
CREATE PROCEDURE count.in_parts() LANGUAGE plpgsql AS $$
BEGIN
  FOR part IN 1..3 LOOP
    INSERT INTO count.each_target SELECT id FROM count.source WHERE id <= 2;
    COMMIT;
  END LOOP;
END $$;
SELECT format('COPY (SELECT * FROM generate_series(1, 7)) TO %L', :'files' || '/seven') \gexec

SELECT plan(27);

-- Jobs run one at a time, in load_order: some count on what another has written.
SELECT setup.create_layer('count', execution => 'sequence');
SELECT setup.add_job('count', job, command, target, transaction => transaction, load_order => n)
  FROM (VALUES
    (1, 'insert', 'INSERT INTO count.target SELECT id FROM count.source', NULL, 'single'),
    (2, 'update', 'UPDATE count.target SET note = ''x'' WHERE id <= 4', NULL, 'single'),
    (3, 'delete', 'DELETE FROM count.target WHERE id > 8', NULL, 'single'),
    (4, 'select', 'SELECT * FROM count.source', NULL, 'single'),
    (5, 'merge', 'MERGE INTO count.target t USING count.source s ON t.id = s.id WHEN MATCHED AND t.id <= 5 THEN UPDATE
                  SET note = ''m'' WHEN NOT MATCHED THEN INSERT VALUES (s.id)', NULL, 'single'),
    (6, 'merge_declared', 'MERGE INTO count.target t USING count.source s ON t.id = s.id + 5 WHEN MATCHED THEN UPDATE
                  SET note = ''m'' WHEN NOT MATCHED THEN INSERT VALUES (s.id + 5)', 'target', 'single'),
    (7, 'statements', 'INSERT INTO count.audit VALUES (1); INSERT INTO count.audit VALUES (2), (3)', NULL, 'single'),
    (8, 'procedure', 'CALL count.fill()', NULL, 'single'),
    (9, 'procedure_declared', 'DELETE FROM count.target WHERE id > 100; CALL count.fill()', 'target', 'single'),
    (10, 'refresh', 'REFRESH MATERIALIZED VIEW count.squares', NULL, 'single'),
    (11, 'refresh_declared', 'REFRESH MATERIALIZED VIEW count.squares', 'squares', 'single'),
    (12, 'copy', 'COPY count.copied FROM ' || quote_literal(:'files' || '/seven'), NULL, 'single'),
    (13, 'copy_out', 'COPY count.copied TO ' || quote_literal(:'files' || '/out'), NULL, 'single'),
    (14, 'table_as', 'CREATE TABLE count.made AS SELECT * FROM count.source', NULL, 'single'),
    (15, 'table_as_declared', 'CREATE TABLE count.made_too AS SELECT * FROM count.source', 'made_too', 'single'),
    (16, 'select_into', 'SELECT * INTO count.into_this FROM count.source WHERE id < 4', NULL, 'single'),
    (17, 'triggers', 'INSERT INTO count.audited VALUES (1), (2)', NULL, 'single'),
    (18, 'triggers_declared', 'INSERT INTO count.audited VALUES (1), (2)', 'audited', 'single'),
    (19, 'parted', 'INSERT INTO count.parted SELECT id FROM count.source', 'parted', 'single'),
    (20, 'replaced', 'TRUNCATE count.copied; INSERT INTO count.copied VALUES (1), (2)', 'copied', 'single'),
    (21, 'remade', 'DROP TABLE count.copied; CREATE TABLE count.copied (id int); INSERT INTO count.copied VALUES (1)',
     'count.copied', 'single'),
    (22, 'each', 'CALL count.in_parts()', NULL, 'each'),
    (23, 'each_declared', 'CALL count.in_parts(); INSERT INTO count.audit VALUES (1)', 'each_target', 'each'),
    (24, 'odd', 'INSERT INTO count."Odd ""name" VALUES (1), (2)', '"Odd ""name"', 'single'),
    (25, 'cte', 'WITH new AS (INSERT INTO count.audit VALUES (1), (2), (3) RETURNING id) SELECT count(*) FROM new',
      'audit', 'single')
  ) AS jobs(n, job, command, target, transaction);
CALL setup.orchestrate_layer('count');
SELECT is(:'SQLSTATE'::text, '00000', 'all jobs that write rows end OK');

CREATE FUNCTION rows_of(job text) RETURNS bigint LANGUAGE sql
  AS 'SELECT rows_loaded FROM setup.load_log WHERE run_id = last_run() AND job_name = job';
SELECT is(rows_of(job), wanted::bigint, name) FROM (VALUES
  ('insert', 10, 'an INSERT counts its rows'),
  ('update', 4, 'an UPDATE counts its rows'),
  ('delete', 0, 'a DELETE loads none'),
  ('select', 0, 'a SELECT loads none'),
  ('merge', 7, 'a MERGE counts what it inserts and updates'),
  ('merge_declared', 10, 'also in a declared table'),
  ('statements', 3, 'the statements of a command add up'),
  ('procedure', 5, 'what a procedure writes is counted, in all tables'),
  ('procedure_declared', 3, 'or in the declared table only'),
  ('refresh', 10, 'REFRESH MATERIALIZED VIEW counts the view''s rows'),
  ('refresh_declared', 10, 'also where the view is declared'),
  ('copy', 7, 'COPY FROM counts its rows'),
  ('copy_out', 0, 'COPY TO loads none'),
  ('table_as', 10, 'CREATE TABLE AS counts its rows'),
  ('table_as_declared', 10, 'also where the table is declared'),
  ('select_into', 3, 'SELECT INTO counts its rows'),
  ('triggers', 4, 'what triggers write is counted, in all tables'),
  ('triggers_declared', 2, 'but not against a declared table'),
  ('parted', 10, 'rows in partitions are rows of the declared table'),
  ('replaced', 2, 'TRUNCATE takes nothing from the count'),
  ('remade', 1, 'a declared table may be made anew'),
  ('each', 6, 'what a committing procedure writes is counted across its transactions'),
  ('each_declared', 6, 'also in the declared table only'),
  ('odd', 2, 'a declared table may have a name that needs quotes'),
  ('cte', 3, 'what a WITH clause writes is counted in a declared table')
) AS jobs(job, wanted, name);
SELECT is((SELECT array_agg(DISTINCT table_name) FROM setup.load_log WHERE run_id = last_run()
  AND job_name IN ('remade', 'replaced')),
  '{count.copied}', 'load_log names the declared table with its schema');

SELECT * FROM finish();
