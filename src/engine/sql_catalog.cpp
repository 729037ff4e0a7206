// The SQL surface of jobs, layers and resources.

#include "engine/arguments.h"
#include "engine/catalog.h"
#include "engine/dataset_files.h"
#include "engine/job_holds.h"
#include "pg/boundary.h"
#include "pg/roles.h"

extern "C" {

PG_FUNCTION_INFO_V1(etl_param);
PG_FUNCTION_INFO_V1(etl_write_job);
PG_FUNCTION_INFO_V1(etl_drop_job);
PG_FUNCTION_INFO_V1(etl_write_layer);
PG_FUNCTION_INFO_V1(etl_drop_layer);
PG_FUNCTION_INFO_V1(etl_attach_view);
PG_FUNCTION_INFO_V1(etl_may_act_as);
PG_FUNCTION_INFO_V1(etl_ownership_problem);
PG_FUNCTION_INFO_V1(etl_pause_job);
PG_FUNCTION_INFO_V1(etl_release_job);
PG_FUNCTION_INFO_V1(etl_create_resource);
PG_FUNCTION_INFO_V1(etl_drop_resource);
PG_FUNCTION_INFO_V1(etl_require_retry_patterns);
PG_FUNCTION_INFO_V1(etl_data_set_files);
PG_FUNCTION_INFO_V1(etl_call_conductor);

Datum etl_param(PG_FUNCTION_ARGS) {
  const Datum found = etl::pg::boundary([&]() -> Datum {
    const auto value = etl::run_param(*etl::text_argument(fcinfo, 0));
    return value ? etl::text_result(*value) : Datum(0);
  });
  if (found == Datum(0)) PG_RETURN_NULL();
  return found;
}

Datum etl_write_job(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::write_job(*etl::text_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_drop_job(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::drop_job(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_write_layer(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::write_layer(*etl::text_argument(fcinfo, 0), etl::json_argument(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_drop_layer(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::drop_layer(etl::required_text(fcinfo, 0)); });
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

Datum etl_pause_job(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::job_holds::pause(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_release_job(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::job_holds::release(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_create_resource(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::write_resource(etl::required_text(fcinfo, 0), DatumGetInt32(etl::required_argument(fcinfo, 1)));
  });
  PG_RETURN_VOID();
}

Datum etl_drop_resource(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::remove_resource(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_require_retry_patterns(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::require_retry_patterns(etl::pg::texts_of(PG_GETARG_DATUM(0), "a list of errors")); });
  PG_RETURN_VOID();
}

Datum etl_data_set_files(PG_FUNCTION_ARGS) {
  const Datum files = etl::pg::boundary([&]() -> Datum {
    const std::string path = *etl::text_argument(fcinfo, 0);
    if (!etl::names_data_set(path)) return Datum(0);
    const auto found = etl::visible_files_of_data_set(path);
    return found ? etl::pg::text_array(*found).datum : Datum(0);
  });
  if (files == Datum(0)) PG_RETURN_NULL();
  return files;
}

// A statement trigger.
Datum etl_call_conductor(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::call_conductor_at_commit(); });
  return PointerGetDatum(nullptr);
}
}
