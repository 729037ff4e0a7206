-- Crawlers: tables and jobs for the files of a location.
--
-- A crawler runs in its caller's session and transaction, as its owner. Its row is written by these functions only, with
-- the rights of the engine, after checks of the caller's.

CREATE TABLE setup.crawler_settings (
  crawler_name   text PRIMARY KEY
                 CHECK (crawler_name <> '' AND octet_length(crawler_name) < 64 AND crawler_name !~ '[[:cntrl:]]'),
  location       text NOT NULL REFERENCES setup.locations,
  layer          text NOT NULL REFERENCES setup.layers,
  path           text NOT NULL DEFAULT ''
                 CHECK (path !~ '^/|/$|//|[[:cntrl:]]' AND '..' <> ALL (string_to_array(path, '/'))
                        AND '.' <> ALL (string_to_array(path, '/')) AND octet_length(path) <= 2000),
  table_prefix   text NOT NULL DEFAULT '' CHECK (octet_length(table_prefix) < 64),
  on_new_column  text NOT NULL DEFAULT 'add' CHECK (on_new_column IN ('add', 'ignore', 'fail')),
  on_type_change text NOT NULL DEFAULT 'widen' CHECK (on_type_change IN ('widen', 'ignore', 'fail')),
  exclusions     text[] NOT NULL DEFAULT '{}'
                 CHECK (array_position(exclusions, NULL) IS NULL AND cardinality(exclusions) <= 1000),
  reader_options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(reader_options) = 'object' AND NOT reader_options ? 'columns'),
  load_mode      text NOT NULL DEFAULT 'replace' CHECK (load_mode IN ('replace', 'append')),
  provenance     boolean NOT NULL DEFAULT false,
  owner          text NOT NULL DEFAULT current_user,
  owner_oid      oid NOT NULL DEFAULT 0,
  last_crawl_at  timestamptz,
  last_status    text CHECK (last_status IN ('OK', 'ERROR')),
  last_message   text
);

COMMENT ON TABLE setup.crawler_settings IS
  'The crawlers, as setup.create_crawler() wrote them. To be read through setup.crawlers.';
COMMENT ON COLUMN setup.crawler_settings.crawler_name IS 'Name of the crawler.';
COMMENT ON COLUMN setup.crawler_settings.location IS 'Location whose files it looks at.';
COMMENT ON COLUMN setup.crawler_settings.layer IS 'Layer that gets the tables and their jobs.';
COMMENT ON COLUMN setup.crawler_settings.path IS
  'Directory beneath the location that it looks at, with all beneath it; empty: the whole location.';
COMMENT ON COLUMN setup.crawler_settings.table_prefix IS 'What the names of its tables begin with.';
COMMENT ON COLUMN setup.crawler_settings.on_new_column IS
  'What becomes of a column that files have and the table has not: add it, ignore it (it is not loaded), or fail.';
COMMENT ON COLUMN setup.crawler_settings.on_type_change IS
  'What becomes of a column whose type does not hold the values of the files: widen the type, ignore it, or fail.';
COMMENT ON COLUMN setup.crawler_settings.exclusions IS
  'Patterns for paths beneath the location that it does not look at, besides the location''s own.';
COMMENT ON COLUMN setup.crawler_settings.reader_options IS
  'reader_options that hold for all its files; the rest is found out.';
COMMENT ON COLUMN setup.crawler_settings.load_mode IS 'load_mode of the jobs that it makes: replace or append.';
COMMENT ON COLUMN setup.crawler_settings.provenance IS
  'Whether its tables have the columns _source_file, _source_row and _loaded_at.';
COMMENT ON COLUMN setup.crawler_settings.owner IS 'Role that runs it, and that its tables and jobs belong to.';
COMMENT ON COLUMN setup.crawler_settings.owner_oid IS 'The role''s oid. Follows from owner.';
COMMENT ON COLUMN setup.crawler_settings.last_crawl_at IS 'When it last ended; null: never.';
COMMENT ON COLUMN setup.crawler_settings.last_status IS 'OK, or ERROR if a data set failed.';
COMMENT ON COLUMN setup.crawler_settings.last_message IS 'What it did, in one line.';
SELECT pg_catalog.pg_extension_config_dump('setup.crawler_settings', '');

