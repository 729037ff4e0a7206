#include "engine/log_store.h"

namespace etl::log_store {

namespace {

plan::StepState state_of(const std::string& status) {
  if (status == "OK") return plan::StepState::kOk;
  if (status == "SKIPPED") return plan::StepState::kSkipped;
  if (status == "CANCELLED") return plan::StepState::kCancelled;
  return plan::StepState::kFailed;
}

// The rows to be written as one array for each column, as unnest() takes them.
struct Columns {
  std::vector<int> step, attempt;
  std::vector<int64_t> rows, started, finished, duration, retry;
  std::vector<std::string> status, sqlstate, message, detail, hint, context, notices;
};

constexpr int64_t kNull = INT64_MIN;  // in Columns

// Nested arrays must be rectangular, so the notices of an entry travel as the text of an array.
std::string array_text(const std::vector<std::string>& texts) {
  if (texts.empty()) return "";
  std::string text = "{";
  for (const std::string& each : texts) {
    text += text.size() > 1 ? ",\"" : "\"";
    for (const char c : each) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

struct End {
  TimestampTz at;
  int64_t duration_us;
};

// The clock of the wall may have been set meanwhile: back, then at least it does not end before it started; or forth.
End end_of(const Entry& entry) {
  const pg::Moment end = entry.finished.at != 0 ? entry.finished : pg::now();
  return {std::max(end.at, entry.started.at), end.us - entry.started.us};
}

Columns columns_of(const std::vector<Entry>& entries) {
  Columns columns;
  for (const Entry& entry : entries) {
    columns.step.push_back(entry.step_id);
    columns.attempt.push_back(entry.attempt);
    columns.rows.push_back(entry.rows.value_or(kNull));
    const End end = end_of(entry);
    columns.started.push_back(entry.started.at);
    columns.finished.push_back(end.at);
    columns.duration.push_back(end.duration_us);
    columns.retry.push_back(entry.retry.at != 0 ? entry.retry.at : kNull);
    columns.status.emplace_back(entry.status);
    columns.sqlstate.push_back(entry.sqlstate);
    columns.message.push_back(entry.message);
    columns.detail.push_back(entry.detail);
    columns.hint.push_back(entry.hint);
    columns.context.push_back(entry.context);
    columns.notices.push_back(array_text(entry.notices));
  }
  return columns;
}

}  // namespace

namespace {

// What a row takes from the entry is w.*, from the step s.*.
constexpr const char* kInsert =
    "INSERT INTO setup.load_log (run_id, run_at, step_id, round, layer, job_name, owner, owner_oid, table_name, "
    "file_path, delivery, attempt, status, started_at, finished_at, duration_ms, rows_loaded, retry_at, sqlstate, "
    "message, detail, hint, context, notices) "
    "SELECT $1, $2, s.step_id, s.round, s.layer, s.job_name, s.owner, s.owner_oid, s.table_name, s.file_path, "
    "CASE s.transaction WHEN 'each' THEN 'at least once' ELSE 'exactly once' END, w.attempt, w.status, w.started_at, "
    "w.finished_at, w.duration_us * 0.001, w.rows, w.retry_at, "
    "nullif(w.sqlstate, ''), nullif(w.message, ''), nullif(w.detail, ''), nullif(w.hint, ''), nullif(w.context, ''), "
    "nullif(w.notices, '')::text[] ";

uint64 write_one(const RunKey& run, const Entry& entry) {
  static const std::string text =
      std::string(kInsert) +
      "FROM (SELECT $4 AS attempt, $5 AS status, $6 AS started_at, $7 AS finished_at, $8 AS rows, $9 AS retry_at, "
      "$10 AS sqlstate, $11 AS message, $12 AS detail, $13 AS hint, $14 AS context, $15 AS notices, "
      "$16 AS duration_us) w "
      "CROSS JOIN setup.run_steps s WHERE s.run_id = $1 AND s.run_at = $2 AND s.step_id = $3";
  static pg::Statement insert{text.c_str(),
                              {INT8OID, TIMESTAMPTZOID, INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
                               INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID}};
  const End end = end_of(entry);
  const pg::Rows rows = insert.run(
      {pg::value(run.id), pg::timestamp_value(run.at), pg::value(entry.step_id), pg::value(entry.attempt),
       pg::value(entry.status), pg::timestamp_value(entry.started.at), pg::timestamp_value(end.at),
       entry.rows ? pg::value(*entry.rows) : pg::null_value(),
       entry.retry.at != 0 ? pg::timestamp_value(entry.retry.at) : pg::null_value(), pg::text_or_null(entry.sqlstate),
       pg::text_or_null(entry.message), pg::text_or_null(entry.detail), pg::text_or_null(entry.hint),
       pg::text_or_null(entry.context), pg::text_or_null(array_text(entry.notices)), pg::value(end.duration_us)});
  return rows.processed();
}

uint64 write_many(const RunKey& run, const std::vector<Entry>& entries) {
  // OFFSET 0 keeps the planner from reading all steps of the run to find a few.
  static const std::string text =
      std::string(kInsert) +
      "FROM unnest($3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::bigint[], "
      "$9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[]) "
      "AS w(step_id, attempt, status, started_at, finished_at, rows, retry_at, sqlstate, message, detail, hint, "
      "context, notices, duration_us) CROSS JOIN LATERAL (SELECT * FROM setup.run_steps s "
      "WHERE s.run_id = $1 AND s.run_at = $2 AND s.step_id = w.step_id OFFSET 0) s";
  static pg::Statement insert{text.c_str(),
                              {INT8OID, TIMESTAMPTZOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID,
                               TIMESTAMPTZARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
                               TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID}};
  const Columns columns = columns_of(entries);
  const pg::Rows rows = insert.run(
      {pg::value(run.id), pg::timestamp_value(run.at), pg::int4_array(columns.step), pg::int4_array(columns.attempt),
       pg::text_array(columns.status), pg::timestamp_array(columns.started, kNull),
       pg::timestamp_array(columns.finished, kNull), pg::int8_array(columns.rows, kNull),
       pg::timestamp_array(columns.retry, kNull), pg::text_array(columns.sqlstate), pg::text_array(columns.message),
       pg::text_array(columns.detail), pg::text_array(columns.hint), pg::text_array(columns.context),
       pg::text_array(columns.notices), pg::int8_array(columns.duration, kNull)});
  return rows.processed();
}

}  // namespace

void write(const RunKey& run, const std::vector<Entry>& entries) {
  const uint64 written = entries.size() == 1 ? write_one(run, entries.front()) : write_many(run, entries);
  if (written != entries.size())
    throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the run of this job does not exist any more",
                      "Extension etl_orchestrator was dropped while the job ran.");
}

std::vector<StoredAttempt> read_attempts(const RunKey& run) {
  static pg::Statement read{
      "SELECT DISTINCT ON (step_id) step_id, round, attempt, status, retry_at, "
      "min(started_at) OVER (PARTITION BY step_id, round), finished_at FROM setup.load_log "
      "WHERE run_id = $1 AND run_at = $2 ORDER BY step_id, round DESC, status = 'OK' DESC, log_id DESC",
      {INT8OID, TIMESTAMPTZOID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::timestamp_value(run.at)});
  std::vector<StoredAttempt> attempts;
  for (int i = 0; i < rows.size(); ++i)
    attempts.push_back({rows.int4(i, 0), rows.int4(i, 1), rows.int4(i, 2), state_of(rows.text(i, 3)),
                        rows.timestamp(i, 4), rows.timestamp(i, 5), rows.timestamp(i, 6)});
  return attempts;
}

bool has_succeeded(const RunKey& run, StepId step_id) {
  static pg::Statement find{
      "SELECT 1 FROM setup.load_log l JOIN setup.run_steps s USING (run_id, run_at, step_id, round) "
      "WHERE l.run_id = $1 AND l.run_at = $2 AND l.step_id = $3 AND l.status = 'OK'",
      {INT8OID, TIMESTAMPTZOID, INT4OID}};
  return find.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(step_id)}).size() > 0;
}

