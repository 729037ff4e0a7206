-- Locations: directories with files that pipelines read, and who may use them.
--
-- They are written by these functions only, with the rights of the engine, after checks of the caller's: making one takes
-- the right to read all files of the server, because it hands a part of it on.

CREATE TABLE setup.locations (
  location_name   text PRIMARY KEY
                  CHECK (location_name <> '' AND octet_length(location_name) < 64 AND location_name !~ '[[:cntrl:]]'),
  url             text NOT NULL CHECK (url LIKE 'file:///%' AND octet_length(url) < 4096),
  file_types      text[] CHECK (file_types <> '{}' AND file_types <@
                    ARRAY['csv', 'csv.gz', 'json', 'json.gz', 'ndjson', 'ndjson.gz', 'parquet']),
  name_pattern    text CHECK (name_pattern <> '' AND octet_length(name_pattern) <= 1000),
  exclusions      text[] NOT NULL DEFAULT '{}'
                  CHECK (array_position(exclusions, NULL) IS NULL AND cardinality(exclusions) <= 1000
                         AND octet_length(array_to_string(exclusions, '')) <= 100000),
  min_size        bigint CHECK (min_size >= 0),
  max_size        bigint CHECK (max_size > 0),
  stable_for      interval NOT NULL DEFAULT '0' CHECK (stable_for >= '0' AND stable_for <= '10 years'),
  watch           boolean NOT NULL DEFAULT false,
  watched_in      oid,
  rescan_interval interval CHECK (rescan_interval >= '1 s' AND rescan_interval <= '10 years'),
  writable        boolean NOT NULL DEFAULT false,
  retention       interval CHECK (retention > '0' AND retention <= '1000 years'),
  owner           text NOT NULL DEFAULT current_user,
  owner_oid       oid NOT NULL DEFAULT 0,
  CONSTRAINT locations_sizes CHECK (min_size <= max_size)
);

COMMENT ON TABLE setup.locations IS
  'Directories with files that pipelines read, each with the rules for what of it is read. Made by '
  'setup.create_location(). Roles see those that they own or may use, by membership, too.';
COMMENT ON COLUMN setup.locations.location_name IS 'Name of the location.';
COMMENT ON COLUMN setup.locations.url IS 'The directory on the server: file:///absolute/path, percent-encoded.';
COMMENT ON COLUMN setup.locations.file_types IS
  'Types of files that are read, known by the end of their names without regard to case: csv, csv.gz, json, json.gz, '
  'ndjson (also .jsonl), ndjson.gz, parquet. Null: all of these.';
COMMENT ON COLUMN setup.locations.name_pattern IS
  'What a file''s name, without its directory, must match: * ? [a-z] [!a-z]. Null: any name.';
COMMENT ON COLUMN setup.locations.exclusions IS
  'Patterns of what is not read. One without a slash is for the name of a file or directory at any depth, one with a '
  'slash for a path from the location on, where ** is any number of directories. An excluded directory is not looked '
  'into.';
COMMENT ON COLUMN setup.locations.min_size IS 'Bytes that a file must have to be read; null: any.';
COMMENT ON COLUMN setup.locations.max_size IS 'Bytes that a file may have to be read; null: any.';
COMMENT ON COLUMN setup.locations.stable_for IS
  'A file is left alone until it has not been modified for so long, by its modification time.';
COMMENT ON COLUMN setup.locations.watch IS
  'Whether files that arrive or change start the jobs that read them, in one run for each owner: when nothing more has '
  'come for half a second, or for stable_for (up to 10 seconds), and each file once, whatever becomes of the run.';
COMMENT ON COLUMN setup.locations.watched_in IS
  'The database in which watch was set: nothing is watched in another one, which was copied from it, or in one that '
  'was restored from a dump (null), until setup.create_location() is told to watch there. See setup.watched_locations.';
COMMENT ON COLUMN setup.locations.rescan_interval IS
  'How often a watched location is looked through although nothing was reported, for network file systems; null: '
  'never.';
COMMENT ON COLUMN setup.locations.writable IS
  'Whether setup.export_table() may write there, for all who may use the location.';
COMMENT ON COLUMN setup.locations.retention IS
  'After how long setup.drop_expired_files() removes what exports wrote; null: never.';
COMMENT ON COLUMN setup.locations.owner IS
  'Role that made it: it, its members and grantees may use it. Superusers may write another one here.';
COMMENT ON COLUMN setup.locations.owner_oid IS 'That role, as it was when its name was written; 0: there was none.';

CREATE TABLE setup.location_grants (
  location_name text NOT NULL REFERENCES setup.locations ON DELETE CASCADE,
  grantee       text NOT NULL,
  grantee_oid   oid NOT NULL DEFAULT 0,
  PRIMARY KEY (location_name, grantee)
);

COMMENT ON TABLE setup.location_grants IS
  'Who may use a location beside its owner. Made by setup.grant_location(). Grantees see their grants, owners all.';