-- The constraints of the table say the same to whoever would not be told here.
CREATE FUNCTION setup.crawler_problem(crawler setup.crawler_settings) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT CASE
    WHEN octet_length(crawler.crawler_name) NOT BETWEEN 1 AND 63 OR crawler.crawler_name ~ '[[:cntrl:]]'
      THEN 'its name must have 1 to 63 bytes, and no control character'
    WHEN crawler.path ~ '^/|/$|//|[[:cntrl:]]' OR crawler.path ~ '(^|/)[.][.]?(/|$)' OR octet_length(crawler.path) > 2000
      THEN 'path must lead from its location downwards, without "." and "..", in up to 2000 bytes'
    WHEN octet_length(crawler.table_prefix) > 63 THEN 'table_prefix must have up to 63 bytes'
    WHEN crawler.on_new_column NOT IN ('add', 'ignore', 'fail') THEN 'on_new_column must be add, ignore or fail'
    WHEN crawler.on_type_change NOT IN ('widen', 'ignore', 'fail') THEN 'on_type_change must be widen, ignore or fail'
    WHEN array_position(crawler.exclusions, NULL) IS NOT NULL OR cardinality(crawler.exclusions) > 1000
      THEN 'exclusions must be up to 1000 patterns, none of them null'
    WHEN jsonb_typeof(crawler.reader_options) <> 'object'
      THEN 'reader_options must be an object, such as {"delimiter": ";"}'
    WHEN crawler.reader_options ? 'columns'
      THEN 'reader_options cannot have "columns": it finds them out for each data set'
    WHEN crawler.load_mode NOT IN ('replace', 'append')
      THEN 'load_mode must be replace or append; an upsert needs to know its key: change the job after the crawl'
  END
$$;
COMMENT ON FUNCTION setup.crawler_problem IS
  'What is wrong with a crawler, in words that follow "crawler x:"; null if nothing is.';

CREATE FUNCTION setup.check_crawler_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  problem constant text := setup.crawler_problem(NEW);
BEGIN
  IF problem IS NOT NULL THEN
    RAISE check_violation USING
      MESSAGE = format('crawler "%s": %s', NEW.crawler_name, problem),
      HINT = 'What a crawler can be told is explained by \d+ setup.crawler_settings.';
  END IF;
  PERFORM setup.require_reader_options(NEW.reader_options);
  IF TG_OP = 'UPDATE' AND NEW.owner = OLD.owner THEN
    RETURN NEW;
  END IF;
  NEW.owner_oid := setup.role_oid(NEW.owner);
  IF NEW.owner_oid = 0 THEN  -- a restore brings all its rows
    RAISE WARNING USING
      MESSAGE = format('crawler "%s": role "%s" does not exist', NEW.crawler_name, NEW.owner),
      HINT = 'A superuser can give it another owner: UPDATE setup.crawler_settings SET owner = ...';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION setup.check_crawler_row IS 'Trigger: what a crawler can be; owner_oid follows owner.';
CREATE TRIGGER check_crawler_row BEFORE INSERT OR UPDATE ON setup.crawler_settings
  FOR EACH ROW EXECUTE FUNCTION setup.check_crawler_row();

GRANT SELECT ON setup.crawler_settings TO PUBLIC;
ALTER TABLE setup.crawler_settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.crawler_settings FOR SELECT USING (pg_catalog.pg_has_role(owner_oid, 'MEMBER'));

CREATE FUNCTION setup.is_crawling(crawler_name text) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_is_crawling';
COMMENT ON FUNCTION setup.is_crawling IS 'Whether another session is running the crawler of that name.';

CREATE VIEW setup.crawlers WITH (security_invoker = true) AS
  SELECT crawler_name, CASE WHEN setup.is_crawling(crawler_name) THEN 'RUNNING' ELSE 'READY' END AS state,
         last_crawl_at, last_status, last_message, location, layer, path, table_prefix, on_new_column, on_type_change,
         exclusions, reader_options, load_mode, provenance, owner, owner_oid
    FROM setup.crawler_settings;

COMMENT ON VIEW setup.crawlers IS
  'The crawlers of the current user and of roles that it is a member of, and whether they run.';
COMMENT ON COLUMN setup.crawlers.state IS
  'RUNNING while another session crawls, until its transaction ends; READY otherwise. Tested by a lock: a crash leaves '
  'nothing.';
-- The others are those of setup.crawler_settings, and mean the same.
DO $$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT v.attname, pg_catalog.col_description(t.attrelid, t.attnum) AS meaning
      FROM pg_catalog.pg_attribute v JOIN pg_catalog.pg_attribute t USING (attname)
     WHERE v.attrelid = 'setup.crawlers'::pg_catalog.regclass AND v.attnum > 0
       AND t.attrelid = 'setup.crawler_settings'::pg_catalog.regclass
  LOOP
    EXECUTE pg_catalog.format('COMMENT ON COLUMN setup.crawlers.%I IS %L', it.attname, it.meaning);
  END LOOP;
