#include "engine/reject_store.h"

#include "engine/executor.h"
#include "engine/loaded_table.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/sha256.h"
#include "pg/spi.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace etl::reject_store {

namespace {

constexpr const char* kSuffix = "_rejects";
constexpr size_t kHashDigits = 8;

// As run_in_block(), but with arguments: names of the catalog's own are written out, as the search path is a user's.
void execute(const std::string& sql, std::initializer_list<Oid> types, std::initializer_list<pg::Value> values) {
  const pg::Spi spi;
  std::vector<Oid> type_list(types);
  std::vector<Datum> datums;
  std::string nulls;
  for (const pg::Value& value : values) {
    datums.push_back(value.datum);
    nulls += value.null ? 'n' : ' ';
  }
  pg::guard([&] {
    SPI_execute_with_args(sql.c_str(), static_cast<int>(datums.size()), type_list.data(), datums.data(), nulls.c_str(),
                          false, 0);
  });
}

// What was refused may be no text at all.
std::string storable(std::string text) {
  const bool valid = pg::guard(
      [&] { return pg_verify_mbstr(GetDatabaseEncoding(), text.data(), static_cast<int>(text.size()), true); });
  for (char& c : text)
    if (c == '\0' || (!valid && (c & 0x80) != 0)) c = '?';
  return text;
}

}  // namespace

pg::TableName table_for(const pg::TableName& table) {
  const std::string& name = table.table;
  const size_t room = NAMEDATALEN - 1 - strlen(kSuffix);
  if (name.size() <= room) return {table.schema, name + kSuffix};
  pg::Sha256 hash;
  hash.add(name);
  const std::string mark = "_" + hash.hex().substr(0, kHashDigits);
  const int kept = pg::guard(
      [&] { return pg_mbcliplen(name.c_str(), static_cast<int>(name.size()), static_cast<int>(room - mark.size())); });
  return {table.schema, name.substr(0, static_cast<size_t>(kept)) + mark + kSuffix};
}

std::optional<plan::Problem> problem_of_owner(const pg::TableName& table, Oid writer) {
  const pg::TableName target = table_for(table);
  const Oid relation = pg::find_table(target);
  if (!OidIsValid(relation)) return std::nullopt;
  const Oid owner = pg::table_owner(relation);
  if (owner == writer || owner == pg::table_owner(pg::find_table(table)) || pg::role_is_superuser(owner))
    return std::nullopt;
  const std::string name = target.quoted();
  return plan::Problem{pg::format("reject table %s belongs to role \"%s\", who would get the rows of %s", name.c_str(),
                                  pg::role_name(owner).c_str(), table.quoted().c_str()),
                       pg::format("Drop or rename it, or ALTER TABLE %s OWNER TO %s;", name.c_str(),
                                  pg::quote_name(pg::role_name(writer)).c_str())};
}

Writer::Writer(const std::string& table)
    : table_(pg::parse_table_name(table, "")), target_(table_for(table_).quoted()) {}

void Writer::prepare() {
  if (!OidIsValid(pg::find_table(table_for(table_)))) {
    execute("CREATE TABLE " + target_ +
                " (run_id pg_catalog.int8, file pg_catalog.text, line pg_catalog.int8, column_name pg_catalog.text, "
                "raw pg_catalog.text, sqlstate pg_catalog.text, error pg_catalog.text, "
                "rejected_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now())",
            {}, {});
    execute("COMMENT ON TABLE " + target_ + " IS " +
                pg::quote_text("Rows of files that did not fit " + table_.quoted() +
                               ". Each load adds those that it finds; nothing removes them."),
            {}, {});
  } else {
    take_rows(take_table(target_, false));  // is it safe to write to?
    if (const auto problem = problem_of_owner(table_, GetUserId()))
      throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, problem->message, "", problem->hint);
  }
  is_ready_ = true;
}

void Writer::write(const std::string& file, const std::vector<files::Reject>& rejects) {
  const Uncounted uncounted;
  if (!is_ready_) prepare();
  std::vector<int64_t> lines;
  std::vector<std::string> columns, raws, sqlstates, errors;
  for (const files::Reject& reject : rejects) {
    lines.push_back(reject.line);
    columns.push_back(storable(reject.column));
    raws.push_back(storable(reject.raw));
    sqlstates.push_back(reject.sqlstate);
    errors.push_back(storable(reject.error));
  }
  const pg::Spi spi;  // the arrays live in its memory, and go with it
  execute("INSERT INTO " + target_ +
              " (run_id, file, line, column_name, raw, sqlstate, error) "
              "SELECT $1, $2, r.line, nullif(r.column_name, ''), r.raw, r.sqlstate, r.error FROM ROWS FROM ("
              "pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6), "
              "pg_catalog.unnest($7)) AS r(line, column_name, raw, sqlstate, error)",
          {INT8OID, TEXTOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
          {pg::value(settings::current_attempt().run_id), pg::value(file), pg::int8_array(lines, 0),
           pg::text_array(columns), pg::text_array(raws), pg::text_array(sqlstates), pg::text_array(errors)});
}

}  // namespace etl::reject_store
