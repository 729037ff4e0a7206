-- What psql shows with \d+ and \df+.

COMMENT ON TABLE setup.layers IS
  'The stages of the warehouse, run in the order of their position. Made by setup.create_layer().';
COMMENT ON COLUMN setup.layers.layer IS 'Name of the layer and of its schema.';
COMMENT ON COLUMN setup.layers.position IS 'Place in the order of layers; gaps are fine.';
COMMENT ON COLUMN setup.layers.execution IS
  'parallel: jobs run at the same time as dependencies allow; sequence: one at a time, in load_order.';

COMMENT ON TABLE setup.etl_config IS
  'Configuration by key. base_path_{source} is the directory with the files of bronze tables {source}_{dataset}; '
  'location_{source} names the location with them instead. '
  'Readable by all; writable by superusers and whom they GRANT it to.';
COMMENT ON COLUMN setup.etl_config.config_key IS 'Name of the setting.';
COMMENT ON COLUMN setup.etl_config.config_value IS 'Its value; a directory without trailing slash for base_path_{source}.';

COMMENT ON COLUMN setup.layers.max_concurrent IS
  'Largest number of its jobs at the same time, in all runs together; null: no limit. Takes effect at once.';
COMMENT ON COLUMN setup.layers.timeout IS
  'How long the layer may take in a run, from the start of its first job; then its jobs are stopped (TIMED_OUT). Null: no limit.';
COMMENT ON COLUMN setup.layers.job_timeout IS 'timeout of its jobs that have none.';
COMMENT ON COLUMN setup.layers.statement_timeout IS 'statement_timeout of its jobs that have none.';
COMMENT ON COLUMN setup.layers.max_attempts IS 'max_attempts of its jobs that have none; null: 3.';
COMMENT ON COLUMN setup.layers.retry_delay IS 'retry_delay of its jobs that have none; null: 1 second.';
COMMENT ON COLUMN setup.layers.backoff_rate IS 'backoff_rate of its jobs that have none; null: 2.';
COMMENT ON COLUMN setup.layers.max_retry_delay IS 'max_retry_delay of its jobs that have none; null: 5 minutes.';
COMMENT ON COLUMN setup.layers.retry_on IS 'retry_on of its jobs that have none.';
COMMENT ON COLUMN setup.layers.never_retry_on IS 'never_retry_on of its jobs that have none.';

COMMENT ON TABLE setup.resources IS
  'What jobs share: so many units at the same time, in all runs together. Made by setup.create_resource().';
COMMENT ON COLUMN setup.resources.resource IS 'Name of the resource, as in setup.load_jobs.resources.';
COMMENT ON COLUMN setup.resources.capacity IS
  'Units that jobs may take together. A job that takes more than that runs when no other takes any.';

COMMENT ON TABLE setup.job_holds IS
  'Jobs that are held back: paused by setup.pause_job(), or quarantined after they took the server down again and again. '
  'setup.release_job() lets them go.';
COMMENT ON COLUMN setup.job_holds.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.job_holds.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.job_holds.crashes IS 'How often it took the server down since it last succeeded.';
COMMENT ON COLUMN setup.job_holds.hold IS 'paused or quarantined; null: it runs.';
COMMENT ON COLUMN setup.job_holds.held_since IS 'Since when it is held.';
COMMENT ON COLUMN setup.job_holds.held_by IS 'Who paused it; null: the engine held it.';

COMMENT ON TABLE setup.job_history IS 'How long jobs take, as a moving average. Kept by the engine, for itself.';
COMMENT ON COLUMN setup.job_history.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.job_history.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.job_history.expected_ms IS 'Milliseconds that it is expected to take.';
COMMENT ON COLUMN setup.job_history.successes IS 'Runs in which it succeeded.';

COMMENT ON TABLE setup.notifications IS
  'What somebody should hear of. When a row is committed, channel etl_orchestrator is notified with its topic and number. '
  'Each role sees those about its own jobs and those of roles that it is a member of.';
COMMENT ON COLUMN setup.notifications.notification_id IS 'Number of the row.';
COMMENT ON COLUMN setup.notifications.created_at IS 'When it was written.';
COMMENT ON COLUMN setup.notifications.topic IS 'What it is about: quarantine.';
COMMENT ON COLUMN setup.notifications.subject IS 'It in one line.';
COMMENT ON COLUMN setup.notifications.message IS 'What happened, and what can be done.';
COMMENT ON COLUMN setup.notifications.run_id IS 'Run that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.layer IS 'Layer of the job that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.job_name IS 'Job that it is about; null: none.';
COMMENT ON COLUMN setup.notifications.owner_oid IS 'Role whose members may read it.';

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
  'slash for a path from the location on, where ** is any number of directories. An excluded directory is not looked into.';
COMMENT ON COLUMN setup.locations.min_size IS 'Bytes that a file must have to be read; null: any.';
COMMENT ON COLUMN setup.locations.max_size IS 'Bytes that a file may have to be read; null: any.';
COMMENT ON COLUMN setup.locations.stable_for IS
  'A file is left alone until it has not been modified for so long, by its modification time.';
COMMENT ON COLUMN setup.locations.watch IS
  'Whether files that arrive or change start the jobs that read them, in one run for each owner: when nothing more has come '
  'for half a second, or for stable_for (up to 10 seconds), and each file once, whatever becomes of the run.';
COMMENT ON COLUMN setup.locations.rescan_interval IS
  'How often a watched location is looked through although nothing was reported, for network file systems; null: never.';
COMMENT ON COLUMN setup.locations.writable IS
  'Whether setup.export_table() may write there, for all who may use the location.';
COMMENT ON COLUMN setup.locations.retention IS
  'After how long setup.drop_expired_files() removes what exports wrote; null: never.';
COMMENT ON COLUMN setup.locations.owner IS
  'Role that made it: it, its members and grantees may use it. Superusers may write another one here.';
COMMENT ON COLUMN setup.locations.owner_oid IS 'That role, as it was when its name was written; 0: there was none.';

COMMENT ON TABLE setup.location_grants IS
  'Who may use a location beside its owner. Made by setup.grant_location(). Grantees see their grants, owners all.';
COMMENT ON COLUMN setup.location_grants.location_name IS 'Name of the location.';
COMMENT ON COLUMN setup.location_grants.grantee IS 'Role that may use it, with its members.';
COMMENT ON COLUMN setup.location_grants.grantee_oid IS 'That role, as it was when the grant was made; 0: there was none.';

