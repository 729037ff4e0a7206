// From a request to a stored run: configuration, blueprint, validation, rows.

#include "engine/request.h"
#include "engine/run_store.h"
#include "engine/validation.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl {

namespace {

constexpr size_t kMostProblemsShown = 50;
// One error that lists every problem, and each hint once.
[[noreturn]] void fail(const RunRequest& request, const std::vector<plan::Problem>& problems) {
  std::string detail;
  std::vector<std::string> hints;
  for (size_t i = 0; i < std::min(problems.size(), kMostProblemsShown); ++i) {
    detail += (i == 0 ? "" : "\n") + problems[i].message;
    const std::string& hint = problems[i].hint;
    if (!hint.empty() && std::find(hints.begin(), hints.end(), hint) == hints.end()) hints.push_back(hint);
  }
  if (problems.size() > kMostProblemsShown)
    detail += pg::format("\nand %zu more", problems.size() - kMostProblemsShown);
  std::string hint;
  for (const std::string& each : hints) hint += (hint.empty() ? "" : "\n") + each;
  const std::string what =
      request.selection.layer ? "layer \"" + *request.selection.layer + "\"" : std::string("the pipeline");
  throw pg::Failure(kRunNotValid,
                    pg::format("cannot run %s: %zu %s found", what.c_str(), problems.size(),
                               problems.size() == 1 ? "problem" : "problems"),
                    detail, hint);
}

}  // namespace

PlannedRun plan_run(const RunRequest& request) try {
  const Oid caller = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const Configuration configuration = read_configuration(caller);
  const plan::Blueprint blueprint = plan::make_blueprint(configuration.catalog, request.selection);
  std::vector<plan::Problem> problems = blueprint.problems;
  const std::vector<JobDetail> details = read_details(configuration.catalog, blueprint);
  PlannedRun run = complete_steps(configuration, blueprint, details, &problems);
  if (!problems.empty()) fail(request, problems);
  return run;
} catch (const pg::Error& error) {
  if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
  throw pg::Failure(ERRCODE_LOCK_NOT_AVAILABLE, "another session holds the jobs or layers locked", "",
                    "SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = "
                    "'setup.load_jobs'::regclass);");
}

