// The SQL surface of jobs that load files.

#include "engine/arguments.h"
#include "engine/file_store.h"
#include "engine/reader_options.h"
#include "pg/boundary.h"

extern "C" {

PG_FUNCTION_INFO_V1(etl_reset_bookmark);
PG_FUNCTION_INFO_V1(etl_reload_file);
PG_FUNCTION_INFO_V1(etl_require_reader_options);

Datum etl_reset_bookmark(PG_FUNCTION_ARGS) {
  return etl::writing(fcinfo, [&] {
    return Int64GetDatum(etl::reset_bookmark(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1)));
  });
}

Datum etl_reload_file(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::reload_file(etl::required_text(fcinfo, 0), etl::required_text(fcinfo, 1), etl::required_text(fcinfo, 2));
  });
  PG_RETURN_VOID();
}

Datum etl_require_reader_options(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] { etl::parse_reader_options(etl::json_argument(fcinfo, 0)); });
  PG_RETURN_VOID();
}
}
