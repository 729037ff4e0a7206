// From a request to a stored run: configuration, blueprint, validation, rows.

#include "engine/request.h"
#include "engine/validation.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl {

namespace {

constexpr size_t kMostProblemsShown = 50;
constexpr const char* kLongestLockWait = "10s";

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
  const pg::EngineRights rights(kLongestLockWait);
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

// The steps as one array for each column, as unnest() takes them.
struct Columns {
  std::vector<int> layer_no, load_order, follows_layer;
  std::vector<Oid> owner_oid;
  std::vector<std::string> job_name, owner, depends_on, table_name, file_path, command, transaction, discovered_as;
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
    columns.command.push_back(step.command);
    columns.transaction.push_back(step.transaction);
    columns.discovered_as.push_back(step.discovered_as);
  }
  return columns;
}

void store_steps(RunId run_id, const PlannedRun& run) {
  static pg::Statement insert{
      "INSERT INTO setup.run_steps (run_id, step_id, layer_no, layer, in_sequence, job_name, owner, owner_oid, "
      "load_order, depends_on, follows_layer, table_name, file_path, command, transaction, discovered_as) "
      "SELECT $1, s.no - 1, s.layer_no, ($2::text[])[s.layer_no + 1], ($3::int[])[s.layer_no + 1] = 1, s.job_name, "
      "s.owner, s.owner_oid, s.load_order, s.depends_on::int[], s.follows_layer = 1, nullif(s.table_name, ''), "
      "nullif(s.file_path, ''), nullif(s.command, ''), s.transaction, nullif(s.discovered_as, '') "
      "FROM unnest($4::int[], $5::int[], $6::int[], $7::oid[], $8::text[], $9::text[], $10::text[], $11::text[], "
      "$12::text[], $13::text[], $14::text[], $15::text[]) WITH ORDINALITY "
      "AS s(layer_no, load_order, follows_layer, owner_oid, job_name, owner, depends_on, table_name, file_path, "
      "command, transaction, discovered_as, no)",
      {INT8OID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, OIDARRAYOID, TEXTARRAYOID,
       TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}};
  const Columns columns = columns_of(run.steps);
  std::vector<std::string> layers;
  std::vector<int> in_sequence;
  for (const plan::Layer& layer : run.layers) {
    layers.push_back(layer.name);
    in_sequence.push_back(layer.sequence ? 1 : 0);
  }
  insert.run({pg::value(run_id), pg::text_array(layers), pg::int4_array(in_sequence), pg::int4_array(columns.layer_no),
              pg::int4_array(columns.load_order), pg::int4_array(columns.follows_layer),
              pg::oid_array(columns.owner_oid), pg::text_array(columns.job_name), pg::text_array(columns.owner),
              pg::text_array(columns.depends_on), pg::text_array(columns.table_name), pg::text_array(columns.file_path),
              pg::text_array(columns.command), pg::text_array(columns.transaction),
              pg::text_array(columns.discovered_as)});
}

}  // namespace

RunId store_run(const RunRequest& request, const PlannedRun& run) {
  static pg::Statement insert{
      "INSERT INTO setup.load_runs (layer, started_by, started_by_oid, jobs_total, params, on_error, max_parallel) "
      "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7) RETURNING run_id",
      {TEXTOID, TEXTOID, OIDOID, INT4OID, TEXTOID, TEXTOID, INT4OID}};
  const Oid caller = GetUserId();
  const std::string caller_name = pg::role_name(caller);
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows rows = insert.run(
      {request.selection.layer ? pg::value(std::string_view(*request.selection.layer)) : pg::null_value(),
       pg::value(std::string_view(caller_name)), pg::value(caller), pg::value(static_cast<int32_t>(run.steps.size())),
       pg::value(std::string_view(request.params)), pg::value(std::string_view(request.on_error)),
       request.max_parallel ? pg::value(static_cast<int32_t>(*request.max_parallel)) : pg::null_value()});
  const RunId run_id = rows.int8(0, 0);
  store_steps(run_id, run);
  call_conductor_at_commit();
  return run_id;
}

}  // namespace etl
