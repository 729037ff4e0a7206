#include "engine/missing_tables.h"

#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/spi.h"
#include "pg/transaction.h"

namespace etl {

namespace {

std::vector<std::string> wanted_crawlers(const RunRequest& request) {
  static pg::Statement find{
      "SELECT c.crawler_name FROM setup.crawler_settings c WHERE c.owner_oid = $1 AND ($2 IS NULL OR c.layer = $2) "
      "AND EXISTS (SELECT FROM setup.load_jobs j WHERE j.layer = c.layer AND j.crawler = c.crawler_name "
      "AND j.owner_oid = c.owner_oid AND j.is_enabled "
      "AND NOT setup.table_exists(setup.qualified_table(j.layer, j.table_name))) ORDER BY c.crawler_name",
      {OIDOID, TEXTOID}};
  const pg::Value user = pg::value(GetUserId());
  const pg::EngineRights rights;
  const pg::Spi spi;
  const auto& layer = request.selection.layer;
  const pg::Rows rows = find.run({user, layer ? pg::value(std::string_view(*layer)) : pg::null_value()});
  std::vector<std::string> names;
  for (int i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
  return names;
}

// With the current user's rights.
void crawl(const std::string& name) {
  const std::string sql = "SELECT FROM setup.crawl(" + pg::quote_text(name) + ")";
  const char* text = sql.c_str();
  const pg::Spi spi;
  pg::guard([&] { SPI_execute(text, false, 0); });
}

void tell(int level, const std::string& message) {
  const char* text = message.c_str();
  pg::guard([&] { ereport(level, (errmsg("%s", text))); });
}

}  // namespace

void crawl_for_missing_tables(const RunRequest& request) {
  for (const std::string& name : wanted_crawlers(request)) {
    tell(NOTICE, pg::format("tables are missing that crawler \"%s\" makes: it runs first", name.c_str()));
    try {
      pg::Subtransaction subtransaction;
      crawl(name);
      subtransaction.release();
    } catch (const pg::Error& error) {
      if (error.sqlstate() == ERRCODE_QUERY_CANCELED || error.sqlstate() == ERRCODE_ADMIN_SHUTDOWN) throw;
      tell(WARNING, pg::format("crawler \"%s\" failed: %s", name.c_str(), error.what()));
    }
  }
}

}  // namespace etl
