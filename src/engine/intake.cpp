#include "engine/intake.h"

#include "engine/advancing.h"
#include "engine/arrival_store.h"
#include "engine/branch_store.h"
#include "engine/crash_notes.h"
#include "engine/watch_posts.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/transaction.h"

extern "C" {
#include "commands/extension.h"
}

namespace etl {

namespace {

constexpr int kMostReads = 3;  // then a run whose plan cannot be read is given up

Oid present_extension() {
  return pg::guard([] { return get_extension_oid("etl_orchestrator", true); });
}

}  // namespace

void complain(RunId run, const char* message) {
  pg::abort_everything();
  log_line(WARNING, pg::format("etl_orchestrator conductor: run %lld: %s", static_cast<long long>(run), message),
           "It tries again in a second.");
}

bool Intake::look() {
  complete_ = true;
  has_queue_ = false;
  std::vector<run_store::Head> heads;
  {
    pg::Transaction transaction;
    const Oid present = present_extension();
    if (present != extension_) forget_extension(present);
    transaction.commit();
  }
  if (OidIsValid(extension_)) {
    settle_crashes();
    pg::Transaction transaction;
    {
      const pg::Spi spi;
      heads = run_store::unfinished();
      holds_.read();
      admission_.read_capacities();
    }
    transaction.commit();
  }
  if (OidIsValid(extension_) && !has_called_watcher_) call_watcher();
  drop_vanished(heads);
  for (const run_store::Head& head : heads)
    if (!runs_.contains(head.key.id) && !unsettled_.contains(head.key.id)) load(head, heads);
  for (const run_store::Head& head : heads)
    if (head.cancel_requested) heed_cancel(head);
  heed_holds();
  return complete_;
}

// After a start of the server nobody else knows that locations of this database are watched.
void Intake::call_watcher() {
  pg::Transaction transaction;
  bool watched = false;
  {
    const pg::Spi spi;
    watched = arrival_store::has_watched_locations();
  }
  transaction.commit();
  const Locked locked;
  if (watched && !watch_posts::has_post(locked, MyDatabaseId))
    watch_posts::call(locked, MyDatabaseId, watch_posts::Call::kStart);
  has_called_watcher_ = true;
}

// Attempts whose own process was killed, and took the server down.
void Intake::settle_crashes() {
  const std::vector<crash_notes::Note> reports = crash_notes::reports(Locked(), MyDatabaseId);
  unsettled_.clear();
  for (const crash_notes::Note& report : reports) {
    try {
      pg::Transaction transaction;
      settings::limit_lock_waits("200ms");  // somebody may be pausing or releasing the job
      {
        const pg::Spi spi;
        if (report.attempt == kAdvance) {
          branch_store::record_crash({report.run, report.step_id});
        } else {
          job_holds::record_crash(report.run, report.step_id, report.attempt);
        }
      }
      transaction.commit();
      crash_notes::forget(Locked(), report);
    } catch (const std::exception& error) {
      complain(report.run.id, error.what());
      unsettled_.insert(report.run.id);
      complete_ = false;
    }
  }
}

// If the extension was dropped, or dropped and created again, the runs of before are gone.
void Intake::forget_extension(Oid present) {
  if (OidIsValid(extension_)) {
    pool_.stop_all();
    adopted_.clear();
  }
  for (const auto& [id, run] : runs_) {
    admission_.forget(id);
    Locked().wake_waiters(id, true);
  }
  runs_.clear();
  unreadable_.clear();
  queued_behind_.clear();
  extension_ = present;
}

// Runs that somebody has deleted in the middle.
void Intake::drop_vanished(const std::vector<run_store::Head>& heads) {
  for (auto entry = runs_.begin(); entry != runs_.end();) {
    const RunKey& key = entry->second->key();
    if (std::any_of(heads.begin(), heads.end(), [&](const auto& head) { return head.key == key; })) {
      ++entry;
      continue;
    }
    const RunId id = key.id;
    pool_.stop(id, StopReason::kGone);
    admission_.forget(id);
    entry = runs_.erase(entry);
    Locked().wake_waiters(id, true);
  }
}

// Each run in a transaction of its own: one that cannot be read, or that somebody holds locked, keeps no other from
// running. After a few tries an unreadable one ends with an error.
void Intake::load(const run_store::Head& head, const std::vector<run_store::Head>& heads) {
  const RunId id = head.key.id;
  try {
    pg::Transaction transaction;
    std::unique_ptr<ActiveRun> run;
    std::optional<run_store::Ending> ending;
    {
      const pg::Spi spi;
      // One that is to be cancelled waits for nobody.
      const bool waits = !head.cancel_requested && (head.foreign || must_wait(head, heads, &ending));
      if (!waits && !ending) run = read(head);
      if (!waits && !ending && run == nullptr)
        ending = {"ERROR", 0, 0, head.jobs_total, "the plan of this run cannot be read"};
      if (ending) {
        run_store::mark_finished(head.key, *ending);
      } else if (run != nullptr && !head.started) {
        run_store::mark_started(head.key);
      }
    }
    transaction.commit();
    unreadable_.erase(id);
    if (run != nullptr) take_over(std::move(run));
    if (ending) Locked().wake_waiters(id, true);
  } catch (const std::exception& error) {
    const auto* raised = dynamic_cast<const pg::Error*>(&error);
    if (raised == nullptr || raised->sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) ++unreadable_[id];
    complain(id, error.what());
    complete_ = false;
  }
}

// With what workers are on for it.
void Intake::take_over(std::unique_ptr<ActiveRun> run) {
  for (const Finished& work : adopted_)
    if (work.run == run->key())
      for (const Task& task : work.tasks) admission_.take(applicant(*run, task.step_id));
  runs_[run->id()] = std::move(run);
}

// What a worker was on when this conductor came has ended: the tables say how, for a run that is not loaded yet.
void Intake::ended(const Finished& work) {
  std::erase_if(adopted_, [&](const Finished& each) {
    return each.run == work.run && each.tasks.front().step_id == work.tasks.front().step_id;
  });
}

// True if another run of the same pipeline goes first. If this one is not to wait for that, it ends instead.
bool Intake::must_wait(const run_store::Head& head, const std::vector<run_store::Head>& heads,
                       std::optional<run_store::Ending>* ending) {
  if (head.started) return false;
  // To compare the jobs of two runs takes time; the answer stands as long as the other one has not ended.
  const auto known = queued_behind_.find(head.key.id);
  if (known != queued_behind_.end() && std::any_of(heads.begin(), heads.end(), [&](const run_store::Head& other) {
        return other.key.id == known->second;
      })) {
    has_queue_ = true;
    return true;
  }
  queued_behind_.erase(head.key.id);
  const std::optional<run_store::Rival> rival = run_store::rival_of(head.key);
  if (!rival) return false;
  if (rival->if_running == "queue") {
    queued_behind_[head.key.id] = rival->id;
    has_queue_ = true;
    return true;
  }
  const std::string message = pg::format("run %lld of the same pipeline is running", static_cast<long long>(rival->id));
  *ending = {rival->if_running == "skip" ? "SKIPPED" : "ERROR", 0, 0, head.jobs_total, message};
  return false;
}

// Null if it has turned out to be unreadable.
std::unique_ptr<ActiveRun> Intake::read(const run_store::Head& head) {
  if (unreadable_[head.key.id] >= kMostReads) return nullptr;
  const auto ended = log_store::read_attempts(head.key);
  auto stored = run_store::read_run(head.key);
  if (!stored) return nullptr;
  return std::make_unique<ActiveRun>(head.key, std::move(*stored), ended, adopted_);
}

void Intake::heed_cancel(const run_store::Head& head) {
  const auto found = runs_.find(head.key.id);
  if (found == runs_.end()) return;
  found->second->cancel();
  pool_.stop(head.key.id, StopReason::kRunCancelled);
}

// Steps whose job was released start again.
void Intake::heed_holds() {
  for (const auto& [id, run] : runs_)
    for (const StepId step : run->held_jobs())
      if (!holds_.find(*run, step)) run->release(step);
}

}  // namespace etl
