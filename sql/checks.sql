-- What several parts ask, and say in the same words.

CREATE FUNCTION setup.role_oid(role_name text) RETURNS oid
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  AS $$ SELECT coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = $1), 0) $$;
COMMENT ON FUNCTION setup.role_oid IS 'The oid of the role of a name; 0 if there is none.';

CREATE FUNCTION setup.require_layer(layer text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM setup.layers l WHERE l.layer = require_layer.layer) THEN
    RAISE undefined_object USING
      MESSAGE = format('layer "%s" does not exist', require_layer.layer),
      HINT = format('Create it with SELECT setup.create_layer(%L).', require_layer.layer);
  END IF;
END
$$;
COMMENT ON FUNCTION setup.require_layer IS 'Raises undefined_object where there is no such layer.';
