// The SQL surface of looking at plans, runs and tables.

#include "engine/arguments.h"
#include "engine/diagnosis.h"
#include "engine/request.h"
#include "pg/boundary.h"
#include "pg/relations.h"

namespace etl {

namespace {

std::vector<std::string> parent_names(const PlannedRun& run, const PlannedStep& step) {
  std::vector<std::string> names;
  for (const int parent : step.depends_on) {
    const PlannedStep& other = run.steps[static_cast<size_t>(parent)];
    names.push_back(run.layers[static_cast<size_t>(other.layer)].name + "." + other.job);
  }
  return names;
}

void return_plan(FunctionCallInfo fcinfo, const PlannedRun& run) {
  std::vector<std::vector<pg::Value>> rows;
  for (const PlannedStep& step : run.steps)
    rows.push_back({pg::value(static_cast<int32_t>(rows.size() + 1)),
                    pg::value(run.layers[static_cast<size_t>(step.layer)].name), pg::value(step.job),
                    pg::text_array(parent_names(run, step)), pg::value(step.owner), pg::text_or_null(step.table),
                    pg::text_or_null(step.file), pg::text_or_null(step.command), pg::value(step.transaction)});
  return_rows(fcinfo, rows);
}

void return_waits(FunctionCallInfo fcinfo, const std::vector<Wait>& waits) {
  std::vector<std::vector<pg::Value>> rows;
  for (const Wait& wait : waits)
    rows.push_back(
        {pg::value(wait.layer), pg::value(wait.job), pg::value(wait.reason), pg::text_or_null(wait.explanation),
         wait.waits_for.empty() ? pg::null_value() : pg::text_array(wait.waits_for),
         wait.retry_at == 0 ? pg::null_value() : pg::timestamp_value(wait.retry_at),
         wait.pid == 0 ? pg::null_value() : pg::value(static_cast<int32_t>(wait.pid)), pg::text_or_null(wait.query)});
  return_rows(fcinfo, rows);
}

const char* name_of(StopReason stop) {
  switch (stop) {
    case StopReason::kNone:
      return nullptr;
    case StopReason::kRunCancelled:
    case StopReason::kGone:
      return "cancelled";
    default:
      return "timed out";
  }
}

void return_attempts(FunctionCallInfo fcinfo, const std::vector<RunningAttempt>& attempts) {
  std::vector<std::vector<pg::Value>> rows;
  for (const RunningAttempt& it : attempts)
    rows.push_back({pg::value(it.run_id), pg::value(it.layer), pg::value(it.job),
                    pg::value(static_cast<int32_t>(it.attempt)), pg::value(static_cast<int32_t>(it.pid)),
                    pg::value(it.owner), pg::timestamp_value(it.since), pg::value(static_cast<int32_t>(it.statement)),
                    pg::value(it.rows), it.expected_ms < 0 ? pg::null_value() : pg::value(it.expected_ms),
                    pg::value(name_of(it.stop))});
  return_rows(fcinfo, rows);
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_run_plan);
PG_FUNCTION_INFO_V1(etl_why_waiting);
PG_FUNCTION_INFO_V1(etl_running_attempts);
PG_FUNCTION_INFO_V1(etl_qualified_table);
PG_FUNCTION_INFO_V1(etl_table_exists);

Datum etl_run_plan(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::RunRequest request;
    request.selection.layer = etl::text_argument(fcinfo, 0);
    etl::return_plan(fcinfo, etl::plan_run(request));
  });
  return Datum(0);
}

Datum etl_why_waiting(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::require_engine();
    etl::return_waits(fcinfo, etl::why_waiting(DatumGetInt64(etl::required_argument(fcinfo, 0))));
  });
  return Datum(0);
}

Datum etl_running_attempts(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::require_engine();
    etl::return_attempts(fcinfo, etl::running_attempts());
  });
  return Datum(0);
}

Datum etl_qualified_table(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    return etl::text_result(
        etl::pg::parse_table_name(*etl::text_argument(fcinfo, 1), *etl::text_argument(fcinfo, 0)).quoted());
  });
}

Datum etl_table_exists(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    return BoolGetDatum(OidIsValid(etl::pg::find_table(etl::pg::parse_table_name(*etl::text_argument(fcinfo, 0), ""))));
  });
}
}
