#include "engine/run_store.h"

#include "engine/branch_store.h"

namespace etl::run_store {

namespace {

// Columns of setup.run_steps, in this order, from column `at` on; null where nothing was said.
constexpr const char* kPolicyColumns =
    "max_attempts, retry_delay_ms, backoff_rate, max_retry_delay_ms, retry_on, never_retry_on";

// What step_of() reads.
constexpr const char* kStepColumns =
    "layer_no, layer, in_sequence, job_name, owner_oid, load_order, follows_layer, priority, max_concurrent, "
    "table_name, "
    "CASE WHEN resources <> '{}' THEN ARRAY(SELECT key || '=' || value FROM jsonb_each_text(resources)) END, "
    "coalesce(layer_timeout_ms, 0), coalesce(timeout_ms, 0), shares_commit, expected_ms, attempts_before, round";

plan::RetryPolicy policy_of(const pg::Rows& rows, int row, int at) {
  plan::RetryPolicy policy;
  if (!rows.null(row, at)) policy.max_attempts = rows.int4(row, at);
  if (!rows.null(row, at + 1)) policy.first_delay = rows.int8(row, at + 1);
  if (!rows.null(row, at + 2)) policy.backoff_rate = rows.float8(row, at + 2);
  if (!rows.null(row, at + 3)) policy.max_delay = rows.int8(row, at + 3);
  policy.retry_on = rows.texts(row, at + 4);
  policy.never_retry_on = rows.texts(row, at + 5);
  return policy;
}

// "name=units", as read_steps gives them.
std::vector<std::pair<std::string, int>> resources_of(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, int>> resources;
  for (const std::string& text : texts) {
    const size_t sign = text.rfind('=');
    resources.emplace_back(text.substr(0, sign), std::stoi(text.substr(sign + 1)));
  }
  return resources;
}

StoredStep step_of(const pg::Rows& steps, int row) {
  StoredStep step{};
  step.layer = steps.int4(row, 0);
  step.job = steps.text(row, 3);
  step.owner = steps.oid(row, 4);
  step.load_order = steps.int4(row, 5);
  step.follows_layer = steps.boolean(row, 6);
  step.priority = steps.int4(row, 7);
  step.max_concurrent = steps.int4(row, 8);
  step.table = steps.text(row, 9);
  if (!steps.null(row, 10)) step.resources = resources_of(steps.texts(row, 10));
  step.timeout_ms = steps.int8(row, 12);
  step.shares_commit = steps.boolean(row, 13);
  step.expected_ms = steps.null(row, 14) ? -1 : steps.float8(row, 14);
  step.attempts_before = steps.int4(row, 15);
  step.round = steps.int4(row, 16);
  return step;
}

}  // namespace

void request_cancel(RunId run_id) {
  static pg::Statement insert{"INSERT INTO setup.run_cancellations (run_id) VALUES ($1)", {INT8OID}};
  insert.run({pg::value(run_id)});
  static pg::Statement stop{
      "INSERT INTO setup.execution_stops (run_id) SELECT run_id FROM setup.executions WHERE run_id = $1 "
      "AND status = 'RUNNING'",
      {INT8OID}};
  stop.run({pg::value(run_id)});
}

std::vector<Head> unfinished() {
  static pg::Statement find{
      "SELECT r.run_id, r.requested_at, r.status = 'RUNNING', "
      "EXISTS (SELECT FROM setup.run_cancellations c WHERE c.run_id = r.run_id), r.database_oid <> $1, r.jobs_total "
      "FROM setup.load_runs r WHERE r.finished_at IS NULL AND r.state_machine IS NULL ORDER BY r.run_id",
      {OIDOID}};
  const pg::Rows rows = find.run({pg::value(MyDatabaseId)});
  std::vector<Head> heads;
  for (int i = 0; i < rows.size(); ++i)
    heads.push_back({{rows.int8(i, 0), rows.timestamp(i, 1)},
                     rows.boolean(i, 2),
                     rows.boolean(i, 3),
                     rows.boolean(i, 4),
                     rows.int4(i, 5)});
  return heads;
}

std::optional<StoredRun> read_run(const RunKey& run) {
  static pg::Statement read_head{
      "SELECT on_error = 'stop', coalesce(max_parallel, 0), priority, "
      "coalesce(ceil(extract(epoch FROM timeout) * 1000)::bigint, 0), started_at "
      "FROM setup.load_runs WHERE run_id = $1 AND requested_at = $2",
      {INT8OID, TIMESTAMPTZOID}};
  static const std::string steps_text = std::string("SELECT ") + kStepColumns +
                                        " FROM setup.run_steps WHERE run_id = $1 AND run_at = $2 ORDER BY step_id";
  static pg::Statement read_steps{steps_text.c_str(), {INT8OID, TIMESTAMPTZOID}};
  static pg::Statement read_parents{
      "SELECT s.step_id, parent FROM setup.run_steps s CROSS JOIN LATERAL unnest(s.depends_on) parent "
      "WHERE s.run_id = $1 AND s.run_at = $2 AND s.depends_on <> '{}'",
      {INT8OID, TIMESTAMPTZOID}};

  const pg::Value id = pg::value(run.id);
  const pg::Value at = pg::timestamp_value(run.at);
  const pg::Rows head = read_head.run({id, at});
  if (head.size() == 0) return std::nullopt;
  StoredRun stored{};
  stored.on_error = head.boolean(0, 0) ? plan::OnError::kStop : plan::OnError::kContinue;
  stored.max_parallel = head.int4(0, 1);
  stored.priority = head.int4(0, 2);
  stored.timeout_ms = head.int8(0, 3);
  stored.started_at = head.timestamp(0, 4);
  const pg::Rows steps = read_steps.run({id, at});
  stored.steps.reserve(static_cast<size_t>(steps.size()));
  for (int i = 0; i < steps.size(); ++i) {
    stored.steps.push_back(step_of(steps, i));
    if (stored.steps.back().layer >= static_cast<int>(stored.layers.size()))
      stored.layers.push_back({steps.text(i, 1), steps.boolean(i, 2), steps.int8(i, 11)});
  }
  const pg::Rows parents = read_parents.run({id, at});
  for (int i = 0; i < parents.size(); ++i)
    stored.steps[static_cast<size_t>(parents.int4(i, 0))].parents.push_back(parents.int4(i, 1));
  return stored;
}

std::optional<std::pair<std::string, StoredStep>> read_step(const RunKey& run, StepId step) {
  static const std::string text = std::string("SELECT ") + kStepColumns +
                                  " FROM setup.run_steps WHERE run_id = $1 AND run_at = $2 AND step_id = $3";
  static pg::Statement read{text.c_str(), {INT8OID, TIMESTAMPTZOID, INT4OID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(step)});
  if (rows.size() == 0) return std::nullopt;
  return std::pair(rows.text(0, 1), step_of(rows, 0));
}

namespace {

bool have_job_in_common(const RunKey& one, const RunKey& other) {
  static pg::Statement find{
      "SELECT EXISTS (SELECT layer, job_name FROM setup.run_steps WHERE run_id = $1 AND run_at = $2 "
      "INTERSECT SELECT layer, job_name FROM setup.run_steps WHERE run_id = $3 AND run_at = $4)",
      {INT8OID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID}};
  return find.run({pg::value(one.id), pg::timestamp_value(one.at), pg::value(other.id), pg::timestamp_value(other.at)})
      .boolean(0, 0);
}

}  // namespace

std::optional<Rival> rival_of(const RunKey& run) {
  static pg::Statement find{
      "SELECT other.run_id, other.requested_at, mine.if_running "
      "FROM setup.load_runs mine JOIN setup.load_runs other USING (pipeline) "
      "WHERE mine.run_id = $1 AND mine.requested_at = $2 AND mine.status = 'QUEUED' "
      "AND other.finished_at IS NULL AND other.state_machine IS NULL AND other.run_id <> mine.run_id "
      "AND other.database_oid = mine.database_oid "
      "AND (other.status = 'RUNNING' OR other.run_id < mine.run_id) ORDER BY other.run_id",
      {INT8OID, TIMESTAMPTZOID}};
  const pg::Rows rows = find.run({pg::value(run.id), pg::timestamp_value(run.at)});
  for (int i = 0; i < rows.size(); ++i) {
    const RunKey other{rows.int8(i, 0), rows.timestamp(i, 1)};
    if (have_job_in_common(run, other)) return Rival{other.id, rows.text(i, 2)};
  }
  return std::nullopt;
}

void mark_started(const RunKey& run) {
  static pg::Statement update{
      "UPDATE setup.load_runs SET status = 'RUNNING', started_at = coalesce(started_at, clock_timestamp()) "
      "WHERE run_id = $1 AND requested_at = $2",
      {INT8OID, TIMESTAMPTZOID}};
  update.run({pg::value(run.id), pg::timestamp_value(run.at)});
}

void mark_finished(const RunKey& run, const Ending& ending) {
  static pg::Statement update{
      "UPDATE setup.load_runs SET status = $3, started_at = coalesce(started_at, clock_timestamp()), "
      "finished_at = clock_timestamp(), jobs_ok = $4, jobs_failed = $5, jobs_skipped = $6, message = $7 "
      "WHERE run_id = $1 AND requested_at = $2 AND finished_at IS NULL",
      {INT8OID, TIMESTAMPTZOID, TEXTOID, INT4OID, INT4OID, INT4OID, TEXTOID}};
  update.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(ending.status), pg::value(ending.ok),
              pg::value(ending.failed), pg::value(ending.skipped), pg::text_or_null(ending.message)});
  branch_store::tell_run_ended(run.id);
}

