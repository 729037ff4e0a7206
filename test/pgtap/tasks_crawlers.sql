-- Tasks that start crawlers and ask for them.
\ir tools.psql
\ir tasks.psql
SET client_min_messages = warning;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\if :installed
\else
SELECT plan(1);
SELECT skip('crawling needs the module etl_files, which is not installed', 1);
SELECT * FROM finish();
\quit
\endif
CREATE EXTENSION dblink;
CREATE ROLE tasks_owner LOGIN;
CREATE ROLE tasks_other LOGIN;
GRANT USAGE ON SCHEMA setup TO tasks_owner, tasks_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SELECT setup.create_layer('bronze');
GRANT USAGE, CREATE ON SCHEMA bronze TO tasks_owner, tasks_other;
\set url 'file://' :files
SELECT setup.create_location('landing', :'url');
SELECT setup.grant_location('landing', 'tasks_owner'), setup.grant_location('landing', 'tasks_other');
\! mkdir -p $FILES/trips $FILES/bad && printf 'id,fare\n1,2.5\n2,3\n' > $FILES/trips/yellow.csv && printf 'PAR1xxxx' > $FILES/bad/broken.parquet && chmod -R a+rX $FILES
SET SESSION AUTHORIZATION tasks_other;
SELECT setup.create_crawler('theirs', 'landing', 'bronze', path => 'trips');
SET SESSION AUTHORIZATION tasks_owner;
SELECT setup.create_crawler('trips', 'landing', 'bronze', path => 'trips', table_prefix => 'raw_'),
  setup.create_crawler('bad', 'landing', 'bronze', path => 'bad'), setup.create_crawler('gone', 'landing', 'bronze', path => 'nowhere');

SELECT plan(19);
SELECT task('never', 'arn:aws:states:::aws-sdk:glue:getCrawler', '{"Name": "trips"}');
SELECT is(output('never') -> 'Crawler', '{"Name": "trips", "State": "READY", "DatabaseName": "bronze", "TablePrefix": "raw_", "Role": "tasks_owner",
  "Targets": {"S3Targets": [{"Path": "landing/trips", "Exclusions": []}]}}', 'a crawler that never ran has no last crawl');
SELECT task('start', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "trips"}'),
  task('start_bad', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "bad"}'),
  task('unknown', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "nothing"}'),
  task('foreign', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "theirs"}'),
  task('hostile', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "trips''); DROP TABLE bronze.raw_yellow; --"}'),
  task('nameless', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{}');
SELECT is(output('start'), '{}', 'a crawler is started');
SELECT isnt(to_regclass('bronze.raw_trips')::text || to_regclass('bronze.raw_yellow')::text, '', 'and has made its table');
SELECT is(output('start_bad'), '{}', 'one whose files are broken is started, too');
SELECT is(error('unknown'), 'Glue.EntityNotFoundException', 'an unknown one is an error by its name');
SELECT is(error('foreign'), 'Glue.EntityNotFoundException', 'as is that of somebody else');
SELECT is(error('hostile'), 'Glue.EntityNotFoundException', 'a name is only a name');
SELECT is(error('nameless'), 'States.Runtime', 'a task without Name is refused');
SELECT task('get', 'arn:aws:states:::aws-sdk:glue:getCrawler', '{"Name": "trips"}'),
  task('get_bad', 'arn:aws:states:::aws-sdk:glue:getCrawler', '{"Name": "bad"}'),
  task('get_foreign', 'arn:aws:states:::aws-sdk:glue:getCrawler', '{"Name": "theirs"}'),
  task('stop', 'arn:aws:states:::aws-sdk:glue:stopCrawler', '{"Name": "trips"}');
SELECT is(output('get') #>> '{Crawler,State}', 'READY', 'getCrawler says that it is done');
SELECT is(output('get') #>> '{Crawler,LastCrawl,Status}', 'SUCCEEDED', 'and how it went');
SELECT is(output('get_bad') #>> '{Crawler,LastCrawl,Status}', 'FAILED', 'also where it failed');
SELECT ok(output('get_bad') #> '{Crawler,LastCrawl}' ? 'ErrorMessage', 'and why');
SELECT is(error('get_foreign'), 'Glue.EntityNotFoundException', 'not of somebody else''s');
SELECT is(error('stop'), 'Glue.CrawlerNotRunningException', 'one that does not run cannot be stopped');

-- In another session
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
SELECT dblink_connect('crawling', format('host=%s port=%s dbname=%s user=tasks_owner', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()));
SELECT dblink_exec('crawling', 'BEGIN');
SELECT * FROM dblink('crawling', 'SELECT count(*) FROM setup.crawl(''trips'')') AS t(n bigint);
SET SESSION AUTHORIZATION tasks_owner;
SELECT task('running', 'arn:aws:states:::aws-sdk:glue:getCrawler', '{"Name": "trips"}');
SELECT is(output('running') #>> '{Crawler,State}', 'RUNNING', 'one that runs in another session says so');
SELECT task('start_again', 'arn:aws:states:::aws-sdk:glue:startCrawler', '{"Name": "trips"}');
SELECT is(error('start_again'), 'Glue.CrawlerRunningException', 'and cannot be started again');
RESET SESSION AUTHORIZATION;
SELECT is(dblink_send_query('crawling', 'SELECT pg_sleep(60)'), 1, 'while it works');
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active')$$);
SET SESSION AUTHORIZATION tasks_owner;
SELECT task('stop_running', 'arn:aws:states:::aws-sdk:glue:stopCrawler', '{"Name": "trips"}');
SELECT is(output('stop_running'), '{}', 'it can be stopped');
RESET SESSION AUTHORIZATION;
SELECT * FROM dblink_get_result('crawling', false) AS t(x text);
SELECT matches(dblink_error_message('crawling'), 'canceling statement', 'by a cancel of its statement');
SELECT dblink_disconnect('crawling');
SELECT * FROM finish();
DELETE FROM setup.load_jobs;
DROP OWNED BY tasks_owner, tasks_other CASCADE;
DROP ROLE tasks_owner, tasks_other;
