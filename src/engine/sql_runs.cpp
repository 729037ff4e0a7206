// The SQL surface of runs: arguments in, one call, result out. What the functions do stands in the engine; what they
// mean to a user, in sql/runs.sql.

#include "engine/arguments.h"
#include "engine/resume.h"
#include "engine/watch.h"
#include "pg/boundary.h"
#include "pg/guard.h"

namespace etl {

namespace {

// An interval that must be longer than 0, and finite.
std::optional<std::string> timeout_argument(FunctionCallInfo fcinfo, int number, const char* name) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  const Interval* interval = PG_GETARG_INTERVAL_P(number);
  Interval none{};
  const bool is_possible = pg::guard([&] {
    return DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(interval), IntervalPGetDatum(&none))) &&
           DatumGetBool(DirectFunctionCall1(interval_finite, IntervalPGetDatum(interval)));
  });
  if (!is_possible)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("%s must be longer than 0, and finite", name), "",
                      "Leave it out for none.");
  return interval_argument(fcinfo, number);
}

// Reads on_error, max_parallel and params, which every function that starts a run has in this order.
void read_options(FunctionCallInfo fcinfo, int first, RunRequest* request) {
  request->on_error = text_argument(fcinfo, first).value_or("continue");
  if (request->on_error != "continue" && request->on_error != "stop")
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("on_error \"%s\" is not known", request->on_error.c_str()), "",
                      "It is 'continue' (whatever does not depend on a failure still runs) or 'stop'.");
  if (!PG_ARGISNULL(first + 1)) request->max_parallel = PG_GETARG_INT32(first + 1);
  if (request->max_parallel && *request->max_parallel < 1)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, "max_parallel must be at least 1", "",
                      "Leave it out for as many jobs at the same time as etl_orchestrator.max_workers allows.");
  if (PG_ARGISNULL(first + 2)) return;
  request->params = json_argument(fcinfo, first + 2);
  if (!request->params.starts_with('{'))
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, "params must be a JSON object", "",
                      "For example params => '{\"day\": \"2024-01-31\"}'.");
}

// Reads priority, timeout, statement_timeout and if_running, which they have in this order, too.
void read_more_options(FunctionCallInfo fcinfo, int first, RunRequest* request) {
  if (!PG_ARGISNULL(first)) request->priority = PG_GETARG_INT32(first);
  request->timeout = timeout_argument(fcinfo, first + 1, "timeout");
  request->statement_timeout = timeout_argument(fcinfo, first + 2, "statement_timeout");
  request->if_running = text_argument(fcinfo, first + 3).value_or("queue");
  const std::string& choice = request->if_running;
  if (choice != "queue" && choice != "skip" && choice != "error")
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("if_running \"%s\" is not known", choice.c_str()), "",
                      "It is 'queue' (wait for the other run), 'skip' (do nothing) or 'error'.");
}

void read_selection(FunctionCallInfo fcinfo, int first, RunRequest* request) {
  request->selection.jobs = texts_argument(fcinfo, first, "jobs");
  request->selection.upstream = flag_argument(fcinfo, first + 1);
  request->selection.downstream = flag_argument(fcinfo, first + 2);
}

// A procedure that runs one layer, or all: its options begin at argument `first`.
void orchestrate(FunctionCallInfo fcinfo, const std::optional<std::string>& layer, int first) {
  RunRequest request;
  request.selection.layer = layer;
  read_options(fcinfo, first, &request);
  const bool dry_run = flag_argument(fcinfo, first + 3);
  read_selection(fcinfo, first + 4, &request);
  read_more_options(fcinfo, first + 7, &request);
  if (dry_run) return print_plan(request);
  require_no_block(fcinfo, "a run", "SELECT setup.start_run()");
  require_engine();
  pg::Spi spi(pg::Spi::Mode::kNonatomic);
  run_and_follow(request, &spi);
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_orchestrate_all);
PG_FUNCTION_INFO_V1(etl_orchestrate_layer);
PG_FUNCTION_INFO_V1(etl_orchestrate_bronze);
PG_FUNCTION_INFO_V1(etl_orchestrate_silver);
PG_FUNCTION_INFO_V1(etl_orchestrate_gold);
PG_FUNCTION_INFO_V1(etl_start_run);
PG_FUNCTION_INFO_V1(etl_wait_run);
PG_FUNCTION_INFO_V1(etl_cancel_run);
PG_FUNCTION_INFO_V1(etl_resume_run);

Datum etl_orchestrate_all(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, std::nullopt, 0); });
  PG_RETURN_VOID();
}

Datum etl_orchestrate_layer(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, etl::required_text(fcinfo, 0), 1); });
  PG_RETURN_VOID();
}

Datum etl_orchestrate_bronze(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, "bronze", 0); });
  PG_RETURN_VOID();
}

Datum etl_orchestrate_silver(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, "silver", 0); });
  PG_RETURN_VOID();
}

Datum etl_orchestrate_gold(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, "gold", 0); });
  PG_RETURN_VOID();
}

Datum etl_start_run(PG_FUNCTION_ARGS) {
  return etl::writing(fcinfo, [&] {
    etl::require_engine();
    etl::RunRequest request;
    request.selection.layer = etl::text_argument(fcinfo, 0);
    etl::read_options(fcinfo, 1, &request);
    etl::read_selection(fcinfo, 4, &request);
    etl::read_more_options(fcinfo, 7, &request);
    return Int64GetDatum(etl::start_run(request));
  });
}

Datum etl_wait_run(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    etl::require_engine();
    return etl::text_result(
        etl::wait_for_run(DatumGetInt64(etl::required_argument(fcinfo, 0)), etl::deadline_argument(fcinfo, 1)));
  });
}

Datum etl_cancel_run(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::require_engine();
    etl::cancel_run(DatumGetInt64(etl::required_argument(fcinfo, 0)));
  });
  PG_RETURN_VOID();
}

Datum etl_resume_run(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::require_engine();
    etl::RunRequest request;
    etl::read_selection(fcinfo, 1, &request);
    etl::resume_run(DatumGetInt64(etl::required_argument(fcinfo, 0)), request.selection);
  });
  PG_RETURN_VOID();
}
}
