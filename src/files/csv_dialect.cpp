#include "files/csv_dialect.h"

#include "files/reader.h"
#include "files/stream.h"

namespace etl::files {

namespace {

constexpr const char* kNothing = "(empty)";  // as sniff_csv() says it
constexpr const char* kSampleRows = "2000";
constexpr int64_t kLongestLine = 1'000'000;  // bytes; DuckDB tries many dialects, and takes minutes for longer ones
constexpr int64_t kMostSkipped = 100;

struct Dialect {
  std::string delimiter = ",";
  std::string quote = "\"";
  std::string escape;
  int64_t skip = 0;
};

std::string argument(const char* name, const std::optional<std::string>& value) {
  return value ? std::string(", ") + name + " = " + quote_literal(*value) : "";
}

std::vector<std::string> ask_duckdb(const Database& database, const Source& source, const ReaderOptions& given,
                                    bool leniently) {
  const auto rows =
      query(database, "SELECT Delimiter, Quote, Escape, SkipRows FROM sniff_csv(" +
                          quote_literal(path_of(source.descriptor)) + ", sample_size = " + kSampleRows +
                          ", comment = ''" + argument("delim", given.delimiter) + argument("quote", given.quote) +
                          argument("escape", given.escape) + argument("encoding", given.encoding) +
                          argument("compression", std::string(source.compressed ? "gzip" : "none")) +
                          (given.skip > 0 ? ", skip = " + std::to_string(given.skip) : "") +
                          (leniently ? ", ignore_errors = true)" : ")"));
  return rows.at(0);
}

bool has_long_lines(const Database& database, const Source& source, const ReaderOptions& given) {
  try {
    const auto longest = query(database, "SELECT coalesce(max(strlen(line)), 0) FROM (SELECT line FROM " +
                                             lines_of(source, given) + " LIMIT " + kSampleRows + ")");
    return std::stoll(longest.at(0).at(0)) > kLongestLine;
  } catch (const QueryError&) {
    return true;
  }
}

// What DuckDB finds; COPY's marks where it finds none. Whoever reads the file will say what is wrong with it.
Dialect sniffed(const Database& database, const Source& source, const ReaderOptions& given) {
  Dialect dialect;
  if (has_long_lines(database, source, given)) return dialect;
  for (const bool leniently : {false, true}) {
    try {
      const auto found = ask_duckdb(database, source, given, leniently);
      if (found[0] != kNothing && !found[0].empty()) dialect.delimiter = found[0];
      if (found[1] != kNothing) dialect.quote = found[1];
      if (found[2] != kNothing) dialect.escape = found[2];
      dialect.skip = std::stoll(found[3]);
      return dialect;
    } catch (const QueryError&) {
      continue;
    }
  }
  return dialect;
}

std::vector<std::string> first_lines(const Database& database, const Source& source, const ReaderOptions& options,
                                     int64_t count) {
  std::vector<std::string> lines;
  for (auto& row : query(database, "SELECT line FROM " + lines_of(source, options) + " LIMIT " + std::to_string(count)))
    lines.push_back(std::move(row[0]));
  return lines;
}

size_t fields_in(const std::string& line, const std::string& delimiter, const ReaderOptions& options) {
  CsvMarks marks = marks_of(options);
  marks.delimiter = delimiter;
  const auto fields = split_record(line, marks);
  return fields ? fields->size() : 1;
}

// The mark that the line has most of, if it has none of what was found.
std::string better_delimiter(const std::string& line, const std::string& found, const ReaderOptions& options) {
  if (fields_in(line, found, options) > 1) return found;
  std::string best = ",";
  for (const char* other : {";", "\t", "|"})
    if (fields_in(line, other, options) > fields_in(line, best, options)) best = other;
  return best;
}

}  // namespace

ReaderOptions complete_dialect(const Database& database, const Source& source, const ReaderOptions& given) {
  ReaderOptions options = given;
  const Dialect found = sniffed(database, source, given);
  if (!options.quote) options.quote = found.quote;
  if (!options.escape) options.escape = found.escape.empty() ? *options.quote : found.escape;
  if (!options.encoding) options.encoding = "utf-8";
  if (given.skip == 0 && found.skip > 0 && found.skip <= kMostSkipped) {
    options.skip = found.skip;
    for (const std::string& line : first_lines(database, source, given, found.skip))
      if (fields_in(line, options.delimiter.value_or(found.delimiter), options) > 1) options.skip = 0;
  }
  if (options.delimiter) return options;
  const auto lines = first_lines(database, source, options, 1);
  options.delimiter = lines.empty() ? found.delimiter : better_delimiter(lines[0], found.delimiter, options);
  return options;
}

}  // namespace etl::files