COMMENT ON TABLE setup.file_arrivals IS
  'Files of watched locations for which a run of a job was started, as they were then: none is started twice for the same '
  'file, unless it changes. Seen by those who see the job.';
COMMENT ON COLUMN setup.file_arrivals.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.file_arrivals.job_name IS 'Job that reads the file.';
COMMENT ON COLUMN setup.file_arrivals.location IS 'Location that it is in.';
COMMENT ON COLUMN setup.file_arrivals.path IS 'Path beneath the location.';
COMMENT ON COLUMN setup.file_arrivals.size IS 'Its size.';
COMMENT ON COLUMN setup.file_arrivals.modified_ns IS 'Its modification time, in nanoseconds since 1970.';
COMMENT ON COLUMN setup.file_arrivals.run_id IS 'Run that was started, or that waited and finds the file.';
COMMENT ON COLUMN setup.file_arrivals.arrived_at IS 'When the file was noticed.';

COMMENT ON TABLE setup.exports IS
  'The files and folders that setup.export_table() wrote and that are to be there still: one row for each path, of the '
  'last export. Seen by members of the role that exported, and of the owner of the location. Not part of a dump.';
COMMENT ON COLUMN setup.exports.export_id IS 'Number of the export.';
COMMENT ON COLUMN setup.exports.location_name IS 'Location that it is in.';
COMMENT ON COLUMN setup.exports.path IS 'File, or folder of files, beneath the location.';
COMMENT ON COLUMN setup.exports.table_name IS 'Table or view, as SQL writes it.';
COMMENT ON COLUMN setup.exports.format IS 'parquet, csv, csv.gz, ndjson or ndjson.gz.';
COMMENT ON COLUMN setup.exports.partition_by IS 'Columns by which the rows were parted; empty: it is one file.';
COMMENT ON COLUMN setup.exports.files IS 'Number of files.';
COMMENT ON COLUMN setup.exports.rows IS 'Rows in all of them.';
COMMENT ON COLUMN setup.exports.bytes IS 'Size of all of them.';
COMMENT ON COLUMN setup.exports.exported_by IS 'Role that exported, with whose rights the rows were read.';
COMMENT ON COLUMN setup.exports.exported_at IS 'When the transaction of the export began.';
COMMENT ON COLUMN setup.exports.owner_oid IS 'Role whose members may see the row: the one that exported.';

COMMENT ON TABLE setup.exported_files IS
  'The files of setup.exports, each as it was written. Only those are ever removed. Seen by who sees the export.';
COMMENT ON COLUMN setup.exported_files.export_id IS 'Export that wrote it.';
COMMENT ON COLUMN setup.exported_files.path IS 'Path beneath the location.';
COMMENT ON COLUMN setup.exported_files.rows IS 'Rows that it holds.';
COMMENT ON COLUMN setup.exported_files.bytes IS 'Its size.';
COMMENT ON COLUMN setup.exported_files.modified_ns IS 'Its modification time, in nanoseconds since 1970.';

COMMENT ON TABLE setup.load_jobs IS
  'The jobs: units of work of a layer. Each role sees and changes its own and those of roles that it is a member of; '
  'setup.drop_job() deletes. '
  'A running run goes on with the jobs as they were when it started.';
COMMENT ON COLUMN setup.load_jobs.layer IS 'Layer that the job belongs to.';
COMMENT ON COLUMN setup.load_jobs.job_name IS 'Name of the job, unique in its layer.';
COMMENT ON COLUMN setup.load_jobs.table_name IS
  'Table that the job writes, as SQL names it; without a schema, in the layer''s. Checked after the layer has run. '
  'Null: none declared.';
COMMENT ON COLUMN setup.load_jobs.file_path IS
  'File that is loaded into the table. With a location: a path beneath it, or a pattern for several (* ? [..] within '
  'a name, ** for any number of directories). Without: a CSV file that replaces the table''s content, an absolute path '
  'on the server, or {key}/name with a key of setup.etl_config, where the name matches without regard to case. Null for '
  'a command.';
COMMENT ON COLUMN setup.load_jobs.command IS
  'SQL that the job runs: one or more statements. Null for a file load.';
COMMENT ON COLUMN setup.load_jobs.load_order IS
  'Lower first: the order in a layer that runs in sequence, and among equally urgent jobs elsewhere. No dependency.';
COMMENT ON COLUMN setup.load_jobs.is_enabled IS 'Whether runs include the job.';
COMMENT ON COLUMN setup.load_jobs.depends_on IS
  'Jobs that must have ended OK before this one starts: job of the same layer, or layer.job of the same or an earlier '
  'one. Empty: the job follows the whole previous layer.';
COMMENT ON COLUMN setup.load_jobs.owner IS 'Role that the job runs as. Defaults to the current user.';
COMMENT ON COLUMN setup.load_jobs.transaction IS
  'single: all or nothing, in one transaction with its log row (exactly once); each: every statement commits by itself, '
  'procedures may COMMIT (at least once).';
COMMENT ON COLUMN setup.load_jobs.discovered_as IS
  'Kind of object that setup.seed_load_jobs() made the job from: table, procedure or materialized view. Null: made by hand.';
COMMENT ON COLUMN setup.load_jobs.priority IS
  'Higher first, among the jobs of a layer that could start; no dependency.';
COMMENT ON COLUMN setup.load_jobs.max_concurrent IS 'How often the job may run at the same time, in all runs together.';
COMMENT ON COLUMN setup.load_jobs.resources IS
  'Units that it takes of setup.resources while it runs, such as {"warehouse_io": 2}.';
COMMENT ON COLUMN setup.load_jobs.timeout IS
  'How long an attempt may take; then it is stopped (TIMED_OUT). Null: as its layer says.';
COMMENT ON COLUMN setup.load_jobs.statement_timeout IS
  'How long each statement of its command may take. Null: as its layer says, or the run, or its owner''s settings.';
COMMENT ON COLUMN setup.load_jobs.max_attempts IS
  'How often it is tried in a run, where its errors are worth it. Null: as its layer says, or 3.';
COMMENT ON COLUMN setup.load_jobs.retry_delay IS
  'Delay before the second attempt. Each delay is a random time between zero and this, so that jobs that failed together '
  'do not come back together. Null: as its layer says, or 1 second.';
