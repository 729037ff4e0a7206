#include "files/json_columns.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "files/stream.h"
#include "pg/guard.h"

namespace etl::files {

namespace {

// A step of a JSON pointer.
std::string pointer_to(const std::string& name) {
  std::string pointer = "/";
  for (const char c : name) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

// `kinds`: what the values are, as DuckDB's json_type() calls it.
std::string type_of(std::set<std::string> kinds) {
  kinds.erase("NULL");
  const auto only = [&](const std::set<std::string>& allowed) { return std::ranges::includes(allowed, kinds); };
  if (kinds.empty()) return "VARCHAR";
  if (only({"BOOLEAN"})) return "BOOLEAN";
  if (only({"BIGINT", "UBIGINT"})) return "BIGINT";
  if (only({"BIGINT", "DOUBLE", "UBIGINT"})) return "DOUBLE";
  const bool has_inside = kinds.contains("OBJECT") || kinds.contains("ARRAY");
  return has_inside && !kinds.contains("VARCHAR") ? "JSON" : "VARCHAR";  // a text among others is not quoted
}

}  // namespace

std::vector<std::string> json_names(const Database& database, const Source& source) {
  std::vector<std::string> names;
  const std::string fields =
      "SELECT CASE json_type(json) WHEN 'OBJECT' THEN json_keys(json) ELSE [NULL] END AS keys "
      "FROM " +
      objects_of(source);
  for (auto& row : query(database,
                         "SELECT name IS NULL, name FROM (SELECT unnest(keys) AS name, "
                         "unnest(range(len(keys))) AS place FROM (" +
                             fields +
                             ")) GROUP BY name "
                             "ORDER BY min(place), count(*) DESC, name LIMIT 10000")) {
    if (row[0] == "true")
      throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                        pg::format("file \"%s\" has values that are not objects", source.name.c_str()),
                        "Each row must be an object: {\"column\": value, ...}.");
    names.push_back(std::move(row[1]));
  }
  return names;
}

std::vector<Described> json_columns(const Database& database, const Source& source) {
  std::vector<Described> columns;
  std::string pointers;
  for (std::string& name : json_names(database, source)) {
    pointers += (pointers.empty() ? "" : ", ") + quote_literal(pointer_to(name));
    columns.push_back({std::move(name), "VARCHAR"});
  }
  if (columns.empty()) return columns;
  for (const auto& row :
       query(database, "SELECT i, string_agg(DISTINCT kind, ' ') FROM (SELECT unnest(json_type(json, [" + pointers +
                           "])) AS kind, unnest(range(" + std::to_string(columns.size()) + ")) AS i FROM " +
                           objects_of(source) + ") GROUP BY i")) {
    std::istringstream words(row[1]);
    std::set<std::string> kinds;
    for (std::string kind; words >> kind;) kinds.insert(kind);
    columns[std::stoul(row[0])].type = type_of(std::move(kinds));
  }
  return columns;
}

}  // namespace etl::files
