#include "engine/missing_tables.h"

#include "engine/crawler_catalog.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/transaction.h"

namespace etl {

namespace {

[[noreturn]] void fail_missing(const run_store::Work& work, const std::string& why, const std::string& hint) {
  throw pg::Failure(ERRCODE_UNDEFINED_TABLE, pg::format("table %s does not exist%s", work.table.c_str(), why.c_str()),
                    "", hint);
}

// That made the job, and that still belongs to its owner; or empty.
std::string crawler_of(const run_store::Work& work) {
  static pg::Statement find{
      "SELECT c.crawler_name FROM setup.load_jobs j JOIN setup.crawler_settings c ON c.crawler_name = j.crawler "
      "AND c.owner_oid = j.owner_oid WHERE j.layer = $1 AND j.job_name = $2 AND j.owner_oid = $3",
      {TEXTOID, TEXTOID, OIDOID}};
  const pg::Value owner = pg::value(GetUserId());
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows rows = find.run({pg::value(work.layer), pg::value(work.job), owner});
  return rows.size() == 0 ? "" : rows.text(0, 0);
}

// With the rights of the owner. What the crawler says about the table.
std::string make_table(const std::string& crawler, const std::string& table) {
  const std::string sql = "SELECT message FROM setup.crawl(" + pg::quote_text(crawler) +
                          ") WHERE table_name OPERATOR(pg_catalog.=) " + pg::quote_text(table);
  const char* statement = sql.c_str();
  const pg::Spi spi;
  pg::guard([&] { SPI_execute(statement, false, 0); });
  const pg::Rows rows(SPI_tuptable, SPI_processed);
  return rows.size() == 0 ? "it found no files for it" : rows.text(0, 0);
}

void tell_steps(const RunKey& run, const run_store::Work& work, const std::string& crawler) {
  static pg::Statement tell{
      "UPDATE setup.run_steps s SET reader_options = j.reader_options FROM setup.load_jobs j "
      "WHERE s.run_id = $1 AND s.run_at = $2 AND s.layer = $3 AND s.owner_oid = $4 AND j.layer = s.layer "
      "AND j.job_name = s.job_name AND j.owner_oid = s.owner_oid AND j.crawler = $5 "
      "AND s.reader_options IS DISTINCT FROM j.reader_options",
      {INT8OID, TIMESTAMPTZOID, TEXTOID, OIDOID, TEXTOID}};
  const pg::Value owner = pg::value(GetUserId());
  const pg::EngineRights rights;
  const pg::Spi spi;
  tell.run({pg::value(run.id), pg::timestamp_value(run.at), pg::value(work.layer), owner, pg::value(crawler)});
}

}  // namespace

bool table_is_missing(const run_store::Work& work) {
  return !OidIsValid(pg::find_table(pg::parse_table_name(work.table, "")));
}

std::string crawl_for_missing_table(const RunKey& run, const run_store::Work& work) {
  pg::Transaction transaction;
  const std::string crawler = crawler_of(work);
  if (crawler.empty()) fail_missing(work, "", "Create the table.");
  wait_for_crawl(crawler);
  std::string note;
  if (table_is_missing(work)) {
    const std::string message = make_table(crawler, work.table);
    if (table_is_missing(work))
      fail_missing(work, pg::format(", and crawler \"%s\" did not make it: %s", crawler.c_str(), message.c_str()),
                   pg::format("See what it finds: SELECT * FROM setup.crawl(%s, dry_run => true);",
                              pg::quote_text(crawler).c_str()));
    note = pg::format("crawler \"%s\" made the table", crawler.c_str());
  }
  tell_steps(run, work, crawler);
  transaction.commit();
  return note;
}

}  // namespace etl
