#include "engine/file_load.h"

#include "engine/executor.h"
#include "pg/copy_csv.h"
#include "pg/engine_rights.h"
#include "pg/files.h"
#include "pg/guard.h"
#include "pg/replacement.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/spi.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/formatting.h"
}

namespace etl {

namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower_case(const std::string& text) {
  return pg::guard([&] { return str_tolower(text.data(), text.size(), DEFAULT_COLLATION_OID); });
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text.empty() ? "none" : text;
}

// The column that a header name means: the one of that very name, else the one that equals it without regard to
// case. Empty if there is none.
std::string column_of(const std::string& header, const std::vector<std::string>& columns) {
  if (std::find(columns.begin(), columns.end(), header) != columns.end()) return header;
  const std::string wanted = lower_case(header);
  for (const std::string& column : columns)
    if (lower_case(column) == wanted) return column;
  return "";
}

[[noreturn]] void fail_partly_matched(const std::string& table, const std::string& file,
                                      const std::vector<std::string>& header, const std::vector<std::string>& columns,
                                      const std::vector<std::string>& unknown) {
  throw pg::Failure(ERRCODE_UNDEFINED_COLUMN,
                    pg::format("the header of file \"%s\" does not fit table %s", file.c_str(), table.c_str()),
                    pg::format("No column for: %s.\nThe file has: %s.\nThe table has: %s.", list(unknown).c_str(),
                               list(header).c_str(), list(columns).c_str()),
                    "Rename the columns of one of them, or add the missing ones to the table.");
}

// The table's columns in the order of the file's. Sets `note` where they had to be matched by position.
std::vector<std::string> match_columns(const std::string& table, const std::string& file,
                                       const std::vector<std::string>& columns, std::string* note) {
  std::vector<std::string> header = pg::csv_header(file);
  if (header.empty())
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" has no header", file.c_str()),
                      "It is empty, or its first line is.", "Its first line must name its columns.");
  std::vector<std::string> matched;
  std::vector<std::string> unknown;
  for (std::string& name : header) {
    name = trimmed(name);
    const std::string column = column_of(name, columns);
    if (column.empty()) {
      unknown.push_back(name);
    } else if (std::find(matched.begin(), matched.end(), column) != matched.end()) {
      throw pg::Failure(ERRCODE_DUPLICATE_COLUMN, pg::format("the header of file \"%s\" names column \"%s\" twice",
                                                             file.c_str(), column.c_str()));
    } else {
      matched.push_back(column);
    }
  }
  if (unknown.empty()) return matched;
  if (!matched.empty() || header.size() > columns.size()) fail_partly_matched(table, file, header, columns, unknown);

  *note = "no name in the file's header is a column of the table: columns are matched by position";
  return {columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(header.size())};
}

void require_right_to_read() {
  if (pg::may_read_server_files(GetUserId())) return;
  throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    pg::format("role \"%s\" may not read files of the server", pg::role_name(GetUserId()).c_str()), "",
                    pg::format("A superuser can permit it: GRANT pg_read_server_files TO %s;",
                               pg::quote_name(pg::role_name(GetUserId())).c_str()));
}

// The table, which nobody can replace by another from now on.
Oid take_table(const std::string& table, bool must_be_owned) {
  const Oid relation = pg::find_table(pg::parse_table_name(table, ""));
  if (!OidIsValid(relation) || !pg::hold_table(relation))
    throw pg::Failure(ERRCODE_UNDEFINED_TABLE, pg::format("table %s does not exist", table.c_str()));
  if (!pg::can_be_loaded(relation))
    throw pg::Failure(ERRCODE_WRONG_OBJECT_TYPE, pg::format("%s is not a table that can be loaded", table.c_str()));
  if (must_be_owned && pg::table_owner(relation) != GetUserId())
    throw pg::Failure(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        pg::format("table %s belongs to another role than the job that was discovered from it", table.c_str()), "",
        "Discover it again with CALL setup.seed_load_jobs();");
  // Its constraints, defaults and indexes run functions of its owner's choice.
  if (pg::role_is_superuser(GetUserId()) && !pg::role_is_superuser(pg::table_owner(relation)))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                      pg::format("table %s belongs to a role that is no superuser, unlike the job", table.c_str()),
                      "What its owner has put into it would run with a superuser's rights.",
                      "Give the job to the table's owner.");
  const std::string trigger =
      pg::role_is_superuser(GetUserId()) ? pg::trigger_of_ordinary_role(relation) : std::string();
  if (!trigger.empty())
    throw pg::Failure(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        pg::format("trigger \"%s\" on table %s would run with a superuser's rights", trigger.c_str(), table.c_str()),
        "Its function belongs to a role that is no superuser.",
        "Give the job to an ordinary role, or the trigger's function to a superuser.");
  return relation;
}

