-- Tables on their way out, and how long what was exported is kept. Tables stand in tables.sql, and are written by these
-- functions only, with the rights of the engine.

GRANT SELECT ON setup.exports, setup.exported_files TO PUBLIC;
ALTER TABLE setup.exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup.exported_files ENABLE ROW LEVEL SECURITY;

CREATE POLICY those_concerned ON setup.exports FOR SELECT USING (
  pg_catalog.pg_has_role(owner_oid, 'MEMBER') OR pg_catalog.pg_has_role(setup.location_owner(location_name), 'MEMBER'));
CREATE POLICY those_concerned ON setup.exported_files FOR SELECT USING (EXISTS (  -- of an export that the user sees
  SELECT FROM setup.exports e WHERE e.export_id = exported_files.export_id));

CREATE FUNCTION setup.export_table(
  "table" text,
  location text,
  format text DEFAULT 'parquet',
  partition_by text[] DEFAULT NULL,
  path text DEFAULT NULL,
  replace boolean DEFAULT false
) RETURNS TABLE (file text, rows bigint, bytes bigint)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_export_table';

CREATE FUNCTION setup.drop_expired_files(location text DEFAULT NULL)
  RETURNS TABLE (location_name text, file text, bytes bigint, exported_at timestamptz)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'etl_drop_expired_files';
