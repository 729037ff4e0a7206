-- Jobs: setup.add_job(), setup.drop_job(), and what setup.load_jobs itself refuses.
\ir tools.psql
SET client_min_messages = warning;
CREATE ROLE jobs_ann LOGIN;
CREATE ROLE jobs_bob LOGIN;
CREATE ROLE jobs_team LOGIN;
CREATE ROLE jobs_folder NOLOGIN;
GRANT jobs_team, jobs_folder TO jobs_ann;
GRANT USAGE ON SCHEMA setup TO jobs_ann, jobs_bob, jobs_team;
SELECT setup.create_layer('bronze'), setup.create_layer('silver');

SELECT plan(45);

-- Adding

SELECT setup.add_job('silver', 'plain', 'SELECT 1');
SELECT results_eq($$SELECT table_name, file_path, command, load_order, is_enabled, depends_on, owner COLLATE "C", transaction,
                           discovered_as FROM setup.load_jobs$$,
  $$VALUES (NULL, NULL, 'SELECT 1', 100, true, '{}'::text[], 'postgres' COLLATE "C", 'single', NULL)$$,
  'a job that says nothing else is enabled, of the caller, in one transaction, at 100, after nothing');
SELECT setup.add_job('bronze', 'customers', table_name => 'customers', file_path => '/data/customers.csv',
  depends_on => '{a,b}', load_order => 7, is_enabled => false, owner => 'jobs_bob');
SELECT results_eq($$SELECT table_name, file_path, command, load_order, is_enabled, depends_on, owner COLLATE "C", transaction
                    FROM setup.load_jobs WHERE job_name = 'customers'$$,
  $$VALUES ('customers', '/data/customers.csv', NULL, 7, false, '{a,b}'::text[], 'jobs_bob' COLLATE "C", 'single')$$,
  'every argument of add_job arrives in its column');
SELECT is((SELECT owner_oid FROM setup.load_jobs WHERE job_name = 'customers'), 'jobs_bob'::regrole::oid,
  'the owner is kept as oid too');
SELECT setup.add_job('silver', 'each', 'VACUUM', transaction => 'each');
SELECT is((SELECT transaction FROM setup.load_jobs WHERE job_name = 'each'), 'each', 'a job may commit each statement');
SELECT setup.add_job('silver', 'Jo.b "1"', 'SELECT 1');
SELECT ok(EXISTS (SELECT FROM setup.load_jobs WHERE job_name = 'Jo.b "1"'),
  'a job''s name may hold dots, quotes and capitals');
SELECT setup.add_job('bronze', 'plain', 'SELECT 2');
SELECT is((SELECT count(*) FROM setup.load_jobs WHERE job_name = 'plain'), 2::bigint,
  'two layers may have a job of one name');

-- Replacing

SELECT setup.add_job('silver', 'plain', 'SELECT 3', depends_on => '{each}', load_order => 5);
SELECT results_eq($$SELECT command, depends_on, load_order FROM silver.load_jobs WHERE job_name = 'plain'$$,
  $$VALUES ('SELECT 3', '{each}'::text[], 5)$$, 'adding a job again replaces it');
SELECT setup.add_job('silver', 'plain', file_path => '/x.csv', table_name => 'x');
SELECT results_eq($$SELECT command, file_path, depends_on, load_order FROM silver.load_jobs WHERE job_name = 'plain'$$,
  $$VALUES (NULL::text, '/x.csv', '{}'::text[], 100)$$, 'nothing of the job that was replaced is left');
UPDATE setup.load_jobs SET discovered_as = 'table' WHERE layer = 'silver' AND job_name = 'plain';
SELECT setup.add_job('silver', 'plain', 'SELECT 1');
SELECT is((SELECT discovered_as FROM silver.load_jobs WHERE job_name = 'plain'), NULL,
  'a discovered job that is replaced by hand is not discovered any more');

-- Dropping

