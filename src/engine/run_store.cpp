#include "engine/run_store.h"

namespace etl::run_store {

namespace {

plan::StepState state_of(const std::string& status) {
  if (status == "OK") return plan::StepState::kOk;
  if (status == "SKIPPED") return plan::StepState::kSkipped;
  if (status == "CANCELLED") return plan::StepState::kCancelled;
  return plan::StepState::kFailed;
}

}  // namespace

void request_cancel(RunId run_id) {
  static pg::Statement insert{"INSERT INTO setup.run_cancellations (run_id) VALUES ($1)", {INT8OID}};
  insert.run({pg::value(run_id)});
}

std::vector<Head> unfinished() {
  static pg::Statement find{
      "SELECT r.run_id, r.status = 'RUNNING', EXISTS (SELECT FROM setup.run_cancellations c WHERE c.run_id = r.run_id) "
      "FROM setup.load_runs r WHERE r.finished_at IS NULL ORDER BY r.run_id",
      {}};
  const pg::Rows rows = find.run();
  std::vector<Head> heads;
  for (int i = 0; i < rows.size(); ++i) heads.push_back({rows.int8(i, 0), rows.boolean(i, 1), rows.boolean(i, 2)});
  return heads;
}

std::optional<StoredRun> read_run(RunId run_id) {
  static pg::Statement read_head{
      "SELECT on_error = 'stop', coalesce(max_parallel, 0) FROM setup.load_runs WHERE run_id = $1", {INT8OID}};
  static pg::Statement read_steps{
      "SELECT layer_no, layer, in_sequence, job_name, owner_oid, load_order, follows_layer FROM setup.run_steps "
      "WHERE run_id = $1 ORDER BY step_id",
      {INT8OID}};
  static pg::Statement read_parents{
      "SELECT s.step_id, parent FROM setup.run_steps s CROSS JOIN LATERAL unnest(s.depends_on) parent "
      "WHERE s.run_id = $1",
      {INT8OID}};

  const pg::Rows head = read_head.run({pg::value(run_id)});
  if (head.size() == 0) return std::nullopt;
  StoredRun run{head.boolean(0, 0) ? plan::OnError::kStop : plan::OnError::kContinue, head.int4(0, 1), {}, {}};
  const pg::Rows steps = read_steps.run({pg::value(run_id)});
  run.steps.reserve(static_cast<size_t>(steps.size()));
  for (int i = 0; i < steps.size(); ++i) {
    const int layer = steps.int4(i, 0);
    if (layer >= static_cast<int>(run.layers.size())) run.layers.push_back({steps.text(i, 1), steps.boolean(i, 2)});
    run.steps.push_back({layer, steps.text(i, 3), steps.oid(i, 4), steps.int4(i, 5), steps.boolean(i, 6), {}});
  }
  const pg::Rows parents = read_parents.run({pg::value(run_id)});
  for (int i = 0; i < parents.size(); ++i)
    run.steps[static_cast<size_t>(parents.int4(i, 0))].parents.push_back(parents.int4(i, 1));
  return run;
}

std::vector<StoredAttempt> read_attempts(RunId run_id) {
  static pg::Statement read{
      "SELECT DISTINCT ON (step_id) step_id, attempt, status FROM setup.load_log WHERE run_id = $1 "
      "ORDER BY step_id, status = 'OK' DESC, attempt DESC",
      {INT8OID}};
  const pg::Rows rows = read.run({pg::value(run_id)});
  std::vector<StoredAttempt> attempts;
  for (int i = 0; i < rows.size(); ++i)
    attempts.push_back({rows.int4(i, 0), rows.int4(i, 1), state_of(rows.text(i, 2))});
  return attempts;
}

void write_log(const RunKey& run, const LogEntry& entry) {
  static pg::Statement insert{
      "INSERT INTO setup.load_log (run_id, step_id, layer, job_name, owner, owner_oid, table_name, file_path, "
      "delivery, "
      "attempt, status, started_at, finished_at, rows_loaded, sqlstate, message, detail, hint, context) "
      "SELECT s.run_id, s.step_id, s.layer, s.job_name, s.owner, s.owner_oid, s.table_name, s.file_path, "
      "CASE s.transaction WHEN 'each' THEN 'at least once' ELSE 'exactly once' END, "
      "$3, $4, $5, greatest($5, clock_timestamp()), $6, $7, $8, $9, $10, $11 "
      "FROM setup.run_steps s WHERE s.run_id = $1 AND s.step_id = $2 "
      "AND EXISTS (SELECT FROM pg_extension e WHERE e.oid = $12)",
      {INT8OID, INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
       OIDOID}};
  const pg::Rows rows =
      insert.run({pg::value(run.id), pg::value(entry.step_id), pg::value(entry.attempt), pg::value(entry.status),
                  pg::timestamp_value(entry.started_at), entry.rows ? pg::value(*entry.rows) : pg::null_value(),
                  pg::text_or_null(entry.sqlstate), pg::text_or_null(entry.message), pg::text_or_null(entry.detail),
                  pg::text_or_null(entry.hint), pg::text_or_null(entry.context), pg::value(run.extension)});
  if (rows.processed() != 1)
    throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the run of this job does not exist any more",
                      "Extension etl_orchestrator was dropped while the job ran.");
}

