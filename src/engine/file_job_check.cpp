#include "engine/file_job_check.h"

#include "engine/dataset_files.h"
#include "engine/locations.h"
#include "engine/reject_store.h"
#include "locations/glob.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl {

namespace {

using plan::Problem;

// An index that ON CONFLICT (columns) takes.
bool has_unique_index(Oid table, const std::vector<std::string>& columns) {
  static pg::Statement find{
      "SELECT 1 FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid "
      "AND i.indpred IS NULL AND i.indexprs IS NULL "
      "AND ARRAY(SELECT a.attname::text FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) AS key(number) "
      "JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = key.number ORDER BY 1) "
      "= ARRAY(SELECT DISTINCT name FROM unnest($2) AS name ORDER BY 1)",
      {OIDOID, TEXTARRAYOID}};
  return find.run({pg::value(table), pg::text_array(columns)}).size() > 0;
}

std::string list_of(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + pg::quote_name(column);
  return list;
}

struct Needed {
  const char* what;    // the owner may not ... table
  const char* rights;  // as GRANT names them
};

Needed needed_by(const JobDetail& detail) {
  if (detail.load_mode == "append") return {"add rows to", "INSERT"};
  if (detail.load_mode == "upsert") return {"add and update rows of", "INSERT, SELECT, UPDATE"};
  return {"replace the rows of", "INSERT, DELETE"};
}

bool has_rights(const JobDetail& detail, Oid relation) {
  if (detail.load_mode == "append") return pg::may_insert_rows(detail.owner_oid, relation);
  if (detail.load_mode == "upsert") return pg::may_upsert_rows(detail.owner_oid, relation);
  return pg::may_replace_rows(detail.owner_oid, relation);
}

// Its size and age do not count yet: they may be others when it is loaded.
void require_file(const Location& location, const locations::Directory& directory, const std::string& path) {
  try {
    require_accepted(location, path, locations::refusal_of_path(location.rules, directory.open_file(path).path()));
  } catch (const locations::FileError& error) {
    throw failure_of(location, path, error);
  }
}

// The text that a pattern means which means only itself.
std::string literal(const std::string& pattern) {
  std::string text;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    text += pattern[i];
  }
  return text;
}

std::string escaped(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (strchr("*?[]\\", c) != nullptr) pattern += '\\';
    pattern += c;
  }
  return locations::is_pattern(path) ? pattern : path;
}

// The one file that "customers.*" means to a job that was discovered: "customers" of any known type.
std::string find_data_set(const Location& location, const std::string& pattern) {
  const std::string stem = literal(pattern.substr(0, pattern.size() - 2));
  std::vector<std::string> files;
  for (const locations::Found& found : list_files(location, pattern))
    if (!locations::refusal_of_path(location.rules, found.entry.path) && found.entry.problem.empty() &&
        locations::stem_of(found.entry.path) == stem)
      files.push_back(found.entry.path);
  if (files.empty())
    throw pg::Failure(ERRCODE_UNDEFINED_FILE, pg::format("location \"%s\" has no file \"%s\" of a known type",
                                                         location.name.c_str(), literal(pattern).c_str()));
  if (files.size() > 1)
    throw pg::Failure(ERRCODE_AMBIGUOUS_ALIAS,
                      pg::format("several files of location \"%s\" fit its name: \"%s\" and \"%s\"",
                                 location.name.c_str(), files[0].c_str(), files[1].c_str()),
                      "", "Leave one of them there, or add the job by hand with setup.add_job().");
  return escaped(files.front());
}

// By the moment of their load, exactly, the rows of a file are found again.
void require_exact_times(const std::vector<pg::Column>& columns, const JobDetail& detail, const std::string& table,
                         std::vector<Problem>* problems) {
  constexpr const char* kExact = "timestamp with time zone";
  for (const pg::Column& column : columns)
    if (column.name == "_loaded_at" && column.type != kExact && detail.load_mode != "replace")
      problems->push_back({pg::format("column \"_loaded_at\" of table %s is of type %s, not %s", table.c_str(),
                                      column.type.c_str(), kExact),
                           pg::format("ALTER TABLE %s ALTER COLUMN _loaded_at TYPE timestamptz;", table.c_str())});
}

}  // namespace

std::string resolve_in_location(const JobDetail& detail) {
  const Location location = find_location(detail.location);
  if (!may_use(location, detail.owner_oid))
    throw pg::Failure(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        pg::format("owner \"%s\" may not use location \"%s\"", detail.owner.c_str(), location.name.c_str()), "",
        pg::format("Its owner \"%s\" can allow it: SELECT setup.grant_location(%s, %s);", location.owner.c_str(),
                   pg::quote_text(location.name).c_str(), pg::quote_text(detail.owner).c_str()));
  std::string path;
  try {
    path = locations::normalized(detail.file_path);
  } catch (const locations::FileError& error) {
    throw failure_of(location, detail.file_path, error);
  }
  const locations::Directory directory = open_directory(location);
  if (!detail.discovered_as.empty() && names_data_set(path)) return find_data_set(location, path);
  if (!locations::is_pattern(path)) require_file(location, directory, path);
  return path;
}

std::vector<Problem> target_problems(const JobDetail& detail, Oid relation, const std::string& table) {
  std::vector<Problem> problems;
  const pg::TableName name = pg::parse_table_name(table, "");
  if (!pg::may_use_schema(detail.owner_oid, pg::find_schema(name.schema)) || !has_rights(detail, relation)) {
    const Needed needed = needed_by(detail);
    const std::string owner = pg::quote_name(detail.owner);
    problems.push_back(
        {pg::format("owner \"%s\" may not %s table %s", detail.owner.c_str(), needed.what, table.c_str()),
         pg::format("GRANT USAGE ON SCHEMA %s TO %s; GRANT %s ON %s TO %s;", pg::quote_name(name.schema).c_str(),
                    owner.c_str(), needed.rights, table.c_str(), owner.c_str())});
  }
  if (detail.puts_rows_aside)
    if (const auto problem = reject_store::problem_of_owner(name, detail.owner_oid)) problems.push_back(*problem);
  const std::vector<pg::Column> columns = pg::loadable_columns(relation);
  const auto require = [&](const std::string& column, const char* type) {
    if (std::any_of(columns.begin(), columns.end(), [&](const pg::Column& each) { return each.name == column; }))
      return;
    problems.push_back({pg::format("table %s has no column \"%s\"", table.c_str(), column.c_str()),
                        type == nullptr ? "Correct the job's key_columns."
                                        : pg::format("ALTER TABLE %s ADD COLUMN %s %s;", table.c_str(),
                                                     pg::quote_name(column).c_str(), type)});
  };
  if (detail.provenance) {
    require("_source_file", "text");
    require("_source_row", "bigint");
    require("_loaded_at", "timestamptz");
    require_exact_times(columns, detail, table, &problems);
  }
  if (!detail.rescue_column.empty()) require(detail.rescue_column, "jsonb");
  const size_t before = problems.size();
  for (const std::string& column : detail.key_columns) require(column, nullptr);
  if (!detail.key_columns.empty() && problems.size() == before && !has_unique_index(relation, detail.key_columns)) {
    const std::string list = list_of(detail.key_columns);
    problems.push_back({pg::format("table %s has no unique index on (%s)", table.c_str(), list.c_str()),
                        pg::format("CREATE UNIQUE INDEX ON %s (%s);", table.c_str(), list.c_str())});
  }
  return problems;
}

}  // namespace etl