std::string copy_command(const std::string& table, const std::string& file, const std::vector<std::string>& columns) {
  std::string names;
  for (const std::string& column : columns) names += (names.empty() ? "" : ", ") + pg::quote_name(column);
  return "COPY " + table + " (" + names + ") FROM " + pg::quote_text(file) + " WITH (FORMAT csv, HEADER true)";
}

using Filled = std::function<void(int64_t rows)>;

int64_t swap_in(Oid relation, const std::string& table, const std::string& file,
                const std::vector<std::string>& columns, const Filled& filled) {
  return run_calls_in_block(copy_command(table, file, columns), [&] {
    pg::Replacement replacement(relation);
    const int64_t rows = pg::copy_csv(file, relation, columns, replacement.heap());
    replacement.swap_in(settings::swap_timeout_ms(), [&] { filled(rows); });
    return rows;
  });
}

// A foreign key of another table by which deleting rows here would change rows there; empty if there is none.
std::string key_that_acts_on_delete(Oid relation) {
  static pg::Statement find{
      "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = $1 AND conrelid <> $1 "
      "AND confdeltype IN ('c', 'n', 'd') ORDER BY conname LIMIT 1",
      {OIDOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows found = find.read_latest({pg::value(relation)});
  return found.size() == 0 ? "" : found.text(0, 0);
}

void require_plain_delete(Oid relation, const std::string& table) {
  const std::string key = key_that_acts_on_delete(relation);
  if (!key.empty())
    throw pg::Failure(
        ERRCODE_FEATURE_NOT_SUPPORTED,
        pg::format("the rows of table %s cannot be replaced: foreign key \"%s\" would take rows of another "
                   "table along",
                   table.c_str(), key.c_str()),
        "", "Let the foreign key do nothing on delete, or load another table and update this one from it.");
  if (pg::has_delete_rule(relation))
    throw pg::Failure(
        ERRCODE_FEATURE_NOT_SUPPORTED,
        pg::format("the rows of table %s cannot be replaced: a rule says what to delete means", table.c_str()), "",
        "Drop the rule, or load another table and update this one from it.");
}

int64_t delete_and_insert(Oid relation, const std::string& table, const std::string& file,
                          const std::vector<std::string>& columns, const Filled& filled) {
  require_plain_delete(relation, table);
  run_in_block((pg::is_partitioned(relation) ? "DELETE FROM " : "DELETE FROM ONLY ") + table);
  const int64_t rows = run_in_block(copy_command(table, file, columns));
  filled(rows);
  return rows;
}

void add_note(std::string* note, const std::string& more) {
  *note += (note->empty() ? "" : "; ") + more;
}

}  // namespace

Loaded load_file(const std::string& table, const std::string& file, bool must_be_owned, const Filled& filled) {
  require_right_to_read();
  const Oid relation = take_table(table, must_be_owned);
  const std::string problem = pg::unreadable_because(file);
  if (!problem.empty())
    throw pg::Failure(ERRCODE_UNDEFINED_FILE, pg::format("file \"%s\" %s", file.c_str(), problem.c_str()));

  Loaded loaded;
  const std::vector<std::string> columns = match_columns(table, file, pg::loadable_columns(relation), &loaded.note);
  const std::string obstacle = pg::why_not_replaceable(relation);
  if (obstacle.empty()) {
    loaded.rows = swap_in(relation, table, file, columns, filled);
  } else {
    loaded.rows = delete_and_insert(relation, table, file, columns, filled);
    add_note(&loaded.note, "rows were deleted and inserted, not swapped: " + obstacle);
  }
  return loaded;
}

}  // namespace etl