SELECT setup.drop_job('bronze', 'plain');
SELECT ok(NOT EXISTS (SELECT FROM bronze.load_jobs WHERE job_name = 'plain'), 'drop_job drops the job');
SELECT ok(EXISTS (SELECT FROM silver.load_jobs WHERE job_name = 'plain'), 'and not the one of another layer');
SELECT throws_ok($$SELECT setup.drop_job('bronze', 'plain')$$, '42704', 'job "bronze.plain" does not exist',
  'a job that is not there cannot be dropped');

-- What add_job refuses

SELECT results_eq($$SELECT code, message, hint FROM caught($c$SELECT setup.add_job('copper', 'a', 'SELECT 1')$c$)$$,
  $$VALUES ('42704', 'layer "copper" does not exist', 'Create it with SELECT setup.create_layer(''copper'').')$$,
  'a job needs a layer that exists');
SELECT throws_ok($$SELECT setup.add_job(NULL, 'a', 'SELECT 1')$$, '22004', NULL, 'null is no layer');
SELECT throws_ok($$SELECT setup.add_job('silver', '', 'SELECT 1')$$, '22004', 'argument "job_name" must be given',
  'a job needs a name');
SELECT throws_ok($$SELECT setup.add_job('silver', NULL, 'SELECT 1')$$, '22004', 'argument "job_name" must be given',
  'null is no name');
SELECT results_eq($$SELECT code, message FROM caught($c$SELECT setup.add_job('silver', 'a')$c$)$$,
  $$VALUES ('22023', 'job "silver.a" must have either a command or a file')$$, 'a job must do something');
SELECT results_eq($$SELECT code, message FROM caught($c$
                      SELECT setup.add_job('silver', 'a', 'SELECT 1', file_path => '/f', table_name => 't')$c$)$$,
  $$VALUES ('22023', 'job "silver.a" must have either a command or a file')$$, 'and not two things');
SELECT isnt((SELECT hint FROM caught($$SELECT setup.add_job('silver', 'a')$$)), '', 'the hint shows both');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', file_path => '/f')$$, '22023',
  'job "silver.a" loads a file but names no table', 'a file needs a table');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', 'SELECT 1', transaction => 'none')$$, '22023',
  'transaction "none" is not possible for job "silver.a"', 'an unknown transaction mode is refused');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', file_path => '/f', table_name => 't', transaction => 'each')$$,
  '22023',
  'transaction "each" is not possible for job "silver.a"', 'a file is loaded in one transaction');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', '   ')$$, '23514', NULL, 'a blank command is none');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', 'SELECT 1', depends_on => '{b,NULL}')$$, '23514', NULL,
  'null is no dependency');
SELECT throws_ok($$SELECT setup.add_job('silver', 'a', 'SELECT 1', owner => 'jobs_nobody')$$, '42501',
  'role "jobs_nobody" does not exist', 'a job cannot belong to a role that does not exist');
\if :owners_must_log_in
SELECT throws_like($$SELECT setup.add_job('silver', 'a', 'SELECT 1', owner => 'jobs_folder')$$,
  'role "jobs_folder" may not log in%', 'nor to one that may not log in');
\else
SELECT lives_ok($$SELECT setup.add_job('silver', 'a', 'SELECT 1', owner => 'jobs_folder')$$, 'but to one that may not log in');
SELECT setup.drop_job('silver', 'a');
\endif
SELECT ok(NOT EXISTS (SELECT FROM setup.load_jobs WHERE job_name = 'a'), 'a job that is refused is not there');

-- Whose it may be

SET SESSION AUTHORIZATION jobs_ann;
SELECT lives_ok($$SELECT setup.add_job('bronze', 'anns', 'SELECT 1')$$,
  'USAGE on schema setup is enough to add a job to any layer');
SELECT lives_ok($$SELECT setup.add_job('bronze', 'teams', 'SELECT 1', owner => 'jobs_team')$$,
  'a job can be given to a role that the caller is a member of');
