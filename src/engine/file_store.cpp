#include "engine/file_store.h"

#include "engine/catalog.h"
#include "engine/locations.h"
#include "pg/engine_rights.h"

namespace etl::file_store {

namespace {

constexpr size_t kBatch = 1000;
constexpr const char* kKnownColumns = "file_id, path, size, modified_ns, content_hash, reload, row_stamp";
std::vector<Known> known_of(const pg::Rows& rows) {
  std::vector<Known> files;
  for (int i = 0; i < rows.size(); ++i) {
    Version version{rows.text(i, 1), {rows.int8(i, 2), rows.int8(i, 3)}, rows.text(i, 4)};
    files.push_back({rows.int8(i, 0), std::move(version), rows.boolean(i, 5), std::nullopt});
    if (!rows.null(i, 6)) files.back().stamp = rows.timestamp(i, 6);
  }
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

enum class Purpose { kLoad, kAnnounce };

std::vector<Unknown> find_unknown(const Job& job, const std::vector<Version>& files, Purpose purpose) {
  // OFFSET and LIMIT: one look into an index for each file, whatever the planner believes of the tables.
  static pg::Statement find{
      "SELECT w.no, (SELECT true FROM setup.load_files m WHERE m.layer = $1 AND m.job_name = $2 AND m.location = $3 "
      "AND m.size = w.size AND m.path <> w.path AND m.is_current LIMIT 1), "
      "(SELECT max(e.file_id) FROM setup.load_files e WHERE e.layer = $1 AND e.job_name = $2 AND e.location = $3 "
      "AND e.path = w.path AND e.size = w.size AND e.modified_ns = w.modified_ns AND e.status = 'FAILED') "
      "FROM unnest($4::text[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS w(path, size, modified_ns, no) "
      "LEFT JOIN LATERAL (SELECT size, modified_ns, reload FROM setup.load_files WHERE layer = $1 AND job_name = $2 "
      "AND location = $3 AND path = w.path AND is_current OFFSET 0) f ON true "
      "LEFT JOIN LATERAL (SELECT true AS announced FROM setup.file_arrivals WHERE $7 AND layer = $1 AND job_name = $2 "
      "AND location = $3 AND path = w.path AND size = w.size AND modified_ns = w.modified_ns OFFSET 0) a ON true "
      "WHERE ((f.size, f.modified_ns) IS DISTINCT FROM (w.size, w.modified_ns) OR (f.reload AND NOT $7)) "
      "AND a.announced IS NULL ORDER BY w.no",
      {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLOID}};
  std::vector<std::pair<int64_t, Unknown>> found;  // with the last of its failures; 0: none
  for (size_t from = 0; from < files.size(); from += kBatch) {
    std::vector<std::string> paths;
    std::vector<int64_t> sizes, times;
    for (size_t i = from; i < std::min(from + kBatch, files.size()); ++i) {
      paths.push_back(files[i].path);
      sizes.push_back(files[i].facts.size);
      times.push_back(files[i].facts.modified_ns);
    }
    const pg::Rows rows = find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location),
                                    pg::text_array(paths), pg::int8_array(sizes, INT64_MIN),
                                    pg::int8_array(times, INT64_MIN), pg::value(purpose == Purpose::kAnnounce)});
    for (int i = 0; i < rows.size(); ++i) {
      const size_t place = from + static_cast<size_t>(rows.int8(i, 0)) - 1;
      // One that cannot be remembered has failed whenever it was tried.
      const int64_t failure = files[place].path.size() > kLongestPath ? INT64_MAX : rows.int8(i, 2);
      found.push_back({failure, {place, rows.boolean(i, 1)}});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Unknown> unknown;
  for (const auto& each : found) unknown.push_back(each.second);
  return unknown;
}

// The row's job is looked at, so that it is a message of ours that says that it is gone.
void write(const RunKey& run, int attempt, const Job& job, const Load& load, bool loaded) {
  static pg::Statement insert{
      "INSERT INTO setup.load_files (layer, job_name, location, path, size, modified_ns, modified_at, content_hash, "
      "status, rows_loaded, rows_rejected, run_id, attempt, sqlstate, message, is_current, row_stamp) "
      "SELECT $1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN 'LOADED' ELSE 'FAILED' END, "
      "CASE WHEN $9 THEN $10 END, CASE WHEN $9 THEN $11 END, $12, $13, $14, $15, $9, $16 "
      "FROM setup.load_jobs j WHERE j.layer = $1 AND j.job_name = $2",
      {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID, INT8OID, INT8OID,
       INT8OID, INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}};
  const Version& version = load.version;
  const std::string sqlstate = loaded ? "" : unpack_sql_state(load.sqlstate);
  const pg::Rows rows =
      insert.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::value(version.path),
                  pg::value(version.facts.size), pg::value(version.facts.modified_ns),
                  pg::timestamp_value(timestamp_of(version.facts.modified_ns)), pg::text_or_null(version.hash),
                  pg::value(loaded), pg::value(load.rows), pg::value(load.rejected), pg::value(run.id),
                  pg::value(attempt), pg::text_or_null(sqlstate), pg::text_or_null(load.message),
                  load.stamp ? pg::timestamp_value(*load.stamp) : pg::null_value()});
  if (rows.processed() == 0) fail_without_job(job);
}

}  // namespace