std::optional<int64_t> learn_durations(const RunKey& run, int64_t log_id) {
  // A moving average over about five runs, so that a job that has become slow is soon known to be. What is close to the
  // average is not written.
  static pg::Statement learn{
      "WITH part AS (SELECT log_id, layer, job_name, status, duration_ms::float8 AS ms FROM setup.load_log "
      "WHERE run_id = $1 AND run_at = $2 AND log_id > $3 ORDER BY log_id LIMIT 500), "
      "learned AS (INSERT INTO setup.job_history AS h (layer, job_name, expected_ms) "
      "SELECT p.layer, p.job_name, avg(p.ms) FROM part p LEFT JOIN LATERAL (SELECT k.expected_ms, k.successes "
      "FROM setup.job_history k WHERE k.layer = p.layer AND k.job_name = p.job_name OFFSET 0) known ON true "
      "WHERE p.status = 'OK' AND (known.expected_ms IS NULL OR known.successes < 3 "
      "OR abs(p.ms - known.expected_ms) > 0.25 * known.expected_ms + 0.5) "
      "GROUP BY p.layer, p.job_name ON CONFLICT (layer, job_name) DO UPDATE SET successes = h.successes + 1, "
      "expected_ms = h.expected_ms + (excluded.expected_ms - h.expected_ms) / least(h.successes + 1, 5)) "
      "SELECT max(log_id) FROM part",
      {INT8OID, TIMESTAMPTZOID, INT8OID}};
  const pg::Rows rows = learn.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(log_id)});
  if (rows.null(0, 0)) return std::nullopt;
  return rows.int8(0, 0);
}