COMMENT ON COLUMN setup.load_jobs.backoff_rate IS
  'How many times longer each delay is than the one before. Null: as its layer says, or 2.';
COMMENT ON COLUMN setup.load_jobs.max_retry_delay IS 'Longest delay. Null: as its layer says, or 5 minutes.';
COMMENT ON COLUMN setup.load_jobs.retry_on IS
  'Errors after which it is tried again, besides transient ones: SQLSTATEs (23505), classes of them (23), or transient, '
  'permanent, timeout, all. The most specific one that fits decides, also against never_retry_on. Null: as its layer says.';
COMMENT ON COLUMN setup.load_jobs.never_retry_on IS
  'Errors after which it is not tried again, in the same words as retry_on. Null: as its layer says.';
COMMENT ON COLUMN setup.load_jobs.shares_commit IS
  'Whether the job, when it is known to be short, may share a transaction with others (each in its own subtransaction).';
COMMENT ON COLUMN setup.load_jobs.location IS
  'Location that file_path is beneath; null: file_path is absolute. The owner needs the location, and no other right on files.';
COMMENT ON COLUMN setup.load_jobs.load_mode IS
  'Of files in a location: replace (all of them together replace the table''s content), append (each file once), or '
  'upsert (each file once, rows that are there already by key_columns are updated; of two rows of a file with the same '
  'key the later one counts).';
COMMENT ON COLUMN setup.load_jobs.key_columns IS
  'For upsert: the columns by which a row is known. The table needs a unique index on them.';
COMMENT ON COLUMN setup.load_jobs.skip_unchanged IS 'For replace: do nothing while the files are those of the last load.';
COMMENT ON COLUMN setup.load_jobs.reader_options IS
  'How files are read: an object with any of format, compression, delimiter, quote, escape, header, skip, null_string, '
  'encoding, decimal_separator, date_format, timestamp_format and columns.';
COMMENT ON COLUMN setup.load_jobs.on_bad_row IS
  'fail: a row that does not fit fails its file; reject: it is put aside into a table {table}_rejects.';
COMMENT ON COLUMN setup.load_jobs.reject_limit IS 'So many rows of a file may be put aside; with more it fails. Null: any number.';
COMMENT ON COLUMN setup.load_jobs.reject_share IS
  'Such a share of a file''s rows may be put aside, from 0 to 1; with more it fails. Null: any.';
COMMENT ON COLUMN setup.load_jobs.rescue_column IS
  'Column of type jsonb that takes what a file has in columns that the table has not; null: they are an error.';
COMMENT ON COLUMN setup.load_jobs.provenance IS
  'Whether to fill _source_file, _source_row and _loaded_at of the table: path and row that a row comes from, and when. '
  'Then rows of a file that has been replaced are deleted before it is loaded again.';
COMMENT ON COLUMN setup.load_jobs.crawler IS 'Crawler that made the job; null: none did.';
COMMENT ON COLUMN setup.load_jobs.owner_oid IS 'Role that owner names; follows from it when owner is written.';

COMMENT ON TABLE setup.load_runs IS
  'The runs, one row each, written by the engine. Each role sees those that it started, and those of roles that it is a '
  'member of.';
COMMENT ON COLUMN setup.load_runs.run_id IS 'Number of the run.';
COMMENT ON COLUMN setup.load_runs.status IS 'QUEUED, RUNNING, OK, ERROR, SKIPPED (the same pipeline was running), CANCELLED or TIMED_OUT.';
COMMENT ON COLUMN setup.load_runs.layer IS 'Layer that was asked for; null: all.';
COMMENT ON COLUMN setup.load_runs.started_by IS 'Role that asked for the run.';
COMMENT ON COLUMN setup.load_runs.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN setup.load_runs.started_at IS 'When the conductor took it up; null: not yet.';
COMMENT ON COLUMN setup.load_runs.finished_at IS 'When it ended; null: not yet.';
COMMENT ON COLUMN setup.load_runs.jobs_total IS 'Jobs in the run.';
COMMENT ON COLUMN setup.load_runs.jobs_ok IS 'Jobs that ended OK; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.jobs_failed IS 'Jobs that failed or were cancelled; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.jobs_skipped IS 'Jobs that did not start; counted when the run ends.';
COMMENT ON COLUMN setup.load_runs.message IS 'What went wrong beside the jobs themselves, such as missing tables; null: nothing.';
COMMENT ON COLUMN setup.load_runs.params IS 'Parameters, for setup.param() in the jobs.';
COMMENT ON COLUMN setup.load_runs.on_error IS
  'continue: whatever does not depend on a failure still runs; stop: nothing new starts after the first failure.';
COMMENT ON COLUMN setup.load_runs.max_parallel IS 'Largest number of jobs of the run at the same time; null: no limit of its own.';
COMMENT ON TABLE setup.run_cancellations IS 'Runs whose cancellation was asked for. Written by setup.cancel_run() and by Ctrl-C.';
COMMENT ON COLUMN setup.run_cancellations.run_id IS 'Run to be cancelled.';
COMMENT ON COLUMN setup.run_cancellations.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN setup.load_runs.priority IS 'Runs of higher priority are served first.';
COMMENT ON COLUMN setup.load_runs.timeout IS 'How long the run may take; null: no limit.';
COMMENT ON COLUMN setup.load_runs.statement_timeout IS 'Of statements, where neither job nor layer sets one; null: none.';
COMMENT ON COLUMN setup.load_runs.if_running IS 'What it does while the same pipeline is running: queue, skip or error.';
COMMENT ON COLUMN setup.load_runs.pipeline IS
  'What was asked for. Two runs are of the same pipeline if that is the same and they have a job in common.';
COMMENT ON COLUMN setup.load_runs.resumed IS 'How often the run was resumed.';
COMMENT ON COLUMN setup.load_runs.database_oid IS
  'Database in which it was started. In a copy of that database it waits for setup.resume_run().';
COMMENT ON COLUMN setup.load_runs.started_by_oid IS 'Role that started_by names.';

COMMENT ON TABLE setup.run_steps IS
  'The plan of each run as it was when the run started: its jobs, one row each. Written by the engine; what workers run '
  'and what a restarted server goes on with.';
