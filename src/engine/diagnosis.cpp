// A diagnosis makes an ActiveRun of its own from what is stored, as a conductor would that takes over, and asks that.

#include "engine/diagnosis.h"

#include "engine/admission.h"
#include "engine/busy_workers.h"
#include "engine/execution_diagnosis.h"
#include "engine/execution_store.h"
#include "engine/job_holds.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/settings.h"

namespace etl {

namespace {

constexpr size_t kMostNames = 20;  // of jobs that one waits for

class Diagnosis {
 public:
  Diagnosis(const run_store::State& state, Oid caller)
      : state_(state), caller_(caller), workers_(BusyWorkers::look()) {}

  std::vector<Wait> run() {
    std::optional<run_store::StoredRun> stored = run_store::read_run(state_.key);
    if (!stored) return {};
    max_parallel_ = stored->max_parallel;
    const auto ended = log_store::read_attempts(state_.key);
    for (const auto& attempt : ended) retry_at_[attempt.step_id] = attempt.retry_at;
    std::vector<Finished> busy;
    for (const BusyWorker& each : workers_.busy) busy.push_back(each.work);
    ActiveRun run(state_.key, std::move(*stored), ended, busy);
    run.check_tables();
    holds_.read();
    admission_.read_capacities();
    take_what_runs();
    rival_ = run_store::rival_of(state_.key);

    std::vector<Wait> waits;
    for (StepId id = 0; id < run.schedule().step_count(); ++id) {
      if (!pg::is_member(caller_, run.step(id).owner)) continue;
      Wait wait;
      wait.layer = run.layer_of(id);
      wait.job = run.step(id).job;
      if (explain(run, id, &wait)) waits.push_back(std::move(wait));
    }
    return waits;
  }

 private:
  // What runs in this database takes its part of the limits.
  void take_what_runs() {
    for (const BusyWorker& each : workers_.busy) {
      for (const Task& task : each.work.tasks) {
        const auto step = run_store::read_step(each.work.run, task.step_id);
        if (step) admission_.take({each.work.run, 0, task.step_id, step->first, step->second});
      }
    }
  }

  // False if the step has ended, or runs unhindered.
  bool explain(const ActiveRun& run, StepId id, Wait* wait) {
    switch (run.schedule().state(id)) {
      case plan::StepState::kRunning:
        return explain_running(id, wait);
      case plan::StepState::kWaiting:
        if (!explain_run(wait)) explain_waiting(run, id, wait);
        return true;
      case plan::StepState::kHeld:
        if (explain_hold(run, id, wait)) return true;
        wait->reason = "retry";
        wait->retry_at = retry_at_[id];
        wait->explanation = "failed, and is tried again later: setup.load_log says why it failed";
        return true;
      case plan::StepState::kReady:
        if (!explain_run(wait)) explain_ready(run, id, wait);
        return true;
      default:
        return false;
    }
  }

  bool explain_running(StepId id, Wait* wait) const {
    for (const BusyWorker& each : workers_.busy) {
      if (each.is_at(state_.key, id)) return find_blocker(each.pid, caller_, wait);
      if (!each.is_next(state_.key, id)) continue;
      explain_next(wait);
      return true;
    }
    return false;
  }

  // What keeps the whole run from going on.
  bool explain_run(Wait* wait) const {
    if (rival_ && !state_.foreign) {
      wait->reason = "run";
      wait->explanation = pg::format("run %lld of the same pipeline is running", static_cast<long long>(rival_->id));
      return true;
    }
    return explain_standstill(state_.foreign, wait);
  }

