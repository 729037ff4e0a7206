-- Files that arrive in watched locations: for which a run was started, and what wakes the watcher.

CREATE TABLE setup.file_arrivals (
  layer       text NOT NULL,
  job_name    text NOT NULL,
  location    text NOT NULL REFERENCES setup.locations ON UPDATE CASCADE ON DELETE CASCADE,
  path        text NOT NULL,
  size        bigint NOT NULL,
  modified_ns bigint NOT NULL,
  run_id      bigint NOT NULL,
  arrived_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (layer, job_name, location, path),
  FOREIGN KEY (layer, job_name) REFERENCES setup.load_jobs ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE setup.file_arrivals IS
  'Files of watched locations for which a run of a job was started, as they were then: none is started twice for the '
  'same file, unless it changes. Seen by those who see the job.';
COMMENT ON COLUMN setup.file_arrivals.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.file_arrivals.job_name IS 'Job that reads the file.';
COMMENT ON COLUMN setup.file_arrivals.location IS 'Location that it is in.';
COMMENT ON COLUMN setup.file_arrivals.path IS 'Path beneath the location.';
COMMENT ON COLUMN setup.file_arrivals.size IS 'Its size.';
COMMENT ON COLUMN setup.file_arrivals.modified_ns IS 'Its modification time, in nanoseconds since 1970.';
COMMENT ON COLUMN setup.file_arrivals.run_id IS 'Run that was started, or that waited and finds the file.';
COMMENT ON COLUMN setup.file_arrivals.arrived_at IS 'When the file was noticed.';
CREATE INDEX file_arrivals_by_run ON setup.file_arrivals (run_id);
CREATE INDEX file_arrivals_by_location ON setup.file_arrivals (location);

GRANT SELECT ON setup.file_arrivals TO PUBLIC;
ALTER TABLE setup.file_arrivals ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_of_owner ON setup.file_arrivals FOR SELECT USING (EXISTS (  -- of a job that the user sees
  SELECT FROM setup.load_jobs j WHERE j.layer = file_arrivals.layer AND j.job_name = file_arrivals.job_name));

CREATE FUNCTION setup.tell_watcher() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'etl_tell_watcher';
COMMENT ON FUNCTION setup.tell_watcher IS 'Trigger: the watcher of this database looks at locations and jobs again.';
REVOKE EXECUTE ON FUNCTION setup.tell_watcher() FROM PUBLIC;

CREATE TRIGGER start_watcher AFTER UPDATE ON setup.locations
  FOR EACH ROW WHEN (NEW.watch) EXECUTE FUNCTION setup.tell_watcher('start');
CREATE TRIGGER tell_watcher AFTER UPDATE OR DELETE ON setup.locations
  FOR EACH STATEMENT EXECUTE FUNCTION setup.tell_watcher();
CREATE TRIGGER tell_watcher AFTER INSERT ON setup.location_grants
  FOR EACH STATEMENT EXECUTE FUNCTION setup.tell_watcher();
CREATE TRIGGER tell_watcher AFTER INSERT OR UPDATE ON setup.load_jobs
  FOR EACH STATEMENT EXECUTE FUNCTION setup.tell_watcher();
CREATE TRIGGER tell_watcher AFTER UPDATE OR DELETE ON setup.job_holds
  FOR EACH STATEMENT EXECUTE FUNCTION setup.tell_watcher();

CREATE VIEW setup.watched_locations WITH (security_invoker = true) AS
  SELECT l.location_name, l.watched_in IS NOT DISTINCT FROM d.oid AS is_watched,
         CASE WHEN l.watched_in IS DISTINCT FROM d.oid THEN
           format('this database was restored or copied from the one that watches: '
                  'SELECT setup.create_location(%L, watch => true); makes it watch, too', l.location_name)
         END AS reason
    FROM setup.locations l JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
   WHERE l.watch;
COMMENT ON VIEW setup.watched_locations IS
  'Locations that are to be watched, as far as a role sees them in setup.locations, and whether this database does.';
COMMENT ON COLUMN setup.watched_locations.location_name IS 'Name of the location.';
COMMENT ON COLUMN setup.watched_locations.is_watched IS 'Whether files that arrive there start jobs of this database.';
COMMENT ON COLUMN setup.watched_locations.reason IS 'Why it is not watched, and what changes that; null where it is.';
GRANT SELECT ON setup.watched_locations TO PUBLIC;

-- Where the files are still there after a restore, they have not arrived again; unless the run that would have read them
-- is lost with the dump.
SELECT pg_catalog.pg_extension_config_dump('setup.file_arrivals', 'WHERE NOT EXISTS (SELECT FROM setup.load_runs r '
  'WHERE r.run_id = file_arrivals.run_id AND r.finished_at IS NULL)');
