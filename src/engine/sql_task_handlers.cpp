// The SQL surface of what does the work of tasks: sql/task_handlers.sql, sql/activities.sql.

#include "engine/activities.h"
#include "engine/arguments.h"
#include "engine/task_handlers.h"
#include "pg/boundary.h"
#include "pg/guard.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace etl {

namespace {

// An ARN has the name at its end.
std::string activity_name(FunctionCallInfo fcinfo) {
  const std::string given = required_text(fcinfo, 0, "an activity");
  return given.substr(given.rfind(':') + 1);
}

void fetch_activity_task(FunctionCallInfo fcinfo) {
  const auto task = activities::fetch(activity_name(fcinfo));
  if (!task) return return_rows(fcinfo, {});
  const char* input = task->input.c_str();
  const Datum json = pg::guard([&] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(input)); });
  return_rows(fcinfo, {{pg::value(task->token), pg::Value(json)}});
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_create_activity);
PG_FUNCTION_INFO_V1(etl_delete_activity);
PG_FUNCTION_INFO_V1(etl_get_activity_task);
PG_FUNCTION_INFO_V1(etl_register_task_handler);
PG_FUNCTION_INFO_V1(etl_unregister_task_handler);

Datum etl_register_task_handler(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::task_handlers::add(*etl::text_argument(fcinfo, 0), PG_GETARG_OID(1)); });
  PG_RETURN_VOID();
}

Datum etl_unregister_task_handler(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::task_handlers::remove(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_create_activity(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] { return etl::text_result(etl::activities::create(*etl::text_argument(fcinfo, 0))); });
}

Datum etl_delete_activity(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::activities::remove(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_get_activity_task(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::fetch_activity_task(fcinfo); });
  return Datum(0);
}
}
