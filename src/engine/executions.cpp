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
  bool is_known = false;  // else it is of an extension that was dropped
  for (const Task& task : finished.tasks) {
    const BranchKey key{finished.run, task.step_id};
    const auto at_work = at_work_.find(key);
    if (at_work == at_work_.end() || at_work->run != finished.run) continue;
    is_known = true;
    at_work_.erase(at_work);
    known_.erase(key);
    if (due_again_.erase(key) > 0) add(finished.owner, key);
    if (task.outcome == Outcome::kNotStarted) add(finished.owner, key);
  }
  if (!is_known) return true;
  const MadeDue& made = finished.made_due;
  for (int i = 0; i < made.range_count; ++i)
    for (int place = 0; place < made.ranges[i].count; ++place)
      add(finished.owner, {finished.run, made.ranges[i].first + place});
  next_due_ = sooner(next_due_, made.at);
  must_stop_gone_ = must_stop_gone_ || made.stopped;
  must_look_ = must_look_ || made.stopped;
  if (made.more || finished.died) told_.push_back({finished.run.id, ToldBranches::kAll});
  if (finished.died && finished.stop == StopReason::kNone) deaths_.push_back(finished);
  return true;
}

void Executions::add(Oid owner, const BranchKey& key) {
  if (known_.insert(key).second)
    ready_[owner].add(key);
  else if (at_work_.contains(key))
    due_again_.insert(key);
}

// As a crash: what ends its worker each time must come to an end.
void Executions::record_death(const Finished& finished) {
  pg::leave_if_server_stops();
  pg::Transaction transaction;
  {
    const pg::Spi spi;
    branch_store::record_crash({finished.run, finished.tasks.at(finished.at).step_id});
  }
  transaction.commit();
}

void Executions::note(const ToldBranches& told) {
  told_.insert(told_.end(), told.branches, told.branches + told.count);
  must_look_at_all_ = must_look_at_all_ || told.all;
}

void Executions::tend(bool has_news) {
  const bool is_due = next_due_ != 0 && next_due_ <= GetCurrentTimestamp();
  const bool retries = must_retry_ && pg::monotonic_ms() >= looked_ms_ + kRetryMs;
  must_look_ = must_look_ || has_news || is_due || retries;
  if (!wants_look() || pg::monotonic_ms() < next_look_ms()) return;
  looked_ms_ = pg::monotonic_ms();
  look();
}

// To look at all costs as much as there is ready already: while that is much, it can wait a moment.
int64_t Executions::next_look_ms() const {
  return must_look_at_all_ && known_.size() >= kEnough ? looked_ms_ + kLookAgainMs : 0;
}

void Executions::look() {
  for (; !deaths_.empty(); deaths_.pop_back()) record_death(deaths_.back());
  if (must_stop_gone_) stop_gone();
  bool has_open = false;
  in_store([&] { has_open = execution_store::has_open(); });
  next_due_ = 0;
  must_retry_ = false;
  if (!has_open) return must_look_again(false);
  std::vector<execution_store::ToEnd> to_end;
  std::vector<branch_store::DueBranch> due, due_of_told;
  std::vector<ToldBranches::Branch> reported;
  const TimestampTz now = GetCurrentTimestamp();
  const size_t most = kMostDue + known_.size();
  in_store([&] { reported = branch_store::apply_reports(); });
  told_.insert(told_.end(), reported.begin(), reported.end());
  in_store([&] { to_end = execution_store::find_to_end(now); });
  in_store([&] {
    due = must_look_at_all_ ? branch_store::find_due(now, most) : branch_store::find_due_in_time(now, most);
    if (!told_.empty()) due_of_told = branch_store::find_due_of(told_, now);
    next_due_ = branch_store::next_due(now);
  });
  in_store([&] { next_due_ = sooner(next_due_, execution_store::next_timeout(now)); });
  for (const branch_store::DueBranch& branch : due) add(branch.owner, branch.key);
  for (const branch_store::DueBranch& branch : due_of_told) add(branch.owner, branch.key);
  must_look_again(due.size() == most);
  for (const execution_store::ToEnd& execution : to_end) must_retry_ = !end(execution) || must_retry_;
}

// After a look: whether there was more.
void Executions::must_look_again(bool it_must) {
  must_look_ = it_must;
  must_look_at_all_ = must_look_at_all_ && it_must;
  told_.clear();
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
  drop(execution.run.id);
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
  for (const auto& [owner, ready] : ready_) owners.push_back(owner);
  return owners;
}

bool Executions::hand_out_one() {
  for (auto& [owner, ready] : ready_) {
    const std::optional<int> place = pool_.reserve(owner);
    if (!place) continue;
    const std::vector<BranchKey> branches = ready.take(settings::max_workers());
    std::vector<Task> tasks;
    for (const BranchKey& key : branches) tasks.push_back({key.branch, kAdvance, Outcome::kNotStarted, 0});
    if (!pool_.hand_over(*place, owner, branches.front().run, tasks, 0)) {
      for (const BranchKey& key : branches) ready.add(key);
      continue;
    }
    at_work_.insert(branches.begin(), branches.end());
    if (ready.empty()) ready_.erase(owner);
    return true;
  }
  return false;
}

void Executions::fail_one_of(Oid owner, const std::string& problem) {
  const auto found = ready_.find(owner);
  if (found == ready_.end()) return;
  const RunKey run = found->second.next();
  {
    pg::Transaction transaction;
    {
      const pg::Spi spi;
      execution_store::fail(run, "States.Permissions", problem);
    }
    transaction.commit();
  }
  drop(run.id);
  Locked().wake_waiters(run.id, true);
}

// What can be handed out of an execution that has ended.
void Executions::drop(RunId run_id) {
  for (auto entry = ready_.begin(); entry != ready_.end();) {
    for (const BranchKey& key : entry->second.drop(run_id)) known_.erase(key);
    entry = entry->second.empty() ? ready_.erase(entry) : std::next(entry);
  }
}

void Executions::forget() {
  ready_.clear();
  known_.clear();
  at_work_.clear();
  due_again_.clear();
  next_due_ = 0;
  must_look_at_all_ = true;
}

long Executions::until_due() const {
  if (wants_look()) return pg::milliseconds_until(next_look_ms());
  const long retry = must_retry_ ? kRetryMs : pg::kForever;
  if (next_due_ == 0) return retry;
  const int64_t left = (next_due_ - GetCurrentTimestamp() + 999) / 1000;
  return pg::sooner(retry, static_cast<long>(std::clamp<int64_t>(left, 0, INT_MAX)));
}

}  // namespace etl