COMMENT ON COLUMN setup.run_steps.run_id IS 'Run that the step belongs to.';
COMMENT ON COLUMN setup.run_steps.step_id IS 'Number of the step in its run, from 0.';
COMMENT ON COLUMN setup.run_steps.layer_no IS 'Place of its layer in the run, from 0.';
COMMENT ON COLUMN setup.run_steps.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.run_steps.in_sequence IS 'Whether the layer runs one job at a time.';
COMMENT ON COLUMN setup.run_steps.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.run_steps.owner IS 'Role that the job runs as.';
COMMENT ON COLUMN setup.run_steps.owner_oid IS 'Role that owner names; this is what counts.';
COMMENT ON COLUMN setup.run_steps.load_order IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.depends_on IS 'Steps of the run that must have ended OK before.';
COMMENT ON COLUMN setup.run_steps.follows_layer IS 'Whether the job follows the whole previous layer, having no dependencies.';
COMMENT ON COLUMN setup.run_steps.table_name IS 'Table that the job declares, with its schema; null: none.';
COMMENT ON COLUMN setup.run_steps.file_path IS 'File that is loaded; null for a command.';
COMMENT ON COLUMN setup.run_steps.command IS 'SQL that is run; null for a file load.';
COMMENT ON COLUMN setup.run_steps.transaction IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.discovered_as IS 'As in setup.load_jobs; the object must still be its owner''s when it runs.';

COMMENT ON COLUMN setup.run_steps.run_at IS 'requested_at of the run.';
COMMENT ON COLUMN setup.run_steps.priority IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.max_concurrent IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.resources IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.layer_timeout_ms IS 'How long its layer may take, in milliseconds; null: no limit.';
COMMENT ON COLUMN setup.run_steps.timeout_ms IS 'How long an attempt may take, in milliseconds; null: no limit.';
COMMENT ON COLUMN setup.run_steps.statement_timeout_ms IS 'Of each statement, in milliseconds; null: as the owner''s settings say.';
COMMENT ON COLUMN setup.run_steps.max_attempts IS 'As the job or its layer says; null: 3.';
COMMENT ON COLUMN setup.run_steps.retry_delay_ms IS 'As the job or its layer says; null: 1000.';
COMMENT ON COLUMN setup.run_steps.backoff_rate IS 'As the job or its layer says; null: 2.';
COMMENT ON COLUMN setup.run_steps.max_retry_delay_ms IS 'As the job or its layer says; null: 300000.';
COMMENT ON COLUMN setup.run_steps.retry_on IS 'As the job or its layer says.';
COMMENT ON COLUMN setup.run_steps.never_retry_on IS 'As the job or its layer says.';
COMMENT ON COLUMN setup.run_steps.shares_commit IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.expected_ms IS 'How long it was expected to take, in milliseconds; null: it had never succeeded.';
COMMENT ON COLUMN setup.run_steps.location IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.load_mode IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.key_columns IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.skip_unchanged IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reader_options IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.on_bad_row IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reject_limit IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.reject_share IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.rescue_column IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.provenance IS 'As in setup.load_jobs.';
COMMENT ON COLUMN setup.run_steps.round IS 'How often setup.resume_run() has opened the step again.';
COMMENT ON COLUMN setup.run_steps.attempts_before IS 'Attempts before the present round.';

COMMENT ON TABLE setup.load_log IS
  'The attempts that have ended, one row each, written by the engine; the row of a success commits together with its '
  'effect. Each role sees its own jobs and those of roles that it is a member of. Live states: setup.load_runs.';
COMMENT ON COLUMN setup.load_log.log_id IS 'Number of the row.';
COMMENT ON COLUMN setup.load_log.run_id IS 'Run that the attempt belongs to.';
COMMENT ON COLUMN setup.load_log.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.load_log.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.load_log.attempt IS 'Number of the attempt, from 1; 0: the job was skipped.';
COMMENT ON COLUMN setup.load_log.status IS 'OK, ERROR, SKIPPED, CANCELLED or TIMED_OUT.';
COMMENT ON COLUMN setup.load_log.table_name IS 'Table that the job declares, with its schema; null: none.';
COMMENT ON COLUMN setup.load_log.file_path IS 'File that was loaded; null for a command.';
COMMENT ON COLUMN setup.load_log.rows_loaded IS
  'Rows inserted and updated in the declared table, or without one by all statements (but not by their WITH clauses); '
  'null where the attempt did not succeed.';
COMMENT ON COLUMN setup.load_log.started_at IS 'When the attempt began; for a skipped job, when it was skipped.';
COMMENT ON COLUMN setup.load_log.finished_at IS 'When it ended, just before its commit.';
COMMENT ON COLUMN setup.load_log.duration_ms IS
  'From start to end, in milliseconds; right also where the clock was set meanwhile.';
COMMENT ON COLUMN setup.load_log.sqlstate IS 'SQLSTATE of the error; null where there was none.';
COMMENT ON COLUMN setup.load_log.message IS 'Message of the error, reason of a skip, or a note on a success; null: none.';
COMMENT ON COLUMN setup.load_log.detail IS 'Detail of the error; null: none.';
COMMENT ON COLUMN setup.load_log.hint IS 'Hint of the error; null: none.';
COMMENT ON COLUMN setup.load_log.context IS 'Where in the command the error was raised; null: nothing to tell.';
COMMENT ON COLUMN setup.load_log.notices IS
  'NOTICEs and WARNINGs that the attempt raised, as its client_min_messages let them pass; the first 20. Null: none.';
COMMENT ON COLUMN setup.load_log.retry_at IS 'After a failure: when the next attempt may start; null: there is none.';
COMMENT ON COLUMN setup.load_log.round IS 'How often setup.resume_run() had opened the step before.';
COMMENT ON COLUMN setup.load_log.run_at IS 'requested_at of the run; the table is partitioned by it.';
COMMENT ON COLUMN setup.load_log.delivery IS
  'exactly once, or at least once for a job whose statements commit by themselves: a crash can make it run again.';
COMMENT ON COLUMN setup.load_log.owner IS 'Role that the job ran as.';
COMMENT ON COLUMN setup.load_log.step_id IS 'Step of the run, as in setup.run_steps.';
COMMENT ON COLUMN setup.load_log.owner_oid IS 'Role that owner names.';

