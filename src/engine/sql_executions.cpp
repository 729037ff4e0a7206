// The SQL surface of state machines and their executions: sql/state_machines.sql, sql/executions.sql.

#include "engine/state_machines.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/arguments.h"
#include "engine/execution_requests.h"
#include "pg/boundary.h"
#include "pg/guard.h"

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
    for (const auto& finding : etl::validate_state_machine(etl::required_json(fcinfo, 0)))
      rows.push_back({value(finding.severity == etl::states::Severity::kError ? "ERROR" : "WARNING"),
                      value(std::string_view(finding.code)), value(std::string_view(finding.pointer)),
                      value(std::string_view(finding.message))});
    etl::return_rows(fcinfo, rows);
  });
  return Datum(0);
}

Datum etl_create_state_machine(PG_FUNCTION_ARGS) {
  return etl::writing(fcinfo, [&] {
    return Int32GetDatum(etl::create_state_machine(etl::required_text(fcinfo, 0), etl::required_json(fcinfo, 1),
                                                   etl::text_argument(fcinfo, 2).value_or("STANDARD")));
  });
}

Datum etl_delete_state_machine(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::delete_state_machine(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_start_execution(PG_FUNCTION_ARGS) {
  return etl::writing(fcinfo, [&] {
    etl::require_engine();
    return Int64GetDatum(etl::start_execution(etl::required_text(fcinfo, 0),
                                              PG_ARGISNULL(1) ? "{}" : etl::json_argument(fcinfo, 1),
                                              etl::text_argument(fcinfo, 2))
                             .run_id);
  });
}

Datum etl_run_execution(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const std::string machine = etl::required_text(fcinfo, 0);
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
  etl::writing(fcinfo, [&] {
    etl::require_engine();
    etl::redrive_execution(DatumGetInt64(etl::required_argument(fcinfo, 0)));
  });
  PG_RETURN_VOID();
}

Datum etl_stop_execution(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::stop_execution(DatumGetInt64(etl::required_argument(fcinfo, 0)), etl::text_argument(fcinfo, 1),
                        etl::text_argument(fcinfo, 2));
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
  etl::writing(fcinfo, [&] {
    etl::send_task_success(etl::required_text(fcinfo, 0), PG_ARGISNULL(1) ? "{}" : etl::json_argument(fcinfo, 1));
  });
  PG_RETURN_VOID();
}

Datum etl_send_task_failure(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::send_task_failure(etl::required_text(fcinfo, 0), etl::text_argument(fcinfo, 1), etl::text_argument(fcinfo, 2));
  });
  PG_RETURN_VOID();
}

Datum etl_send_task_heartbeat(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::send_task_heartbeat(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}
}
