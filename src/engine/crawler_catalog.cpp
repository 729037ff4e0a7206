#include "engine/crawler_catalog.h"

#include "engine/locations.h"
#include "engine/own_locks.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"

extern "C" {
#include "common/hashfn.h"
#include "utils/inval.h"
}

namespace etl {

namespace {

LOCKTAG lock_of(const std::string& name) {
  return own_lock(OwnLock::kCrawler,
                  hash_bytes(reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size())));
}

[[noreturn]] void fail_unknown(const std::string& name) {
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("crawler \"%s\" does not exist", name.c_str()), "",
                    "SELECT crawler_name FROM setup.crawlers; lists your crawlers.");
}

// Keeps the crawler as it is until the end of the transaction; false if there is none. Needs an open Spi and the
// engine's rights; `user` is the one who asks.
bool hold_own_crawler(Oid user, const std::string& name) {
  static pg::Statement find{"SELECT owner, owner_oid FROM setup.crawler_settings WHERE crawler_name = $1 FOR UPDATE",
                            {TEXTOID}};
  const pg::Rows found = find.run({pg::value(name)});
  if (found.size() == 0) return false;
  if (pg::may_act_as(user, found.oid(0, 1))) return true;
  pg::fail_not_owner(pg::format("crawler \"%s\"", name.c_str()), found.text(0, 0));
}

crawl::Policy policy_of(const std::string& on_new_column, const std::string& on_type_change) {
  crawl::Policy policy;
  if (on_new_column == "ignore") policy.on_new_column = crawl::OnNewColumn::kIgnore;
  if (on_new_column == "fail") policy.on_new_column = crawl::OnNewColumn::kFail;
  if (on_type_change == "ignore") policy.on_type_change = crawl::OnTypeChange::kIgnore;
  if (on_type_change == "fail") policy.on_type_change = crawl::OnTypeChange::kFail;
  return policy;
}

Crawler read_crawler(const std::string& name) {
  static pg::Statement read{
      "SELECT location, layer, path, table_prefix, on_new_column, on_type_change, exclusions, reader_options, "
      "load_mode, "
      "provenance, owner, owner_oid FROM setup.crawler_settings WHERE crawler_name = $1",
      {TEXTOID}};
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const pg::Rows row = read.run({pg::value(name)});
  if (row.size() == 0) fail_unknown(name);
  Crawler crawler;
  crawler.name = name;
  crawler.location = row.text(0, 0);
  crawler.layer = row.text(0, 1);
  crawler.path = row.text(0, 2);
  crawler.table_prefix = row.text(0, 3);
  crawler.policy = policy_of(row.text(0, 4), row.text(0, 5));
  crawler.exclusions = row.texts(0, 6);
  crawler.reader_options = row.text(0, 7);
  crawler.load_mode = row.text(0, 8);
  crawler.provenance = row.boolean(0, 9);
  crawler.owner = row.text(0, 10);
  crawler.owner_oid = row.oid(0, 11);
  return crawler;
}

}  // namespace

// Only the owner itself: tables that a superuser or another member made would be theirs.
Crawler find_own_crawler(const std::string& name) {
  Crawler crawler = read_crawler(name);
  const Oid user = GetUserId();
  if (crawler.owner_oid == user) return crawler;
  const std::string owner = pg::role_name(crawler.owner_oid);
  const std::string label = pg::format("crawler \"%s\"", name.c_str());
  if (owner.empty() || !pg::may_act_as(user, crawler.owner_oid)) pg::fail_not_owner(label, crawler.owner);
  throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    pg::format("%s belongs to role \"%s\"", label.c_str(), crawler.owner.c_str()),
                    "A crawler runs as its owner, to whom its tables belong.",
                    pg::format("Become that role first: SET ROLE %s;", pg::quote_name(owner).c_str()));
}

