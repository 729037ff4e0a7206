-- What the tasks of etl_pipeline.json do: functions, registered by the names under which the definition calls them.
--
-- The stages hand each other keys, not data: what a stage leaves is in staging.batches, for 30 days.

\set ON_ERROR_STOP on

CREATE SCHEMA IF NOT EXISTS staging;

CREATE TABLE IF NOT EXISTS staging.source_data (
  id        text PRIMARY KEY,
  name      text,
  value     numeric,
  timestamp timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS staging.destination_data (
  id         text,
  timestamp  timestamptz,
  name       text,
  value      numeric,
  is_large   boolean,
  PRIMARY KEY (id, timestamp)
);

CREATE TABLE IF NOT EXISTS staging.batches (
  key       text PRIMARY KEY,
  data      jsonb NOT NULL,
  staged_at timestamptz NOT NULL DEFAULT now()
);

-- {"timestamp", "hours"} -> {"key", "records"}: what is not older than so many hours.
CREATE OR REPLACE FUNCTION staging.extract(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  moment constant timestamptz := (input ->> 'timestamp')::timestamptz;
  key constant text := format('extract/%s/data.json', input ->> 'timestamp');
  data jsonb;
BEGIN
  DELETE FROM staging.batches b WHERE b.staged_at < now() - interval '30 days';
  SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.id), '[]') INTO data
    FROM staging.source_data s WHERE s.timestamp >= moment - (input ->> 'hours')::integer * interval '1 hour';
  INSERT INTO staging.batches (key, data) VALUES (key, data);
  RETURN jsonb_build_object('key', key, 'records', jsonb_array_length(data));
END
$$;

-- {"key"} -> {"key", "records"}: leaves out what has no value, and computes a field.
CREATE OR REPLACE FUNCTION staging.transform(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  extracted constant jsonb := (SELECT b.data FROM staging.batches b WHERE b.key = input ->> 'key');
  key constant text := replace(input ->> 'key', 'extract/', 'transform/');
  data jsonb;
BEGIN
  IF extracted IS NULL THEN
    PERFORM setup.raise_error('NoSuchKey', format('nothing is staged under %s', input ->> 'key'));
  END IF;
  SELECT coalesce(jsonb_agg(r.record || jsonb_build_object('is_large', (r.record ->> 'value')::numeric > 100)), '[]') INTO data
    FROM jsonb_array_elements(extracted) r(record) WHERE r.record ->> 'value' IS NOT NULL;
  INSERT INTO staging.batches (key, data) VALUES (key, data);
  RETURN jsonb_build_object('key', key, 'records', jsonb_array_length(data));
END
$$;

-- {"key"} -> {"status", "records"}: what is there already gets the new values.
CREATE OR REPLACE FUNCTION staging.load(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  loaded integer;
BEGIN
  INSERT INTO staging.destination_data
  SELECT r.id, r.timestamp, r.name, r.value, r.is_large
    FROM staging.batches b, jsonb_populate_recordset(NULL::staging.destination_data, b.data) r
   WHERE b.key = input ->> 'key'
  ON CONFLICT (id, timestamp) DO UPDATE SET name = excluded.name, value = excluded.value, is_large = excluded.is_large;
  GET DIAGNOSTICS loaded = ROW_COUNT;
  RETURN jsonb_build_object('status', 'SUCCESS', 'records', loaded);
END
$$;

SELECT setup.register_task_handler('etl-extract', 'staging.extract(jsonb)');
SELECT setup.register_task_handler('etl-transform', 'staging.transform(jsonb)');
SELECT setup.register_task_handler('etl-load', 'staging.load(jsonb)');
