// What the module etl_files offers to the engine, which loads it when a file function is called: engine/files_module.h.
//
// Errors are thrown as pg::Error and pg::Failure: both modules are built together, and share the C++ library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace etl::files {

// The bounds of DuckDB, set by the caller from the settings of the extension.
struct Limits {
  int threads = 1;
  int64_t memory_bytes = 256 << 20;
  std::string temp_directory;  // empty: nothing is written to disk
};

enum class Format { kCsv, kJson, kParquet };

// A file that the caller has opened. DuckDB reads the descriptor, never a path; the caller closes it.
struct Source {
  int descriptor = -1;
  std::string name;  // as messages and provenance columns call it: the path beneath its location
  Format format = Format::kCsv;
  bool compressed = false;  // gzip
};

// How to read a file. Where a CSV option is empty, it is COPY's: comma, double quote, header, empty is null.
struct ReaderOptions {
  std::optional<std::string> delimiter;
  std::optional<std::string> quote;   // empty string: none
  std::optional<std::string> escape;  // as quote where not given
  std::optional<bool> header;
  int64_t skip = 0;  // lines before the header
  std::optional<std::string> null_string;
  std::optional<std::string> encoding;
  std::optional<std::string> decimal_separator;
  std::optional<std::string> date_format;       // as strptime takes it, such as %d.%m.%Y
  std::optional<std::string> timestamp_format;  // likewise
};

// A column of a file, as it calls it, with the type that its values fit: a type of PostgreSQL, as SQL writes it.
struct Column {
  std::string name;
  std::string type;
  bool has_values = true;  // false: none was seen, and text is for want of anything better
};

// What a file looks like: the columns, and for CSV the options that read it so.
struct Shape {
  ReaderOptions options;
  std::vector<Column> columns;
};

// A column of the file and the column of the table that takes it.
struct Match {
  size_t file_column;  // number in LoadRequest::file_columns, from 0
  int attribute;       // number of the table's column
};

// A constant for all rows of a file: a partition column's, from its path.
struct Constant {
  int attribute;
  std::optional<std::string> text;  // none: null
};

struct Provenance {  // numbers of the table's columns; 0: none
  int file = 0;
  int row = 0;
  int loaded_at = 0;
};

// A row that was put aside.
struct Reject {
  int64_t line;  // of the file, from 1, where the row begins; 0: unknown
  std::string column;
  std::string raw;
  std::string sqlstate;
  std::string error;
};

// Takes rows that do not fit, in the order of the file, some thousands at a time. What it throws ends the load.
using RejectSink = std::function<void(const std::vector<Reject>&)>;

struct LoadRequest {
  Source source;
  ReaderOptions options;
  unsigned int table = 0;                 // its oid: columns, types, constraints
  unsigned int heap = 0;                  // where the rows go: the table, or the heap of a Replacement
  std::vector<std::string> file_columns;  // all of them, in the file's order
  std::vector<Match> columns;
  std::vector<Constant> constants;
  Provenance provenance;
  std::string loaded_at;     // for provenance: the time of the load, as SQL writes it
  int rescue_attribute = 0;  // of type jsonb: takes what the file has and the table has not; 0: none
  RejectSink put_aside;      // none: the load fails at the first row that does not fit
  int64_t first_row = 1;     // number of the file's first row, for provenance
};

struct LoadResult {
  int64_t rows = 0;
  int64_t rejected = 0;
};

// Where an export goes: a file, or one for each combination of values of the columns by which it is parted.
class ExportTarget {
 public:
  virtual ~ExportTarget() = default;

  // The descriptor of a new, empty file for the rows with these values (none: null), which are written next. The target
  // closes it. May come again with the same values.
  virtual int open(const std::vector<std::optional<std::string>>& partition) = 0;

  // That many rows were written to it, and these are all.
  virtual void close(int64_t rows) = 0;
};

struct ExportRequest {
  std::string table;                   // or view, as SQL writes it
  std::vector<std::string> columns;    // those of the file
  std::vector<std::string> parted_by;  // columns that say which file
  Format format = Format::kParquet;    // JSON: an object on each line
  bool compressed = false;             // gzip
  std::string name;                    // as messages call it
  Limits limits;
};

// Reads files one after the other through one DuckDB: to start that takes longer than to read a small file.
class Session {
 public:
  virtual ~Session() = default;

  // The names of a file's columns, in its order: of a CSV file its header's, as they are there.
  virtual std::vector<std::string> column_names(const Source& source, const ReaderOptions& options) = 0;

  // Finds out what a file looks like: types over its first `rows` rows. Given options hold.
  virtual Shape sniff(const Source& source, const ReaderOptions& options, int64_t rows) = 0;

  // Loads a file into a heap. Permissions have been checked.
  virtual LoadResult load(const LoadRequest& request) = 0;
};

class Module {
 public:
  virtual ~Module() = default;

  // It belongs to no transaction.
  virtual std::unique_ptr<Session> open(const Limits& limits) const = 0;

  // Writes the rows that the current user may SELECT.
  virtual void export_table(const ExportRequest& request, ExportTarget* target) const = 0;
};

// The name of the function that returns the module: a const Module*.
inline constexpr const char* kModuleFunction = "etl_files_module";

}  // namespace etl::files