namespace {

constexpr const char* kFileColumns =
    "location, skip_unchanged, load_mode, key_columns, reader_options, on_bad_row = 'reject', reject_limit, "
    "reject_share, rescue_column, provenance";

LoadMode mode_of(const std::string& name) {
  if (name == "append") return LoadMode::kAppend;
  return name == "upsert" ? LoadMode::kUpsert : LoadMode::kReplace;
}

// From column `at` on.
void read_file_columns(const pg::Rows& rows, int row, int at, Work* work) {
  LoadOptions& load = work->load;
  work->location = rows.text(row, at);
  work->skips_unchanged = rows.boolean(row, at + 1);
  load.table = work->table;
  load.mode = mode_of(rows.text(row, at + 2));
  load.key_columns = rows.texts(row, at + 3);
  load.reader_options = rows.text(row, at + 4);
  load.puts_rows_aside = rows.boolean(row, at + 5);
  if (!rows.null(row, at + 6)) load.reject_limit = rows.int8(row, at + 6);
  if (!rows.null(row, at + 7)) load.reject_share = rows.float8(row, at + 7);
  load.rescue_column = rows.text(row, at + 8);
  load.provenance = rows.boolean(row, at + 9);
  load.must_be_owned = work->discovered;
}

}  // namespace

std::vector<Work> read_work(const RunKey& run, const std::vector<StepId>& steps) {
  static const std::string text =
      std::string(
          "SELECT step_id, layer, job_name, table_name, file_path, command, transaction = 'each', "
          "discovered_as IS NOT NULL, coalesce(timeout_ms, 0), coalesce(statement_timeout_ms, 0), attempts_before, ") +
      kPolicyColumns + ", " + kFileColumns +
      // OFFSET 0 keeps the planner from reading all steps of the run to find a few.
      " FROM unnest($3::int[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM setup.run_steps s "
      "WHERE s.run_id = $1 AND s.run_at = $2 AND s.step_id = wanted.id OFFSET 0) s";
  static pg::Statement read{text.c_str(), {INT8OID, TIMESTAMPTZOID, INT4ARRAYOID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::timestamp_value(run.at), pg::int4_array(steps)});
  std::vector<Work> works;
  for (int i = 0; i < rows.size(); ++i) {
    Work work;
    work.step_id = rows.int4(i, 0);
    work.layer = rows.text(i, 1);
    work.job = rows.text(i, 2);
    work.table = rows.text(i, 3);
    work.file = rows.text(i, 4);
    work.command = rows.text(i, 5);
    work.commits_each_statement = rows.boolean(i, 6);
    work.discovered = rows.boolean(i, 7);
    work.timeout_ms = rows.int8(i, 8);
    work.statement_timeout_ms = rows.int8(i, 9);
    work.attempts_before = rows.int4(i, 10);
    work.policy = policy_of(rows, i, 11);
    read_file_columns(rows, i, 17, &work);
    works.push_back(std::move(work));
  }
  std::sort(works.begin(), works.end(), [](const Work& a, const Work& b) { return a.step_id < b.step_id; });
  return works;
}