void write_crawler(const std::string& name, const std::string& settings) {
  static pg::Statement insert{
      "INSERT INTO setup.crawler_settings (crawler_name, location, layer, owner) "
      "SELECT $1, s->>'location', s->>'layer', $3 FROM (SELECT $2::jsonb) AS given(s) WHERE s ?& '{location, layer}'",
      {TEXTOID, TEXTOID, TEXTOID}};
  static pg::Statement update{
      "UPDATE setup.crawler_settings c SET location = r.location, layer = r.layer, path = r.path, "
      "table_prefix = r.table_prefix, on_new_column = r.on_new_column, on_type_change = r.on_type_change, "
      "exclusions = r.exclusions, reader_options = r.reader_options, load_mode = r.load_mode, provenance = "
      "r.provenance "
      "FROM jsonb_populate_record(NULL::setup.crawler_settings, (SELECT to_jsonb(o) FROM setup.crawler_settings o "
      "WHERE o.crawler_name = $1) || $2::jsonb) r WHERE c.crawler_name = $1 RETURNING c.location",
      {TEXTOID, TEXTOID}};
  const Oid user = GetUserId();
  std::string location;
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    if (!hold_own_crawler(user, name) &&
        insert.run({pg::value(name), pg::value(settings), pg::value(pg::role_name(user))}).processed() == 0)
      throw pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED,
                        pg::format("crawler \"%s\" must have a location and a layer", name.c_str()), "",
                        "The location has the files, the layer gets the tables.");
    location = update.run({pg::value(name), pg::value(settings)}).text(0, 0);
  }
  require_use(find_location(location), user);
}

void remove_crawler(const std::string& name) {
  static pg::Statement remove{"DELETE FROM setup.crawler_settings WHERE crawler_name = $1", {TEXTOID}};
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  if (!hold_own_crawler(user, name)) fail_unknown(name);
  remove.run({pg::value(name)});
}

void begin_crawl(const std::string& name) {
  const LOCKTAG tag = lock_of(name);
  const bool is_free =
      pg::guard([&] { return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL; });
  if (is_free) return;
  throw pg::Failure(ERRCODE_OBJECT_IN_USE, pg::format("crawler \"%s\" is running already", name.c_str()),
                    "It runs in another session, until that one's transaction ends.",
                    "Wait until column state of setup.crawlers is READY.");
}

void wait_for_crawl(const std::string& name) {
  const LOCKTAG tag = lock_of(name);
  pg::guard([&] {
    LockAcquire(&tag, ExclusiveLock, false, false);
    AcceptInvalidationMessages();
  });
}

bool is_crawling(const std::string& name) {
  const LOCKTAG tag = lock_of(name);
  return pg::guard([&] {
    int count = 0;
    GetLockConflicts(&tag, ShareLock, &count);
    return count > 0;
  });
}

std::vector<int> crawling_processes(const std::string& name) {
  static pg::Statement find{
      "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND database = $1 "
      "AND classid = $2 AND objid = 0 AND objsubid = $3",
      {OIDOID, OIDOID, INT4OID}};
  const LOCKTAG tag = lock_of(name);
  const pg::Rows rows =
      find.run({pg::value(static_cast<Oid>(tag.locktag_field1)), pg::value(static_cast<Oid>(tag.locktag_field2)),
                pg::value(static_cast<int32_t>(tag.locktag_field4))});
  std::vector<int> processes;
  for (int i = 0; i < rows.size(); ++i) processes.push_back(rows.int4(i, 0));
  return processes;
}

void record_crawl(const std::string& name, bool is_ok, const std::string& message) {
  static pg::Statement record{
      "UPDATE setup.crawler_settings SET last_crawl_at = clock_timestamp(), last_status = $2, last_message = $3 "
      "WHERE crawler_name = $1",
      {TEXTOID, TEXTOID, TEXTOID}};
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  record.run({pg::value(name), pg::value(is_ok ? "OK" : "ERROR"), pg::value(message)});
}

}  // namespace etl
