#include "engine/execution_store.h"

namespace etl::execution_store {

namespace {

// As load_runs has it.
const char* run_status(const char* status) {
  const std::string_view it = status;
  if (it == "SUCCEEDED") return "OK";
  if (it == "ABORTED") return "CANCELLED";
  return it == "TIMED_OUT" ? "TIMED_OUT" : "ERROR";
}

pg::Value optional_text(const std::optional<std::string>& it) {
  return it ? pg::value(*it) : pg::null_value();
}

std::optional<std::string> text_if_any(const pg::Rows& rows, int row, int column) {
  return rows.null(row, column) ? std::nullopt : std::optional(rows.text(row, column));
}

constexpr int64_t kNull = INT64_MIN;       // in arrays
constexpr int64_t kMostAttempts = 10'000;  // of a visit, that are told apart

}  // namespace

// Of one execution it is asked whether stopped_at is null, which is the same as status = 'RUNNING': a plan that was
// made early would else find it by the index of all that run.

bool has_open() {
  static pg::Statement find{
      "SELECT FROM setup.executions WHERE status = 'RUNNING' ORDER BY timeout_at LIMIT 1",  // by its index
      {}};
  return find.run().size() > 0;
}

std::vector<ToEnd> find_to_end(TimestampTz now) {
  static pg::Statement find_late{
      "SELECT run_id, run_at FROM setup.executions WHERE status = 'RUNNING' AND timeout_at <= $1 AND database_oid = $2",
      {TIMESTAMPTZOID, OIDOID}};
  static pg::Statement find_stopped{
      "SELECT DISTINCT ON (s.run_id) e.run_id, e.run_at, s.error, s.cause FROM setup.execution_stops s "
      "CROSS JOIN LATERAL (SELECT o.run_id, o.run_at FROM setup.executions o WHERE o.run_id = s.run_id "
      "AND o.stopped_at IS NULL OFFSET 0) e ORDER BY s.run_id, s.requested_at",
      {}};
  std::vector<ToEnd> found;
  const pg::Rows stopped = find_stopped.run();
  for (int i = 0; i < stopped.size(); ++i)
    found.push_back(
        {{stopped.int8(i, 0), stopped.timestamp(i, 1)}, false, text_if_any(stopped, i, 2), text_if_any(stopped, i, 3)});
  const pg::Rows late = find_late.run({pg::timestamp_value(now), pg::value(MyDatabaseId)});
  for (int i = 0; i < late.size(); ++i)
    found.push_back({{late.int8(i, 0), late.timestamp(i, 1)}, true, "States.Timeout", std::nullopt});
  return found;
}

TimestampTz next_timeout(TimestampTz after) {
  static pg::Statement find{
      "SELECT timeout_at FROM setup.executions WHERE status = 'RUNNING' AND timeout_at > $1 AND database_oid = $2 "
      "ORDER BY timeout_at LIMIT 1",
      {TIMESTAMPTZOID, OIDOID}};
  const pg::Rows row = find.run({pg::timestamp_value(after), pg::value(MyDatabaseId)});
  return row.size() == 0 ? 0 : row.timestamp(0, 0);
}

StoredExecution read(const RunKey& run) {
  static pg::Statement read{
      "SELECT machine_id, version, state_machine, type = 'EXPRESS', name, owner, input, started_at, timeout_at, "
      "redrive_count FROM setup.executions WHERE run_id = $1 AND run_at = $2",
      {INT8OID, TIMESTAMPTZOID}};
  const pg::Rows row = read.run({pg::value(run.id), pg::timestamp_value(run.at)});
  if (row.size() == 0) throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the execution does not exist any more");
  return StoredExecution{row.int8(0, 0), row.int4(0, 1), row.text(0, 2),      row.boolean(0, 3),   row.text(0, 4),
                         row.text(0, 5), row.text(0, 6), row.timestamp(0, 7), row.timestamp(0, 8), row.int4(0, 9)};
}

std::string machine_of(const RunKey& run) {
  static pg::Statement read{"SELECT state_machine FROM setup.executions WHERE run_id = $1", {INT8OID}};
  const pg::Rows row = read.run({pg::value(run.id)});
  return row.size() == 0 ? "" : row.text(0, 0);
}

std::optional<int> open_redrives(const RunKey& run) {
  static pg::Statement read{
      "SELECT redrive_count FROM setup.executions WHERE run_id = $1 AND run_at = $2 AND stopped_at IS NULL",
      {INT8OID, TIMESTAMPTZOID}};
  const pg::Rows row = read.run({pg::value(run.id), pg::timestamp_value(run.at)});
  return row.size() == 0 ? std::nullopt : std::optional(row.int4(0, 0));
}

int take_numbers(const RunKey& run, int64_t count) {
  static pg::Statement take{
      "UPDATE setup.executions SET branches = branches + $2 WHERE run_id = $1 RETURNING branches - $2",
      {INT8OID, INT8OID}};
  const pg::Rows row = take.run({pg::value(run.id), pg::value(count)});
  if (row.size() == 0) throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the execution does not exist any more");
  return static_cast<int>(row.int8(0, 0));
}

void write_events(const RunKey& run, const std::vector<BranchEvents>& events) {
  static pg::Statement insert{
      "INSERT INTO setup.execution_events (run_id, run_at, branch_id, parent, events) "
      "SELECT $1, $2, e.branch, nullif(e.parent, -1), e.events FROM unnest($3::int[], $4::int[], $5::text[]) "
      "AS e(branch, parent, events)",
      {INT8OID, TIMESTAMPTZOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID}};
  std::vector<int> branches, parents;
  std::vector<std::string> texts;
  for (const BranchEvents& each : events) {
    branches.push_back(each.branch);
    parents.push_back(each.parent);
    texts.push_back(each.events);
  }
  insert.run({pg::value(run.id), pg::timestamp_value(run.at), pg::int4_array(branches), pg::int4_array(parents),
              pg::text_array(texts)});
}

void write_log(const RunKey& run, const StoredExecution& execution, const std::vector<TaskEntry>& entries) {
  static pg::Statement insert{
      "INSERT INTO setup.load_log (run_id, run_at, step_id, round, layer, job_name, owner, owner_oid, attempt, status, "
      "started_at, finished_at, duration_ms, rows_loaded, sqlstate, message) "
      "SELECT $1, $2, t.branch, t.visit, $3, t.state, $4, $5, t.attempt, t.status, t.started, t.finished, "
      "t.duration_us * 0.001, t.rows, nullif(t.sqlstate, ''), nullif(t.message, '') FROM unnest($6::int[], $7::int[], "
      "$8::int[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::bigint[], "
      "$15::text[], $16::text[]) AS t(branch, visit, attempt, state, status, started, finished, duration_us, rows, "
      "sqlstate, message)",
      {INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, OIDOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
       TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID}};
  std::vector<int> branches, visits, attempts;
  std::vector<int64_t> started, finished, durations, rows;
  std::vector<std::string> states, statuses, sqlstates, messages;
  for (const TaskEntry& entry : entries) {
    branches.push_back(entry.branch);
    // Each attempt is a round of its own: a state may go on after one that succeeded, and begin anew.
    visits.push_back(
        static_cast<int>(entry.visit * kMostAttempts + std::min<int64_t>(entry.attempt, kMostAttempts - 1)));
    attempts.push_back(static_cast<int>(entry.attempt));
    states.push_back(entry.state);
    statuses.emplace_back(entry.status);
    started.push_back(entry.started.at);
    finished.push_back(std::max(entry.started.at, entry.finished.at));
    durations.push_back(entry.finished.us - entry.started.us);
    rows.push_back(entry.rows.value_or(kNull));
    sqlstates.push_back(entry.sqlstate);
    messages.push_back(entry.message);
  }
  insert.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(execution.machine), pg::value(execution.owner),
              pg::value(GetSessionUserId()), pg::int4_array(branches), pg::int4_array(visits), pg::int4_array(attempts),
              pg::text_array(states), pg::text_array(statuses), pg::timestamp_array(started, kNull),
              pg::timestamp_array(finished, kNull), pg::int8_array(durations, kNull), pg::int8_array(rows, kNull),
              pg::text_array(sqlstates), pg::text_array(messages)});
}

