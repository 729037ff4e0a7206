#include "engine/executions.h"

#include "engine/advancing.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

namespace etl {

namespace {

constexpr int kMostDue = 2000;   // are looked at together
constexpr size_t kEnough = 200;  // to be going on with
constexpr int64_t kLookAgainMs = 100;
constexpr const char* kLongestLockWait = "200ms";
constexpr long kRetryMs = 1000;

// The sooner of two times, of which 0 is none.
TimestampTz sooner(TimestampTz a, TimestampTz b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

// Each look at a table by itself: who drops the extension locks them all, in an order of its own.
template <typename F>
void in_store(F&& body) {
  pg::Transaction transaction;
  {
    const pg::Spi spi;
    body();
  }
  transaction.commit();
}

bool is_execution(const Finished& work) {
  return !work.tasks.empty() && work.tasks.front().attempt == kAdvance;
}

}  // namespace

void Executions::adopt(const std::vector<Finished>& busy) {
  for (const Finished& work : busy) {
    if (!is_execution(work)) continue;
    for (const Task& task : work.tasks) {
      known_.insert({work.run, task.step_id});
      at_work_.insert({work.run, task.step_id});
    }
  }
}

bool Executions::ended(const Finished& finished) {
  if (!is_execution(finished)) return false;
  for (const Task& task : finished.tasks) {
    known_.erase({finished.run, task.step_id});
    at_work_.erase({finished.run, task.step_id});
    if (task.outcome == Outcome::kError) must_stop_gone_ = true;
  }
  must_look_ = true;
  if (finished.died && finished.stop == StopReason::kNone) deaths_.push_back(finished);
  return true;
}

// As a crash: what ends its worker each time must come to an end.
void Executions::record_death(const Finished& finished) {
  pg::leave_if_server_stops();
  pg::Transaction transaction;
  {
    const pg::Spi spi;
    for (const Task& task : finished.tasks) branch_store::record_crash({finished.run, task.step_id});
  }
  transaction.commit();
}

void Executions::tend(bool has_news) {
  const bool is_due = next_due_ != 0 && next_due_ <= GetCurrentTimestamp();
  const bool retries = must_retry_ && pg::monotonic_ms() >= looked_ms_ + kRetryMs;
  must_look_ = must_look_ || has_news || is_due || retries || !deaths_.empty();
  if (!must_look_ || pg::monotonic_ms() < next_look_ms()) return;
  looked_ms_ = pg::monotonic_ms();
  must_look_ = false;
  look();
}

// Each look costs as much as there is ready already: while that is much, it can wait a moment.
int64_t Executions::next_look_ms() const {
  return known_.size() >= kEnough ? looked_ms_ + kLookAgainMs : 0;
}

void Executions::look() {
  in_store([&] { has_open_ = branch_store::has_any(); });
  next_due_ = 0;
  if (!has_open_) return;
  std::vector<execution_store::ToEnd> to_end;
  std::vector<branch_store::DueBranch> due;
  const TimestampTz now = GetCurrentTimestamp();
  in_store([] { branch_store::apply_reports(); });
  in_store([&] { to_end = execution_store::find_to_end(now); });
  in_store([&] {
    due = branch_store::find_due(now, kMostDue + static_cast<int>(known_.size()));
    next_due_ = branch_store::next_due(now);
  });
  in_store([&] { next_due_ = sooner(next_due_, execution_store::next_timeout(now)); });
  for (const branch_store::DueBranch& branch : due)
    if (known_.insert(branch.key).second) ready_[branch.owner].push_back(branch.key);
  must_retry_ = false;
  for (const execution_store::ToEnd& execution : to_end) must_retry_ = !end(execution) || must_retry_;
  if (must_stop_gone_) stop_gone();
}

// What a worker is doing for it finds its branch gone, and is rolled back. False if somebody has the row locked.
bool Executions::end(const execution_store::ToEnd& execution) try {
  pool_.stop(execution.run.id, execution.timed_out ? StopReason::kRunTimeout : StopReason::kRunCancelled);
  pg::Transaction transaction;
  settings::limit_lock_waits(kLongestLockWait);
  {
    const pg::Spi spi;
    execution_store::end(execution);
  }
  transaction.commit();
  must_look_ = true;  // another one may have waited for it
  Locked().wake_waiters(execution.run.id, true);
  return true;
} catch (const pg::Error& error) {
  if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE && error.sqlstate() != ERRCODE_T_R_DEADLOCK_DETECTED) throw;
  pg::abort_everything();
  return false;
}

// One branch of a Parallel has failed: what workers do for the others is of no use any more.
void Executions::stop_gone() {
  std::vector<BranchKey> gone;
  {
    pg::Transaction transaction;
    {
      const pg::Spi spi;
      gone = branch_store::find_gone({at_work_.begin(), at_work_.end()});
    }
    transaction.commit();
  }
  for (const BranchKey& key : gone)
    pool_.stop(key.run.id, StopReason::kRunCancelled, [&](StepId step) { return step == key.branch; });
  must_stop_gone_ = false;
}

std::vector<Oid> Executions::owners_with_work() const {
  std::vector<Oid> owners;
  for (const auto& [owner, queue] : ready_) owners.push_back(owner);
  return owners;
}

bool Executions::hand_out_one() {
  for (auto& [owner, queue] : ready_) {
    const std::optional<int> place = pool_.reserve(owner);
    if (!place) continue;
    RunKey run{};
    const std::vector<Task> tasks = gather(&queue, &run);
    if (!pool_.hand_over(*place, owner, run, tasks, 0)) {
      for (const Task& task : tasks) queue.push_front({run, task.step_id});
      continue;
    }
    for (const Task& task : tasks) at_work_.insert({run, task.step_id});
    if (queue.empty()) ready_.erase(owner);
    return true;
  }
  return false;
}

// The branch that has waited longest, and others of its execution: not more than each worker would get if all took
// part.
std::vector<Task> Executions::gather(std::deque<BranchKey>* queue, RunKey* run) {
  const auto share = (queue->size() - 1) / static_cast<size_t>(settings::max_workers()) + 1;
  const size_t most = std::min<size_t>(share, kMostTogether);
  *run = queue->front().run;
  std::vector<Task> tasks;
  while (!queue->empty() && tasks.size() < most && queue->front().run == *run) {
    tasks.push_back({queue->front().branch, kAdvance, Outcome::kNotStarted, 0});
    queue->pop_front();
  }
  return tasks;
}

void Executions::fail_one_of(Oid owner, const std::string& problem) {
  const auto found = ready_.find(owner);
  if (found == ready_.end()) return;
  const BranchKey key = found->second.front();
  {
    pg::Transaction transaction;
    {
      const pg::Spi spi;
      if (execution_store::finish(key.run, {"FAILED", "", "States.Permissions", problem}))
        branch_store::end_all(key.run, true);
    }
    transaction.commit();
  }
  Locked().wake_waiters(key.run.id, true);
  known_.erase(key);
  found->second.pop_front();
  if (found->second.empty()) ready_.erase(found);
}

void Executions::forget() {
  ready_.clear();
  known_.clear();
  at_work_.clear();
  next_due_ = 0;
  must_look_ = true;
}

long Executions::until_due() const {
  if (must_look_) return pg::milliseconds_until(next_look_ms());
  const long retry = must_retry_ ? kRetryMs : pg::kForever;
  if (next_due_ == 0) return retry;
  const int64_t left = (next_due_ - GetCurrentTimestamp() + 999) / 1000;
  return pg::sooner(retry, static_cast<long>(std::clamp<int64_t>(left, 0, INT_MAX)));
}

}  // namespace etl