void require_job(const Job& job) {
  static pg::Statement find{"SELECT 1 FROM setup.load_jobs WHERE layer = $1 AND job_name = $2", {TEXTOID, TEXTOID}};
  if (find.run({pg::value(job.layer), pg::value(job.name)}).size() == 0) fail_without_job(job);
}

std::vector<Unknown> find_to_load(const Job& job, const std::vector<Version>& files) {
  return find_unknown(job, files, Purpose::kLoad);
}

std::vector<Unknown> find_to_announce(const Job& job, const std::vector<Version>& files) {
  return find_unknown(job, files, Purpose::kAnnounce);
}

std::optional<Known> find_by_path(const Job& job, const std::string& path) {
  static const std::string sql = select_known(" AND path = $4");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};
  const auto found =
      known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location), pg::value(path)}));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<Known> find_same(const Job& job, const Version& file) {
  static const std::string sql = select_known(" AND size = $4 AND content_hash = $5 ORDER BY file_id");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID}};
  return known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location),
                            pg::value(file.facts.size), pg::value(file.hash)}));
}

std::optional<Known> find_original(const Job& job, const Version& file) {
  static const std::string sql = select_known(" AND size = $4 AND content_hash = $5 LIMIT 1");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID}};
  const auto found = known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location),
                                        pg::value(file.facts.size), pg::value(file.hash)}));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<Known> find_all(const Job& job) {
  static const std::string sql = select_known(" ORDER BY path COLLATE \"C\"");
  static pg::Statement find{sql.c_str(), {TEXTOID, TEXTOID, TEXTOID}};
  return known_of(find.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location)}));
}

int64_t rows_loaded(const Job& job) {
  static pg::Statement add{
      "SELECT coalesce(sum(rows_loaded), 0)::bigint FROM setup.load_files "
      "WHERE layer = $1 AND job_name = $2 AND location = $3 AND is_current",
      {TEXTOID, TEXTOID, TEXTOID}};
  return add.run({pg::value(job.layer), pg::value(job.name), pg::value(job.location)}).int8(0, 0);
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

void touch(const Known& known, const Version& now) {
  static pg::Statement update{
      "UPDATE setup.load_files SET modified_ns = $2, modified_at = $3, message = 'touched: its content is the same' "
      "WHERE file_id = $1 AND path = $4 AND is_current",
      {INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID}};
  require_change(update.run({pg::value(known.id), pg::value(now.facts.modified_ns),
                             pg::timestamp_value(timestamp_of(now.facts.modified_ns)), pg::value(now.path)}),
                 now.path);
}

void move(const std::vector<Move>& moves) {
  // First none of them is current: one may take the path of another.
  static pg::Statement leave{
      "UPDATE setup.load_files f SET is_current = false FROM unnest($1::bigint[], $2::text[]) AS m(file_id, path) "
      "WHERE f.file_id = m.file_id AND f.path = m.path AND f.is_current",
      {INT8ARRAYOID, TEXTARRAYOID}};
  static pg::Statement arrive{
      "UPDATE setup.load_files f SET path = m.path, modified_ns = m.modified_ns, modified_at = m.modified_at, "
      "message = format('renamed from \"%s\"', f.path), is_current = true "
      "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[]) "
      "AS m(file_id, path, modified_ns, modified_at) WHERE f.file_id = m.file_id",
      {INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}};
  std::vector<int64_t> ids, modified;
  std::vector<TimestampTz> times;
  std::vector<std::string> from, to;
  for (const Move& move : moves) {
    ids.push_back(move.from.id);
    from.push_back(move.from.version.path);
    to.push_back(move.to.path);
    modified.push_back(move.to.facts.modified_ns);
    times.push_back(timestamp_of(move.to.facts.modified_ns));
  }
  const pg::Value id_array = pg::int8_array(ids, INT64_MIN);
  if (leave.run({id_array, pg::text_array(from)}).processed() != moves.size())
    throw pg::Failure(ERRCODE_T_R_SERIALIZATION_FAILURE, "files were loaded by another attempt meanwhile");
  arrive.run(
      {id_array, pg::text_array(to), pg::int8_array(modified, INT64_MIN), pg::timestamp_array(times, DT_NOBEGIN)});
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
