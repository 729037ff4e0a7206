// The SQL surface of exports.

#include "engine/arguments.h"
#include "engine/export.h"
#include "pg/boundary.h"

namespace etl {

namespace {

void return_exported(FunctionCallInfo fcinfo, const std::vector<ExportedFile>& files) {
  std::vector<std::vector<pg::Value>> rows;
  for (const ExportedFile& it : files) rows.push_back({pg::value(it.path), pg::value(it.rows), pg::value(it.bytes)});
  return_rows(fcinfo, rows);
}

void return_removed(FunctionCallInfo fcinfo, const std::vector<RemovedFile>& files) {
  std::vector<std::vector<pg::Value>> rows;
  for (const RemovedFile& it : files)
    rows.push_back(
        {pg::value(it.location), pg::value(it.path), pg::value(it.bytes), pg::timestamp_value(it.exported_at)});
  return_rows(fcinfo, rows);
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_export_table);
PG_FUNCTION_INFO_V1(etl_drop_expired_files);

Datum etl_export_table(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] {
    etl::ExportOrder order;
    order.table = etl::required_text(fcinfo, 0);
    order.location = etl::required_text(fcinfo, 1);
    order.format = etl::text_argument(fcinfo, 2).value_or(order.format);
    order.partition_by = etl::texts_argument(fcinfo, 3, "partition_by").value_or(order.partition_by);
    order.path = etl::text_argument(fcinfo, 4);
    order.replace = etl::flag_argument(fcinfo, 5);
    etl::return_exported(fcinfo, etl::export_table(order));
  });
  return Datum(0);
}

Datum etl_drop_expired_files(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::return_removed(fcinfo, etl::drop_expired_files(etl::text_argument(fcinfo, 0))); });
  return Datum(0);
}
}
