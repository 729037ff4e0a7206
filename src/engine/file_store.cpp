#include "engine/file_store.h"

#include "engine/catalog.h"
#include "engine/locations.h"
#include "pg/engine_rights.h"

namespace etl::file_store {

namespace {

constexpr size_t kBatch = 1000;
constexpr const char* kKnownColumns = "file_id, path, size, modified_ns, content_hash, reload";
std::vector<Known> known_of(const pg::Rows& rows) {
  std::vector<Known> files;
  for (int i = 0; i < rows.size(); ++i)
    files.push_back(
        {rows.int8(i, 0), {rows.text(i, 1), {rows.int8(i, 2), rows.int8(i, 3)}, rows.text(i, 4)}, rows.boolean(i, 5)});
  return files;
}

std::string select_known(const char* condition) {
  return std::string("SELECT ") + kKnownColumns +
         " FROM setup.load_files WHERE layer = $1 AND job_name = $2 AND location = $3 AND is_current" + condition;
}

void require_change(const pg::Rows& rows, const std::string& path) {
  if (rows.processed() == 1) return;
  throw pg::Failure(ERRCODE_T_R_SERIALIZATION_FAILURE,
                    pg::format("file \"%s\" was loaded by another attempt meanwhile", path.c_str()));
}

[[noreturn]] void fail_without_job(const Job& job) {
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT,
                    pg::format("job \"%s.%s\" does not exist any more", job.layer.c_str(), job.name.c_str()),
                    "It was dropped or renamed while its run was going on.");
}

// The row's job is looked at, so that it is a message of ours that says that it is gone.
void write(const RunKey& run, int attempt, const Job& job, const Load& load, bool loaded) {
  static pg::Statement insert{
      "INSERT INTO setup.load_files (layer, job_name, location, path, size, modified_ns, modified_at, content_hash, "
      "status, rows_loaded, rows_rejected, run_id, attempt, sqlstate, message, is_current) "
      "SELECT $1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN 'LOADED' ELSE 'FAILED' END, "
      "CASE WHEN $9 THEN $10 END, CASE WHEN $9 THEN $11 END, $12, $13, $14, $15, $9 "
      "FROM setup.load_jobs j WHERE j.layer = $1 AND j.job_name = $2",
      {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID, INT8OID, INT8OID,
       INT8OID, INT4OID, TEXTOID, TEXTOID}};
  const Version& version = load.version;
  const std::string sqlstate = loaded ? "" : unpack_sql_state(load.sqlstate);
  const pg::Rows rows =
      insert.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::value(version.path),
                  pg::value(version.facts.size), pg::value(version.facts.modified_ns),
                  pg::timestamp_value(timestamp_of(version.facts.modified_ns)), pg::text_or_null(version.hash),
                  pg::value(loaded), pg::value(load.rows), pg::value(load.rejected), pg::value(run.id),
                  pg::value(attempt), pg::text_or_null(sqlstate), pg::text_or_null(load.message)});
  if (rows.processed() == 0) fail_without_job(job);
}

}  // namespace

void require_job(const Job& job) {
  static pg::Statement find{"SELECT 1 FROM setup.load_jobs WHERE layer = $1 AND job_name = $2", {TEXTOID, TEXTOID}};
  if (find.run({pg::value(job.layer), pg::value(job.name)}).size() == 0) fail_without_job(job);
}

std::vector<size_t> find_unknown(const Job& job, const std::vector<Version>& files) {
  // OFFSET 0: one look into an index for each, whatever the planner believes of the table.
  static pg::Statement find{
      "SELECT w.no FROM unnest($4::text[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS w(path, size, modified_ns, "
      "no) "
      "LEFT JOIN LATERAL (SELECT size, modified_ns FROM setup.load_files WHERE layer = $1 AND job_name = $2 "
      "AND location = $3 AND path = w.path AND is_current AND NOT reload OFFSET 0) f ON true "
      "WHERE (f.size, f.modified_ns) IS DISTINCT FROM (w.size, w.modified_ns) ORDER BY w.no",
      {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID}};
  std::vector<size_t> unknown;
  for (size_t from = 0; from < files.size(); from += kBatch) {
    std::vector<std::string> paths;
    std::vector<int64_t> sizes, times;
    for (size_t i = from; i < std::min(from + kBatch, files.size()); ++i) {
      paths.push_back(files[i].path);
      sizes.push_back(files[i].facts.size);
      times.push_back(files[i].facts.modified_ns);
    }
    const pg::Rows rows =
        find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::text_array(paths),
                  pg::int8_array(sizes, INT64_MIN), pg::int8_array(times, INT64_MIN)});
    for (int i = 0; i < rows.size(); ++i) unknown.push_back(from + static_cast<size_t>(rows.int8(i, 0)) - 1);
  }
  return unknown;
}

