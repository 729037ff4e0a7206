-- Functions of tasks that come with the extension: what the Lambda functions of usual pipelines do elsewhere. They run as
-- the owner of the machine that calls them.

-- The first of some fields that an object has, for callers that do not agree on a name.
CREATE FUNCTION setup.first_field(input jsonb, VARIADIC names text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT input -> n.name FROM unnest(names) WITH ORDINALITY n(name, place)
   WHERE jsonb_typeof(input -> n.name) <> 'null' ORDER BY n.place LIMIT 1
$$;
COMMENT ON FUNCTION setup.first_field IS 'The value of the first of these fields that an object has; null: it has none.';

CREATE FUNCTION setup.texts_field(input jsonb, VARIADIC names text[]) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  given constant jsonb := setup.first_field(input, VARIADIC names);
BEGIN
  IF given IS NOT NULL AND (jsonb_typeof(given) <> 'array' OR jsonb_path_exists(given, '$[*] ? (@.type() != "string")')) THEN
    RAISE invalid_parameter_value USING MESSAGE = format('"%s" must be a list of texts', names[1]);
  END IF;
  RETURN ARRAY(SELECT jsonb_array_elements_text(given));
END
$$;
COMMENT ON FUNCTION setup.texts_field IS
  'The same of a field with a list of texts; empty: there is none. Raises invalid_parameter_value for anything else.';

CREATE FUNCTION setup.handle_check_tables(input jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  database constant text := setup.first_field(input, 'database', 'databaseName', 'DatabaseName', 'database_name', 'layer') #>> '{}';
  expected constant text[] :=
    setup.texts_field(input, 'tables', 'expectedTables', 'ExpectedTables', 'expected_tables', 'tableNames', 'table_names');
  schema_name text := database;
  missing text[];
  existing text[];
BEGIN
  IF coalesce(database, '') = '' THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'checking tables needs "database"',
      HINT = 'For example {"database": "bronze", "tables": ["orders"]}; without "tables": those of the layer''s jobs.';
  END IF;
  -- A database there is a schema here: of that name, or a layer that ends it, as bronze ends pp_dw_bronze.
  IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = database) THEN
    SELECT l.layer INTO schema_name FROM setup.layers l
     WHERE right(database, length(l.layer) + 1) IN ('_' || l.layer, '-' || l.layer) ORDER BY length(l.layer) DESC LIMIT 1;
    IF schema_name IS NULL THEN
      PERFORM setup.raise_error('Glue.EntityNotFoundException', format('Database %s not found.', database));
    END IF;
  END IF;
  IF cardinality(expected) = 0 THEN
    SELECT c.missing_tables, c.existing_tables INTO missing, existing FROM setup.check_tables(schema_name) c;
  ELSE
    SELECT coalesce(array_agg(t.name ORDER BY t.place) FILTER (WHERE NOT t.is_there), '{}'),
           coalesce(array_agg(t.name ORDER BY t.place) FILTER (WHERE t.is_there), '{}')
      INTO missing, existing
      FROM (SELECT e.name, e.place, setup.table_exists(format('%I.%I', schema_name, e.name)) AS is_there
              FROM unnest(expected) WITH ORDINALITY e(name, place)) t;
  END IF;
  RETURN jsonb_build_object('exists', missing = '{}', 'database', database, 'missingTables', missing,
                            'existingTables', existing, 'totalExpected', cardinality(missing) + cardinality(existing),
                            'totalExisting', cardinality(existing));
END
$$;
COMMENT ON FUNCTION setup.handle_check_tables IS
  'Task: {"database": name, "tables": [names]} -> {"exists": whether none is missing, "missingTables", "existingTables", '
  '"totalExpected", "totalExisting"}. database: a schema, or any name that ends in _ and a layer; without tables: those that '
  'the layer''s jobs declare. Error Glue.EntityNotFoundException for an unknown database.';

CREATE FUNCTION setup.handle_start_crawlers(input jsonb) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  crawler text;
  started jsonb := '[]';
  running jsonb := '[]';
  failed jsonb := '[]';
BEGIN
  FOREACH crawler IN ARRAY setup.texts_field(input, 'crawlers', 'crawlerNames', 'CrawlerNames', 'crawler_names') LOOP
    BEGIN
      PERFORM FROM setup.crawl(crawler);
      started := started || to_jsonb(crawler);
    EXCEPTION
      WHEN object_in_use THEN
        running := running || to_jsonb(crawler);
      WHEN OTHERS THEN
        failed := failed || jsonb_build_object('crawler', crawler, 'message', SQLERRM);
    END;
  END LOOP;
  RETURN jsonb_build_object('started', started, 'running', running, 'failed', failed, 'ok', failed = '[]');
END
$$;
COMMENT ON FUNCTION setup.handle_start_crawlers IS
  'Task: {"crawlers": [names]} -> {"started": those that have crawled, "running": those that do so in another session, '
  '"failed": [{"crawler", "message"}], "ok": whether none failed}. One that fails leaves nothing, and does not stop the others.';

CREATE FUNCTION setup.decode_url(encoded text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
  AS $$
  SELECT coalesce(convert_from(string_agg(CASE WHEN p.part[1] ~ '^%..$' THEN decode(substr(p.part[1], 2), 'hex')
                                               ELSE convert_to(p.part[1], 'UTF8') END, ''::bytea ORDER BY p.place), 'UTF8'), '')
    FROM regexp_matches(replace(encoded, '+', ' '), '(%[0-9A-Fa-f]{2}|[^%]+|%)', 'g') WITH ORDINALITY p(part, place)
$$;
COMMENT ON FUNCTION setup.decode_url IS 'A text without the %XX and + with which events write the keys of objects.';

CREATE FUNCTION setup.handle_validate_input(input jsonb) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  event constant jsonb := coalesce(input -> 'input', input);
  bucket constant text := coalesce(event #>> '{bucket}', event #>> '{Records,0,s3,bucket,name}', event #>> '{detail,bucket,name}');
  key constant text :=
    coalesce(event #>> '{key}', setup.decode_url(event #>> '{Records,0,s3,object,key}'), event #>> '{detail,object,key}');
  prefix constant text := coalesce(input ->> 'prefix', '');
  location text;
  file record;
  problems text[] := '{}';
BEGIN
  IF coalesce(bucket, '') = '' THEN
    problems := problems || 'the input has no bucket'::text;
  END IF;
  IF coalesce(key, '') = '' THEN
    problems := problems || 'the input has no key'::text;
  END IF;
  IF NOT starts_with(key, prefix) THEN
    problems := problems || format('"%s" does not begin with "%s"', key, prefix);
  END IF;
  -- A bucket there is a location here; an account's number before its name is left out.
  SELECT l.location_name INTO location FROM setup.locations l
   WHERE l.location_name IN (bucket, regexp_replace(bucket, '^[0-9]{12}-', ''))
   ORDER BY l.location_name = bucket DESC LIMIT 1;
  IF location IS NULL AND bucket <> '' THEN
    problems := problems || format('there is no location "%s"', bucket);
  END IF;
  IF problems = '{}' THEN
    SELECT * INTO file FROM setup.validate_file(location, key);
    RETURN jsonb_build_object('valid', file.is_valid, 'errors', file.findings, 'bucket', bucket, 'key', key, 'location', location,
                              'fileType', file.file_type, 'fileSize', file.size, 'lastModified', file.modified_at);
  END IF;
  RETURN jsonb_build_object('valid', false, 'errors', problems, 'bucket', bucket, 'key', key);
END
$$;
COMMENT ON FUNCTION setup.handle_validate_input IS
  'Task: {"bucket": location, "key": path of a file}, or the event of an object that was created, or {"input": one of these, '
  '"prefix": what the key must begin with} -> {"valid", "errors": [what is wrong], "bucket", "key", "location", "fileType", '
  '"fileSize", "lastModified"}. The rules are those of the location: setup.validate_file(). Error insufficient_privilege where the machine''s owner may not use it.';

INSERT INTO setup.task_handlers (resource, function, is_shipped) VALUES
  ('*check-tables', 'setup.handle_check_tables', true),
  ('*start-crawlers', 'setup.handle_start_crawlers', true),
  ('*validate-input', 'setup.handle_validate_input', true);