COMMENT ON FUNCTION setup.create_layer(text, integer, text, jsonb) IS
  'Makes what is missing of a layer: its schema, its row in setup.layers, its views load_jobs and load_log. Null keeps '
  'what is there; a new layer goes last, bronze, silver and gold to 1, 2 and 3. execution: parallel or sequence. '
  'settings: other columns of setup.layers by name, such as {"max_attempts": 5, "timeout": "2 hours"}; null takes one away. '
  'Raises insufficient_privilege without CREATE on the database, unique_violation where the position is taken.';
COMMENT ON FUNCTION setup.drop_layer(text) IS
  'Removes a layer''s row and views; its schema and data stay. Raises dependent_objects_still_exist while it has jobs.';
COMMENT ON FUNCTION setup.add_job(text, text, text, text, text, text[], integer, text, boolean, text, integer, integer, jsonb, interval, interval, integer, interval, double precision, interval, text[], text[], boolean, text, text, text[], boolean, jsonb, text, bigint, double precision, text, boolean, text) IS
  'Creates a job, or replaces the caller''s own job of that name. Either command (SQL) or file_path (with '
  'table_name, and location unless it is the absolute path of a CSV file). depends_on: job of the same layer, or layer.job of an earlier one. transaction: single or each. '
  'owner: the caller, or a role that it is a member of. The others are explained at the columns of setup.load_jobs. Raises undefined_object for an unknown layer, '
  'insufficient_privilege where the job or the owner is somebody else''s.';
COMMENT ON FUNCTION setup.drop_job(text, text) IS
  'Drops a job. Raises undefined_object where there is none, insufficient_privilege where it is somebody else''s.';
COMMENT ON FUNCTION setup.param(text) IS
  'Inside a job: the value of a parameter of the run as text, null if it has none of that name. Outside a job: null.';
COMMENT ON PROCEDURE setup.seed_load_jobs(text) IS
  'Discovers the jobs of a layer, or of all: bronze.{source}_{dataset} is loaded from {base_path_{source}}/{dataset}.*, '
  'a file of any known type (csv, csv.gz, json, json.gz, ndjson, ndjson.gz, parquet; with two of them there is no job); '
  'in other layers a procedure load_{table}() writes {table}, and a materialized view is refreshed. A job belongs to the '
  'owner of its object. What was set by hand on a job stays.';

COMMENT ON PROCEDURE setup.orchestrate_all(text, integer, jsonb, boolean, text[], boolean, boolean, integer, interval, interval, text) IS
  'Runs the jobs that the caller may run, layer by layer, and waits; reports each as a NOTICE. on_error: continue or '
  'stop; max_parallel: jobs at the same time; params: for setup.param(); dry_run: prints the plan only; jobs: exactly '
  'these, widened by upstream and downstream; priority: runs of higher priority come first; timeout: of the whole run; '
  'statement_timeout: of each statement, where neither job nor layer sets one; if_running: what to do while the same '
  'pipeline is running: queue, skip or error. Raises OR002 with every problem before anything runs, OR001 with every '
  'failed job, OR004 where it is running already, OR005 after its timeout, 25001 inside a transaction block. Ctrl-C cancels the run.';
COMMENT ON PROCEDURE setup.orchestrate_layer(text, text, integer, jsonb, boolean, text[], boolean, boolean, integer, interval, interval, text) IS
  'Runs the jobs of one layer; otherwise like setup.orchestrate_all().';
COMMENT ON PROCEDURE setup.orchestrate_bronze(text, integer, jsonb, boolean, text[], boolean, boolean, integer, interval, interval, text) IS
  'Runs the jobs of layer bronze; otherwise like setup.orchestrate_all().';
COMMENT ON PROCEDURE setup.orchestrate_silver(text, integer, jsonb, boolean, text[], boolean, boolean, integer, interval, interval, text) IS
  'Runs the jobs of layer silver; otherwise like setup.orchestrate_all().';
COMMENT ON PROCEDURE setup.orchestrate_gold(text, integer, jsonb, boolean, text[], boolean, boolean, integer, interval, interval, text) IS
  'Runs the jobs of layer gold; otherwise like setup.orchestrate_all().';
COMMENT ON FUNCTION setup.start_run(text, text, integer, jsonb, text[], boolean, boolean, integer, interval, interval, text) IS
  'Starts a run in the background and returns its run_id; it begins when the transaction commits. layer null: all. '
  'Validates first, like setup.orchestrate_all(), whose arguments it shares.';
COMMENT ON FUNCTION setup.wait_run(bigint, interval) IS
  'Waits until a run has ended and returns its status, or after the timeout the present one (null: no timeout). Raises '
  'no_data_found for an unknown run, object_not_in_prerequisite_state where its start is not committed yet or it was '
  'copied together with its database, read_only_sql_transaction on a standby.';
COMMENT ON FUNCTION setup.cancel_run(bigint) IS
  'Cancels a run when the transaction commits: running jobs are stopped, others do not start. A notice if it has ended. '
  'Raises no_data_found for an unknown run.';

COMMENT ON FUNCTION setup.resume_run(bigint, text[], boolean, boolean) IS
  'Runs again what has not succeeded in a run that has ended, in new attempts of the same run, when the transaction '
  'commits, with the commands as they were when the run started; with jobs, exactly these, succeeded or not, widened by upstream and downstream. Lets a run go on that was '
  'copied together with its database. Raises no_data_found for an unknown run, object_not_in_prerequisite_state for one '
  'that has not ended, insufficient_privilege where a job is somebody else''s.';
COMMENT ON FUNCTION setup.pause_job(text, text) IS
  'Keeps a job from starting, in all runs, until setup.release_job(); what depends on it waits. When it is running '
  'already, that goes on. Raises undefined_object where there is no such job, insufficient_privilege where it is '
  'somebody else''s.';
COMMENT ON FUNCTION setup.release_job(text, text) IS
  'Lets a job start again that is paused or quarantined, and forgets its crashes. Raises what setup.pause_job() does.';
COMMENT ON FUNCTION setup.create_resource(text, integer) IS
  'Makes a resource that jobs can take units of, or changes its capacity; what waits for it may start. Raises '
  'insufficient_privilege without CREATE on the database.';
COMMENT ON FUNCTION setup.drop_resource(text) IS
  'Drops a resource. Raises undefined_object where there is none. Jobs that take units of it cannot run any more.';
