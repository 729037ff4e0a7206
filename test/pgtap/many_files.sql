-- A job with many small files takes no more memory for the last of them than for the first.
\ir tools.psql
SET client_min_messages = warning;
SET etl_orchestrator.progress = off;
\setenv FILES :files
SELECT plan(2);
SELECT setup.create_layer('bronze');
SELECT setup.create_location('in', 'file://' || :'files');
\! for i in $(seq 1001 1250); do printf "id,name\n$i,name of $i\n" > $FILES/$i.csv; done
CREATE TABLE bronze.many (id int PRIMARY KEY, name text);
SELECT setup.add_job('bronze', 'many', table_name => 'many', location => 'in', file_path => '*', load_mode => 'upsert',
  key_columns => '{id}');

-- What the worker has in use while it writes the row of some file, but for the server's own caches: of the catalogs, and
-- of the blocks of temporary tables (up to temp_buffers).
SELECT current_setting('server_version_num')::int >= 180000 AS contexts_have_paths \gset
\if :contexts_have_paths
CREATE VIEW in_use AS SELECT name, used_bytes FROM pg_backend_memory_contexts
 WHERE NOT path @> (SELECT path FROM pg_backend_memory_contexts WHERE name = 'CacheMemoryContext');
\else
CREATE VIEW in_use AS SELECT name, used_bytes FROM pg_backend_memory_contexts
 WHERE 'CacheMemoryContext' NOT IN (name, coalesce(parent, ''));
\endif
CREATE TABLE memory (id int, bytes bigint);
CREATE FUNCTION look_at_memory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.memory SELECT NEW.id, sum(used_bytes) FROM public.in_use WHERE name <> 'LocalBufferContext';
  RETURN NEW;
END $$;
CREATE TRIGGER look_at_memory BEFORE INSERT ON bronze.many FOR EACH ROW WHEN (NEW.id IN (1010, 1250))
  EXECUTE FUNCTION look_at_memory();
CALL setup.orchestrate_bronze();
SELECT is((SELECT count(*) FROM bronze.many), 250::bigint, 'all files are loaded');
SELECT cmp_ok((SELECT max(bytes) - min(bytes) FROM memory), '<', 100000::bigint, 'and leave nothing behind in memory');
SELECT * FROM finish();
