// From the files beneath a directory to data sets: what becomes one table each.
//
//   partitions   files beneath "sales/year=2024/month=01", of one type: one set "sales", with columns year and month
//   folder       several files of one type in one directory, if their columns are the same: one set
//   file         any other file
//
// Which of a directory's files have the same columns the caller finds out: group_files() gives it a candidate, which it
// may take apart again. What an earlier crawl found stays as it is: a file that an earlier set's pattern matches
// belongs to that set, and beside a file that is a set of its own every file of the directory is one.
#pragma once

#include <string>
#include <vector>

#include "locations/file_type.h"

namespace etl::crawl {

struct DataSet {
  enum class Kind { kFile, kFolder, kPartitions };

  Kind kind = Kind::kFile;
  std::string name;     // the file's path, or the folder's; "" is the directory that was crawled
  std::string pattern;  // of its files' paths
  locations::FileType type;
  std::vector<std::string> files;       // their paths
  std::vector<std::string> partitions;  // names of the columns, as the folders say them
  bool is_known = false;                // found by an earlier crawl
};

// The data sets of some files, in the order of their names; all paths are relative to the location. `known`: patterns
// of the sets that were found before. Files of no known type are left out.
std::vector<DataSet> group_files(const std::vector<std::string>& files, const std::vector<std::string>& known);

// Each file of a folder as a set of its own.
std::vector<DataSet> split(const DataSet& folder);

// The pattern that only this path matches.
std::string pattern_of_path(const std::string& path);

// The name of a data set's table: `prefix`, then the components of the set's name beneath `root` joined by underscores,
// without the extension, all folded. `fallback` stands for a set that is the root itself.
std::string table_name_of(const DataSet& set, const std::string& root, const std::string& prefix,
                          const std::string& fallback);

// The type of a partition column: as of any column, but two digits are a number (month=01).
std::string partition_type(const std::vector<std::string>& values);

}  // namespace etl::crawl