COMMENT ON FUNCTION setup.create_location(text, text, text[], text, text[], bigint, bigint, interval, boolean, interval, boolean, interval) IS
  'Makes a location, or changes one: what is null stays as it is, an empty array or text takes a rule back. url: '
  'file:///dir or an absolute path. Raises insufficient_privilege without pg_read_server_files, or for another''s location; '
  'feature_not_supported for other kinds of URLs; invalid_parameter_value for what is no URL, type or pattern. Warns where '
  'the server cannot read the directory. A location that is writable takes pg_write_server_files as well; a retention of 0 '
  'takes it back.';
COMMENT ON FUNCTION setup.drop_location(text) IS
  'Drops a location and its grants. Raises undefined_object where there is none, insufficient_privilege as '
  'setup.create_location() does, dependent_objects_still_exist where something reads it.';
COMMENT ON FUNCTION setup.grant_location(text, text) IS
  'Lets a role and its members use a location: their jobs read its files, without another right. Raises undefined_object '
  'for an unknown location or role, insufficient_privilege as setup.create_location() does.';
COMMENT ON FUNCTION setup.revoke_location(text, text) IS
  'Takes that back, also from a role that is gone; nothing happens where nothing was granted. Raises undefined_object for '
  'an unknown location, insufficient_privilege as setup.create_location() does.';
COMMENT ON FUNCTION setup.location_files(text, text) IS
  'The files of a location whose path matches a pattern (* ? [a-z] [!a-z], ** for directories), and the reason where one is '
  'not read: a rule, or what it is. Names that begin with . or _ are hidden. Directories that are not looked into are rows, '
  'too. Raises undefined_object; insufficient_privilege without a grant; program_limit_exceeded for more than a million.';
COMMENT ON FUNCTION setup.validate_file(text, text, text[]) IS
  'Whether a file can be loaded: one row with everything that is wrong with it in findings. Null is what was not checked: '
  'is_utf8 (the whole file is valid, without NUL) of compressed and Parquet files; columns of compressed, JSON and Parquet '
  'files, where the module etl_files is not installed. Of these only the beginning is read. expected_columns: names in any '
  'order and case. Raises only what setup.location_files() does.';
COMMENT ON FUNCTION setup.export_table(text, text, text, text[], text, boolean) IS
  'Writes the rows of a table or view that the caller may SELECT to a file of a writable location, or to a folder of files, '
  'one for each combination of values of partition_by, in hive style. Returns a row for each file. The files appear, as a '
  'whole and readable for everybody, when the transaction commits, or not at all; what an earlier export wrote under the '
  'path is replaced in the same step. format: parquet; csv and csv.gz, as COPY writes it, with a header; json and json.gz, '
  'an object of row_to_json() on each line. path: schema/table with the format''s ending, if null. replace: also replace what '
  'no export wrote. In Parquet numeric(p,s) of at most 38 digits is a decimal, other numerics are text, infinite dates and '
  'timestamps are the largest values of their type, arrays and types that Parquet does not know are text. Raises '
  'undefined_object, insufficient_privilege, duplicate_file, invalid_parameter_value, wrong_object_type; disk_full or io_error '
  'where the file system does.';
COMMENT ON FUNCTION setup.drop_expired_files(text) IS
  'Removes the files of exports that are older than the retention of their location, in one location or in all that the '
  'caller owns, and returns them. Only files that setup.exported_files lists, and that are as they were written. They are '
  'gone at once, not at commit. Raises undefined_object; insufficient_privilege for a location of somebody else.';
COMMENT ON FUNCTION setup.tell_watcher() IS 'Trigger: the watcher of this database looks at locations and jobs again.';
COMMENT ON FUNCTION setup.location_owner(text) IS 'The oid of a location''s owner, whoever asks; null if there is no such location.';
COMMENT ON FUNCTION setup.remove_location(text) IS 'What setup.drop_location() calls.';
COMMENT ON FUNCTION setup.check_location_row() IS 'Trigger: owner_oid follows owner.';
COMMENT ON FUNCTION setup.check_location_grant_row() IS 'Trigger: grantee_oid follows grantee.';
COMMENT ON FUNCTION setup.why_waiting(bigint) IS
  'One row for each job of a run that is not running, with the one reason that holds it back; also for a running job '
  'that waits for a lock. reason: dependency, layer, limit, lock, retry, paused, quarantined, worker (no slot), disabled, '
  'run (the same pipeline is running), copied. waits_for: jobs; pid and query: of who holds the lock. Empty for a finished '
  'run. Raises no_data_found for an unknown run.';
COMMENT ON FUNCTION setup.running_attempts() IS
  'What workers are working on now, as they say in shared memory; setup.running_jobs shows more.';
COMMENT ON VIEW setup.running_jobs IS 'The jobs that run now, of roles that the user is a member of.';
COMMENT ON COLUMN setup.running_jobs.run_id IS 'Run that the attempt belongs to.';
COMMENT ON COLUMN setup.running_jobs.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.running_jobs.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.running_jobs.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN setup.running_jobs.pid IS 'Process that runs it.';
COMMENT ON COLUMN setup.running_jobs.owner IS 'Role that it runs as.';
COMMENT ON COLUMN setup.running_jobs.since IS 'When the attempt began.';
COMMENT ON COLUMN setup.running_jobs.running_for IS 'How long it has been running.';
COMMENT ON COLUMN setup.running_jobs.expected_remaining IS
  'How long it may still take, if it takes as long as before; null: it has never succeeded.';
COMMENT ON COLUMN setup.running_jobs.wait_event_type IS 'As in pg_stat_activity.';
COMMENT ON COLUMN setup.running_jobs.wait_event IS 'As in pg_stat_activity.';
COMMENT ON COLUMN setup.running_jobs.statement IS 'Statement of the job''s command that it is at, from 1.';
COMMENT ON COLUMN setup.running_jobs.query IS 'What it runs, where pg_stat_activity shows that to the user.';
COMMENT ON COLUMN setup.running_jobs.rows_so_far IS 'Rows of statements and files that have ended, and of the COPY that is in progress.';
COMMENT ON COLUMN setup.running_jobs.copy_bytes IS 'Bytes of the file that COPY has read; null: no COPY.';
COMMENT ON COLUMN setup.running_jobs.copy_bytes_total IS 'Size of that file; null: unknown.';
COMMENT ON COLUMN setup.running_jobs.stop_reason IS 'cancelled or timed out, once it was asked to stop; null: it was not.';
COMMENT ON FUNCTION setup.make_partitions(timestamptz) IS
  'Makes the weekly partitions of setup.load_runs, setup.run_steps and setup.load_log for a moment, where they are missing.';
