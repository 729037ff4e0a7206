#include "files/reader.h"

#include "files/beginning.h"
#include "files/csv_top.h"
#include "files/json_columns.h"
#include "files/lines.h"
#include "files/problems.h"
#include "files/stream.h"

namespace etl::files {

namespace {

constexpr const char* kBufferBytes = "33554432";

// `none`: what the reader calls it where there is none.
std::string compression_of(const Source& source, const std::string& none = "none") {
  return ", compression = " + quote_literal(source.compressed ? "gzip" : none);
}

std::string quote_mark(char mark) {
  return quote_literal(mark == '\0' ? std::string() : std::string(1, mark));
}

// As DuckDB wants it to be spelled.
const char* spelled(const std::string& line_end) {
  if (line_end == "\r\n") return "\\r\\n";
  return line_end == "\r" ? "\\r" : "\\n";
}

std::string csv_reader(const Source& source, const ReaderOptions& options, const std::string& columns,
                       const CsvReading& reading) {
  const locations::CsvMarks marks = marks_of(options);
  const CsvTop top = reading.top != nullptr ? *reading.top : read_top(source, options);
  // strict_mode is left on: what is no CSV is an error, not a guess.
  return "read_csv(" + quote_literal(path_of(source.descriptor)) + ", auto_detect = false, columns = {" + columns +
         "}, delim = " + quote_mark(marks.delimiter) + ", quote = " + quote_mark(marks.quote) +
         ", escape = " + quote_mark(marks.escape) + ", header = " + (options.header.value_or(true) ? "true" : "false") +
         ", skip = " + std::to_string(top.skipped_records) + ", new_line = " + quote_literal(spelled(top.line_end)) +
         ", nullstr = " + quote_literal(options.null_string.value_or("")) +
         ", allow_quoted_nulls = false, comment = '', encoding = " + quote_literal(options.encoding.value_or("utf-8")) +
         ", max_line_size = " + std::to_string(kMostLineBytes) + ", buffer_size = " + kBufferBytes +
         (reading.keeps_rejects ? ", store_rejects = true" : "") +
         (reading.leaves_bad_out ? ", ignore_errors = true" : "") + (reading.parallel ? "" : ", parallel = false") +
         compression_of(source) + ")";
}

std::string named_columns(const std::vector<std::string>& columns, const std::vector<std::string>& types) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i)
    text += (i == 0 ? "" : ", ") + quote_literal(columns[i]) + ": '" + (types.empty() ? "VARCHAR" : types[i]) + "'";
  return text;
}

std::string numbered_columns(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += (i == 0 ? "" : ", ") + quote_literal("c" + std::to_string(i)) + ": 'VARCHAR'";
  return text;
}

std::string json_reader(const std::string& function, const Source& source, const std::string& columns) {
  return function + "(" + quote_literal(path_of(source.descriptor)) + ", format = 'auto'" +
         compression_of(source, "uncompressed") + ", maximum_object_size = " + std::to_string(kMostLineBytes) +
         columns + ")";
}

std::string parquet_reader(const Source& source) {
  return "read_parquet(" + quote_literal(path_of(source.descriptor)) + ")";
}

}  // namespace

std::string reader_of(const Source& source, const ReaderOptions& options, const std::vector<std::string>& columns,
                      const CsvReading& reading, const std::vector<std::string>& types) {
  if (source.format == Format::kParquet) return parquet_reader(source);
  if (source.format == Format::kJson)
    return json_reader("read_json", source, ", columns = {" + named_columns(columns, types) + "}");
  return csv_reader(source, options, numbered_columns(columns.size()), reading);
}

std::string objects_of(const Source& source) {
  return json_reader("read_json_objects", source, "");
}

std::string column_of(const Source& source, const std::vector<std::string>& columns, size_t i) {
  return quote_identifier(source.format == Format::kCsv ? "c" + std::to_string(i) : columns[i]);
}

std::vector<Described> parquet_columns(const Database& database, const Source& source) {
  std::vector<Described> columns;
  for (auto& row : query(database, "DESCRIBE SELECT * FROM " + parquet_reader(source)))
    columns.push_back({std::move(row[0]), std::move(row[1])});
  return columns;
}

std::vector<std::string> read_column_names(const Database& database, const Source& source,
                                           const ReaderOptions& options) {
  check_beginning(source, options, false);
  std::vector<std::string> names;
  if (source.format == Format::kCsv) {
    names = read_top(source, options).columns;
  } else if (source.format == Format::kJson) {
    names = json_names(database, source);
  } else {
    for (Described& column : parquet_columns(database, source)) names.push_back(std::move(column.name));
  }
  if (names.size() > kMostColumns) throw too_many_columns(source, names.size());
  return names;
}

}  // namespace etl::files