END
$$;
GRANT SELECT ON setup.crawlers TO PUBLIC;

-- Writes the row of a crawler; settings has a key for each column of setup.crawler_settings that is to change.
CREATE FUNCTION setup.write_crawler(name text, settings jsonb) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'etl_write_crawler';
COMMENT ON FUNCTION setup.write_crawler IS
  'Writes the row of a crawler. Raises insufficient_privilege where it is somebody else''s.';

CREATE FUNCTION setup.create_crawler(
  name text,
  location text DEFAULT NULL,
  layer text DEFAULT NULL,
  path text DEFAULT NULL,
  table_prefix text DEFAULT NULL,
  on_new_column text DEFAULT NULL,
  on_type_change text DEFAULT NULL,
  exclusions text[] DEFAULT NULL,
  reader_options jsonb DEFAULT NULL,
  load_mode text DEFAULT NULL,
  provenance boolean DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  new_settings jsonb;
BEGIN
  PERFORM setup.require_writable('create_crawler');
  PERFORM setup.require_given('name', create_crawler.name);
  IF create_crawler.layer IS NOT NULL THEN
    PERFORM setup.require_layer(create_crawler.layer);
  END IF;
  new_settings := jsonb_strip_nulls(jsonb_build_object(
    'location', create_crawler.location, 'layer', create_crawler.layer,
    'path', btrim(create_crawler.path, '/'), 'table_prefix', create_crawler.table_prefix,
    'on_new_column', create_crawler.on_new_column, 'on_type_change', create_crawler.on_type_change,
    'exclusions', to_jsonb(create_crawler.exclusions), 'load_mode', create_crawler.load_mode,
    'provenance', create_crawler.provenance))
    || CASE WHEN create_crawler.reader_options IS NULL THEN '{}'
            ELSE jsonb_build_object('reader_options', create_crawler.reader_options) END;
  PERFORM setup.write_crawler(create_crawler.name, new_settings);
EXCEPTION
WHEN unique_violation THEN
  RAISE duplicate_object USING
    MESSAGE = format('crawler "%s" was made by another session meanwhile', create_crawler.name),
    HINT = 'Call setup.create_crawler() again to change it.';
WHEN foreign_key_violation THEN
  RAISE undefined_object USING
    MESSAGE = format('location "%s" does not exist', create_crawler.location),
    HINT = format('Create it with SELECT setup.create_location(%L, ''/directory'').', create_crawler.location);
END
$$;
COMMENT ON FUNCTION setup.create_crawler IS
  'Creates a crawler that belongs to the current user, or changes it: what is null stays as it is, or at its default. '
  'Raises undefined_object for an unknown location or layer, insufficient_privilege where the current user may not use '
  'the location, check_violation and invalid_parameter_value for what a crawler cannot be.';

CREATE FUNCTION setup.drop_crawler(name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_crawler';
COMMENT ON FUNCTION setup.drop_crawler IS
  'Drops a crawler. Its tables and jobs stay; a new crawler of the same name takes them up.';

-- What is converted to text is written in the same way in every session.
CREATE FUNCTION setup.crawl(name text, dry_run boolean DEFAULT false)
  RETURNS TABLE (table_name text, data_set text, files integer, action text, changes text[], message text)
  LANGUAGE c VOLATILE ROWS 100
  SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601' SET timezone = 'UTC'
  SET bytea_output = 'hex' SET extra_float_digits = 1
  AS 'MODULE_PATHNAME', 'etl_crawl';
COMMENT ON FUNCTION setup.crawl IS
  'Looks at the files of a crawler''s location, makes tables and file jobs for new data sets, and changes those of '
  'others as its policies say; loads nothing. One row for each data set: its table, the pattern of its files and their '
  'number, what was done (created, changed, unchanged, failed), and why; a row with action gone for each enabled job of '
  'the crawler whose files are not there any more, which is left as it is; one with action ignored for files that are '
  'not to be read. Raises undefined_file where the crawler''s path is not there. A data set that fails does not stop the others. dry_run says what would be done. Runs in the '
  'current transaction, as the crawler''s owner: raises insufficient_privilege for anybody else, object_in_use where '
  'it is running already.';
