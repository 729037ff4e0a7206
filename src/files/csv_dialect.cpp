#include "files/csv_dialect.h"

#include "files/lines.h"
#include "files/stream.h"

namespace etl::files {

namespace {

constexpr const char* kNothing = "(empty)";  // as sniff_csv() says it
constexpr size_t kSampleLines = 2000;
constexpr size_t kSampleBytes = 64 << 20;
constexpr size_t kLongestLine = 1'000'000;  // bytes; DuckDB tries many dialects, and takes minutes for longer ones
constexpr size_t kMostSkipped = 100;
constexpr size_t kMostHeaderLines = 100;

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
  const auto rows = query(database, "SELECT Delimiter, Quote, Escape, SkipRows FROM sniff_csv(" +
                                        quote_literal(path_of(source.descriptor)) +
                                        ", sample_size = " + std::to_string(kSampleLines) + ", comment = ''" +
                                        argument("delim", given.delimiter) + argument("quote", given.quote) +
                                        argument("escape", given.escape) + argument("encoding", given.encoding) +
                                        argument("compression", std::string(source.compressed ? "gzip" : "none")) +
                                        (given.skip > 0 ? ", skip = " + std::to_string(given.skip) : "") +
                                        (leniently ? ", ignore_errors = true)" : ")"));
  return rows.at(0);
}

bool has_long_lines(const Source& source, const ReaderOptions& given) {
  LineReader lines(source, given);
  std::string line;
  size_t bytes = 0;
  for (size_t i = 0; i < kSampleLines && bytes < kSampleBytes && lines.next(&line); ++i) {
    if (line.size() > kLongestLine) return true;
    bytes += line.size();
  }
  return false;
}

// What DuckDB finds; COPY's marks where it finds none. Whoever reads the file will say what is wrong with it.
Dialect sniffed(const Database& database, const Source& source, const ReaderOptions& given) {
  Dialect dialect;
  if (has_long_lines(source, given)) return dialect;
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

// Lines of a file joined by LF.
std::string first_lines(const Source& source, const ReaderOptions& options, size_t count) {
  LineReader lines(source, options);
  std::string text;
  std::string line;
  for (size_t i = 0; i < count && text.size() < kLongestLine && lines.next(&line); ++i) text += line + "\n";
  return text;
}

// How many fields the first record has with this delimiter.
size_t fields_with(const std::string& delimiter, const ReaderOptions& options, std::string_view text) {
  ReaderOptions trial = options;
  trial.delimiter = delimiter;
  const locations::CsvMarks marks = marks_of(trial);
  const auto record = locations::first_record(text, false, marks);
  if (!record) return 1;
  const locations::CsvShape shape = locations::shape_of(*record, marks);
  return shape.has_text_behind ? 1 : shape.fields;
}

// The mark that the first record has most of, if it has none of what was found.
std::string better_delimiter(const std::string& found, const ReaderOptions& options, std::string_view text) {
  if (fields_with(found, options, text) > 1) return found;
  std::string best = ",";
  for (const char* other : {";", "\t", "|"})
    if (fields_with(other, options, text) > fields_with(best, options, text)) best = other;
  return best;
}

// Lines are skipped that have no fields; DuckDB counts records.
bool are_above_columns(std::string_view lines, const ReaderOptions& options) {
  const locations::CsvMarks marks = marks_of(options);
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size() - 1);
    const locations::CsvShape shape = locations::shape_of(lines.substr(0, end), marks);
    if (shape.fields > 1 || shape.is_open || shape.has_text_behind) return false;
    lines.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

ReaderOptions complete_dialect(const Database& database, const Source& source, const ReaderOptions& given) {
  ReaderOptions options = given;
  const Dialect found = sniffed(database, source, given);
  if (!options.quote) options.quote = found.quote;
  if (!options.escape) options.escape = found.escape.empty() ? *options.quote : found.escape;
  if (!options.encoding) options.encoding = "utf-8";
  if (given.skip == 0 && found.skip > 0 && found.skip <= static_cast<int64_t>(kMostSkipped)) {
    ReaderOptions trial = options;
    trial.delimiter = options.delimiter.value_or(found.delimiter);
    if (are_above_columns(first_lines(source, given, static_cast<size_t>(found.skip)), trial))
      options.skip = found.skip;
  }
  if (!options.delimiter)
    options.delimiter = better_delimiter(found.delimiter, options, first_lines(source, options, kMostHeaderLines));
  return options;
}

}  // namespace etl::files