SELECT results_eq($$SELECT code, message
  FROM caught($c$SELECT setup.add_job('bronze', 'a', 'SELECT 1', owner => 'jobs_bob')$c$)$$,
  $$VALUES ('42501', 'role "jobs_bob" is not one that "jobs_ann" is a member of')$$, 'and to no other');
SELECT throws_ok($$SELECT setup.add_job('bronze', 'a', 'SELECT 1', owner => 'postgres')$$, '42501', NULL,
  'least of all a superuser');
SELECT lives_ok($$SELECT setup.add_job('bronze', 'teams', 'SELECT 2')$$, 'the job of such a role can be replaced');
SELECT is((SELECT owner FROM setup.load_jobs WHERE job_name = 'teams'), 'jobs_ann', 'and then belongs to the caller');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION jobs_bob;
SELECT results_eq($$SELECT code, message, hint
  FROM caught($c$SELECT setup.add_job('bronze', 'anns', 'SELECT 666')$c$)$$,
  $$VALUES ('42501', 'job "bronze.anns" belongs to role "jobs_ann"', 'Choose another name for the job.')$$,
  'another''s job is not replaced');
SELECT throws_ok($$SELECT setup.drop_job('bronze', 'anns')$$, '42501', 'job "bronze.anns" belongs to role "jobs_ann"',
  'another''s job is not dropped');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT command FROM setup.load_jobs WHERE job_name = 'anns'), 'SELECT 1', 'another''s job is as it was');
ALTER ROLE jobs_ann RENAME TO jobs_anna;
SET SESSION AUTHORIZATION jobs_anna;
SELECT lives_ok($$SELECT setup.add_job('bronze', 'anns', 'SELECT 2')$$, 'an owner who was renamed still has its jobs');
RESET SESSION AUTHORIZATION;

-- What the table refuses, whoever writes

SELECT throws_ok($$INSERT INTO setup.load_jobs (layer, job_name, command) VALUES ('copper', 'a', 'SELECT 1')$$, '23503',
  NULL,
  'the table takes no job of an unknown layer');
SELECT throws_ok($$INSERT INTO bronze.load_jobs (job_name) VALUES ('a')$$, '23514', NULL, 'nor one that does nothing');
SELECT throws_ok($$INSERT INTO bronze.load_jobs (job_name, file_path) VALUES ('a', '/f')$$, '23514', NULL,
  'nor a file without table');
SELECT throws_ok($$INSERT INTO bronze.load_jobs (job_name, command) VALUES ('anns', 'SELECT 1')$$, '23505', NULL,
  'nor a second job of one name');
INSERT INTO setup.load_jobs (layer, job_name, command, owner_oid) VALUES ('bronze', 'forged', 'SELECT 1',
  'jobs_bob'::regrole);
SELECT is((SELECT owner_oid FROM setup.load_jobs WHERE job_name = 'forged'), 'postgres'::regrole::oid,
  'the oid follows from the owner''s name, whatever is written');
UPDATE setup.load_jobs SET owner_oid = 'jobs_bob'::regrole WHERE job_name = 'forged';
SELECT is((SELECT owner_oid FROM setup.load_jobs WHERE job_name = 'forged'), 'postgres'::regrole::oid,
  'also in an UPDATE');
UPDATE setup.load_jobs SET owner = 'jobs_bob' WHERE job_name = 'forged';
SELECT is((SELECT owner_oid FROM setup.load_jobs WHERE job_name = 'forged'), 'jobs_bob'::regrole::oid,
  'and changes with it');
SELECT is((SELECT count(*) FROM setup.load_jobs), 7::bigint, 'nothing of what was refused is there');

SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY jobs_anna, jobs_bob, jobs_team;
DROP ROLE jobs_anna, jobs_bob, jobs_team, jobs_folder;
