// The SQL surface of what does the work of tasks: sql/task_handlers.sql.

#include "engine/arguments.h"
#include "engine/task_handlers.h"
#include "pg/boundary.h"

extern "C" {

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
}
