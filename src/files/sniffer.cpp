#include "files/sniffer.h"

#include <map>

#include "crawl/column_types.h"
#include "files/beginning.h"
#include "files/csv_dialect.h"
#include "files/json_columns.h"
#include "files/lines.h"
#include "files/problems.h"
#include "files/reader.h"
#include "files/stream.h"
#include "locations/text.h"

namespace etl::files {

namespace {

constexpr int64_t kFewestRows = 1000;
constexpr int64_t kMostCells = 2'000'000;  // of a sample: a second or two

pg::Failure refusal(const Source& source, const std::string& what) {
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" %s", source.name.c_str(), what.c_str()));
}

std::string sample_of(const std::string& reader, size_t columns, int64_t rows, bool without_first) {
  const int64_t bound = std::max(kFewestRows, kMostCells / static_cast<int64_t>(columns));
  return "SELECT * FROM " + reader + " LIMIT " + std::to_string(std::min(rows, bound)) +
         (without_first ? " OFFSET 1" : "");
}

void collect(const Chunk& chunk, std::vector<crawl::Evidence>* evidence) {
  const size_t rows = chunk.rows();
  for (size_t column = 0; column < evidence->size(); ++column) {
    duckdb_vector vector = chunk.column(column);
    uint64_t* validity = duckdb_vector_get_validity(vector);
    const auto* texts = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector));
    for (size_t row = 0; row < rows; ++row)
      if (validity == nullptr || duckdb_validity_row_is_valid(validity, row))
        (*evidence)[column].add(text_of(texts[row]));
  }
}

std::vector<crawl::Evidence> read_evidence(const Database& database, const std::string& sample, size_t columns) {
  std::vector<crawl::Evidence> evidence(columns);
  Stream stream(database, sample, [&](Batch* batch) { collect(batch->chunk, &evidence); });
  while (stream.next()) continue;
  return evidence;
}

// How many values fit the given formats.
void count_matches(const Database& database, const std::string& sample, const ReaderOptions& options,
                   std::vector<crawl::Evidence>* evidence) {
  if (!options.date_format && !options.timestamp_format) return;
  std::string counts;
  for (size_t i = 0; i < evidence->size(); ++i)
    for (const auto& format : {options.date_format, options.timestamp_format})
      counts += (counts.empty() ? "" : ", ") +
                (format ? "count(try_strptime(c" + std::to_string(i) + ", " + quote_literal(*format) + "))" : "0");
  const auto found = query(database, "SELECT " + counts + " FROM (" + sample + ")");
  for (size_t i = 0; i < evidence->size(); ++i)
    (*evidence)[i].set_matches(std::stoll(found[0][2 * i]), std::stoll(found[0][2 * i + 1]));
}

void check_names(const Source& source, const std::vector<std::string>& names) {
  if (names.empty()) throw refusal(source, "has no columns");
}

// DuckDB would leave a row out that is not in the file's encoding, and its values would have no say in the types.
void require_encoding(const Source& source, const ReaderOptions& options, int64_t rows) {
  LineReader lines(source, options);
  std::string line;
  for (int64_t i = 1; i <= rows + 1 && lines.next(&line) && !lines.was_too_long(); ++i) {
    if (locations::is_valid_utf8(line)) continue;
    throw pg::Failure(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
                      pg::format("file \"%s\", line %lld: is not in the file's encoding", source.name.c_str(),
                                 static_cast<long long>(options.skip + i)),
                      "The line is: " + locations::printable(line, kMostShown), kEncodingHint);
  }
}

Shape sniff_csv(const Database& database, const Source& source, const ReaderOptions& given, int64_t rows) {
  Shape shape;
  ReaderOptions& options = shape.options;
  options = complete_dialect(database, source, given);
  std::vector<std::string> names = read_column_names(database, source, options);
  check_names(source, names);
  require_encoding(source, options, rows);
  ReaderOptions plain = options;
  plain.header = false;
  const auto sample_by = [&](const CsvReading& reading) {
    return sample_of(reader_of(source, plain, names, reading), names.size(), rows, true);
  };
  // Rows that cannot be taken apart are left out: types are found without them, unless there are no others.
  const std::string sample = sample_by({.leaves_bad_out = true});
  std::vector<crawl::Evidence> evidence = read_evidence(database, sample, names.size());
  if (std::ranges::none_of(evidence, &crawl::Evidence::has_values))
    read_evidence(database, sample_by({}), names.size());
  count_matches(database, sample, options, &evidence);
  if (!options.header) options.header = crawl::is_header(names, evidence);
  if (!*options.header) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) evidence[i].add(names[i]);
      names[i] = "column" + std::to_string(i);
    }
  }
  shape.columns = crawl::decide_types(names, evidence, &options);
  if (std::ranges::all_of(shape.columns, [](const Column& it) { return it.name.empty() && !it.has_values; }))
    throw refusal(source, "has no columns");
  return shape;
}

