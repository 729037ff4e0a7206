#include "engine/dispatcher.h"

#include "pg/settings.h"

namespace etl {

namespace {

// Several tasks end by themselves, when the delay that they may have is over; a job that does not heed that is ended.
int64_t timeout_of(const ActiveRun& run, const std::vector<Task>& tasks) {
  if (tasks.size() == 1) return run.step(tasks.front().step_id).timeout_ms;
  return int64_t{settings::shared_commit_delay_ms()} + settings::cancel_grace_ms() + 1;
}

}  // namespace

bool Dispatcher::dispatch() {
  std::vector<Oid> owners;
  if (settings::enabled()) {
    wake_those_who_waited();
    for (const auto& [id, run] : runs_) {
      sift(*run);
      for (const Oid owner : run->owners_with_work()) owners.push_back(owner);
    }
    for (const Oid owner : executions_.owners_with_work()) owners.push_back(owner);
  }
  pool_.begin_round(owners);
  if (owners.empty()) {
    pool_.end_round(false);
    return true;
  }
  for (const std::vector<ActiveRun*>& equals : by_priority()) {
    for (bool handed_out = true; handed_out;) {
      handed_out = false;
      for (ActiveRun* run : equals) handed_out = hand_out_one(*run) || handed_out;
      handed_out = executions_.hand_out_one() || handed_out;
    }
  }

  while (executions_.hand_out_one()) {
  }

  bool started = true;
  bool work_is_left = false;
  for (const Oid owner : pool_.starved()) started = pool_.want(owner) && started;
  for (const auto& [id, run] : runs_) {
    for (const Oid owner : run->owners_with_work()) {
      work_is_left = true;
      started = pool_.want(owner) && started;
    }
  }
  for (const Oid owner : executions_.owners_with_work()) {
    work_is_left = true;
    started = pool_.want(owner) && started;
  }
  pool_.end_round(work_is_left);
  return started;
}

// Steps that were in line for a limit, and for which there may be room now.
void Dispatcher::wake_those_who_waited() {
  for (auto woken = admission_.woken(); !woken.empty(); woken = admission_.woken()) {
    for (const auto& [id, step] : woken) {
      const auto run = runs_.find(id);
      const bool waits = run != runs_.end() && run->second->schedule().state(step) == plan::StepState::kHeld;
      if (waits) run->second->release(step);
      // The next in line is called if this one was skipped meanwhile, or cannot start now for another reason.
      if (!waits || run->second->next(run->second->step(step).owner) != step) admission_.forget(id, step);
    }
  }
}

// Leaves at the head of each owner's steps one that may start, so that no worker is started for one that may not.
void Dispatcher::sift(ActiveRun& run) {
  for (const Oid owner : run.owners_with_work()) next_admitted(run, owner);
}

// The most urgent step of an owner that may start; those before it that may not are held.
std::optional<StepId> Dispatcher::next_admitted(ActiveRun& run, Oid owner) {
  for (;;) {
    const std::optional<StepId> step = run.next(owner);
    if (!step) return std::nullopt;
    const std::optional<HoldReason> hold = holds_.find(run, *step);
    if (!hold && admission_.admits(applicant(run, *step))) return step;
    run.hold(*step, hold.value_or(HoldReason::kLimit));
    if (hold) admission_.forget(run.id(), *step);
  }
}

bool Dispatcher::hand_out_one(ActiveRun& run) {
  for (const Oid owner : run.owners_with_work()) {
    const std::optional<int> place = pool_.reserve(owner);
    if (!place) continue;
    const std::vector<Task> tasks = gather(run, owner);
    if (tasks.empty()) continue;
    if (pool_.hand_over(*place, owner, run.key(), tasks, timeout_of(run, tasks))) {
      served_last_ = run.id();
      return true;
    }
    undo(run, tasks);
  }
  return false;
}

// The next step of an owner, or as many short ones as may share a commit: not more than what each worker would get if
// all took part.
std::vector<Task> Dispatcher::gather(ActiveRun& run, Oid owner) {
  const double delay_ms = settings::shared_commit_delay_ms();
  const int share = (run.ready_count(owner) - 1) / settings::max_workers() + 1;
  const auto most = static_cast<size_t>(std::min(share, kMostTogether));
  std::vector<Task> tasks;
  double expected_ms = 0;
  for (std::optional<StepId> step = next_admitted(run, owner); step; step = next_admitted(run, owner)) {
    const bool shares = delay_ms > 0 && run.shares_commit(*step, delay_ms);
    expected_ms += run.step(*step).expected_ms;
    if (!tasks.empty() && (!shares || expected_ms > delay_ms)) break;
    admission_.take(applicant(run, *step));
    tasks.push_back(run.start(*step));
    if (!shares || tasks.size() >= most) break;
  }
  return tasks;
}

void Dispatcher::undo(ActiveRun& run, const std::vector<Task>& tasks) {
  for (const Task& task : tasks) {
    admission_.release(run.key(), task.step_id);
    run.put_back(task);
  }
}

// Runs of the same priority take turns: the one after the last served begins.
std::vector<std::vector<ActiveRun*>> Dispatcher::by_priority() const {
  std::map<int, std::vector<ActiveRun*>, std::greater<>> groups;
  for (const auto& [id, run] : runs_) groups[run->priority()].push_back(run.get());
  std::vector<std::vector<ActiveRun*>> ordered;
  for (auto& [priority, runs] : groups) {
    const auto next =
        std::find_if(runs.begin(), runs.end(), [&](const ActiveRun* run) { return run->id() > served_last_; });
    std::rotate(runs.begin(), next, runs.end());
    ordered.push_back(std::move(runs));
  }
  return ordered;
}

}  // namespace etl