std::vector<std::string> missing_tables(const RunKey& run, int layer) {
  static pg::Statement find{
      "SELECT DISTINCT table_name FROM setup.run_steps WHERE run_id = $1 AND run_at = $2 AND layer_no = $3 "
      "AND table_name IS NOT NULL AND NOT setup.table_exists(table_name) ORDER BY table_name",
      {INT8OID, TIMESTAMPTZOID, INT4OID}};
  const pg::Rows rows = find.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(layer)});
  std::vector<std::string> tables;
  for (int i = 0; i < rows.size(); ++i) tables.push_back(rows.text(i, 0));
  return tables;
}

std::optional<std::string> read_param(const RunKey& run, const std::string& name) {
  static pg::Statement read{"SELECT params ->> $3 FROM setup.load_runs WHERE run_id = $1 AND requested_at = $2",
                            {INT8OID, TIMESTAMPTZOID, TEXTOID}};
  const pg::Rows rows = read.read({pg::value(run.id), pg::timestamp_value(run.at), pg::value(name)});
  if (rows.size() == 0 || rows.null(0, 0)) return std::nullopt;
  return rows.text(0, 0);
}

std::optional<State> read_state(RunId run_id) {
  static pg::Statement read{
      "SELECT r.requested_at, r.status, r.finished_at IS NOT NULL, r.message, r.started_by_oid, r.database_oid <> $2, "
      "r.state_machine IS NOT NULL, e.owner_oid, r.xmin FROM setup.load_runs r LEFT JOIN setup.executions e "
      "ON e.run_id = r.run_id WHERE r.run_id = $1",
      {INT8OID, OIDOID}};
  const pg::Rows rows = read.read_latest({pg::value(run_id), pg::value(MyDatabaseId)});
  if (rows.size() == 0) return std::nullopt;
  return State{{run_id, rows.timestamp(0, 0)},
               rows.text(0, 1),
               rows.boolean(0, 2),
               rows.text(0, 3),
               rows.oid(0, 4),
               rows.boolean(0, 5),
               rows.boolean(0, 6),
               rows.oid(0, 7),
               rows.text(0, 8)};
}

bool lock_ended(const RunKey& run) {
  static pg::Statement lock{
      "SELECT 1 FROM setup.load_runs WHERE run_id = $1 AND requested_at = $2 AND finished_at IS NOT NULL FOR UPDATE",
      {INT8OID, TIMESTAMPTZOID}};
  return lock.run({pg::value(run.id), pg::timestamp_value(run.at)}).size() > 0;
}

void reopen(const RunKey& run, const std::map<StepId, int>& steps) {
  static pg::Statement open_run{
      "UPDATE setup.load_runs SET status = 'QUEUED', started_at = NULL, finished_at = NULL, message = NULL, "
      "jobs_ok = 0, jobs_failed = 0, jobs_skipped = 0, resumed = resumed + 1 "
      "WHERE run_id = $1 AND requested_at = $2",
      {INT8OID, TIMESTAMPTZOID}};
  static pg::Statement open_step{
      "UPDATE setup.run_steps SET round = round + 1, attempts_before = $4 "
      "WHERE run_id = $1 AND run_at = $2 AND step_id = $3",
      {INT8OID, TIMESTAMPTZOID, INT4OID, INT4OID}};
  static pg::Statement forget_cancel{"DELETE FROM setup.run_cancellations WHERE run_id = $1", {INT8OID}};
  const pg::Value id = pg::value(run.id);
  const pg::Value at = pg::timestamp_value(run.at);
  open_run.run({id, at});
  for (const auto& [step, attempts] : steps) open_step.run({id, at, pg::value(step), pg::value(attempts)});
  forget_cancel.run({id});
}

void adopt_foreign(const RunKey& run) {
  static pg::Statement update{"UPDATE setup.load_runs SET database_oid = $3 WHERE run_id = $1 AND requested_at = $2",
                              {INT8OID, TIMESTAMPTZOID, OIDOID}};
  update.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(MyDatabaseId)});
  static pg::Statement update_execution{"UPDATE setup.executions SET database_oid = $2 WHERE run_id = $1",
                                        {INT8OID, OIDOID}};
  static pg::Statement update_branches{"UPDATE setup.execution_branches SET database_oid = $2 WHERE run_id = $1",
                                       {INT8OID, OIDOID}};
  update_execution.run({pg::value(run.id), pg::value(MyDatabaseId)});
  update_branches.run({pg::value(run.id), pg::value(MyDatabaseId)});
}

}  // namespace etl::run_store
