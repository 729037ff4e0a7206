-- Jobs that load files of a location.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
SELECT setup.create_layer('bronze');

SELECT plan(18);

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
SELECT alike(refused($$location => 'in', reader_options => '{"delimeter": ";"}'$$), '%has no key "delimeter"',
  'reader options are known');
SELECT alike(refused($$location => 'in', reader_options => '[]'$$), '%reader_options must be an object%',
  'and an object');
SELECT alike(refused($$location => 'in', reject_limit => 1$$), '%are for on_bad_row reject',
  'a limit of rejects needs rejects');
SELECT alike(refused($$location => 'in', on_bad_row => 'reject', reject_share => 1.5$$),
  '%reject_share must be between 0 and 1', 'a share is one');
SELECT alike(refused($$location => ''$$), '%location must be the name of a location', 'a location has a name');
SELECT throws_ok($$UPDATE bronze.load_jobs SET load_mode = 'upsert' WHERE job_name = 'x'$$, '23514',
  'job "bronze.x": load_mode upsert takes key_columns, by which a row is known', 'an UPDATE is told the same');

SELECT * FROM finish();
