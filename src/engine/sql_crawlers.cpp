// The SQL surface of crawlers: sql/crawlers.sql.

#include "engine/arguments.h"
#include "engine/crawler.h"
#include "engine/crawler_catalog.h"
#include "engine/shared_state.h"
#include "pg/boundary.h"

namespace etl {

namespace {

void return_outcomes(FunctionCallInfo fcinfo, const std::vector<CrawlOutcome>& outcomes) {
  std::vector<std::vector<pg::Value>> rows;
  for (const CrawlOutcome& it : outcomes)
    rows.push_back({pg::text_or_null(it.table), pg::value(it.data_set), pg::value(static_cast<int32_t>(it.files)),
                    pg::value(it.action), pg::text_array(it.changes), pg::text_or_null(it.message)});
  return_rows(fcinfo, rows);
}

}  // namespace

}  // namespace etl

extern "C" {

PG_FUNCTION_INFO_V1(etl_write_crawler);
PG_FUNCTION_INFO_V1(etl_drop_crawler);
PG_FUNCTION_INFO_V1(etl_crawl);
PG_FUNCTION_INFO_V1(etl_is_crawling);

Datum etl_write_crawler(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::write_crawler(*etl::text_argument(fcinfo, 0), etl::json_argument(fcinfo, 1)); });
  PG_RETURN_VOID();
}

Datum etl_drop_crawler(PG_FUNCTION_ARGS) {
  etl::writing(fcinfo, [&] { etl::remove_crawler(etl::required_text(fcinfo, 0)); });
  PG_RETURN_VOID();
}

Datum etl_crawl(PG_FUNCTION_ARGS) {
  etl::pg::boundary([&] {
    const std::string name = etl::required_text(fcinfo, 0);
    const bool dry_run = etl::flag_argument(fcinfo, 1);
    if (!dry_run) etl::require_writable(fcinfo);
    etl::return_outcomes(fcinfo, etl::run_crawler(name, dry_run));
  });
  return Datum(0);
}

Datum etl_is_crawling(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([&] { return BoolGetDatum(etl::is_crawling(*etl::text_argument(fcinfo, 0))); });
}
}