COMMENT ON FUNCTION setup.drop_history(timestamptz) IS
  'Drops the weekly partitions that ended before a moment and have no unfinished run; returns of how many weeks. The '
  'engine calls it with etl_orchestrator.log_retention.';
COMMENT ON TABLE setup.load_files IS
  'Loads of files from locations, one row each. A current row is the job''s bookmark, too: that version of the file is in '
  'the table. Each role sees those of the jobs that it sees.';
COMMENT ON COLUMN setup.load_files.file_id IS 'Number of the row.';
COMMENT ON COLUMN setup.load_files.layer IS 'Layer of the job.';
COMMENT ON COLUMN setup.load_files.job_name IS 'Name of the job.';
COMMENT ON COLUMN setup.load_files.location IS 'Location that the file is in.';
COMMENT ON COLUMN setup.load_files.path IS 'Its path beneath the location; the present one where it was renamed.';
COMMENT ON COLUMN setup.load_files.size IS 'Its size in bytes.';
COMMENT ON COLUMN setup.load_files.modified_at IS 'When it was last modified.';
COMMENT ON COLUMN setup.load_files.modified_ns IS 'The same, exactly: nanoseconds since 1970.';
COMMENT ON COLUMN setup.load_files.content_hash IS 'SHA-256 of its content; null where it was not needed.';
COMMENT ON COLUMN setup.load_files.status IS 'LOADED or FAILED.';
COMMENT ON COLUMN setup.load_files.rows_loaded IS 'Rows that it brought; null where it failed.';
COMMENT ON COLUMN setup.load_files.rows_rejected IS 'Rows that were put aside; null where it failed.';
COMMENT ON COLUMN setup.load_files.run_id IS 'Run that loaded it.';
COMMENT ON COLUMN setup.load_files.attempt IS 'Attempt of the job in that run.';
COMMENT ON COLUMN setup.load_files.loaded_at IS 'When it was loaded or failed.';
COMMENT ON COLUMN setup.load_files.sqlstate IS 'SQLSTATE of the error; null: there was none.';
COMMENT ON COLUMN setup.load_files.message IS
  'Why it failed, or what is to be known of the load: that the file was replaced, renamed or touched. Null: nothing.';
COMMENT ON COLUMN setup.load_files.is_current IS
  'Whether this is the version that the table holds. False for failures, for versions that were replaced since, and after '
  'setup.reset_bookmark().';
COMMENT ON COLUMN setup.load_files.reload IS 'Whether setup.reload_file() has asked to load it once more.';
COMMENT ON FUNCTION setup.import_orchestration_config(jsonb) IS
  'Makes jobs, and layers where they are missing, from the content of an orchestration-config.json: bronze_jobs, '
  'silver_jobs, gold_jobs (in parallel) and the same with _sequence (one after the other). Job "a-b" of layer silver becomes '
  'silver.a_b, which runs CALL silver.load_a_b(); is_ready: that procedure is there. max_glue_job_wait_minutes is their '
  'timeout. Crawlers and unknown keys are notices. Raises invalid_parameter_value for what is not of this form, and what '
  'setup.add_job() and setup.create_layer() do.';
COMMENT ON FUNCTION setup.data_set_files(text) IS
  'The files that the path {key}/name.* of a discovered job means now. Null where the caller may not read files of the '
  'server, for other paths, and where setup.etl_config has no such key.';
COMMENT ON FUNCTION setup.reset_bookmark(text, text) IS
  'Makes a job forget which files it has loaded, so that its next run loads all that are there; returns how many. The rows '
  'stay: empty the table first unless it is to have them twice. Raises undefined_object where there is no such job, '
  'insufficient_privilege where it is somebody else''s.';
COMMENT ON FUNCTION setup.reload_file(text, text, text) IS
  'Has the next run of a job load a file once more, which it has loaded before. With provenance, the rows that it brought '
  'are deleted then. Raises what setup.reset_bookmark() does, and no_data_found where the job has not loaded the file.';
COMMENT ON FUNCTION setup.forget_files() IS 'Trigger: a job that replaces reads or writes in another way now.';
COMMENT ON FUNCTION setup.require_reader_options(jsonb) IS
  'Raises invalid_parameter_value for reader_options with a key or value that is not known.';
COMMENT ON FUNCTION setup.file_problem(setup.load_jobs) IS
  'What is wrong with what a job says of files, in words that follow "job x:"; null if nothing is.';
COMMENT ON FUNCTION setup.job_problem(setup.load_jobs) IS
  'What is wrong with a job''s limits, timeouts or retries, in words that follow "job x:"; null if nothing is.';
COMMENT ON FUNCTION setup.require_retry_patterns(text[]) IS
  'Raises invalid_parameter_value for the first text that retry_on and never_retry_on may not list.';
COMMENT ON FUNCTION setup.call_conductor() IS 'Trigger: limits or resources have changed.';
COMMENT ON FUNCTION setup.check_tables(text) IS
  'Whether the tables that the enabled jobs of a layer declare are there: exists is true if none is missing. Raises '
  'undefined_object for an unknown layer.';
COMMENT ON FUNCTION setup.run_plan(text) IS
  'What a run of a layer (null: all) would do now, in an order that respects dependencies; after: the jobs of the run '
  'that must end OK before. Raises OR002 where such a run would be refused.';
COMMENT ON FUNCTION setup.schedule(text, text, text) IS
  'Has pg_cron run a command (default: the whole pipeline, unless it is running) as the caller, at times in cron''s notation; the same name '
  'again replaces the schedule. Returns the id in cron.job. Raises object_not_in_prerequisite_state where pg_cron is not '
  'in this database.';
COMMENT ON FUNCTION setup.unschedule(text) IS
  'Removes a schedule. Raises undefined_object where the caller has none of that name.';

COMMENT ON FUNCTION setup.ownership_problem(oid) IS
  'Why the current user cannot give a job to a role, in words that follow "role x"; null if it can.';
