// Crawling: tables and jobs for the data sets of a location.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace etl {

// What became of one data set: a row of setup.crawl().
struct CrawlOutcome {
  std::string table;     // empty: none
  std::string data_set;  // pattern of its files; of refused files, the first
  int files = 0;
  std::string action;  // created, changed, unchanged, failed, gone, ignored
  std::vector<std::string> changes;
  std::string message;  // or empty
};

// Runs a crawler, in the current transaction and with the current user's rights, who must be its owner. What fails for
// one data set leaves nothing, and does not stop the others. With `dry_run` nothing is changed.
std::vector<CrawlOutcome> run_crawler(const std::string& name, bool dry_run);

}  // namespace etl
