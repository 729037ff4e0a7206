#include "engine/export_store.h"

#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl::export_store {

namespace {

void record_files(int64_t export_id, const std::vector<ExportedFile>& files) {
  static pg::Statement insert{
      "INSERT INTO setup.exported_files (export_id, path, rows, bytes, modified_ns) VALUES ($1, $2, $3, $4, $5)",
      {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID}};
  for (const ExportedFile& it : files)
    insert.run(
        {pg::value(export_id), pg::value(it.path), pg::value(it.rows), pg::value(it.bytes), pg::value(it.modified_ns)});
}

// From rows of path, rows, bytes, modified_ns.
std::vector<ExportedFile> files_from(const pg::Rows& rows) {
  std::vector<ExportedFile> files;
  for (int i = 0; i < rows.size(); ++i)
    files.push_back({rows.text(i, 0), rows.int8(i, 1), rows.int8(i, 2), rows.int8(i, 3)});
  return files;
}

std::vector<ExportedFile> files_of(int64_t export_id) {
  static pg::Statement find{
      "SELECT path, rows, bytes, modified_ns FROM setup.exported_files WHERE export_id = $1 ORDER BY path", {INT8OID}};
  return files_from(find.run({pg::value(export_id)}));
}

locations::Written written(const std::vector<ExportedFile>& files) {
  locations::Written facts;
  for (const ExportedFile& it : files) facts[it.path] = {it.bytes, it.modified_ns};
  return facts;
}

}  // namespace

std::optional<Earlier> find(const std::string& location, const std::string& path) {
  static pg::Statement find{
      "SELECT path, export_id, exported_by, owner_oid FROM setup.exports WHERE location_name = $1 AND (path = $2 "
      "OR (starts_with($2, path || '/') AND partition_by <> '{}') OR starts_with(path, $2 || '/')) "
      "ORDER BY path <> $2 DESC LIMIT 1",
      {TEXTOID, TEXTOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows found = find.run({pg::value(location), pg::value(path)});
  if (found.size() == 0) return std::nullopt;
  if (found.text(0, 0) == path) {
    const std::string exporter = found.text(0, 2);
    const Oid owner = found.oid(0, 3);
    return Earlier{written(files_of(found.int8(0, 1))), exporter, owner};
  }
  throw pg::Failure(
      ERRCODE_DUPLICATE_FILE,
      pg::format("path \"%s\" overlaps that of another export, \"%s\"", path.c_str(), found.text(0, 0).c_str()), "",
      "Each export needs a file or a folder of its own: give another path.");
}

std::optional<locations::Written> record(const Export& done) {
  static pg::Statement upsert{
      "INSERT INTO setup.exports AS e (location_name, path, table_name, format, partition_by, files, rows, bytes, "
      "exported_by, exported_at, owner_oid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), $10) "
      "ON CONFLICT (location_name, path) DO UPDATE SET export_id = excluded.export_id, "
      "table_name = excluded.table_name, format = excluded.format, partition_by = excluded.partition_by, "
      "files = excluded.files, rows = excluded.rows, bytes = excluded.bytes, exported_by = excluded.exported_by, "
      "exported_at = excluded.exported_at, owner_oid = excluded.owner_oid "
      "WHERE $11 OR pg_has_role($10, e.owner_oid, 'MEMBER') "
      "OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = e.owner_oid) RETURNING export_id, xmax <> 0",
      {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT8OID, INT8OID, INT8OID, TEXTOID, OIDOID, BOOLOID}};
  static pg::Statement forget{
      "DELETE FROM setup.exported_files WHERE export_id = $1 RETURNING path, rows, bytes, modified_ns", {INT8OID}};
  const Oid user = GetUserId();
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const ExportedFile& it : done.files) {
    rows += it.rows;
    bytes += it.bytes;
  }
  const std::string name = pg::role_name(user);
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows recorded = upsert.run(
      {pg::value(done.location), pg::value(done.path), pg::value(done.table), pg::value(done.format),
       pg::text_array(done.partition_by), pg::value(static_cast<int64_t>(done.files.size())), pg::value(rows),
       pg::value(bytes), pg::value(name), pg::value(user), pg::value(done.may_replace_any)});
  if (recorded.size() == 0) fail_not_exporter(done.location, done.path, "");
  const int64_t export_id = recorded.int8(0, 0);
  std::optional<locations::Written> replaced;
  if (recorded.boolean(0, 1)) replaced = written(files_from(forget.run({pg::value(export_id)})));
  record_files(export_id, done.files);
  return replaced;
}

void fail_not_exporter(const std::string& location, const std::string& path, const std::string& exporter) {
  throw pg::Failure(
      ERRCODE_INSUFFICIENT_PRIVILEGE,
      pg::format("\"%s\" of location \"%s\" is an export of another role%s", path.c_str(), location.c_str(),
                 exporter.empty() ? "" : pg::format(": \"%s\"", exporter.c_str()).c_str()),
      "",
      "Give another path, or let a member of that role export. The location's owner may replace it, with replace => "
      "true.");
}

std::vector<Expired> take_expired(const std::string& location) {
  static pg::Statement find{
      "SELECT e.export_id, e.path, e.partition_by <> '{}', e.exported_at "
      "FROM setup.exports e JOIN setup.locations l USING (location_name) "
      "WHERE e.location_name = $1 AND e.exported_at < now() - l.retention ORDER BY e.path FOR UPDATE OF e SKIP LOCKED",
      {TEXTOID}};
  static pg::Statement remove{"DELETE FROM setup.exports WHERE export_id = $1", {INT8OID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows found = find.run({pg::value(location)});
  std::vector<Expired> expired;
  for (int i = 0; i < found.size(); ++i) {
    const int64_t export_id = found.int8(i, 0);
    expired.push_back({found.text(i, 1), found.boolean(i, 2), found.timestamp(i, 3), files_of(export_id)});
    remove.run({pg::value(export_id)});
  }
  return expired;
}

std::vector<std::string> locations_with_retention() {
  static pg::Statement find{
      "SELECT location_name FROM setup.locations WHERE retention IS NOT NULL ORDER BY location_name", {}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows found = find.run();
  std::vector<std::string> names;
  for (int i = 0; i < found.size(); ++i) names.push_back(found.text(i, 0));
  return names;
}

}  // namespace etl::export_store
