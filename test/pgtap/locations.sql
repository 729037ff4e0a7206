-- Locations: what lies in a directory, what of it may be read, by whom, and that no path leads out of it.
\ir tools.psql
SET client_min_messages = error;
\setenv FILES :files
SELECT (pg_stat_file(setting || '/etl_files.so', true)).size IS NOT NULL AS installed FROM pg_config WHERE name = 'PKGLIBDIR' \gset
\set inside :files '/in'
\set url 'file://' :files '/in'
\! mkdir -p $FILES/in/sub/deep $FILES/in/_temporary $FILES/in/old $FILES/in/x.csv $FILES/in/y=1
\! cd $FILES && echo secret > secret.csv && chmod 644 secret.csv
\! cd $FILES/in && printf 'id,name\n1,a\n' > a.csv && cp a.csv A2.CSV && cp a.csv sub/b.csv && cp a.csv sub/deep/c.csv
\! cd $FILES/in && echo x > notes.txt && echo '{}' > d.ndjson && cp a.csv .e.csv && cp a.csv _temporary/f.csv && cp a.csv old/g.csv
\! cd $FILES/in && cp a.csv y=1/h.csv && ln -s ../secret.csv out.csv && ln -s "$FILES/secret.csv" absolute.csv && ln -s sub/b.csv within.csv
\! cd $FILES/in && ln -s .. up && mkfifo pipe.csv && cp a.csv closed.csv && chmod 0 closed.csv && chmod -R a+rX . 2>/dev/null; chmod 0 closed.csv
\! cd $FILES/in && touch -d '2020-01-01 UTC' a.csv && chmod 755 . sub sub/deep old y=1
CREATE ROLE locations_admin LOGIN;
CREATE ROLE locations_reader LOGIN;
CREATE ROLE locations_team LOGIN;
CREATE ROLE locations_stranger LOGIN;
CREATE ROLE locations_other_admin LOGIN;
GRANT locations_team TO locations_reader;
GRANT pg_read_server_files TO locations_admin, locations_other_admin;
GRANT USAGE ON SCHEMA setup TO locations_admin, locations_reader, locations_team, locations_stranger, locations_other_admin;
-- Paths of a location as its rules see them: "path" or "path: reason".
CREATE FUNCTION files(location text, pattern text DEFAULT '**') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(': ', path, reason), E'\n' ORDER BY path COLLATE "C")
    FROM setup.location_files(location, pattern) $$;
