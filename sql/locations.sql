-- Locations: directories with files that pipelines read, and who may use them. Tables stand in tables.sql.
--
-- They are written by these functions only, with the rights of the engine, after checks of the caller's: making one takes
-- the right to read all files of the server, because it hands a part of it on.

GRANT SELECT ON setup.locations, setup.location_grants TO PUBLIC;
ALTER TABLE setup.locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.location_grants ENABLE ROW LEVEL SECURITY;

-- The oid of a location's owner, also where row level security hides the location; null if there is no such location.
CREATE FUNCTION setup.location_owner(location_name text) RETURNS oid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT l.owner_oid FROM setup.locations l WHERE l.location_name = $1 $$;

CREATE POLICY those_concerned ON setup.location_grants FOR SELECT USING (
  pg_catalog.pg_has_role(grantee_oid, 'MEMBER') OR pg_catalog.pg_has_role(setup.location_owner(location_name), 'MEMBER'));
CREATE POLICY owner_and_grantees ON setup.locations FOR SELECT USING (
  pg_catalog.pg_has_role(owner_oid, 'MEMBER') OR EXISTS (
    SELECT FROM setup.location_grants g
     WHERE g.location_name = locations.location_name AND pg_catalog.pg_has_role(g.grantee_oid, 'MEMBER')));

-- The oids follow from the names, also after a restore.
CREATE FUNCTION setup.check_location_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.owner = OLD.owner THEN
    RETURN NEW;
  END IF;
  NEW.owner_oid := coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.owner), 0);
  IF NEW.owner_oid = 0 THEN
    RAISE WARNING USING
      MESSAGE = format('location "%s": role "%s" does not exist', NEW.location_name, NEW.owner),
      HINT = 'A superuser can give it another owner: UPDATE setup.locations SET owner = ...';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER check_location_row BEFORE INSERT OR UPDATE ON setup.locations
  FOR EACH ROW EXECUTE FUNCTION setup.check_location_row();

CREATE FUNCTION setup.check_location_grant_row() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  NEW.grantee_oid := coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.grantee), 0);
  IF NEW.grantee_oid = 0 THEN
    RAISE WARNING USING
      MESSAGE = format('grant of location "%s": role "%s" does not exist', NEW.location_name, NEW.grantee);
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER check_location_grant_row BEFORE INSERT OR UPDATE ON setup.location_grants
  FOR EACH ROW EXECUTE FUNCTION setup.check_location_grant_row();

CREATE FUNCTION setup.create_location(
  name text,
  url text,
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

CREATE FUNCTION setup.remove_location(name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_remove_location';

CREATE FUNCTION setup.drop_location(name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM setup.remove_location(drop_location.name);
EXCEPTION WHEN foreign_key_violation THEN
  RAISE dependent_objects_still_exist USING
    MESSAGE = format('location "%s" is still used', drop_location.name),
    DETAIL = SQLERRM,
    HINT = 'Drop the jobs and crawlers that read it, or give them another location, first.';
END
$$;

CREATE FUNCTION setup.grant_location(name text, role_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_grant_location';

CREATE FUNCTION setup.revoke_location(name text, role_name text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_revoke_location';

CREATE FUNCTION setup.location_files(location text, pattern text DEFAULT '**')
  RETURNS TABLE (path text, size bigint, modified_at timestamptz, file_type text, accepted boolean, reason text)
  LANGUAGE c VOLATILE ROWS 1000 AS 'MODULE_PATHNAME', 'etl_location_files';

CREATE FUNCTION setup.validate_file(location text, path text, expected_columns text[] DEFAULT NULL)
  RETURNS TABLE (is_valid boolean, file_exists boolean, is_readable boolean, is_accepted boolean, file_type text,
                 size bigint, modified_at timestamptz, columns text[], header_matches boolean, is_utf8 boolean,
                 findings text[])
  LANGUAGE c VOLATILE ROWS 1 AS 'MODULE_PATHNAME', 'etl_validate_file';