bool has_succeeded(RunId run_id, StepId step_id) {
  static pg::Statement find{"SELECT 1 FROM setup.load_log WHERE run_id = $1 AND step_id = $2 AND status = 'OK'",
                            {INT8OID, INT4OID}};
  return find.run({pg::value(run_id), pg::value(step_id)}).size() > 0;
}

std::vector<std::string> missing_tables(RunId run_id, int layer) {
  static pg::Statement find{
      "SELECT DISTINCT table_name FROM setup.run_steps WHERE run_id = $1 AND layer_no = $2 AND table_name IS NOT NULL "
      "AND NOT setup.table_exists(table_name) ORDER BY table_name",
      {INT8OID, INT4OID}};
  const pg::Rows rows = find.run({pg::value(run_id), pg::value(layer)});
  std::vector<std::string> tables;
  for (int i = 0; i < rows.size(); ++i) tables.push_back(rows.text(i, 0));
  return tables;
}

void mark_started(RunId run_id) {
  static pg::Statement update{
      "UPDATE setup.load_runs SET status = 'RUNNING', started_at = coalesce(started_at, clock_timestamp()) "
      "WHERE run_id = $1",
      {INT8OID}};
  update.run({pg::value(run_id)});
}

void mark_finished(RunId run_id, const Ending& ending) {
  static pg::Statement update{
      "UPDATE setup.load_runs SET status = $2, started_at = coalesce(started_at, clock_timestamp()), "
      "finished_at = clock_timestamp(), jobs_ok = $3, jobs_failed = $4, jobs_skipped = $5, message = $6 "
      "WHERE run_id = $1 AND finished_at IS NULL",
      {INT8OID, TEXTOID, INT4OID, INT4OID, INT4OID, TEXTOID}};
  update.run({pg::value(run_id), pg::value(ending.status), pg::value(ending.ok), pg::value(ending.failed),
              pg::value(ending.skipped), pg::text_or_null(ending.message)});
}

std::optional<Work> read_work(const RunKey& run, StepId step_id) {
  static pg::Statement read{
      "SELECT layer, job_name, table_name, file_path, command, transaction = 'each', discovered_as IS NOT NULL "
      "FROM setup.run_steps WHERE run_id = $1 AND step_id = $2 "
      "AND EXISTS (SELECT FROM pg_extension e WHERE e.oid = $3)",
      {INT8OID, INT4OID, OIDOID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::value(step_id), pg::value(run.extension)});
  if (rows.size() == 0) return std::nullopt;
  return Work{rows.text(0, 0), rows.text(0, 1),    rows.text(0, 2),   rows.text(0, 3),
              rows.text(0, 4), rows.boolean(0, 5), rows.boolean(0, 6)};
}

std::optional<std::string> read_param(RunId run_id, const std::string& name) {
  static pg::Statement read{"SELECT params ->> $2 FROM setup.load_runs WHERE run_id = $1", {INT8OID, TEXTOID}};
  const pg::Rows rows = read.run({pg::value(run_id), pg::value(std::string_view(name))});
  if (rows.size() == 0 || rows.null(0, 0)) return std::nullopt;
  return rows.text(0, 0);
}

std::optional<State> read_state(RunId run_id) {
  static pg::Statement read{
      "SELECT status, finished_at IS NOT NULL, message, started_by_oid, xmin FROM setup.load_runs WHERE run_id = $1",
      {INT8OID}};
  const pg::Rows rows = read.read_latest({pg::value(run_id)});
  if (rows.size() == 0) return std::nullopt;
  return State{rows.text(0, 0), rows.boolean(0, 1), rows.text(0, 2), rows.oid(0, 3), rows.text(0, 4)};
}

std::vector<LogLine> read_lines(RunId run_id, int64_t after) {
  static pg::Statement read{
      "SELECT log_id, step_id, layer, job_name, status, coalesce(rows_loaded, 0), duration_ms::float8, message, "
      "sqlstate FROM setup.load_log WHERE run_id = $1 AND log_id > $2 ORDER BY log_id",
      {INT8OID, INT8OID}};
  const pg::Rows rows = read.read_latest({pg::value(run_id), pg::value(after)});
  std::vector<LogLine> lines;
  for (int i = 0; i < rows.size(); ++i)
    lines.push_back({rows.int8(i, 0), rows.int4(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
                     rows.int8(i, 5), rows.float8(i, 6), rows.text(i, 7), rows.text(i, 8)});
  return lines;
}

}  // namespace etl::run_store