namespace {

pg::Value optional_text(const std::optional<std::string>& text) {
  return text ? pg::value(*text) : pg::null_value();
}

// The steps as one array for each column, as unnest() takes them.
struct Columns {
  std::vector<int> layer_no, load_order, follows_layer;
  std::vector<Oid> owner_oid;
  std::vector<std::string> job_name, owner, depends_on, table_name, file_path, location, command, transaction,
      discovered_as;
};

std::string array_literal(const std::vector<int>& numbers) {
  std::string text = "{";
  for (const int number : numbers) text += (text.size() > 1 ? "," : "") + std::to_string(number);
  return text + "}";
}

Columns columns_of(const std::vector<PlannedStep>& steps) {
  Columns columns;
  for (const PlannedStep& step : steps) {
    columns.layer_no.push_back(step.layer);
    columns.load_order.push_back(step.load_order);
    columns.follows_layer.push_back(step.follows_layer ? 1 : 0);
    columns.owner_oid.push_back(step.owner_oid);
    columns.job_name.push_back(step.job);
    columns.owner.push_back(step.owner);
    columns.depends_on.push_back(array_literal(step.depends_on));
    columns.table_name.push_back(step.table);
    columns.file_path.push_back(step.file);
    columns.location.push_back(step.location);
    columns.command.push_back(step.command);
    columns.transaction.push_back(step.transaction);
    columns.discovered_as.push_back(step.discovered_as);
  }
  return columns;
}

// What a job says of retries, timeouts and limits comes from its row, or its layer's, in the same statement.
void store_steps(const RunRequest& request, const RunKey& key, const PlannedRun& run) {
  static pg::Statement insert{
      "INSERT INTO setup.run_steps (run_id, run_at, step_id, layer_no, layer, in_sequence, job_name, owner, owner_oid, "
      "load_order, depends_on, follows_layer, table_name, file_path, command, transaction, discovered_as, priority, "
      "max_concurrent, resources, layer_timeout_ms, timeout_ms, statement_timeout_ms, max_attempts, retry_delay_ms, "
      "backoff_rate, max_retry_delay_ms, retry_on, never_retry_on, shares_commit, expected_ms, location, load_mode, "
      "key_columns, skip_unchanged, reader_options, on_bad_row, reject_limit, reject_share, rescue_column, provenance) "
      "SELECT $1, $2, s.no - 1, s.layer_no, l.layer, l.execution = 'sequence', s.job_name, s.owner, s.owner_oid, "
      "s.load_order, s.depends_on::int[], s.follows_layer = 1, nullif(s.table_name, ''), nullif(s.file_path, ''), "
      "nullif(s.command, ''), s.transaction, nullif(s.discovered_as, ''), j.priority, j.max_concurrent, j.resources, "
      "ceil(extract(epoch FROM l.timeout) * 1000), "
      "ceil(extract(epoch FROM coalesce(j.timeout, l.job_timeout)) * 1000), "
      "ceil(extract(epoch FROM coalesce(j.statement_timeout, l.statement_timeout, $16::interval)) * 1000), "
      "coalesce(j.max_attempts, l.max_attempts), extract(epoch FROM coalesce(j.retry_delay, l.retry_delay)) * 1000, "
      "coalesce(j.backoff_rate, l.backoff_rate), "
      "extract(epoch FROM coalesce(j.max_retry_delay, l.max_retry_delay)) * 1000, coalesce(j.retry_on, l.retry_on), "
      "coalesce(j.never_retry_on, l.never_retry_on), "
      "j.shares_commit AND j.transaction = 'single' AND s.location = '', h.expected_ms, nullif(s.location, ''), "
      "j.load_mode, j.key_columns, j.skip_unchanged, j.reader_options, j.on_bad_row, j.reject_limit, j.reject_share, "
      "j.rescue_column, j.provenance "
      "FROM unnest($4::int[], $5::int[], $6::int[], $7::oid[], $8::text[], $9::text[], $10::text[], $11::text[], "
      "$12::text[], $13::text[], $14::text[], $15::text[], $17::text[]) WITH ORDINALITY "
      "AS s(layer_no, load_order, follows_layer, owner_oid, job_name, owner, depends_on, table_name, file_path, "
      "command, transaction, discovered_as, location, no) "
      "JOIN setup.layers l ON l.layer = ($3::text[])[s.layer_no + 1] "
      // OFFSET 0: one look into an index for each, whatever the planner believes of the tables.
      "CROSS JOIN LATERAL (SELECT * FROM setup.load_jobs k WHERE k.layer = l.layer AND k.job_name = s.job_name "
      "OFFSET 0) j LEFT JOIN LATERAL (SELECT k.expected_ms FROM setup.job_history k "
      "WHERE k.layer = l.layer AND k.job_name = s.job_name OFFSET 0) h ON true",
      {INT8OID, TIMESTAMPTZOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, OIDARRAYOID, TEXTARRAYOID,
       TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID,
       TEXTARRAYOID}};
  const Columns columns = columns_of(run.steps);
  std::vector<std::string> layers;
  for (const plan::Layer& layer : run.layers) layers.push_back(layer.name);
  const pg::Rows rows = insert.run(
      {pg::value(key.id), pg::timestamp_value(key.at), pg::text_array(layers), pg::int4_array(columns.layer_no),
       pg::int4_array(columns.load_order), pg::int4_array(columns.follows_layer), pg::oid_array(columns.owner_oid),
       pg::text_array(columns.job_name), pg::text_array(columns.owner), pg::text_array(columns.depends_on),
       pg::text_array(columns.table_name), pg::text_array(columns.file_path), pg::text_array(columns.command),
       pg::text_array(columns.transaction), pg::text_array(columns.discovered_as),
       optional_text(request.statement_timeout), pg::text_array(columns.location)});
  if (rows.processed() != run.steps.size())
    throw pg::Failure(ERRCODE_T_R_SERIALIZATION_FAILURE, "jobs were dropped while the run was planned", "",
                      "Start the run again.");
}

// What makes two runs runs of the same pipeline: the selection that was asked for. (And a job in common: rival_of().)
std::string pipeline_of(const plan::Selection& selection) {
  std::string text = selection.layer ? "layer " + *selection.layer : "all layers";
  if (!selection.jobs) return text;
  std::vector<std::string> jobs = *selection.jobs;
  std::sort(jobs.begin(), jobs.end());
  text += ", jobs";
  for (const std::string& job : jobs) text += " " + job;
  if (selection.upstream) text += ", upstream";
  if (selection.downstream) text += ", downstream";
  return text;
}

void heed_rival(const RunKey& key, const PlannedRun& run) {
  const std::optional<run_store::Rival> rival = run_store::rival_of(key);
  if (!rival) return;
  const std::string message = pg::format("run %lld of the same pipeline is running", static_cast<long long>(rival->id));
  if (rival->if_running == "error")
    throw pg::Failure(kAlreadyRunning, message, "",
                      "Wait for it with setup.wait_run(), or say if_running => 'queue' or 'skip'.");
  if (rival->if_running == "skip")
    run_store::mark_finished(key, {"SKIPPED", 0, 0, static_cast<int>(run.steps.size()), message});
}

}  // namespace

RunKey store_run(const RunRequest& request, const PlannedRun& run) {
  static pg::Statement make_room{"SELECT setup.make_partitions($1)", {TIMESTAMPTZOID}};
  static pg::Statement insert{
      "INSERT INTO setup.load_runs (layer, started_by, started_by_oid, jobs_total, params, on_error, max_parallel, "
      "requested_at, priority, timeout, statement_timeout, if_running, pipeline, database_oid) "
      "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10::interval, $11::interval, $12, $13, $14) "
      "RETURNING run_id",
      {TEXTOID, TEXTOID, OIDOID, INT4OID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, TEXTOID,
       TEXTOID, OIDOID}};
  const Oid caller = GetUserId();
  const std::string caller_name = pg::role_name(caller);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const TimestampTz now = GetCurrentTimestamp();
  make_room.run({pg::timestamp_value(now)});
  const pg::Rows rows = insert.run(
      {optional_text(request.selection.layer), pg::value(caller_name), pg::value(caller),
       pg::value(static_cast<int32_t>(run.steps.size())), pg::value(request.params), pg::value(request.on_error),
       request.max_parallel ? pg::value(static_cast<int32_t>(*request.max_parallel)) : pg::null_value(),
       pg::timestamp_value(now), pg::value(static_cast<int32_t>(request.priority)), optional_text(request.timeout),
       optional_text(request.statement_timeout), pg::value(request.if_running),
       pg::value(request.pipeline.empty() ? pipeline_of(request.selection) : request.pipeline),
       pg::value(MyDatabaseId)});
  const RunKey key{rows.int8(0, 0), now};
  store_steps(request, key, run);
  heed_rival(key, run);
  call_conductor_at_commit();
  return key;
}

}  // namespace etl