CREATE FUNCTION findings(path text, expected text[] DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
  SELECT findings FROM setup.validate_file('in', path, expected) $$;

SELECT plan(111);

-- Making one

SET SESSION AUTHORIZATION locations_stranger;
SELECT row_eq(format('SELECT * FROM caught(%L)', format($$SELECT setup.create_location('in', %L)$$, :'url')),
  ROW('42501'::text, 'permission denied to change locations'::text, ''::text,
  'It takes the right to read the server''s files: GRANT pg_read_server_files TO locations_stranger;'::text),
  'making a location takes the right to read the server''s files');
SELECT throws_ok($$INSERT INTO setup.locations (location_name, url) VALUES ('mine', 'file:///')$$, '42501', NULL,
  'and there is no other way to make one');
SELECT throws_ok($$INSERT INTO setup.location_grants (location_name, grantee) VALUES ('in', 'locations_stranger')$$,
  '42501', NULL, 'nor to grant one');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION locations_admin;
SELECT lives_ok(format($$SELECT setup.create_location('in', %L)$$, :'url'), 'pg_read_server_files is enough');
SELECT row_eq($$SELECT l.url, l.file_types, l.name_pattern, l.exclusions, l.min_size, l.max_size, l.stable_for, l.watch,
                  l.rescan_interval, l.owner, l.owner_oid::regrole::text
                FROM setup.locations l WHERE location_name = 'in'$$,
  ROW(:'url'::text, NULL::text[], NULL::text, '{}'::text[], NULL::bigint, NULL::bigint, '0'::interval, false,
      NULL::interval, 'locations_admin'::text, 'locations_admin'::text), 'and without rules everything is read');
SELECT throws_ok(format('SELECT setup.create_location(%L, %L)', name, '/'), code, message, 'the name ' || what)
  FROM (VALUES (NULL, '22004', 'argument "name" must be given', 'is not null'), ('', '22004', 'argument "name" must be given', 'not empty'),
               (repeat('x', 64), '23514', 'location "' || repeat('x', 64) || '": its name must have 1 to 63 bytes, and no control character',
                'not longer than 63 bytes'),
               (E'a\nb', '23514', E'location "a\nb": its name must have 1 to 63 bytes, and no control character',
                'and holds no control character'))
       AS names(name, code, message, what);
SELECT throws_ok(format('SELECT setup.create_location(''x'', %L)', url), code, message, 'the URL ' || quote_nullable(url) || ' is refused')
  FROM (VALUES (NULL, '22004', 'location "x" must have a url'),
               ('data', '22023', 'url "data" is neither an absolute path nor a file URL'),
               ('s3://bucket/in', '0A000', 'url "s3://bucket/in" is of a kind that is not supported'),
               ('file://host/in', '0A000', 'url "file://host/in" names another machine or a relative path'),
               ('file:///a/../b', '22023', 'url "file:///a/../b" must not hold ".." or NUL'),
               ('/a/%2e/..', '22023', 'url "/a/%2e/.." must not hold ".." or NUL')) AS urls(url, code, message);
SELECT setup.create_location('odd', '/no such//place/100%/'), setup.create_location('same', 'FILE://localhost/no%20such/place/100%25');
SELECT results_eq($$SELECT url FROM setup.locations WHERE location_name IN ('odd', 'same')$$,
  ARRAY['file:///no%20such/place/100%25', 'file:///no%20such/place/100%25'], 'one directory has one URL');
SELECT is((caught($$SELECT * FROM setup.location_files('odd')$$)).message,
  'directory "/no such/place/100%" of location "odd" does not exist', 'a directory may come later, but is needed to list it');
SELECT throws_ok(format('SELECT setup.create_location(''x'', ''/'', %s)', rule), code, message, rule || ' is no rule')
  FROM (VALUES ('file_types => ''{csv,xlsx}''', '22023', 'file type "xlsx" is not known'),
               ('file_types => ''{csv,null}''', '22004', 'file_types must not contain nulls'),
               ('name_pattern => ''a/*.csv''', '22023', 'name_pattern "a/*.csv" contains a slash'),
               ('name_pattern => repeat(''*'', 1001)', '23514', 'location "x": name_pattern must have 1 to 1000 bytes'),
               ('exclusions => ''{a,null}''', '22004', 'exclusions must not contain nulls'),
               ('exclusions => array_fill(''a''::text, ''{1001}'')', '23514', 'location "x": exclusions must be up to 1000 '
                'patterns, none of them null, of 100000 bytes together'),
               ('min_size => -1', '23514', 'location "x": min_size must not be negative'),
               ('max_size => -1', '23514', 'location "x": max_size must be at least 1'),
               ('min_size => 5, max_size => 4', '23514', 'location "x": min_size 5 is more than max_size 4'),
               ('stable_for => ''-1 s''', '23514', 'location "x": stable_for must be from 0 to 10 years'),
               ('rescan_interval => ''-1 s''', '23514', 'location "x": rescan_interval must be from 1 second to 10 years'),
               ('rescan_interval => ''1 ms''', '23514', 'location "x": rescan_interval must be from 1 second to 10 years'),
               ('retention => ''1 day''', '22023', 'location "x" has a retention, but is not writable'),
               ('retention => ''2000 years''', '23514', 'location "x": retention must be longer than 0, and up to 1000 years'))
       AS rules(rule, code, message);
SELECT is((caught($$SELECT setup.create_location('x', '/', min_size => 5, max_size => 4)$$)).hint,
  'Rules are explained by \d+ setup.locations; create_location() takes one back where it is empty or 0.',
  'the hint says how rules go');

-- What lies there

SELECT is(files('in'), $$.e.csv: is hidden: its path has a name that begins with "." or "_"
A2.CSV
_temporary: is hidden: its path has a name that begins with "." or "_"
a.csv
absolute.csv: leads out of the location
closed.csv
d.ndjson
notes.txt: is of no known file type
old/g.csv
out.csv: leads out of the location
pipe.csv: is a named pipe
sub/b.csv
sub/deep/c.csv
up: leads out of the location
within.csv
y=1/h.csv$$, 'everything beneath is listed, and why it is not read');
SELECT row_eq($$SELECT path, size, modified_at, file_type, accepted, reason FROM setup.location_files('in', 'a.csv')$$,
  ROW('a.csv'::text, 12::bigint, '2020-01-01 00:00:00+00'::timestamptz, 'csv'::text, true, NULL::text),
  'a file has a size, a time and a type');
SELECT is(files('in', pattern), paths, 'pattern ' || pattern)
  FROM (VALUES ('sub/*.csv', 'sub/b.csv'), ('s*/**/[b-c].csv', E'sub/b.csv\nsub/deep/c.csv'), ('./sub//b.csv', 'sub/b.csv'),
               ('**/b.csv', E'_temporary: is hidden: its path has a name that begins with "." or "_"\nsub/b.csv'),
               ('y=*/*', 'y=1/h.csv'), ('nothing/*', NULL)) AS p(pattern, paths);
SELECT throws_ok($$SELECT * FROM setup.location_files('in', '../*')$$, '22023', NULL, 'a pattern cannot go up');
SELECT throws_ok($$SELECT * FROM setup.location_files('in', '/etc/*')$$, '22023', NULL, 'nor begin at the root');
SELECT is((SELECT count(*) FROM setup.location_files('in', NULL)), 16::bigint, 'no pattern is any');

-- Rules

SELECT setup.create_location('in', file_types => '{CSV,csv}', name_pattern => '[a-h].csv',
  exclusions => '{deep,old/*.csv}', min_size => 3, max_size => 1000, stable_for => '1 hour', watch => true, rescan_interval => '5 min');
SELECT row_eq($$SELECT l.url, l.file_types, l.name_pattern, l.exclusions, l.min_size, l.max_size, l.stable_for, l.watch,
                  l.rescan_interval FROM setup.locations l WHERE location_name = 'in'$$,
  ROW(:'url'::text, '{csv}'::text[], '[a-h].csv'::text, '{deep,old/*.csv}'::text[], 3::bigint, 1000::bigint,
      '1 hour'::interval, true, '5 min'::interval), 'create_location changes what is given, and keeps the rest');
SELECT is(files('in', 'a.csv'), 'a.csv', 'an old file is stable');
SELECT matches(files('in', 'sub/b.csv'), '^sub/b.csv: was modified \d+ m?s ago, less than 3600 s$', 'a new one is not');
SELECT setup.create_location('in', stable_for => '0');
SELECT is(files('in'), $$.e.csv: is hidden: its path has a name that begins with "." or "_"
A2.CSV: has a name that does not match "[a-h].csv"
_temporary: is hidden: its path has a name that begins with "." or "_"
a.csv
absolute.csv: leads out of the location
closed.csv: has a name that does not match "[a-h].csv"
d.ndjson: is of type ndjson, which is not allowed
notes.txt: is of no known file type
old/g.csv: is excluded by "old/*.csv"
out.csv: leads out of the location
pipe.csv: is a named pipe
sub/b.csv
sub/deep: is excluded by "deep"
up: leads out of the location
within.csv: has a name that does not match "[a-h].csv"
y=1/h.csv$$, 'each rule says why');
SELECT setup.create_location('in', min_size => 13);
SELECT is(files('in', 'a.csv'), 'a.csv: has 12 bytes, fewer than 13', 'a file may be too small');
SELECT setup.create_location('in', min_size => 0, max_size => 11);
SELECT is(files('in', 'a.csv'), 'a.csv: has 12 bytes, more than 11', 'or too large');
SELECT setup.create_location('in', min_size => 5),
  setup.create_location('in', NULL, '{}', '', '{}', 0, 0, rescan_interval => '0');
SELECT is((SELECT count(*) FROM setup.location_files('in') WHERE accepted), 9::bigint, 'empty rules and 0 take rules back');
SELECT row_eq($$SELECT l.url, l.file_types, l.name_pattern, l.exclusions, l.min_size, l.max_size, l.stable_for, l.watch,
                  l.rescan_interval FROM setup.locations l WHERE location_name = 'in'$$,
  ROW(:'url'::text, NULL::text[], NULL::text, '{}'::text[], NULL::bigint, NULL::bigint, '0'::interval, true,
      NULL::interval), 'all of them, and nothing else');
SELECT setup.create_location('none', '/', min_size => 0, max_size => 0, rescan_interval => '0', retention => '0');
SELECT row_eq($$SELECT min_size, max_size, rescan_interval, retention FROM setup.locations WHERE location_name = 'none'$$,
  ROW(NULL::bigint, NULL::bigint, NULL::interval, NULL::interval), '0 is no rule in a new location either');

-- validate_file

SELECT row_eq($$SELECT * FROM setup.validate_file('in', './a.csv', '{Name,ID}')$$,
  ROW(true, true, true, true, 'csv'::text, 12::bigint, '2020-01-01 00:00:00+00'::timestamptz, '{id,name}'::text[], true, true, '{}'::text[]),
  'a good file is valid');
SELECT is(findings(path), ARRAY[finding], path || ' ' || finding)
  FROM (VALUES ('none.csv', 'does not exist'), ('x.csv', 'is a directory'), ('pipe.csv', 'is a named pipe'),
               ('out.csv', 'leads out of the location'), ('absolute.csv', 'leads out of the location'),
               ('up/secret.csv', 'leads out of the location'), ('../secret.csv', 'leads out of the location: ".." is not allowed'),
               ('sub/../../secret.csv', 'leads out of the location: ".." is not allowed'),
               ('/etc/passwd', 'is an absolute path; a file of a location is named relative to it'),
               ('closed.csv', 'cannot be read by the server: Permission denied'),
               ('notes.txt', 'is of no known file type')) AS files(path, finding);
SELECT row_eq($$SELECT is_valid, file_exists, is_readable, is_accepted FROM setup.validate_file('in', 'closed.csv')$$,
  ROW(false, true, false, NULL::boolean), 'a file that cannot be read is there');
SELECT row_eq($$SELECT v.findings, v.is_accepted, v.columns, v.is_utf8 FROM setup.validate_file('in', '.e.csv', '{id}') v$$,
  ROW(ARRAY['is hidden: its path has a name that begins with "." or "_"'], false, NULL::text[], NULL::boolean),
  'a file that is not read is not looked into');
SELECT is(findings('within.csv'), '{}', 'a link that stays inside is followed');
SELECT is(findings('a.csv', '{id,price}'), ARRAY['column "price" is missing', 'column "name" is not expected'],
  'columns that are expected are compared');
\! cd $FILES/in && printf 'id;id;;\n\377\000\n' > bad.csv && : > empty.csv && printf '"id,name\n1,2\n' > open.csv && printf 'id\n1\n' | gzip > a.csv.gz && echo '{"id": 1, "name": "x"}' > good.ndjson && echo '{"id": 1,,' > bad.ndjson && printf 'id\n' > text.json.gz && printf 'id\n' > text.parquet && chmod a+r *; chmod 0 closed.csv
SELECT row_eq($$SELECT * FROM (SELECT (v).* FROM (SELECT setup.validate_file('in', 'bad.csv', '{id}') AS v) w) x$$,
  (SELECT x FROM (SELECT false, true, true, true, 'csv'::text, 11::bigint, f.modified_at, '{id,id,"",""}'::text[], false, false,
    ARRAY['is not UTF-8 from byte 9 on', 'holds a NUL at byte 10', 'column "id" comes twice', 'column 3 has no name',
          'column 4 has no name']
    FROM setup.location_files('in', 'bad.csv') f) x), 'all findings come at once');
SELECT is(findings('empty.csv'), '{is empty}', 'an empty file is not valid');
SELECT is(findings('open.csv'), ARRAY['has a first line without end: a quote is left open'], 'nor an open quote in the header');
SELECT row_eq($$SELECT is_valid, header_matches IS NOT FALSE, is_utf8 FROM setup.validate_file('in', 'a.csv.gz', '{id}')$$,
  ROW(true, true, NULL::boolean), 'what was not checked is null');
SELECT is((SELECT columns FROM setup.validate_file('in', 'good.ndjson')), CASE WHEN :'installed' THEN '{id,name}'::text[] END,
  'the module tells the columns of other files than CSV');
SELECT is((SELECT is_valid FROM setup.validate_file('in', 'bad.ndjson')), NOT :'installed', 'and what it cannot read');
SELECT is(findings('text.json.gz'), '{is not compressed with gzip}', 'a text that is called .gz');
SELECT is(findings('text.parquet'), '{is no Parquet file}', 'or .parquet');
SELECT is((SELECT findings FROM setup.validate_file('odd', 'a.csv')), ARRAY['is in a location whose directory does not exist'],
  'a directory that is not there is a finding, too');
SELECT throws_ok($$SELECT * FROM setup.validate_file('nowhere', 'a.csv')$$, '42704', 'location "nowhere" does not exist',
  'an unknown location is an error');

-- Who may use one

RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION locations_reader;
SELECT is_empty('SELECT * FROM setup.locations', 'others do not see a location');
SELECT row_eq($$SELECT * FROM caught('SELECT * FROM setup.location_files(''in'')')$$,
  ROW('42501'::text, 'permission denied for location "in"'::text, ''::text,
  'Its owner "locations_admin" can allow it: SELECT setup.grant_location(''in'', ''locations_reader'');'::text), 'nor list it');
SELECT throws_ok($$SELECT * FROM setup.validate_file('in', 'a.csv')$$, '42501', 'permission denied for location "in"',
  'nor look at its files');
SELECT throws_ok($$SELECT setup.grant_location('in', 'locations_reader')$$, '42501', NULL, 'nor help themselves');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION locations_other_admin;
SELECT throws_ok(statement, '42501', 'location "in" belongs to role "locations_admin"', 'another admin may not ' || what)
  FROM (VALUES ($$SELECT setup.create_location('in', '/')$$, 'change it'), ($$SELECT setup.drop_location('in')$$, 'drop it'),
               ($$SELECT setup.grant_location('in', 'locations_reader')$$, 'grant it'),
               ($$SELECT setup.revoke_location('in', 'locations_reader')$$, 'or revoke it')) AS tries(statement, what);
SELECT is((caught($$SELECT setup.drop_location('in')$$)).hint, 'It takes that role itself, a member of it, or a superuser.',
  'and is told who may');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION locations_admin;
SELECT throws_ok($$SELECT setup.grant_location('in', 'locations_nobody')$$, '42704', 'role "locations_nobody" does not exist',
  'a grantee must exist');
SELECT results_eq($$SELECT message, hint FROM caught($c$SELECT setup.grant_location('in', 'public')$c$)$$,
  $$VALUES ('role "public" does not exist', 'PUBLIC is no role: grant it to a role, and that role to all who need it.')$$,
  'and everybody is none');
SELECT is((caught($$SELECT setup.drop_location('nowhere')$$)).hint,
  'Create it with SELECT setup.create_location(''nowhere'', ''file:///directory'').', 'an unknown location has a hint');
SELECT throws_ok($$SELECT setup.grant_location('nowhere', 'locations_team')$$, '42704', 'location "nowhere" does not exist',
  'and a location');
SELECT setup.grant_location('in', 'locations_team'), setup.grant_location('in', 'locations_team'), setup.grant_location('in', 'locations_stranger');
SELECT set_eq($$SELECT grantee FROM setup.location_grants$$, ARRAY['locations_team', 'locations_stranger'], 'the owner sees all grants');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION locations_reader;
SELECT results_eq('SELECT location_name FROM setup.locations', ARRAY['in'], 'a member of a grantee sees the location');
SELECT results_eq('SELECT grantee FROM setup.location_grants', ARRAY['locations_team'], 'and that grant only');
SELECT is(files('in', 'a.csv'), 'a.csv', 'and may list it');
SELECT is(findings('a.csv'), '{}', 'and validate its files');
SELECT throws_ok($$SELECT setup.create_location('in', '/')$$, '42501', NULL, 'but not change it');
SELECT throws_ok($$UPDATE setup.locations SET url = 'file:///'$$, '42501', NULL, 'in any way');
RESET SESSION AUTHORIZATION;

-- Roles that go

SELECT setup.revoke_location('in', 'locations_team');
SET SESSION AUTHORIZATION locations_reader;
SELECT throws_ok($$SELECT * FROM setup.location_files('in')$$, '42501', NULL, 'a grant that was revoked is none');
RESET SESSION AUTHORIZATION;
SELECT lives_ok($$SELECT setup.revoke_location('in', 'locations_team')$$, 'revoking it again is no error');
REVOKE USAGE ON SCHEMA setup FROM locations_stranger;
DROP ROLE locations_stranger;
CREATE ROLE locations_stranger LOGIN;
GRANT USAGE ON SCHEMA setup TO locations_stranger;
SET SESSION AUTHORIZATION locations_stranger;
SELECT is_empty('SELECT * FROM setup.locations', 'a role that takes the name of a grantee does not take its grant');
SELECT throws_ok($$SELECT * FROM setup.location_files('in')$$, '42501', NULL, 'nor the right to list');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION locations_admin;
SELECT setup.grant_location('in', 'locations_stranger');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION locations_stranger;
SELECT results_eq('SELECT location_name FROM setup.locations', ARRAY['in'], 'it can be granted anew');
RESET SESSION AUTHORIZATION;
ALTER ROLE locations_stranger RENAME TO locations_renamed;
SELECT setup.revoke_location('in', 'locations_renamed');
SELECT is_empty($$SELECT * FROM setup.location_grants$$, 'a grant is found by the new name of its role');
SELECT setup.grant_location('in', 'locations_team');
REVOKE pg_read_server_files FROM locations_admin;
SET SESSION AUTHORIZATION locations_admin;
SELECT throws_ok($$SELECT setup.grant_location('in', 'locations_reader')$$, '42501', 'permission denied to change locations',
  'an owner without the right to files changes nothing');
RESET SESSION AUTHORIZATION;
REVOKE USAGE ON SCHEMA setup FROM locations_admin;
DROP ROLE locations_admin;
SET SESSION AUTHORIZATION locations_team;
SELECT is(files('in', 'a.csv'), 'a.csv', 'grantees go on when the owner is gone');
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
SELECT lives_ok($$UPDATE setup.locations SET owner = 'locations_other_admin' WHERE location_name = 'in'$$,
  'a superuser gives it another owner');
SET SESSION AUTHORIZATION locations_other_admin;
SELECT lives_ok($$SELECT setup.grant_location('in', 'locations_reader')$$, 'who then may grant it');
SELECT lives_ok($$SELECT setup.drop_location('in')$$, 'and drop it');
SELECT throws_ok($$SELECT setup.drop_location('in')$$, '42704', 'location "in" does not exist', 'once');
RESET SESSION AUTHORIZATION;
SELECT is_empty('SELECT * FROM setup.location_grants', 'its grants go with it');

SELECT * FROM finish();
