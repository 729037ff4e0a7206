// What a crawler finds: data sets and their shapes. Reads files; changes nothing.
#pragma once

#include "crawl/data_sets.h"
#include "engine/crawler_catalog.h"
#include "engine/reader_options.h"

namespace etl {

// A job that an earlier crawl of the same crawler made.
struct CrawledJob {
  std::string name;
  std::string table;    // as SQL writes it
  std::string pattern;  // file_path
  JobReader reader;
  bool is_enabled = true;
};

struct ScannedSet {
  crawl::DataSet set;
  files::Shape shape;
  std::vector<bool> in_all_files;     // by column of the shape: every file that was looked at has it
  std::vector<std::string> problems;  // of files that could not be read
  std::vector<crawl::TableColumn> partitions;
  const CrawledJob* job = nullptr;  // that loads it already
  bool is_readable = false;         // a shape was found
};

// Files that are not to be read, for one reason.
struct RefusedFiles {
  std::string reason;
  std::string first;  // path
  int count = 0;
};

struct Scan {
  std::vector<ScannedSet> sets;
  std::vector<RefusedFiles> refused;
  std::vector<const CrawledJob*> gone;  // of which no file is there any more, nor one that a rule refuses
};

// An error as one line of a report.
std::string told(const pg::Failure& failure);

// Failure (undefined_file) where the crawler's path is no directory. Of a data set at most 64 files are looked at: the
// first, the last, and some between.
Scan scan(const Crawler& crawler, const std::vector<CrawledJob>& jobs);

}  // namespace etl