bool has_ended(const RunKey& run, StepId step_id, int attempt) {
  static pg::Statement find{
      "SELECT 1 FROM setup.load_log WHERE run_id = $1 AND run_at = $2 AND step_id = $3 AND attempt = $4",
      {INT8OID, TIMESTAMPTZOID, INT4OID, INT4OID}};
  const pg::Rows rows =
      find.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(step_id), pg::value(attempt)});
  return rows.size() > 0;
}

std::vector<Line> read_lines(const RunKey& run, int64_t after) {
  static pg::Statement read{
      "SELECT log_id, step_id, layer, job_name, attempt, status, coalesce(rows_loaded, 0), duration_ms::float8, "
      "message, sqlstate, retry_at FROM setup.load_log WHERE run_id = $1 AND run_at = $2 AND log_id > $3 "
      "ORDER BY log_id",
      {INT8OID, TIMESTAMPTZOID, INT8OID}};
  const pg::Rows rows = read.read_latest({pg::value(run.id), pg::timestamp_value(run.at), pg::value(after)});
  std::vector<Line> lines;
  for (int i = 0; i < rows.size(); ++i)
    lines.push_back({rows.int8(i, 0), rows.int4(i, 1), rows.text(i, 2), rows.text(i, 3), rows.int4(i, 4),
                     rows.text(i, 5), rows.int8(i, 6), rows.float8(i, 7), rows.text(i, 8), rows.text(i, 9),
                     rows.timestamp(i, 10)});
  return lines;
}

}  // namespace etl::log_store
