#include "engine/job_holds.h"

#include "engine/catalog.h"
#include "engine/failure.h"
#include "engine/notifications.h"
#include "pg/engine_rights.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/settings.h"

namespace etl {

namespace {

constexpr const char* kShortWait = "10ms";  // somebody may be pausing or releasing a job

}  // namespace

void JobHolds::read() {
  static pg::Statement read{"SELECT layer, job_name, hold, crashes > 0 FROM setup.job_holds", {}};
  const pg::Rows rows = read.run();
  holds_.clear();
  crashed_.clear();
  for (int i = 0; i < rows.size(); ++i) {
    const Job job{rows.text(i, 0), rows.text(i, 1)};
    if (!rows.null(i, 2)) holds_[job] = rows.text(i, 2) == "paused" ? HoldReason::kPaused : HoldReason::kQuarantined;
    if (rows.boolean(i, 3)) crashed_.insert(job);
  }
}

std::optional<HoldReason> JobHolds::find(const ActiveRun& run, StepId step) const {
  if (holds_.empty()) return std::nullopt;
  const auto found = holds_.find({run.layer_of(step), run.step(step).job});
  return found == holds_.end() ? std::nullopt : std::optional(found->second);
}

void JobHolds::forgive(const ActiveRun& run, StepId step) {
  if (crashed_.empty()) return;
  const Job job{run.layer_of(step), run.step(step).job};
  if (crashed_.erase(job) > 0) forgiven_.insert(job);
}

void JobHolds::write() const {
  static pg::Statement reset{
      "UPDATE setup.job_holds SET crashes = 0 WHERE layer = $1 AND job_name = $2 AND hold IS NULL", {TEXTOID, TEXTOID}};
  settings::limit_lock_waits(kShortWait);
  for (const auto& [layer, job] : forgiven_) reset.run({pg::value(layer), pg::value(job)});
}

namespace job_holds {

namespace {

// Returns how often the job has crashed in a row.
int count_crash(const std::string& layer, const std::string& job) {
  static pg::Statement count{
      "INSERT INTO setup.job_holds AS h (layer, job_name, crashes) VALUES ($1, $2, 1) "
      "ON CONFLICT (layer, job_name) DO UPDATE SET crashes = h.crashes + 1 RETURNING crashes",
      {TEXTOID, TEXTOID}};
  return count.run({pg::value(layer), pg::value(job)}).int4(0, 0);
}

void quarantine(const RunKey& run, const run_store::Work& work, int crashes) {
  static pg::Statement hold{
      "UPDATE setup.job_holds SET hold = 'quarantined', held_since = clock_timestamp(), held_by = NULL "
      "WHERE layer = $1 AND job_name = $2 AND hold IS NULL",
      {TEXTOID, TEXTOID}};
  hold.run({pg::value(work.layer), pg::value(work.job)});
  const std::string name = work.layer + "." + work.job;
  notifications::publish(
      "quarantine", pg::format("job \"%s\" is quarantined", name.c_str()),
      pg::format("It took the server down %d times in a row. When it is mended: SELECT setup.release_job(%s, %s);",
                 crashes, pg::quote_text(work.layer).c_str(), pg::quote_text(work.job).c_str()),
      run, work.step_id);
}

}  // namespace

void record_crash(const RunKey& run, StepId step, int attempt) {
  const std::vector<run_store::Work> works = run_store::read_work(run, {step});
  if (works.empty() || log_store::has_ended(run, step, attempt)) return;
  const run_store::Work& work = works.front();
  log_store::Entry entry;
  entry.step_id = step;
  entry.attempt = attempt;
  entry.status = "ERROR";
  entry.started = pg::now();
  entry.sqlstate = unpack_sql_state(ERRCODE_CRASH_SHUTDOWN);
  entry.message = "the process of this job crashed or was killed, and the server had to restart";
  entry.hint = "The server's log says how the process ended.";
  entry.retry = retry_time(work, entry, StopReason::kNone);
  log_store::write(run, {entry});
  const int crashes = count_crash(work.layer, work.job);
  if (settings::crash_limit() > 0 && crashes >= settings::crash_limit()) quarantine(run, work, crashes);
}

void pause(const std::string& layer, const std::string& job) {
  static pg::Statement hold{
      "INSERT INTO setup.job_holds AS h (layer, job_name, hold, held_since, held_by) "
      "VALUES ($1, $2, 'paused', clock_timestamp(), $3) ON CONFLICT (layer, job_name) DO UPDATE "
      "SET hold = 'paused', held_since = excluded.held_since, held_by = excluded.held_by WHERE h.hold IS NULL",
      {TEXTOID, TEXTOID, TEXTOID}};
  require_own_job(layer, job);
  const std::string user = pg::role_name(GetUserId());
  const pg::EngineRights rights;
  const pg::Spi spi;
  hold.run({pg::value(layer), pg::value(job), pg::value(user)});
  call_conductor_at_commit();
}

void release(const std::string& layer, const std::string& job) {
  static pg::Statement remove{"DELETE FROM setup.job_holds WHERE layer = $1 AND job_name = $2", {TEXTOID, TEXTOID}};
  require_own_job(layer, job);
  const pg::EngineRights rights;
  const pg::Spi spi;
  remove.run({pg::value(layer), pg::value(job)});
  call_conductor_at_commit();
}

}  // namespace job_holds

}  // namespace etl
