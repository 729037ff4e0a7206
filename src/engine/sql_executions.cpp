// The SQL surface of state machines and their executions: sql/state_machines.sql, sql/executions.sql.

#include "engine/state_machines.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/arguments.h"
#include "engine/execution_requests.h"
#include "pg/boundary.h"
#include "pg/guard.h"

namespace etl {

namespace {

std::string given_json(FunctionCallInfo fcinfo, int number, const char* what) {
  if (PG_ARGISNULL(number)) throw pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, pg::format("%s must be given", what));
  return json_argument(fcinfo, number);
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_validate_state_machine);
PG_FUNCTION_INFO_V1(etl_create_state_machine);
PG_FUNCTION_INFO_V1(etl_delete_state_machine);
PG_FUNCTION_INFO_V1(etl_start_execution);
PG_FUNCTION_INFO_V1(etl_run_execution);
PG_FUNCTION_INFO_V1(etl_redrive_execution);
PG_FUNCTION_INFO_V1(etl_stop_execution);
PG_FUNCTION_INFO_V1(etl_draw_state_machine);
PG_FUNCTION_INFO_V1(etl_send_task_success);
PG_FUNCTION_INFO_V1(etl_send_task_failure);
PG_FUNCTION_INFO_V1(etl_send_task_heartbeat);

Datum etl_validate_state_machine(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    using etl::pg::value;
    std::vector<std::vector<etl::pg::Value>> rows;
    for (const auto& finding : etl::validate_state_machine(etl::given_json(fcinfo, 0, "a definition")))
      rows.push_back({value(finding.severity == etl::states::Severity::kError ? "ERROR" : "WARNING"),
                      value(std::string_view(finding.code)), value(std::string_view(finding.pointer)),
                      value(std::string_view(finding.message))});
    etl::return_rows(fcinfo, rows);
  });
  return Datum(0);
}

Datum etl_create_state_machine(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    return Int32GetDatum(etl::create_state_machine(etl::required_text(fcinfo, 0, "a name"),
                                                   etl::given_json(fcinfo, 1, "a definition"),
                                                   etl::text_argument(fcinfo, 2).value_or("STANDARD")));
  });
}

Datum etl_delete_state_machine(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::delete_state_machine(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_start_execution(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    etl::require_engine();
    return Int64GetDatum(etl::start_execution(etl::required_text(fcinfo, 0, "a state machine"),
                                              PG_ARGISNULL(1) ? "{}" : etl::json_argument(fcinfo, 1),
                                              etl::text_argument(fcinfo, 2))
                             .run_id);
  });
}

Datum etl_run_execution(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const std::string machine = etl::required_text(fcinfo, 0, "a state machine");
    const std::string input = PG_ARGISNULL(1) ? "{}" : etl::json_argument(fcinfo, 1);
    const auto name = etl::text_argument(fcinfo, 2);
    etl::require_no_block(fcinfo, "an execution", "SELECT setup.start_execution()");
    etl::require_engine();
    etl::pg::Spi spi(etl::pg::Spi::Mode::kNonatomic);
    etl::run_execution(machine, input, name, &spi);
  });
  PG_RETURN_VOID();
}

Datum etl_redrive_execution(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::require_engine();
    etl::redrive_execution(PG_GETARG_INT64(0));
  });
  PG_RETURN_VOID();
}

Datum etl_stop_execution(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    if (PG_ARGISNULL(0)) throw etl::pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, "a run must be given");
    etl::stop_execution(PG_GETARG_INT64(0), etl::text_argument(fcinfo, 1), etl::text_argument(fcinfo, 2));
  });
  PG_RETURN_VOID();
}

Datum etl_draw_state_machine(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] {
    return etl::text_result(etl::draw_state_machine(etl::json_argument(fcinfo, 0), *etl::text_argument(fcinfo, 1),
                                                    etl::json_argument(fcinfo, 2)));
  });
}

Datum etl_send_task_success(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::send_task_success(etl::required_text(fcinfo, 0, "a task token"),
                           PG_ARGISNULL(1) ? "{}" : etl::json_argument(fcinfo, 1));
  });
  PG_RETURN_VOID();
}

Datum etl_send_task_failure(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    etl::send_task_failure(etl::required_text(fcinfo, 0, "a task token"), etl::text_argument(fcinfo, 1),
                           etl::text_argument(fcinfo, 2));
  });
  PG_RETURN_VOID();
}

Datum etl_send_task_heartbeat(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::send_task_heartbeat(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}
}