  static void explain_waiting(const ActiveRun& run, StepId id, Wait* wait) {
    const plan::Schedule& schedule = run.schedule();
    const std::vector<StepId> parents = schedule.missing_parents(id);
    wait->reason = "dependency";
    wait->explanation = "waits for jobs that it depends on";
    std::vector<StepId> others = parents;
    const std::optional<int> open = schedule.open_layer();
    if (parents.empty() && open) {
      wait->reason = "layer";
      wait->explanation = "waits for the end of a layer before its own";
      for (const StepId other : schedule.steps_of(*open))
        if (!plan::has_ended(schedule.state(other))) others.push_back(other);
    }
    for (size_t i = 0; i < std::min(others.size(), kMostNames); ++i) wait->waits_for.push_back(run.name_of(others[i]));
    if (others.size() > kMostNames) wait->waits_for.push_back(pg::format("and %zu more", others.size() - kMostNames));
  }

  // Somebody has to release it: that goes before a retry, which comes by itself.
  bool explain_hold(const ActiveRun& run, StepId id, Wait* wait) const {
    const std::optional<HoldReason> hold = holds_.find(run, id);
    if (!hold) return false;
    const bool paused = hold == HoldReason::kPaused;
    wait->reason = paused ? "paused" : "quarantined";
    wait->explanation = paused ? "setup.release_job() lets it run"
                               : "it took the server down again and again; setup.release_job() lets it run";
    return true;
  }

  void explain_ready(const ActiveRun& run, StepId id, Wait* wait) {
    if (explain_hold(run, id, wait)) return;
    const std::string obstacle = admission_.obstacle(applicant(run, id));
    if (!obstacle.empty()) {
      wait->reason = "limit";
      wait->explanation = obstacle;
    } else if (max_parallel_ > 0 && run.schedule().running_count() >= max_parallel_) {
      wait->reason = "limit";
      wait->explanation = pg::format("max_parallel of the run: %d of %d jobs are running",
                                     run.schedule().running_count(), max_parallel_);
    } else if (const auto first = run.next(run.step(id).owner); run.in_sequence(id) && first != id) {
      wait->reason = "layer";
      wait->explanation = "its layer runs one job at a time";
    } else {
      wait->reason = "worker";
      wait->explanation = workers_.why_none_is_free();
    }
  }

  const run_store::State& state_;
  const Oid caller_;
  const BusyWorkers workers_;
  int max_parallel_ = 0;
  std::map<StepId, TimestampTz> retry_at_;
  std::optional<run_store::Rival> rival_;
  JobHolds holds_;
  Admission admission_;
};

}  // namespace

std::vector<Wait> why_waiting(RunId run_id) {
  const run_store::State state = visible_run(run_id);
  if (state.ended) return {};
  const Oid caller = GetUserId();
  const pg::EngineRights rights;
  const pg::LatestSnapshot snapshot;
  const pg::Spi spi;
  if (state.is_execution) return why_branches_wait(state, caller);
  return Diagnosis(state, caller).run();
}

std::vector<RunningAttempt> running_attempts() {
  const Oid caller = GetUserId();
  const std::vector<BusyWorker> busy = BusyWorkers::look().busy;
  const pg::EngineRights rights;
  const pg::Spi spi;
  std::vector<RunningAttempt> attempts;
  for (const BusyWorker& each : busy) {
    if (each.pid == 0 || !pg::role_exists(each.work.owner) || !pg::is_member(caller, each.work.owner)) continue;
    const size_t index = std::min(static_cast<size_t>(each.progress.task), each.work.tasks.size() - 1);
    const Task& task = each.work.tasks[index];
    RunningAttempt attempt{each.work.run.id,
                           "",
                           "",
                           task.attempt,
                           each.pid,
                           pg::role_name(each.work.owner),
                           each.progress.began.at,
                           each.progress.statement,
                           each.progress.rows,
                           -1,
                           each.work.stop};
    if (const auto step = run_store::read_step(each.work.run, task.step_id)) {
      attempt.layer = step->first;
      attempt.job = step->second.job;
      attempt.expected_ms = step->second.expected_ms;
    } else if (each.progress.state[0] != '\0') {
      attempt.layer = execution_store::machine_of(each.work.run);
      attempt.job = each.progress.state;
      attempt.attempt = each.progress.attempt;
    } else {
      continue;  // an execution between two tasks
    }
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

}  // namespace etl
