// The SQL surface: arguments in, one call, result out. What the functions do stands in the engine; what they mean to
// a user, in sql/comments.sql.

#include "engine/catalog.h"
#include "engine/watch.h"
#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/settings.h"

extern "C" {
#include "funcapi.h"
#include "nodes/nodes.h"
#include "utils/array.h"
#include "utils/jsonb.h"
}

namespace etl {

namespace {

std::optional<std::string> text_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  const char* argument = pg::guard([&] { return text_to_cstring(PG_GETARG_TEXT_PP(number)); });
  return std::string(argument);
}

std::optional<std::vector<std::string>> texts_argument(FunctionCallInfo fcinfo, int number, const char* name) {
  if (PG_ARGISNULL(number)) return std::nullopt;
  return pg::texts_of(PG_GETARG_DATUM(number), name);
}

// A flag that is null is false.
bool flag_argument(FunctionCallInfo fcinfo, int number) {
  return !PG_ARGISNULL(number) && PG_GETARG_BOOL(number);
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
  const Datum params = PG_GETARG_DATUM(first + 2);
  const char* text = pg::guard([&] {
    Jsonb* object = DatumGetJsonbP(params);
    return JB_ROOT_IS_OBJECT(object) ? JsonbToCString(nullptr, &object->root, static_cast<int>(VARSIZE(object)))
                                     : nullptr;
  });
  if (text == nullptr)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, "params must be a JSON object", "",
                      "For example params => '{\"day\": \"2024-01-31\"}'.");
  request->params = text;
}

void read_selection(FunctionCallInfo fcinfo, int first, RunRequest* request) {
  request->selection.jobs = texts_argument(fcinfo, first, "jobs");
  request->selection.upstream = flag_argument(fcinfo, first + 1);
  request->selection.downstream = flag_argument(fcinfo, first + 2);
}

bool is_atomic(FunctionCallInfo fcinfo) {
  const auto* context = reinterpret_cast<const CallContext*>(fcinfo->context);
  return context == nullptr || !IsA(context, CallContext) || context->atomic;
}

// A procedure that runs one layer, or all: its options begin at argument `first`.
void orchestrate(FunctionCallInfo fcinfo, const std::optional<std::string>& layer, int first) {
  RunRequest request;
  request.selection.layer = layer;
  read_options(fcinfo, first, &request);
  const bool dry_run = flag_argument(fcinfo, first + 3);
  read_selection(fcinfo, first + 4, &request);
  if (dry_run) return print_plan(request);
  if (is_atomic(fcinfo))
    throw pg::Failure(ERRCODE_ACTIVE_SQL_TRANSACTION, "a run cannot be started and awaited inside a transaction block",
                      "Its jobs run in other sessions, which see nothing of an open transaction.",
                      "CALL it outside a transaction block and as the only statement, or start it in the background "
                      "with SELECT setup.start_run(), which begins when the transaction commits.");
  require_engine();
  pg::Spi spi(pg::Spi::Mode::kNonatomic);
  run_and_follow(request, &spi);
}

