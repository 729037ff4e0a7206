// Files as DuckDB's SQL sees them.
//
// A CSV file's columns are read as text, in their order, as c0, c1 and so on: what is in them is decided by the type of
// the table's column, not by DuckDB. Parquet and JSON columns go by their names.
#pragma once

#include "files/csv_record.h"
#include "files/duckdb_api.h"

namespace etl::files {

// The marks that a file is read with: those given, or COPY's.
CsvMarks marks_of(const ReaderOptions& options);

// The table function that reads a file with these columns, such as read_csv('/proc/self/fd/7', ...).
// `keeps_rejects`: rows of a CSV file that cannot be taken apart go to DuckDB's table reject_errors.
// `types`: of a JSON file's columns, as DuckDB calls them; where none are given they are read as text.
std::string reader_of(const Source& source, const ReaderOptions& options, const std::vector<std::string>& columns,
                      bool keeps_rejects, const std::vector<std::string>& types = {});

// The table function that gives a text file's lines as they are, also of a compressed one: column "line".
std::string lines_of(const Source& source, const ReaderOptions& options);

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

// Module::column_names().
std::vector<std::string> read_column_names(const Source& source, const ReaderOptions& options, const Limits& limits);
std::vector<std::string> read_column_names(const Database& database, const Source& source,
                                           const ReaderOptions& options);

}  // namespace etl::files
