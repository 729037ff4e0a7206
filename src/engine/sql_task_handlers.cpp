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
  const std::string given = required_text(fcinfo, 0);
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
  etl::writing(fcinfo, [&] {
    etl::task_handlers::add(etl::required_text(fcinfo, 0), DatumGetObjectId(etl::required_argument(fcinfo, 1)));
  });
  PG_RETURN_VOID();
}

Datum etl_unregister_task_handler(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::task_handlers::remove(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_create_activity(PG_FUNCTION_ARGS) {
  return etl::writing(fcinfo, [&] { return etl::text_result(etl::activities::create(etl::required_text(fcinfo, 0))); });
}

Datum etl_delete_activity(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::activities::remove(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_get_activity_task(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::fetch_activity_task(fcinfo); });
  return Datum(0);
}
}
