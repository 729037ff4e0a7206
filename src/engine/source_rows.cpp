#include "engine/source_rows.h"

#include "engine/executor.h"
#include "engine/loaded_table.h"
#include "pg/clock.h"
#include "pg/relations.h"

namespace etl::source_rows {

namespace {

using locations::Known;
using locations::Move;

// The table is looked at again: since the attempt began, somebody may have put one there whose triggers are not for
// this role to run. Tables that inherit from it are not filled by this job.
std::string target(const LoadOptions& options) {
  const Oid table = take_table(options.table, options.must_be_owned);
  take_rows(table);
  return (pg::is_partitioned(table) ? "" : "ONLY ") + options.table + " AS t";
}

// Arrays side by side, as a table r with these columns.
class Arrays {
 public:
  void add(const std::string& name, const char* type, const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + pg::quote_text(value);
    arrays_ += (arrays_.empty() ? "" : ", ") + ("pg_catalog.unnest(ARRAY[" + list + "]::pg_catalog." + type + "[])");
    names_ += (names_.empty() ? "" : ", ") + name;
  }
  std::string sql() const { return "ROWS FROM (" + arrays_ + ") AS r(" + names_ + ")"; }

 private:
  std::string arrays_, names_;
};

constexpr const char* kSame =
    " WHERE t._source_file OPERATOR(pg_catalog.=) r.path AND t._loaded_at OPERATOR(pg_catalog.=) r.stamp";

}  // namespace

bool are_known(const LoadOptions& options, const Known& version) {
  return options.provenance && version.stamp.has_value();
}

void remove(const LoadOptions& options, const std::vector<Known>& versions) {
  std::vector<std::string> paths, stamps;
  for (const Known& version : versions) {
    if (!are_known(options, version)) continue;
    paths.push_back(version.version.path);
    stamps.push_back(pg::timestamp_text(*version.stamp));
  }
  if (paths.empty()) return;
  Arrays arrays;
  arrays.add("path", "text", paths);
  arrays.add("stamp", "timestamptz", stamps);
  run_in_block("DELETE FROM " + target(options) + " USING " + arrays.sql() + kSame);
}

void rename(const LoadOptions& options, const std::vector<Move>& moves) {
  std::vector<std::string> paths, stamps, new_paths;
  for (const Move& move : moves) {
    if (!are_known(options, move.from)) continue;
    paths.push_back(move.from.version.path);
    stamps.push_back(pg::timestamp_text(*move.from.stamp));
    new_paths.push_back(move.to.path);
  }
  if (paths.empty()) return;
  Arrays arrays;
  arrays.add("path", "text", paths);
  arrays.add("stamp", "timestamptz", stamps);
  arrays.add("new_path", "text", new_paths);
  run_in_block("UPDATE " + target(options) + " SET _source_file = r.new_path FROM " + arrays.sql() + kSame);
}

}  // namespace etl::source_rows