std::optional<Known> find_by_path(const Job& job, const std::string& path) {
  static const std::string sql = select_known(" AND path = $4");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};
  const auto found =
      known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::value(path)}));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<Known> find_by_content(const Job& job, const std::string& hash) {
  static const std::string sql = select_known(" AND content_hash = $4 ORDER BY file_id");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};
  return known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::value(hash)}));
}

std::vector<Known> find_all(const Job& job) {
  static const std::string sql = select_known(" ORDER BY path COLLATE \"C\"");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID}};
  return known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location)}));
}

void write_loaded(const RunKey& run, int attempt, const Job& job, const Load& load) {
  write(run, attempt, job, load, true);
}

void write_failed(const RunKey& run, int attempt, const Job& job, const Load& load) {
  if (load.version.path.size() <= kLongestPath) write(run, attempt, job, load, false);
}

bool is_second_load(const pg::Error& error) {
  const ErrorData& data = error.data();
  return error.sqlstate() == ERRCODE_UNIQUE_VIOLATION && data.schema_name != nullptr &&
         strcmp(data.schema_name, "setup") == 0 && data.constraint_name != nullptr &&
         strcmp(data.constraint_name, "load_files_one_load") == 0;
}

void mark_replaced(const Known& known) {
  static pg::Statement update{
      "UPDATE setup.load_files SET is_current = false, reload = false WHERE file_id = $1 AND is_current", {INT8OID}};
  require_change(update.run({pg::value(known.id)}), known.version.path);
}

void mark_all_replaced(const Job& job) {
  static pg::Statement update{
      "UPDATE setup.load_files SET is_current = false, reload = false "
      "WHERE layer = $1 AND job_name = $2 AND is_current",
      {TEXTOID, TEXTOID}};
  update.run({pg::value(job.layer), pg::value(job.name)});
}

void change(const Known& known, const Version& now, const std::string& message) {
  static pg::Statement update{
      "UPDATE setup.load_files SET path = $2, size = $3, modified_ns = $4, modified_at = $5, message = $6 "
      "WHERE file_id = $1 AND path = $7 AND is_current",
      {INT8OID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID}};
  require_change(update.run({pg::value(known.id), pg::value(now.path), pg::value(now.facts.size),
                             pg::value(now.facts.modified_ns), pg::timestamp_value(timestamp_of(now.facts.modified_ns)),
                             pg::value(message), pg::value(known.version.path)}),
                 now.path);
}

Sum sum_of_run(const RunKey& run, const Job& job) {
  // Of runs with this number only one was asked for before: in a restored database numbers begin again.
  static pg::Statement add{
      "SELECT count(*), coalesce(sum(rows_loaded), 0)::bigint, coalesce(sum(rows_rejected), 0)::bigint "
      "FROM setup.load_files WHERE run_id = $1 AND layer = $2 AND job_name = $3 AND status = 'LOADED' "
      "AND loaded_at >= $4",
      {INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};
  const pg::Rows rows =
      add.run({pg::value(run.id), pg::value(job.layer), pg::value(job.name), pg::timestamp_value(run.at)});
  return {rows.int8(0, 0), rows.int8(0, 1), rows.int8(0, 2)};
}

}  // namespace etl::file_store

namespace etl {

int64_t reset_bookmark(const std::string& layer, const std::string& job) {
  static pg::Statement forget{
      "UPDATE setup.load_files SET is_current = false, reload = false "
      "WHERE layer = $1 AND job_name = $2 AND is_current",
      {TEXTOID, TEXTOID}};
  require_own_job(layer, job);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  return static_cast<int64_t>(forget.run({pg::value(layer), pg::value(job)}).processed());
}

void reload_file(const std::string& layer, const std::string& job, const std::string& path) {
  static pg::Statement mark{
      "UPDATE setup.load_files SET reload = true WHERE layer = $1 AND job_name = $2 AND path = $3 AND is_current",
      {TEXTOID, TEXTOID, TEXTOID}};
  require_own_job(layer, job);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const pg::Rows marked = mark.run({pg::value(layer), pg::value(job), pg::value(path)});
  if (marked.processed() == 0)
    throw pg::Failure(ERRCODE_NO_DATA_FOUND,
                      pg::format("job \"%s.%s\" has not loaded file \"%s\"", layer.c_str(), job.c_str(), path.c_str()),
                      "", "setup.load_files lists what it has loaded; anything else is loaded by its next run anyway.");
}

}  // namespace etl
