#include "engine/arrival_store.h"

namespace etl::arrival_store {

namespace {

struct Columns {
  std::vector<std::string> paths;
  std::vector<int64_t> sizes, times;

  explicit Columns(const std::vector<File>& files) {
    for (const File& file : files) {
      paths.push_back(file.path);
      sizes.push_back(file.facts.size);
      times.push_back(file.facts.modified_ns);
    }
  }
  pg::Value path_array() const { return pg::text_array(paths); }
  pg::Value size_array() const { return pg::int8_array(sizes, INT64_MIN); }
  pg::Value time_array() const { return pg::int8_array(times, INT64_MIN); }
};

}  // namespace

bool has_watched_locations() {
  static pg::Statement find{"SELECT EXISTS (SELECT FROM setup.locations WHERE watch AND watched_in = $1)", {OIDOID}};
  return find.run({pg::value(MyDatabaseId)}).boolean(0, 0);
}

std::vector<std::string> watched_locations() {
  static pg::Statement find{
      "SELECT location_name FROM setup.locations WHERE watch AND watched_in = $1 ORDER BY location_name", {OIDOID}};
  const pg::Rows found = find.run({pg::value(MyDatabaseId)});
  std::vector<std::string> names;
  for (int i = 0; i < found.size(); ++i) names.push_back(found.text(i, 0));
  return names;
}

std::vector<Job> jobs_of(const std::string& location) {
  static pg::Statement find{
      "SELECT j.layer, j.job_name, j.file_path, j.owner_oid FROM setup.load_jobs j "
      "WHERE j.location = $1 AND j.is_enabled AND j.file_path IS NOT NULL AND NOT EXISTS ("
      "SELECT FROM setup.job_holds h WHERE h.layer = j.layer AND h.job_name = j.job_name AND h.hold IS NOT NULL) "
      "ORDER BY j.layer, j.job_name",
      {TEXTOID}};
  const pg::Rows found = find.run({pg::value(location)});
  std::vector<Job> jobs;
  for (int i = 0; i < found.size(); ++i)
    jobs.push_back({found.text(i, 0), found.text(i, 1), found.text(i, 2), found.oid(i, 3)});
  return jobs;
}

RunId find_queued_run(const Job& job) {
  static pg::Statement find{
      "SELECT max(r.run_id) FROM setup.load_runs r WHERE r.finished_at IS NULL AND r.status = 'QUEUED' "
      "AND EXISTS (SELECT FROM setup.file_arrivals a WHERE a.run_id = r.run_id AND a.layer = $1 AND a.job_name = $2) "
      "AND EXISTS (SELECT FROM setup.run_steps s WHERE s.run_id = r.run_id AND s.run_at = r.requested_at "
      "AND s.layer = $1 AND s.job_name = $2) "
      "AND NOT EXISTS (SELECT FROM setup.run_cancellations c WHERE c.run_id = r.run_id)",
      {TEXTOID, TEXTOID}};
  const pg::Rows found = find.run({pg::value(job.layer), pg::value(job.name)});
  return found.null(0, 0) ? 0 : found.int8(0, 0);
}

void record(const std::string& location, const Job& job, const std::vector<File>& files, RunId run) {
  static pg::Statement upsert{
      "INSERT INTO setup.file_arrivals (layer, job_name, location, path, size, modified_ns, run_id) "
      "SELECT $1, $2, $3, w.path, w.size, w.modified_ns, $7 "
      "FROM unnest($4::text[], $5::bigint[], $6::bigint[]) AS w(path, size, modified_ns) "
      "ON CONFLICT (layer, job_name, location, path) DO UPDATE SET size = excluded.size, "
      "modified_ns = excluded.modified_ns, run_id = excluded.run_id, arrived_at = excluded.arrived_at",
      {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8OID}};
  const Columns columns(files);
  upsert.run({pg::value(job.layer), pg::value(job.name), pg::value(location), columns.path_array(),
              columns.size_array(), columns.time_array(), pg::value(run)});
}

void forget_others(const std::string& location, const Job& job, const std::vector<File>& files) {
  static pg::Statement remove{
      "DELETE FROM setup.file_arrivals a USING (SELECT path FROM setup.file_arrivals WHERE layer = $1 "
      "AND job_name = $2 AND location = $3 EXCEPT SELECT unnest($4::text[])) gone "
      "WHERE a.layer = $1 AND a.job_name = $2 AND a.location = $3 AND a.path = gone.path",
      {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID}};
  remove.run({pg::value(job.layer), pg::value(job.name), pg::value(location), Columns(files).path_array()});
}

}  // namespace etl::arrival_store
