#include "files/reader.h"

#include "files/beginning.h"
#include "files/json_columns.h"
#include "files/lines.h"
#include "files/problems.h"
#include "files/stream.h"

namespace etl::files {

namespace {

constexpr const char* kBufferBytes = "33554432";
// One thread: where rows may be wrong, one that begins in the middle does not know whether it is in quotes.
constexpr const char* kKeepingRejects = ", store_rejects = true, parallel = false)";
constexpr size_t kMostColumns = 1600;  // of a table
constexpr size_t kMostHeaderLines = 100;

// `none`: what the reader calls it where there is none.
std::string compression_of(const Source& source, const std::string& none = "none") {
  return ", compression = " + quote_literal(source.compressed ? "gzip" : none);
}

std::string csv_reader(const Source& source, const ReaderOptions& options, const std::string& columns,
                       const CsvMarks& marks, bool header, int64_t skip) {
  // strict_mode is left on: what is no CSV is an error, not a guess.
  return "read_csv(" + quote_literal(path_of(source.descriptor)) + ", auto_detect = false, columns = {" + columns +
         "}, delim = " + quote_literal(marks.delimiter) + ", quote = " + quote_literal(marks.quote) +
         ", escape = " + quote_literal(marks.escape) + ", header = " + (header ? "true" : "false") +
         ", skip = " + std::to_string(skip) + ", nullstr = " + quote_literal(options.null_string.value_or("")) +
         ", allow_quoted_nulls = false, comment = '', encoding = " + quote_literal(options.encoding.value_or("utf-8")) +
         ", max_line_size = " + std::to_string(kMostLineBytes) + ", buffer_size = " + kBufferBytes +
         compression_of(source);
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

pg::Failure bad_header(const Source& source, const char* what) {
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" has no header", source.name.c_str()), what,
                     "Its first line must name its columns.");
}

std::vector<std::string> csv_names(const Source& source, const ReaderOptions& options) {
  const CsvMarks marks = marks_of(options);
  LineReader lines(source, options);
  std::string record;
  std::string line;
  for (size_t count = 0; lines.next(&line); ++count) {
    if (lines.was_too_long()) throw too_long(source);
    if (printable(line) != line)
      throw pg::Failure(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
                        pg::format("the header of file \"%s\" is not in its encoding", source.name.c_str()),
                        "It is: " + printable(line, kMostShown), kEncodingHint);
    record += line;
    if (const auto fields = split_record(record.ends_with('\r') ? record.substr(0, record.size() - 1) : record, marks))
      return *fields;
    if (count == kMostHeaderLines) break;
    record += '\n';
  }
  if (!record.empty()) throw bad_header(source, "A quote in its first line does not end.");
  return {};
}

}  // namespace

CsvMarks marks_of(const ReaderOptions& options) {
  CsvMarks marks;
  marks.delimiter = options.delimiter.value_or(marks.delimiter);
  marks.quote = options.quote.value_or(marks.quote);
  marks.escape = options.escape.value_or(marks.quote);
  return marks;
}

std::string reader_of(const Source& source, const ReaderOptions& options, const std::vector<std::string>& columns,
                      bool keeps_rejects, const std::vector<std::string>& types) {
  if (source.format == Format::kParquet) return parquet_reader(source);
  if (source.format == Format::kJson)
    return json_reader("read_json", source, ", columns = {" + named_columns(columns, types) + "}");
  return csv_reader(source, options, numbered_columns(columns.size()), marks_of(options), options.header.value_or(true),
                    options.skip) +
         (keeps_rejects ? kKeepingRejects : ")");
}

std::string lines_of(const Source& source, const ReaderOptions& options) {
  const CsvMarks none{"\x01", "", ""};
  return csv_reader(source, options, "'line': 'VARCHAR'", none, false, options.skip) + ")";
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

std::vector<std::string> read_column_names(const Source& source, const ReaderOptions& options, const Limits& limits) {
  return explained(source, [&] {
    const Database database(limits, {source.descriptor});
    return read_column_names(database, source, options);
  });
}

std::vector<std::string> read_column_names(const Database& database, const Source& source,
                                           const ReaderOptions& options) {
  check_beginning(source, options, false);
  std::vector<std::string> names;
  if (source.format == Format::kCsv) {
    names = csv_names(source, options);
  } else if (source.format == Format::kJson) {
    names = json_names(database, source);
  } else {
    for (Described& column : parquet_columns(database, source)) names.push_back(std::move(column.name));
  }
  if (names.size() > kMostColumns)
    throw pg::Failure(ERRCODE_TOO_MANY_COLUMNS,
                      pg::format("file \"%s\" has %zu columns", source.name.c_str(), names.size()),
                      pg::format("A table has %zu at most.", kMostColumns));
  return names;
}

}  // namespace etl::files