// The type of PostgreSQL for a type of DuckDB.
std::string type_for(const std::string& duck_type) {
  static const std::map<std::string, std::string> kTypes = {{"BOOLEAN", "boolean"},
                                                            {"TINYINT", "smallint"},
                                                            {"UTINYINT", "smallint"},
                                                            {"SMALLINT", "smallint"},
                                                            {"USMALLINT", "integer"},
                                                            {"INTEGER", "integer"},
                                                            {"UINTEGER", "bigint"},
                                                            {"BIGINT", "bigint"},
                                                            {"UBIGINT", "numeric"},
                                                            {"HUGEINT", "numeric"},
                                                            {"UHUGEINT", "numeric"},
                                                            {"FLOAT", "real"},
                                                            {"DOUBLE", "double precision"},
                                                            {"DATE", "date"},
                                                            {"TIME", "time"},
                                                            {"TIME WITH TIME ZONE", "timetz"},
                                                            {"TIMESTAMP", "timestamp"},
                                                            {"TIMESTAMP_S", "timestamp"},
                                                            {"TIMESTAMP_MS", "timestamp"},
                                                            {"TIMESTAMP_NS", "timestamp"},
                                                            {"TIMESTAMP WITH TIME ZONE", "timestamptz"},
                                                            {"UUID", "uuid"},
                                                            {"BLOB", "bytea"},
                                                            {"INTERVAL", "interval"},
                                                            {"JSON", "jsonb"}};
  const auto found = kTypes.find(duck_type);
  if (found != kTypes.end()) return found->second;
  if (duck_type.ends_with(']') || duck_type.starts_with("STRUCT(") || duck_type.starts_with("MAP(")) return "jsonb";
  if (duck_type.starts_with("DECIMAL(")) return "numeric" + duck_type.substr(strlen("DECIMAL"));
  return "text";
}

bool is_number(const std::string& type) {
  return type == "integer" || type == "bigint" || type == "numeric" || type == "double precision" || type == "smallint";
}

// `described`: of DuckDB's type for the whole column; `seen`: of the texts of its first values.
std::string json_type(const std::string& described, const std::string& seen) {
  if (described == "boolean" || described == "jsonb") return described;
  if (described == "double precision") return seen == "numeric" ? seen : described;  // there are fractions
  if (is_number(described)) return is_number(seen) ? seen : described;
  return seen == "boolean" || is_number(seen) ? "text" : seen;  // a number in quotes is a text: its author said so
}

Shape sniff_json(const Database& database, const Source& source, const ReaderOptions& given,
                 const std::vector<Described>& described, int64_t rows) {
  std::vector<std::string> names;
  for (const Described& column : described) names.push_back(column.name);
  Shape shape;
  shape.options = given;
  const std::vector<crawl::Evidence> evidence =
      read_evidence(database, sample_of(reader_of(source, given, names, {}), names.size(), rows, false), names.size());
  shape.columns = crawl::decide_types(names, evidence, &shape.options);
  for (size_t i = 0; i < names.size(); ++i)
    if (shape.columns[i].has_values)
      shape.columns[i].type = json_type(type_for(described[i].type), shape.columns[i].type);
  return shape;
}

}  // namespace

Shape sniff_shape(const Database& database, const Source& source, const ReaderOptions& options, int64_t rows) {
  check_beginning(source, options, true);
  if (source.format == Format::kCsv) return sniff_csv(database, source, options, rows);
  const std::vector<Described> described =
      source.format == Format::kJson ? json_columns(database, source) : parquet_columns(database, source);
  std::vector<std::string> names;
  for (const Described& column : described) names.push_back(column.name);
  check_names(source, names);
  if (source.format == Format::kJson) return sniff_json(database, source, options, described, rows);
  Shape shape;
  shape.options = options;
  for (const Described& column : described) shape.columns.push_back({column.name, type_for(column.type)});
  return shape;
}

}  // namespace etl::files
