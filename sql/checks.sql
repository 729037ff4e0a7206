-- What several parts ask, and say in the same words.

CREATE FUNCTION setup.role_oid(role_name text) RETURNS oid
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  AS $$ SELECT coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = $1), 0) $$;
COMMENT ON FUNCTION setup.role_oid IS 'The oid of the role of a name; 0 if there is none.';

CREATE FUNCTION setup.require_given(argument text, value anyelement) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF value IS NULL OR value::text = '' THEN
    RAISE null_value_not_allowed USING MESSAGE = format('argument "%s" must be given', argument);
  END IF;
END
$$;
COMMENT ON FUNCTION setup.require_given IS
  'Raises null_value_not_allowed, which names the argument, where its value is null or an empty text.';

-- What C functions ask by themselves.
CREATE FUNCTION setup.require_writable(function_name text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE read_only_sql_transaction USING
      MESSAGE = format('cannot execute setup.%s() in a read-only transaction', function_name);
  END IF;
END
$$;
COMMENT ON FUNCTION setup.require_writable IS
  'Raises read_only_sql_transaction, which names the function, where the transaction may only read.';

CREATE FUNCTION setup.require_layer(layer text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  PERFORM setup.require_given('layer', require_layer.layer);
  IF NOT EXISTS (SELECT FROM setup.layers l WHERE l.layer = require_layer.layer) THEN
    RAISE undefined_object USING
      MESSAGE = format('layer "%s" does not exist', require_layer.layer),
      HINT = format('Create it with SELECT setup.create_layer(%L).', require_layer.layer);
  END IF;
END
$$;
COMMENT ON FUNCTION setup.require_layer IS
  'Raises undefined_object where there is no such layer, null_value_not_allowed where none is given.';