COMMENT ON COLUMN setup.location_grants.location_name IS 'Name of the location.';
COMMENT ON COLUMN setup.location_grants.grantee IS 'Role that may use it, with its members.';
COMMENT ON COLUMN setup.location_grants.grantee_oid IS
  'That role, as it was when the grant was made; 0: there was none.';

SELECT pg_catalog.pg_extension_config_dump('setup.locations', '');
SELECT pg_catalog.pg_extension_config_dump('setup.location_grants', '');

GRANT SELECT ON setup.locations, setup.location_grants TO PUBLIC;
ALTER TABLE setup.locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.location_grants ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION setup.location_owner(location_name text) RETURNS oid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT l.owner_oid FROM setup.locations l WHERE l.location_name = $1 $$;
COMMENT ON FUNCTION setup.location_owner IS
  'The oid of a location''s owner, whoever asks; null if there is no such location.';

CREATE POLICY those_concerned ON setup.location_grants FOR SELECT USING (
  pg_catalog.pg_has_role(grantee_oid, 'MEMBER') OR pg_catalog.pg_has_role(setup.location_owner(location_name), 'MEMBER'));
CREATE POLICY owner_and_grantees ON setup.locations FOR SELECT USING (
  pg_catalog.pg_has_role(owner_oid, 'MEMBER') OR EXISTS (
    SELECT FROM setup.location_grants g
     WHERE g.location_name = locations.location_name AND pg_catalog.pg_has_role(g.grantee_oid, 'MEMBER')));

-- The constraints of the table say the same to whoever would not be told here.
CREATE FUNCTION setup.location_problem(location setup.locations) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
    WHEN octet_length(location.location_name) NOT BETWEEN 1 AND 63 OR location.location_name ~ '[[:cntrl:]]'
      THEN 'its name must have 1 to 63 bytes, and no control character'
    WHEN location.url NOT LIKE 'file:///%' OR octet_length(location.url) > 4095
      THEN 'url must be file:///directory, of up to 4095 bytes'
    WHEN location.file_types = '{}' OR NOT location.file_types <@
         ARRAY['csv', 'csv.gz', 'json', 'json.gz', 'ndjson', 'ndjson.gz', 'parquet']
      THEN 'file_types must be some of csv, csv.gz, json, json.gz, ndjson, ndjson.gz and parquet'
    WHEN octet_length(location.name_pattern) NOT BETWEEN 1 AND 1000 THEN 'name_pattern must have 1 to 1000 bytes'
    WHEN array_position(location.exclusions, NULL) IS NOT NULL OR cardinality(location.exclusions) > 1000
         OR octet_length(array_to_string(location.exclusions, '')) > 100000
      THEN 'exclusions must be up to 1000 patterns, none of them null, of 100000 bytes together'
    WHEN location.min_size < 0 THEN 'min_size must not be negative'
    WHEN location.max_size < 1 THEN 'max_size must be at least 1'
    WHEN location.min_size > location.max_size
      THEN format('min_size %s is more than max_size %s', location.min_size, location.max_size)
    WHEN location.stable_for NOT BETWEEN '0' AND '10 years' THEN 'stable_for must be from 0 to 10 years'
    WHEN location.rescan_interval < '1 s' OR location.rescan_interval > '10 years'
      THEN 'rescan_interval must be from 1 second to 10 years'
    WHEN location.retention <= '0' OR location.retention > '1000 years'
      THEN 'retention must be longer than 0, and up to 1000 years'
  END
$$;
COMMENT ON FUNCTION setup.location_problem IS
  'What is wrong with a location and its rules, in words that follow "location x:"; null if nothing is.';

-- The oids follow from the names, also after a restore. A row that is new is not watched before setup.create_location()
-- says so by an UPDATE: a restore brings locations before it brings what was loaded from them.
CREATE FUNCTION setup.check_location_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  problem constant text := setup.location_problem(NEW);
BEGIN
  IF problem IS NOT NULL THEN
    RAISE check_violation USING
      MESSAGE = format('location "%s": %s', NEW.location_name, problem),
      HINT = 'Rules are explained by \d+ setup.locations; create_location() takes one back where it is empty or 0.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    NEW.watched_in := NULL;
    IF NEW.watch THEN
      RAISE WARNING USING
        MESSAGE = format('location "%s" is not watched in this database', NEW.location_name),
        HINT = format('When all that was loaded from it is here, too: '
                      'SELECT setup.create_location(%L, watch => true);', NEW.location_name);
    END IF;
  ELSIF NEW.owner = OLD.owner THEN
    RETURN NEW;
  END IF;
  NEW.owner_oid := setup.role_oid(NEW.owner);
  IF NEW.owner_oid = 0 THEN
    RAISE WARNING USING
      MESSAGE = format('location "%s": role "%s" does not exist', NEW.location_name, NEW.owner),
      HINT = 'A superuser can give it another owner: UPDATE setup.locations SET owner = ...';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_location_row IS
  'Trigger: which rules a location may have; owner_oid follows owner; what is restored is not watched.';
