// Crawlers as users define them, and which of them is running.
//
// A crawler runs in the session of whoever calls setup.crawl(), and as its owner. Meanwhile it holds a lock of its own,
// until the transaction ends: so a crawler that died is not running, and one that runs is not run twice.
#pragma once

#include "crawl/evolution.h"
#include "pg/spi.h"

namespace etl {

// A row of setup.crawler_settings.
struct Crawler {
  std::string name;
  std::string location;
  std::string layer;
  std::string path;
  std::string table_prefix;
  crawl::Policy policy;
  std::vector<std::string> exclusions;
  std::string reader_options;  // JSON
  std::string load_mode;
  bool provenance = false;
  std::string owner;
  Oid owner_oid = InvalidOid;
};

// Failure: undefined_object where there is none; insufficient_privilege where the current user is not its owner.
Crawler find_own_crawler(const std::string& name);

// Writes the row of a crawler: `settings` is a JSON object with those of its columns that are to change. A new one
// belongs to the current user. Failure (insufficient_privilege) where it is somebody else's, or its location is not the
// current user's to use.
void write_crawler(const std::string& name, const std::string& settings);
void remove_crawler(const std::string& name);

// Failure (object_in_use) where it runs in another session. Holds until the end of the transaction.
void begin_crawl(const std::string& name);
// The same, but waits until it does not run in another session; what that one made can be seen then.
void wait_for_crawl(const std::string& name);
bool is_crawling(const std::string& name);  // in another session
// The other sessions in which it runs: one at most. Needs an open Spi and the engine's rights.
std::vector<int> crawling_processes(const std::string& name);

// What became of a crawl, for setup.crawlers.
void record_crawl(const std::string& name, bool is_ok, const std::string& message);

}  // namespace etl