Datum text_result(const std::string& text) {
  return pg::guard(
      [&] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
}

std::vector<std::string> parent_names(const PlannedRun& run, const PlannedStep& step) {
  std::vector<std::string> names;
  for (const int parent : step.depends_on) {
    const PlannedStep& other = run.steps[static_cast<size_t>(parent)];
    names.push_back(run.layers[static_cast<size_t>(other.layer)].name + "." + other.job);
  }
  return names;
}

void return_plan(FunctionCallInfo fcinfo, const PlannedRun& run) {
  pg::guard([&] { InitMaterializedSRF(fcinfo, 0); });
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  int number = 0;
  for (const PlannedStep& step : run.steps) {
    const std::vector<pg::Value> row = {pg::value(static_cast<int32_t>(++number)),
                                        pg::value(std::string_view(run.layers[static_cast<size_t>(step.layer)].name)),
                                        pg::value(std::string_view(step.job)),
                                        pg::text_array(parent_names(run, step)),
                                        pg::value(std::string_view(step.owner)),
                                        pg::text_or_null(step.table),
                                        pg::text_or_null(step.file),
                                        pg::text_or_null(step.command),
                                        pg::value(std::string_view(step.transaction))};
    Datum datums[16];
    bool nulls[16];
    for (size_t i = 0; i < row.size(); ++i) {
      datums[i] = row[i].datum;
      nulls[i] = row[i].null;
    }
    pg::guard([&] { tuplestore_putvalues(result->setResult, result->setDesc, datums, nulls); });
  }
}

// The moment at which an interval from now has passed; 0 for null.
TimestampTz deadline_argument(FunctionCallInfo fcinfo, int number) {
  if (PG_ARGISNULL(number)) return 0;
  const Datum interval = PG_GETARG_DATUM(number);
  return pg::guard([&] {
    return DatumGetTimestampTz(
        DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(GetCurrentTimestamp()), interval));
  });
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
PG_FUNCTION_INFO_V1(etl_run_plan);
PG_FUNCTION_INFO_V1(etl_param);
PG_FUNCTION_INFO_V1(etl_drop_job);
PG_FUNCTION_INFO_V1(etl_write_layer);
PG_FUNCTION_INFO_V1(etl_remove_layer);
PG_FUNCTION_INFO_V1(etl_attach_view);
PG_FUNCTION_INFO_V1(etl_may_act_as);
PG_FUNCTION_INFO_V1(etl_ownership_problem);
PG_FUNCTION_INFO_V1(etl_qualified_table);
PG_FUNCTION_INFO_V1(etl_table_exists);

Datum etl_orchestrate_all(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::orchestrate(fcinfo, std::nullopt, 0); });
  PG_RETURN_VOID();
}

Datum etl_orchestrate_layer(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const auto layer = etl::text_argument(fcinfo, 0);
    if (!layer) throw etl::pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, "a layer must be named");
    etl::orchestrate(fcinfo, layer, 1);
  });
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
  return etl::pg::boundary([&] {
    etl::require_engine();
    etl::RunRequest request;
    request.selection.layer = etl::text_argument(fcinfo, 0);
    etl::read_options(fcinfo, 1, &request);
    etl::read_selection(fcinfo, 4, &request);
    return Int64GetDatum(etl::start_run(request));
  });
}

Datum etl_wait_run(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    etl::require_engine();
    if (PG_ARGISNULL(0)) throw etl::pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, "a run must be named");
    return etl::text_result(etl::wait_for_run(PG_GETARG_INT64(0), etl::deadline_argument(fcinfo, 1)));
  });
}

Datum etl_cancel_run(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::require_engine();
    etl::cancel_run(PG_GETARG_INT64(0));
  });
  PG_RETURN_VOID();
}

Datum etl_run_plan(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::RunRequest request;
    request.selection.layer = etl::text_argument(fcinfo, 0);
    etl::return_plan(fcinfo, etl::plan_run(request));
  });
  return Datum(0);
}

Datum etl_param(PG_FUNCTION_ARGS) {
  const Datum found = etl::pg::boundary([&]() -> Datum {
    const auto value = etl::run_param(*etl::text_argument(fcinfo, 0));
    return value ? etl::text_result(*value) : Datum(0);
  });
  if (found == Datum(0)) PG_RETURN_NULL();
  return found;
}

Datum etl_drop_job(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::drop_job(*etl::text_argument(fcinfo, 0), *etl::text_argument(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_write_layer(PG_FUNCTION_ARGS) {
  etl::pg::boundary(
      [&] { etl::write_layer(*etl::text_argument(fcinfo, 0), PG_GETARG_INT32(1), *etl::text_argument(fcinfo, 2)); });
  PG_RETURN_VOID();
}

Datum etl_remove_layer(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::remove_layer(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_attach_view(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::attach_view(PG_GETARG_OID(0)); });
  PG_RETURN_VOID();
}

Datum etl_may_act_as(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] { return BoolGetDatum(etl::pg::may_act_as(GetUserId(), PG_GETARG_OID(0))); });
}

Datum etl_ownership_problem(PG_FUNCTION_ARGS) {
  const Datum problem = etl::pg::boundary([&]() -> Datum {
    const auto found = etl::ownership_problem(PG_GETARG_OID(0));
    return found ? etl::text_result(*found) : Datum(0);
  });
  if (problem == Datum(0)) PG_RETURN_NULL();
  return problem;
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
