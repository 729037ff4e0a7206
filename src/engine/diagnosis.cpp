// A diagnosis makes an ActiveRun of its own from what is stored, as a conductor would that takes over, and asks that.

#include "engine/diagnosis.h"

#include "engine/admission.h"
#include "engine/job_holds.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/settings.h"

namespace etl {

namespace {

constexpr size_t kMostNames = 20;  // of jobs that one waits for

// A worker's tasks, as its slot says.
struct Busy {
  Finished work;
  int pid;
  Progress progress;
};

struct Workers {
  std::vector<Busy> busy;
  int taken = 0;  // slots in the whole server
  bool server_is_full = false;
  bool has_conductor = false;
};

Workers look_at_slots() {
  Workers workers;
  const Locked locked;
  const Slot* slots = locked->slots();
  for (const Slot* slot = slots; slot != slots + locked->slot_count; ++slot) {
    if (slot->state == SlotState::kFree) continue;
    ++workers.taken;
    const bool busy = slot->state == SlotState::kBusy || slot->state == SlotState::kDone;
    if (slot->database != MyDatabaseId || !busy) continue;
    workers.busy.push_back(
        {{slot->owner, slot->run, {slot->tasks, slot->tasks + slot->task_count}, {}, false, slot->stop, 0, {}},
         slot->state == SlotState::kBusy ? slot->pid : 0,
         slot->progress});
  }
  const Seat* seat = locked.find_seat(MyDatabaseId);
  workers.has_conductor = seat != nullptr && seat->state == PlaceState::kRunning;
  const auto waits_for_room = [](const Seat& each) { return each.state == PlaceState::kWanted && each.server_is_full; };
  // Without a conductor here, or even a seat for one, what the launcher found for another database holds here too.
  const Seat* seats = locked->seats();
  workers.server_is_full =
      workers.has_conductor ? seat->server_is_full : std::any_of(seats, seats + locked->seat_count, waits_for_room);
  return workers;
}

// The lock that a process waits for, and one of those who hold it. `caller` sees the queries of roles that it is a
// member of. False if the process waits for none.
bool find_blocker(int pid, Oid caller, Wait* wait) {
  static pg::Statement find{
      "SELECT CASE l.locktype WHEN 'relation' THEN format('waits for %s on %s', l.mode, l.relation::regclass) "
      "WHEN 'transactionid' THEN 'waits for a row' || coalesce((SELECT format(' of %s', t.relation::regclass) "
      "FROM pg_locks t WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1), '') "
      "|| ', changed by a transaction' ELSE format('waits for %s on a lock of type %s', l.mode, l.locktype) END, "
      "b.pid, a.query, coalesce(a.usesysid, 0) "
      "FROM pg_locks l CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid) "
      "LEFT JOIN pg_stat_activity a ON a.pid = b.pid WHERE l.pid = $1 AND NOT l.granted LIMIT 1",
      {INT4OID}};
  const pg::Rows rows = find.run({pg::value(static_cast<int32_t>(pid))});
  if (rows.size() == 0) return false;
  wait->reason = "lock";
  wait->pid = rows.int4(0, 1);
  wait->explanation = pg::format("%s; process %d holds it", rows.text(0, 0).c_str(), wait->pid);
  const Oid user = rows.oid(0, 3);
  if (OidIsValid(user) && pg::is_member(caller, user)) wait->query = rows.text(0, 2);
  return true;
}

class Diagnosis {
 public:
  Diagnosis(const run_store::State& state, Oid caller) : state_(state), caller_(caller), workers_(look_at_slots()) {}

  std::vector<Wait> run() {
    std::optional<run_store::StoredRun> stored = run_store::read_run(state_.key);
    if (!stored) return {};
    max_parallel_ = stored->max_parallel;
    const auto ended = log_store::read_attempts(state_.key);
    for (const auto& attempt : ended) retry_at_[attempt.step_id] = attempt.retry_at;
    std::vector<Finished> busy;
    for (const Busy& each : workers_.busy) busy.push_back(each.work);
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
    for (const Busy& each : workers_.busy) {
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
    for (const Busy& each : workers_.busy) {
      const auto& tasks = each.work.tasks;
      const auto task = std::find_if(tasks.begin(), tasks.end(), [&](const Task& it) { return it.step_id == id; });
      if (each.work.run != state_.key || task == tasks.end()) continue;
      if (task - tasks.begin() > each.progress.task) {
        wait->reason = "worker";
        wait->explanation = "is next in a worker that runs several short jobs with one commit";
        return true;
      }
      return each.pid != 0 && task - tasks.begin() == each.progress.task && find_blocker(each.pid, caller_, wait);
    }
    return false;
  }

  // What keeps the whole run from going on.
  bool explain_run(Wait* wait) const {
    if (state_.foreign) {
      wait->reason = "copied";
      wait->explanation = "the run was copied together with its database; setup.resume_run() lets it go on here";
      return true;
    }
    if (rival_) {
      wait->reason = "run";
      wait->explanation = pg::format("run %lld of the same pipeline is running", static_cast<long long>(rival_->id));
      return true;
    }
    if (!settings::enabled()) {
      wait->reason = "disabled";
      wait->explanation = "etl_orchestrator.enabled is off";
      return true;
    }
    return false;
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
      wait->explanation = worker_explanation();
    }
  }

  std::string worker_explanation() const {
    if (workers_.taken >= settings::max_workers())
      return pg::format("all workers are taken: etl_orchestrator.max_workers is %d", settings::max_workers());
    if (workers_.server_is_full)
      return "the server has no background worker slot left: max_worker_processes is too small";
    return workers_.has_conductor ? "is about to start" : "the conductor of this database is about to start";
  }

  const run_store::State& state_;
  const Oid caller_;
  const Workers workers_;
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
  return Diagnosis(state, caller).run();
}

std::vector<RunningAttempt> running_attempts() {
  const Oid caller = GetUserId();
  const std::vector<Busy> busy = look_at_slots().busy;
  const pg::EngineRights rights;
  const pg::Spi spi;
  std::vector<RunningAttempt> attempts;
  for (const Busy& each : busy) {
    if (each.pid == 0 || !pg::role_exists(each.work.owner) || !pg::is_member(caller, each.work.owner)) continue;
    const size_t index = std::min(static_cast<size_t>(each.progress.task), each.work.tasks.size() - 1);
    const Task& task = each.work.tasks[index];
    const auto step = run_store::read_step(each.work.run, task.step_id);
    if (!step) continue;
    attempts.push_back({each.work.run.id, step->first, step->second.job, task.attempt, each.pid,
                        pg::role_name(each.work.owner), each.progress.began.at, each.progress.statement,
                        each.progress.rows, step->second.expected_ms, each.work.stop});
  }
  return attempts;
}

}  // namespace etl