COMMENT ON FUNCTION setup.job_owner(text, text) IS 'The owner of a job, whoever asks; null if there is no such job.';
COMMENT ON FUNCTION setup.discoverable_jobs(text) IS
  'What setup.seed_load_jobs() finds in a layer: one row for each object. file_path is null for a table that no base path fits.';
COMMENT ON FUNCTION setup.qualified_table(text, text) IS
  'A table''s name with its schema, quoted where SQL needs it; without a schema it is the layer''s.';
COMMENT ON FUNCTION setup.table_exists(text) IS 'Whether a table, view or materialized view of that qualified name exists.';
COMMENT ON FUNCTION setup.require_pg_cron() IS 'Raises an error that says what to do where pg_cron is not in this database.';
COMMENT ON FUNCTION setup.check_job_row() IS 'Trigger: who may write a job, and whose it may be.';
COMMENT ON FUNCTION setup.check_layer_row() IS 'Trigger: which names a layer may have.';
COMMENT ON FUNCTION setup.may_act_as(oid) IS 'Whether the current user may write the jobs of a role: it is that role, may become it, or is a superuser.';
COMMENT ON FUNCTION setup.confirmed_discovery(setup.load_jobs) IS
  'discovered_as of a job, if such an object of the job''s owner is there; otherwise null.';
COMMENT ON FUNCTION setup.drop_job_row() IS 'Trigger: DELETE on a layer''s view load_jobs drops the job.';
COMMENT ON FUNCTION setup.write_layer(text, jsonb) IS
  'Writes the row of a layer. Raises insufficient_privilege without CREATE on the database and on the layer''s schema.';
COMMENT ON FUNCTION setup.remove_layer(text) IS
  'Removes the row of a layer. Raises insufficient_privilege without CREATE on the database and on the layer''s schema.';
COMMENT ON FUNCTION setup.attach_view(regclass) IS 'Lets a view go when the extension is dropped. For superusers.';
COMMENT ON FUNCTION setup.make_load_jobs_view(text) IS 'Makes the view load_jobs in the schema of a layer.';
COMMENT ON FUNCTION setup.make_load_log_view(text) IS 'Makes the view load_log in the schema of a layer.';
COMMENT ON FUNCTION setup.make_layer_views() IS 'Trigger: makes the views load_jobs and load_log in a new layer''s schema.';
COMMENT ON FUNCTION setup.drop_layer_views() IS 'Trigger: removes the views of a dropped layer.';

COMMENT ON TABLE setup.crawler_settings IS 'The crawlers, as setup.create_crawler() wrote them. To be read through setup.crawlers.';
COMMENT ON COLUMN setup.crawler_settings.crawler_name IS 'Name of the crawler.';
COMMENT ON COLUMN setup.crawler_settings.location IS 'Location whose files it looks at.';
COMMENT ON COLUMN setup.crawler_settings.layer IS 'Layer that gets the tables and their jobs.';
COMMENT ON COLUMN setup.crawler_settings.path IS 'Directory beneath the location that it looks at, with all beneath it; empty: the whole location.';
COMMENT ON COLUMN setup.crawler_settings.table_prefix IS 'What the names of its tables begin with.';
COMMENT ON COLUMN setup.crawler_settings.on_new_column IS
  'What becomes of a column that files have and the table has not: add it, ignore it (it is not loaded), or fail.';
COMMENT ON COLUMN setup.crawler_settings.on_type_change IS
  'What becomes of a column whose type does not hold the values of the files: widen the type, ignore it, or fail.';
COMMENT ON COLUMN setup.crawler_settings.exclusions IS
  'Patterns for paths beneath the location that it does not look at, besides the location''s own.';
COMMENT ON COLUMN setup.crawler_settings.reader_options IS 'reader_options that hold for all its files; the rest is found out.';
COMMENT ON COLUMN setup.crawler_settings.load_mode IS 'load_mode of the jobs that it makes: replace or append.';
COMMENT ON COLUMN setup.crawler_settings.provenance IS 'Whether its tables have the columns _source_file, _source_row and _loaded_at.';
COMMENT ON COLUMN setup.crawler_settings.owner IS 'Role that runs it, and that its tables and jobs belong to.';
COMMENT ON COLUMN setup.crawler_settings.owner_oid IS 'The role''s oid. Follows from owner.';
COMMENT ON COLUMN setup.crawler_settings.last_crawl_at IS 'When it last ended; null: never.';
COMMENT ON COLUMN setup.crawler_settings.last_status IS 'OK, or ERROR if a data set failed.';
COMMENT ON COLUMN setup.crawler_settings.last_message IS 'What it did, in one line.';

COMMENT ON VIEW setup.crawlers IS
  'The crawlers of the current user and of roles that it is a member of, and whether they run. Columns as in setup.crawler_settings.';
COMMENT ON COLUMN setup.crawlers.state IS
  'RUNNING while another session crawls, until its transaction ends; READY otherwise. Tested by a lock: a crash leaves nothing.';
COMMENT ON FUNCTION setup.is_crawling(text) IS 'Whether another session is running the crawler of that name.';
COMMENT ON FUNCTION setup.create_crawler(text, text, text, text, text, text, text, text[], jsonb, text, boolean) IS
  'Creates a crawler that belongs to the current user, or changes it: what is null stays as it is, or at its default. '
  'Raises insufficient_privilege where the current user may not use the location.';
COMMENT ON FUNCTION setup.drop_crawler(text) IS
  'Drops a crawler. Its tables and jobs stay; a new crawler of the same name takes them up.';
COMMENT ON FUNCTION setup.write_crawler(text, jsonb) IS
  'Writes the row of a crawler. Raises insufficient_privilege where it is somebody else''s.';
COMMENT ON FUNCTION setup.check_crawler_row() IS 'Trigger: the oid of a crawler''s owner follows from the name.';
COMMENT ON FUNCTION setup.crawl(text, boolean) IS
  'Looks at the files of a crawler''s location, makes tables and file jobs for new data sets, and changes those of others '
  'as its policies say; loads nothing. One row for each data set: its table, the pattern of its files and their number, '
  'what was done (created, changed, unchanged, failed), and why; a row with action ignored for files that are not to be '
  'read. A data set that fails does not stop the others. dry_run says what would be done. Runs in the current transaction, '
  'as the crawler''s owner: raises insufficient_privilege for anybody else, object_in_use where it is running already.';