void lock(const RunKey& run) {
  static pg::Statement lock_row{"SELECT FROM setup.executions WHERE run_id = $1 FOR NO KEY UPDATE", {INT8OID}};
  lock_row.run({pg::value(run.id)});
}

bool finish(const RunKey& run, const Ending& ending) {
  static pg::Statement update{
      "UPDATE setup.executions SET status = $2, output = $3::jsonb, error = $4, cause = $5, "
      "stopped_at = clock_timestamp() WHERE run_id = $1 AND run_at = $6 AND stopped_at IS NULL",
      {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};
  static pg::Statement forget{"DELETE FROM setup.execution_stops WHERE run_id = $1", {INT8OID}};
  const pg::Rows row =
      update.run({pg::value(run.id), pg::value(ending.status), pg::text_or_null(ending.output),
                  optional_text(ending.error), optional_text(ending.cause), pg::timestamp_value(run.at)});
  if (row.processed() == 0) return false;
  forget.run({pg::value(run.id)});
  std::string message = ending.error.value_or("");
  if (ending.cause && !ending.cause->empty()) message += (message.empty() ? "" : ": ") + *ending.cause;
  const bool ok = std::string_view(ending.status) == "SUCCEEDED";
  run_store::mark_finished(run, {run_status(ending.status), ok ? 1 : 0, ok ? 0 : 1, 0, message});
  return true;
}

bool reopen(const RunKey& run) {
  static pg::Statement update{
      "UPDATE setup.executions SET status = 'RUNNING', output = NULL, error = NULL, cause = NULL, stopped_at = NULL, "
      "redrive_count = redrive_count + 1, timeout_at = clock_timestamp() + time_limit "
      "WHERE run_id = $1 AND run_at = $2 AND status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND type = 'STANDARD' "
      "AND EXISTS (SELECT FROM setup.execution_branches b WHERE b.run_id = $1)",
      {INT8OID, TIMESTAMPTZOID}};
  static pg::Statement update_run{
      "UPDATE setup.load_runs SET status = 'RUNNING', finished_at = NULL, message = NULL, jobs_ok = 0, jobs_failed = "
      "0, "
      "resumed = resumed + 1 WHERE run_id = $1 AND requested_at = $2",
      {INT8OID, TIMESTAMPTZOID}};
  static pg::Statement forget{"DELETE FROM setup.execution_stops WHERE run_id = $1", {INT8OID}};
  const std::initializer_list<pg::Value> key = {pg::value(run.id), pg::timestamp_value(run.at)};
  if (update.run(key).processed() == 0) return false;
  update_run.run(key);
  forget.run({pg::value(run.id)});
  return true;
}

namespace {

// None of its branches has come to it: it has no place in their order, and no event led to it.
void write_last_event(const RunKey& run, const char* type, const Ending& ending) {
  static pg::Statement insert{
      "INSERT INTO setup.execution_events (run_id, run_at, branch_id, parent, events) VALUES ($1, $2, 0, NULL, "
      "json_build_array(json_build_object('id', 0, 'previous', NULL, 'type', $3, 'state', '', 'details', "
      "json_strip_nulls(json_build_object('error', $4, 'cause', $5))))::text)",
      {INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID}};
  insert.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(type), optional_text(ending.error),
              optional_text(ending.cause)});
}

void end_from_outside(const RunKey& run, const Ending& ending, const char* event_type) {
  if (!finish(run, ending)) return;
  branch_store::end_all(run, true);
  write_last_event(run, event_type, ending);
}

}  // namespace

void end(const ToEnd& execution) {
  const Ending ending{execution.timed_out ? "TIMED_OUT" : "ABORTED", "", execution.error, execution.cause};
  end_from_outside(execution.run, ending, execution.timed_out ? "ExecutionTimedOut" : "ExecutionAborted");
}

void fail(const RunKey& run, const std::string& error, const std::string& cause) {
  end_from_outside(run, {"FAILED", "", error, cause}, "ExecutionFailed");
}

}  // namespace etl::execution_store
