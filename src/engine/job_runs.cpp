#include "engine/job_runs.h"

namespace etl {

namespace {

using states::StateError;

constexpr std::string_view kPrefix = "jr_";

std::string state_of(const std::string& run, const std::string& attempt) {
  if (run == "QUEUED") return "STARTING";
  if (run == "RUNNING") return "RUNNING";
  if (run == "OK") return "SUCCEEDED";
  if (run == "CANCELLED" || run == "SKIPPED") return "STOPPED";
  return run == "TIMED_OUT" || attempt == "TIMED_OUT" ? "TIMEOUT" : "FAILED";
}

// Of a run of several jobs, what is said of this one counts.
std::string status_in_run(const std::string& run, const std::string& attempt, bool is_final, bool is_alone) {
  if (is_alone || !is_final) return run;
  return attempt == "TIMED_OUT" ? "ERROR" : attempt;
}

}  // namespace

NamedJob find_job(const std::string& name, Oid role) {
  static pg::Statement find{
      "SELECT layer, job_name, max_concurrent FROM setup.load_jobs WHERE pg_has_role($2, owner_oid, 'MEMBER') "
      "AND (job_name = $1 OR layer || '.' || job_name = $1) ORDER BY job_name = $1, layer",
      {TEXTOID, OIDOID}};
  const pg::Rows rows = find.run({pg::value(name), pg::value(role)});
  if (rows.size() == 0)
    throw StateError("Glue.EntityNotFoundException",
                     "Failed to start job run due to missing metadata: no load job is called \"" + name + "\"");
  const NamedJob job{rows.text(0, 0), rows.text(0, 1), rows.int4(0, 2)};
  if (rows.size() == 1 || job.qualified() == name) return job;
  throw StateError("Glue.InvalidInputException", "several layers have a load job \"" + name + "\": call it \"" +
                                                     job.qualified() + "\", or as it is in another layer");
}

int64_t count_open_runs(const NamedJob& job) {
  static pg::Statement count{
      "SELECT count(*) FROM setup.load_runs r CROSS JOIN LATERAL (SELECT s.step_id, s.round FROM setup.run_steps s "
      "WHERE s.run_id = r.run_id AND s.run_at = r.requested_at AND s.layer = $1 AND s.job_name = $2 OFFSET 0) s "
      "WHERE r.finished_at IS NULL AND r.state_machine IS NULL AND r.database_oid = $3 "
      "AND NOT EXISTS (SELECT FROM setup.load_log l WHERE l.run_id = r.run_id AND l.run_at = r.requested_at "
      "AND l.step_id = s.step_id AND l.round = s.round AND l.retry_at IS NULL)",
      {TEXTOID, TEXTOID, OIDOID}};
  return count.run({pg::value(job.layer), pg::value(job.job), pg::value(MyDatabaseId)}).int8(0, 0);
}

std::vector<JobRun> read_job_runs(const JobRunFilter& filter, Oid role) {
  static pg::Statement read{
      "SELECT r.run_id, s.layer || '.' || s.job_name, r.status, l.status, l.retry_at IS NULL, r.jobs_total = 1, "
      "coalesce(l.message, r.message), coalesce(l.attempt, 0), r.requested_at, coalesce(l.started_at, r.started_at), "
      "CASE WHEN r.finished_at IS NOT NULL OR l.retry_at IS NULL THEN coalesce(l.finished_at, r.finished_at) END, "
      "r.params FROM setup.load_runs r JOIN setup.run_steps s ON s.run_id = r.run_id AND s.run_at = r.requested_at "
      "LEFT JOIN LATERAL (SELECT k.status, k.message, k.attempt, k.started_at, k.finished_at, k.retry_at "
      "FROM setup.load_log k WHERE k.run_id = s.run_id AND k.run_at = s.run_at AND k.step_id = s.step_id "
      "ORDER BY k.log_id DESC LIMIT 1) l ON true "
      "WHERE ($1 = '' OR (s.layer = $1 AND s.job_name = $2)) AND ($3 = 0 OR r.run_id = $3) "
      "AND ($4 = 0 OR r.run_id < $4) AND pg_has_role($6, s.owner_oid, 'MEMBER') ORDER BY r.run_id DESC LIMIT $5",
      {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, OIDOID}};
  const pg::Rows rows = read.run({pg::value(filter.layer), pg::value(filter.job), pg::value(filter.run_id),
                                  pg::value(filter.before), pg::value(filter.most), pg::value(role)});
  std::vector<JobRun> runs;
  for (int i = 0; i < rows.size(); ++i) {
    JobRun run;
    run.run_id = rows.int8(i, 0);
    run.job = rows.text(i, 1);
    const std::string attempt = rows.text(i, 3);
    const bool is_final = !attempt.empty() && rows.boolean(i, 4);
    run.state = state_of(status_in_run(rows.text(i, 2), attempt, is_final, rows.boolean(i, 5)), attempt);
    run.message = rows.text(i, 6);
    run.attempts = rows.int4(i, 7);
    run.requested_at = rows.timestamp(i, 8);
    run.started_at = rows.timestamp(i, 9);
    run.finished_at = rows.timestamp(i, 10);
    run.arguments = rows.text(i, 11);
    runs.push_back(std::move(run));
  }
  return runs;
}

Json JobRun::shown(const TaskCall& call) const {
  const std::string given = call.optional_text("JobName");
  Json json = {{"Id", job_run_id(run_id)},
               {"JobName", given.empty() ? job : given},
               {"JobRunState", state},
               {"Attempt", std::max(0, attempts - 1)},
               {"ExecutionTime", 0},
               {"PredecessorRuns", Json::array()},
               {"StartedOn", shown_time(call, started_at != 0 ? started_at : requested_at)},
               {"LastModifiedOn", shown_time(call, std::max({requested_at, started_at, finished_at}))}};
  if (const Json params = Json::parse(arguments); !params.empty()) json["Arguments"] = params;
  const bool has_ended = state != "STARTING" && state != "RUNNING" && finished_at != 0;
  if (has_ended) {
    json["CompletedOn"] = shown_time(call, finished_at);
    // In whole seconds, as the service tells it.
    if (started_at != 0) json["ExecutionTime"] = std::max<int64_t>(0, (finished_at - started_at) / USECS_PER_SEC);
  }
  if (state != "SUCCEEDED" && !message.empty()) json["ErrorMessage"] = message;
  return json;
}

std::string job_run_id(RunId run_id) {
  return std::string(kPrefix) + std::to_string(run_id);
}

std::optional<RunId> parse_job_run_id(const std::string& text) {
  const std::string digits = text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
  const bool is_number =
      !digits.empty() && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::optional<RunId>(std::stoll(digits)) : std::nullopt;
}

}  // namespace etl
