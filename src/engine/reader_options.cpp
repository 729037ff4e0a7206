#include <nlohmann/json.hpp>  // first: the server's headers redefine what it uses

#include "engine/reader_options.h"

namespace etl {

namespace {

using nlohmann::json;

const char* example_of(const std::string& key);

[[noreturn]] void refuse(const std::string& key, const std::string& what) {
  throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("reader option \"%s\" %s", key.c_str(), what.c_str()),
                    "", pg::format("For example {\"%s\": %s}.", key.c_str(), example_of(key)));
}

std::string text_of(const std::string& key, const json& value) {
  if (!value.is_string()) refuse(key, "must be a text");
  return value.get<std::string>();
}

// One character, which COPY and DuckDB both take; or none.
std::string mark_of(const std::string& key, const json& value, bool may_be_empty) {
  const std::string text = text_of(key, value);
  if (text.size() > 1 || (text.empty() && !may_be_empty) || text == "\n" || text == "\r")
    refuse(key, may_be_empty ? "must be a single one-byte character, or empty" : "must be a single one-byte character");
  return text;
}

std::string one_of(const std::string& key, const json& value, std::initializer_list<const char*> words) {
  const std::string text = text_of(key, value);
  std::string list;
  for (const char* word : words) {
    if (text == word) return text;
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  refuse(key, "must be one of " + list);
}

bool truth_of(const std::string& key, const json& value) {
  if (!value.is_boolean()) refuse(key, "must be true or false");
  return value.get<bool>();
}

int64_t lines_of(const std::string& key, const json& value) {
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > 1'000'000)
    refuse(key, "must be a number of lines from 0 to 1000000");
  return value.get<int64_t>();
}

std::vector<KnownColumn> columns_of(const std::string& key, const json& value) {
  std::vector<KnownColumn> columns;
  const bool is_list = value.is_array();
  for (const json& entry : is_list ? value : json::array()) {
    const bool fits = entry.is_object() && entry.contains("file") && entry["file"].is_string() &&
                      entry.contains("column") && entry["column"].is_string() &&
                      (!entry.contains("optional") || entry["optional"].is_boolean());
    if (!fits) refuse(key, R"(must hold objects with "file" and "column")");
    columns.push_back(
        {entry["file"].get<std::string>(), entry["column"].get<std::string>(), entry.value("optional", false)});
  }
  if (!is_list) refuse(key, "must be an array");
  return columns;
}

struct Option {
  const char* example;
  void (*read)(JobReader*, const std::string& key, const json& value);
};

const std::map<std::string, Option>& known_options() {
  static const auto* all = new std::map<std::string, Option>{
      {"format",
       {R"("csv")",
        [](auto* r, auto& k, auto& v) {
          r->format = one_of(k, v, {"csv", "json", "ndjson", "parquet"});
        }}},
      {"compression",
       {R"("gzip")",
        [](auto* r, auto& k, auto& v) {
          r->compressed = one_of(k, v, {"gzip", "none"}) == "gzip";
        }}},
      {"delimiter", {R"(";")", [](auto* r, auto& k, auto& v) { r->options.delimiter = mark_of(k, v, false); }}},
      {"quote", {R"("'")", [](auto* r, auto& k, auto& v) { r->options.quote = mark_of(k, v, true); }}},
      {"escape", {R"("\\")", [](auto* r, auto& k, auto& v) { r->options.escape = mark_of(k, v, true); }}},
      {"header", {"true", [](auto* r, auto& k, auto& v) { r->options.header = truth_of(k, v); }}},
      {"skip", {"1", [](auto* r, auto& k, auto& v) { r->options.skip = lines_of(k, v); }}},
      {"null_string", {R"("NULL")", [](auto* r, auto& k, auto& v) { r->options.null_string = text_of(k, v); }}},
      {"encoding",
       {R"("latin-1")",
        [](auto* r, auto& k, auto& v) { r->options.encoding = one_of(k, v, {"utf-8", "utf-16", "latin-1"}); }}},
      {"decimal_separator",
       {R"(",")", [](auto* r, auto& k, auto& v) { r->options.decimal_separator = one_of(k, v, {".", ","}); }}},
      {"date_format", {R"("%d.%m.%Y")", [](auto* r, auto& k, auto& v) { r->options.date_format = text_of(k, v); }}},
      {"timestamp_format",
       {R"("%d.%m.%Y %H:%M")", [](auto* r, auto& k, auto& v) { r->options.timestamp_format = text_of(k, v); }}},
      {"columns",
       {R"([{"file": "Order Date", "column": "order_date"}])",
        [](auto* r, auto& k, auto& v) { r->columns = columns_of(k, v); }}},
      {"new_columns", {R"("ignore")", [](auto* r, auto& k, auto& v) {
                         r->ignores_new_columns = one_of(k, v, {"fail", "ignore"}) == "ignore";
                       }}}};
  return *all;
}

const char* example_of(const std::string& key) {
  return known_options().at(key).example;
}

// Marks that are not given are COPY's: the escape mark is the quote.
void require_distinct_marks(const files::ReaderOptions& options) {
  const std::string delimiter = options.delimiter.value_or(",");
  const std::string quote = options.quote.value_or("\"");
  for (const auto& [name, mark] : {std::pair("quote", quote), std::pair("escape", options.escape.value_or(quote))})
    if (mark == delimiter)
      throw pg::Failure(
          ERRCODE_INVALID_PARAMETER_VALUE,
          pg::format("reader options \"delimiter\" and \"%s\" are the same character", name),
          pg::format("Both are \"%s\".", mark == "\t" ? "\\t" : mark.c_str()),
          "A field could not be told from the next. What is not given is as for COPY: a comma, and double "
          "quotes.");
}

}  // namespace

JobReader parse_reader_options(const std::string& text) {
  const json options = json::parse(text, nullptr, false);
  if (!options.is_object())
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, "reader_options must be a JSON object", "",
                      R"(For example {"delimiter": ";", "decimal_separator": ","}.)");
  JobReader reader;
  for (const auto& [key, value] : options.items()) {
    const auto found = known_options().find(key);
    if (found == known_options().end()) {
      std::string known;
      for (const auto& [name, option] : known_options()) known += (known.empty() ? "" : ", ") + name;
      throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("reader option \"%s\" is not known", key.c_str()),
                        "", "Known are: " + known + ".");
    }
    found->second.read(&reader, key, value);
  }
  require_distinct_marks(reader.options);
  return reader;
}

std::string reader_options_text(const JobReader& reader) {
  json text = json::object();
  const auto put = [&](const char* key, const auto& value) {
    if (value) text[key] = *value;
  };
  const files::ReaderOptions& options = reader.options;
  put("format", reader.format);
  if (reader.compressed) text["compression"] = *reader.compressed ? "gzip" : "none";
  put("delimiter", options.delimiter);
  put("quote", options.quote);
  put("escape", options.escape);
  put("header", options.header);
  if (options.skip > 0) text["skip"] = options.skip;
  put("null_string", options.null_string);
  put("encoding", options.encoding);
  put("decimal_separator", options.decimal_separator);
  put("date_format", options.date_format);
  put("timestamp_format", options.timestamp_format);
  for (const KnownColumn& column : reader.columns) {
    json entry = {{"file", column.file}, {"column", column.column}};
    if (column.optional) entry["optional"] = true;
    text["columns"].push_back(entry);
  }
  if (reader.ignores_new_columns) text["new_columns"] = "ignore";
  return text.dump();
}

}  // namespace etl
