// The files that are loaded, and the tables that take them.
#pragma once

#include <string>
#include <vector>

namespace bench {

// A table by its columns, and the query that makes its rows: %ROWS% stands for their number.
struct DataSet {
  std::string name;
  std::string what;  // for the table that people read
  std::string columns;
  std::string query;
  int64_t rows;  // of the full size
};

// In the order in which they are measured; the first is the one that all formats are tried with.
std::vector<DataSet> data_sets();

}  // namespace bench
