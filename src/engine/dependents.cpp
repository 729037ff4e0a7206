#include "engine/dependents.h"

#include "pg/relations.h"
#include "pg/spi.h"

namespace etl {

namespace {

constexpr int64_t kMostListed = 10;

}  // namespace

void require_unused(const char* kind, const std::string& name) {
  static pg::Statement find{
      "SELECT format('%s of role \"%s\"', what, owner), sum(is_job::integer) OVER (), count(*) OVER () FROM ("
      "SELECT format('job \"%s.%s\"', layer, job_name), owner, true FROM setup.load_jobs "
      "WHERE CASE $1 WHEN 'layer' THEN layer ELSE location END = $2 UNION ALL "
      "SELECT format('crawler \"%s\"', crawler_name), owner, false FROM setup.crawler_settings "
      "WHERE CASE $1 WHEN 'layer' THEN layer ELSE location END = $2) AS it(what, owner, is_job) "
      "ORDER BY is_job DESC, what LIMIT $3",
      {TEXTOID, TEXTOID, INT8OID}};
  const pg::Rows rows = find.run({pg::value(kind), pg::value(name), pg::value(kMostListed)});
  if (rows.size() == 0) return;
  const int64_t jobs = rows.int8(0, 1);
  const int64_t all = rows.int8(0, 2);
  std::string list;
  for (int i = 0; i < rows.size(); ++i) list += (i == 0 ? "" : "\n") + rows.text(i, 0);
  if (all > kMostListed) list += pg::format("\nand %lld more", static_cast<long long>(all - kMostListed));
  std::string hint = "Drop them first:";
  const std::string where = pg::format(" WHERE %s = %s;", kind, pg::quote_text(name).c_str());
  if (jobs > 0) hint += " SELECT setup.drop_job(layer, job_name) FROM setup.load_jobs" + where;
  if (jobs < all) hint += " SELECT setup.drop_crawler(crawler_name) FROM setup.crawlers" + where;
  throw pg::Failure(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST, pg::format("%s \"%s\" is still used", kind, name.c_str()),
                    list, hint);
}

}  // namespace etl
