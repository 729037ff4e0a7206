// Files as DuckDB's SQL sees them.
//
// A CSV file's columns are read as text, in their order, as c0, c1 and so on: what is in them is decided by the type of
// the table's column, not by DuckDB. Parquet and JSON columns go by their names.
#pragma once

#include "files/csv_top.h"
#include "files/duckdb_api.h"

namespace etl::files {

// How DuckDB goes about a CSV file.
struct CsvReading {
  bool keeps_rejects = false;   // rows that cannot be taken apart go to its table reject_errors, instead of failing
  bool leaves_bad_out = false;  // likewise, into nowhere
  const CsvTop* top = nullptr;  // what stands above its rows; null: that is to be read
  bool parallel = false;        // by threads that begin anywhere, and do not know whether that is in quotes
};

// The table function that reads a file with these columns, such as read_csv('/proc/self/fd/7', ...).
// `types`: of a JSON file's columns, as DuckDB calls them; where none are given they are read as text.
std::string reader_of(const Source& source, const ReaderOptions& options, const std::vector<std::string>& columns,
                      const CsvReading& reading, const std::vector<std::string>& types = {});

// The table function that gives a JSON file's records as they are, be they an array or not: column "json".
std::string objects_of(const Source& source);

// How the reader's query calls column number `i` of a file, quoted.
std::string column_of(const Source& source, const std::vector<std::string>& columns, size_t i);

// A column of a JSON or Parquet file, with the type that DuckDB gives it.
struct Described {
  std::string name;
  std::string type;
};
std::vector<Described> parquet_columns(const Database& database, const Source& source);

// Session::column_names(). Throws QueryError, too.
std::vector<std::string> read_column_names(const Database& database, const Source& source,
                                           const ReaderOptions& options);

}  // namespace etl::files