CREATE TRIGGER check_location_row BEFORE INSERT OR UPDATE ON setup.locations
  FOR EACH ROW EXECUTE FUNCTION setup.check_location_row();

CREATE FUNCTION setup.check_location_grant_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  NEW.grantee_oid := setup.role_oid(NEW.grantee);
  IF NEW.grantee_oid = 0 THEN
    RAISE WARNING USING
      MESSAGE = format('grant of location "%s": role "%s" does not exist', NEW.location_name, NEW.grantee),
      HINT = 'When it is there, grant the location again with setup.grant_location().';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_location_grant_row IS 'Trigger: grantee_oid follows grantee.';
CREATE TRIGGER check_location_grant_row BEFORE INSERT OR UPDATE ON setup.location_grants
  FOR EACH ROW EXECUTE FUNCTION setup.check_location_grant_row();

CREATE FUNCTION setup.create_location(
  name text,
  url text DEFAULT NULL,
  file_types text[] DEFAULT NULL,
  name_pattern text DEFAULT NULL,
  exclusions text[] DEFAULT NULL,
  min_size bigint DEFAULT NULL,
  max_size bigint DEFAULT NULL,
  stable_for interval DEFAULT NULL,
  watch boolean DEFAULT NULL,
  rescan_interval interval DEFAULT NULL,
  writable boolean DEFAULT NULL,
  retention interval DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_create_location';
COMMENT ON FUNCTION setup.create_location IS
  'Makes a location, or changes one: what is null stays as it is; an empty array or text takes a rule back, and so '
  'does 0 as min_size, max_size, stable_for, rescan_interval or retention. url: file:///dir or an absolute path; a new '
  'location must have one. Raises insufficient_privilege without pg_read_server_files, or for another''s location; '
  'feature_not_supported for other kinds of URLs; invalid_parameter_value for what is no URL, type or pattern; '
  'check_violation for other rules that cannot be. Warns where the server cannot read the directory. A location that '
  'is writable takes pg_write_server_files as well.';

CREATE FUNCTION setup.drop_location(name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_location';
COMMENT ON FUNCTION setup.drop_location IS
  'Drops a location, its grants, and what setup.exports says of it: exported files stay, and the next exports to their '
  'paths need replace => true. Raises undefined_object where there is none, insufficient_privilege as '
  'setup.create_location() does, dependent_objects_still_exist, with a list, where jobs or crawlers name it.';

CREATE FUNCTION setup.grant_location(name text, role_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_grant_location';
COMMENT ON FUNCTION setup.grant_location IS
  'Lets a role and its members use a location: their jobs read its files, without another right. Raises '
  'undefined_object for an unknown location or role, insufficient_privilege as setup.create_location() does.';

CREATE FUNCTION setup.revoke_location(name text, role_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_revoke_location';
COMMENT ON FUNCTION setup.revoke_location IS
  'Takes that back, also from a role that is gone; nothing happens where nothing was granted. Raises undefined_object '
  'for an unknown location, insufficient_privilege as setup.create_location() does.';

CREATE FUNCTION setup.require_location_use(location text, reader oid) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_require_location_use';
COMMENT ON FUNCTION setup.require_location_use IS
  'Raises insufficient_privilege where a role may not use a location, undefined_object where there is none.';

CREATE FUNCTION setup.location_files(location text, pattern text DEFAULT '**')
  RETURNS TABLE (path text, size bigint, modified_at timestamptz, file_type text, accepted boolean, reason text)
  LANGUAGE c VOLATILE ROWS 1000 AS 'MODULE_PATHNAME', 'etl_location_files';
COMMENT ON FUNCTION setup.location_files IS
  'The files of a location whose path matches a pattern (* ? [a-z] [!a-z], ** for directories), and the reason where '
  'one is not read: a rule, or what it is. Names that begin with . or _ are hidden. Directories that are not looked '
  'into are rows, too. Raises undefined_object; insufficient_privilege without a grant; program_limit_exceeded for '
  'more than a million.';

CREATE FUNCTION setup.validate_file(location text, path text, expected_columns text[] DEFAULT NULL)
  RETURNS TABLE (is_valid boolean, file_exists boolean, is_readable boolean, is_accepted boolean, file_type text,
                 size bigint, modified_at timestamptz, columns text[], header_matches boolean, is_utf8 boolean,
                 findings text[])
  LANGUAGE c VOLATILE ROWS 1 AS 'MODULE_PATHNAME', 'etl_validate_file';
COMMENT ON FUNCTION setup.validate_file IS
  'Whether a file can be loaded: one row with everything that is wrong with it in findings. Null is what was not '
  'checked: is_utf8 (the whole file is valid, without NUL) of compressed and Parquet files; columns of compressed, '
  'JSON and Parquet files, where the module etl_files is not installed. Of these only the beginning is read; of a file '
  'that the location''s rules refuse by its path, nothing. '
  'expected_columns: names in any order and case. Raises only what setup.location_files() does.';
