#include "engine/active_run.h"

#include "engine/report.h"
#include "pg/wait.h"

namespace etl {

namespace {

std::vector<Oid> distinct_owners(const run_store::StoredRun& stored) {
  std::vector<Oid> owners;
  for (const auto& step : stored.steps)
    if (std::find(owners.begin(), owners.end(), step.owner) == owners.end()) owners.push_back(step.owner);
  return owners;
}

plan::Schedule make_schedule(run_store::StoredRun& stored, const std::vector<Oid>& owners) {
  std::vector<plan::LayerSpec> layers;
  for (const auto& layer : stored.layers) layers.push_back({layer.sequence});
  std::vector<plan::StepSpec> steps;
  steps.reserve(stored.steps.size());
  for (auto& step : stored.steps) {
    plan::StepSpec spec;
    spec.layer = step.layer;
    spec.lane = static_cast<int>(std::find(owners.begin(), owners.end(), step.owner) - owners.begin());
    spec.load_order = step.load_order;
    spec.priority = step.priority;
    spec.follows_layer = step.follows_layer;
    spec.parents = std::exchange(step.parents, {});
    // What has never run counts as a second: longer than what is known to be quick.
    spec.weight = step.expected_ms < 0 ? 1000 : std::max(step.expected_ms, 0.001);
    steps.push_back(std::move(spec));
  }
  return plan::Schedule(std::move(layers), std::move(steps), stored.on_error, stored.max_parallel);
}

// Of a timeout that began to count at some time of the wall clock, what is left; the clock may have been set.
int64_t left_of(int64_t timeout_ms, TimestampTz began) {
  const int64_t passed = (GetCurrentTimestamp() - began) / 1000;
  return std::clamp<int64_t>(timeout_ms - passed, 0, timeout_ms);
}

// When a step is due for its next attempt, whose last one ended before this conductor came.
int64_t retry_due(const log_store::StoredAttempt& last) {
  return pg::monotonic_ms() + left_of(std::max<int64_t>(last.retry_at - last.finished_at, 0) / 1000, last.finished_at);
}

}  // namespace

ActiveRun::ActiveRun(const RunKey& key, run_store::StoredRun stored, const std::vector<log_store::StoredAttempt>& ended,
                     const std::vector<Finished>& busy)
    : key_(key),
      priority_(stored.priority),
      timeout_ms_(stored.timeout_ms),
      layers_(stored.layers),
      attempts_(stored.steps.size(), 0),
      owners_(distinct_owners(stored)),
      schedule_(make_schedule(stored, owners_)) {
  set_run_timer(stored);
  steps_ = std::move(stored.steps);
  for (size_t i = 0; i < steps_.size(); ++i) attempts_[i] = steps_[i].attempts_before;
  restore(ended, busy);
}

void ActiveRun::set_run_timer(const run_store::StoredRun& stored) {
  if (timeout_ms_ == 0) return;
  const int64_t left = stored.started_at == 0 ? timeout_ms_ : left_of(timeout_ms_, stored.started_at);
  timers_.set({TimerKind::kRun, 0}, pg::monotonic_ms() + left);
}

void ActiveRun::restore(const std::vector<log_store::StoredAttempt>& ended, const std::vector<Finished>& busy) {
  std::unordered_set<StepId> settled;
  for (const Finished& work : busy) {
    if (work.run != key_) continue;
    for (const Task& task : work.tasks) {
      attempts_[static_cast<size_t>(task.step_id)] = task.attempt;
      schedule_.restore(task.step_id, plan::StepState::kRunning);
      settled.insert(task.step_id);
    }
  }
  for (const auto& attempt : ended) {
    if (attempt.round != step(attempt.step_id).round) continue;  // it was opened again since
    const int layer = step(attempt.step_id).layer;
    const auto began = layer_began_.try_emplace(layer, attempt.started_at).first;
    began->second = std::min(began->second, attempt.started_at);
    if (!settled.insert(attempt.step_id).second) continue;
    attempts_[static_cast<size_t>(attempt.step_id)] = std::max(attempt.attempt, step(attempt.step_id).attempts_before);
    if (attempt.state == plan::StepState::kFailed && attempt.retry_at != 0) {
      to_retry_.emplace(attempt.step_id, attempt);
    } else {
      schedule_.restore(attempt.step_id, attempt.state);
    }
  }
  schedule_.begin();
  follow_up();
}

int ActiveRun::lane_of(Oid owner) const {
  const auto found = std::find(owners_.begin(), owners_.end(), owner);
  return found == owners_.end() ? -1 : static_cast<int>(found - owners_.begin());
}

const std::string& ActiveRun::layer_of(StepId id) const {
  return layers_[static_cast<size_t>(step(id).layer)].name;
}

std::string ActiveRun::name_of(StepId id) const {
  return layer_of(id) + "." + step(id).job;
}

bool ActiveRun::in_sequence(StepId id) const {
  return layers_[static_cast<size_t>(step(id).layer)].sequence;
}

std::vector<Oid> ActiveRun::owners_with_work() const {
  std::vector<Oid> owners;
  for (const int lane : schedule_.lanes_with_work()) owners.push_back(owners_[static_cast<size_t>(lane)]);
  return owners;
}

std::optional<StepId> ActiveRun::next(Oid owner) const {
  const int lane = lane_of(owner);
  return lane < 0 ? std::nullopt : schedule_.next(lane);
}

int ActiveRun::ready_count(Oid owner) const {
  const int lane = lane_of(owner);
  return lane < 0 ? 0 : schedule_.ready_count(lane);
}

bool ActiveRun::shares_commit(StepId id, double delay_ms) const {
  const run_store::StoredStep& it = step(id);
  return it.shares_commit && it.expected_ms >= 0 && it.expected_ms <= delay_ms &&
         attempts_[static_cast<size_t>(id)] == it.attempts_before && !alone_.contains(id);
}

Task ActiveRun::start(StepId id) {
  schedule_.start(id);
  return {id, ++attempts_[static_cast<size_t>(id)], Outcome::kNotStarted, 0};
}

void ActiveRun::put_back(const Task& task) {
  attempts_[static_cast<size_t>(task.step_id)] = task.attempt - 1;
  schedule_.put_back(task.step_id);
  follow_up();
}

void ActiveRun::hold(StepId id, HoldReason reason) {
  schedule_.hold(id);
  if (schedule_.state(id) == plan::StepState::kHeld) held_[id] = reason;
  follow_up();
}

void ActiveRun::release(StepId id) {
  if (held_.erase(id) > 0) schedule_.release(id);
}

std::vector<StepId> ActiveRun::held_jobs() const {
  std::vector<StepId> held;
  for (const auto& [id, why] : held_)
    if (why == HoldReason::kPaused || why == HoldReason::kQuarantined) held.push_back(id);
  return held;
}

void ActiveRun::hold_until(StepId id, int64_t due) {
  schedule_.hold(id);
  set_retry(id, due);
  follow_up();
}

// Unless it was skipped instead of being held.
void ActiveRun::set_retry(StepId id, int64_t due) {
  if (schedule_.state(id) != plan::StepState::kHeld) return;
  held_[id] = HoldReason::kRetry;
  timers_.set({TimerKind::kRetry, id}, due);
}

void ActiveRun::ended(const Task& task) {
  if (schedule_.state(task.step_id) != plan::StepState::kRunning) return;
  switch (task.outcome) {
    case Outcome::kAlone:
      alone_.insert(task.step_id);
      [[fallthrough]];
    case Outcome::kNotStarted:
      return put_back(task);
    case Outcome::kOk:
      schedule_.finish(task.step_id, plan::StepState::kOk);
      break;
    case Outcome::kCancelled:
      schedule_.finish(task.step_id, plan::StepState::kCancelled);
      break;
    case Outcome::kError:
    case Outcome::kTimedOut:
      if (task.retry_due != 0 && !cancelled_ && !timed_out_) return hold_until(task.step_id, task.retry_due);
      schedule_.finish(task.step_id, plan::StepState::kFailed);
  }
  follow_up();
}

void ActiveRun::failed(const Task& task, log_store::Entry entry) {
  if (schedule_.state(task.step_id) != plan::StepState::kRunning) return;
  entry.step_id = task.step_id;
  entry.attempt = task.attempt;
  Task done = task;
  done.retry_due = pg::due_ms(entry.retry);
  done.outcome = strcmp(entry.status, "CANCELLED") == 0 ? Outcome::kCancelled : Outcome::kError;
  unwritten_.push_back(std::move(entry));
  ended(done);
}

void ActiveRun::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  schedule_.cancel();
  follow_up();
}

void ActiveRun::check_tables() {
  while (const std::optional<int> layer = schedule_.layer_to_check())
    schedule_.layer_checked(*layer, run_store::missing_tables(key_, *layer).empty());
  follow_up();
}

void ActiveRun::tend(WorkerPool* pool) {
  for (const auto& [kind, id] : timers_.take_due(pg::monotonic_ms())) {
    if (kind == TimerKind::kRetry) {
      release(id);
    } else if (kind == TimerKind::kRun) {
      timed_out_ = true;
      schedule_.time_out();
      pool->stop(key_.id, StopReason::kRunTimeout);
    } else {
      schedule_.time_out_layer(id);
      pool->stop(key_.id, StopReason::kLayerTimeout, [&](StepId each) { return step(each).layer == id; });
    }
    follow_up();
  }
}

long ActiveRun::until_due() const {
  const std::optional<plan::Time> next = timers_.next();
  return next ? pg::milliseconds_until(*next) : pg::kForever;
}

// A job that is quarantined may be released as long as something else of the run goes on. It must not keep the run,
// and with it the next ones, from ending.
void ActiveRun::give_up_on_quarantined() {
  if (held_.empty() || schedule_.running_count() > 0 || schedule_.count(plan::StepState::kReady) > 0) return;
  const bool only =
      std::all_of(held_.begin(), held_.end(), [](const auto& hold) { return hold.second == HoldReason::kQuarantined; });
  if (!only) return;
  for (const auto& [id, why] : std::exchange(held_, {})) schedule_.give_up(id);
}

void ActiveRun::hold_restored_retries() {
  for (auto entry = to_retry_.begin(); entry != to_retry_.end();) {
    const log_store::StoredAttempt attempt = entry->second;
    const plan::StepState state = schedule_.state(attempt.step_id);
    if (state == plan::StepState::kWaiting) {
      ++entry;
      continue;
    }
    entry = to_retry_.erase(entry);
    if (state != plan::StepState::kReady) continue;
    schedule_.hold(attempt.step_id);
    set_retry(attempt.step_id, retry_due(attempt));
  }
}

// To be called after every change of the schedule.
void ActiveRun::follow_up() {
  hold_restored_retries();
  give_up_on_quarantined();
  collect_skipped();
  const int open = schedule_.open_layer().value_or(-1);
  if (open == open_layer_) return;
  if (open_layer_ >= 0) timers_.clear({TimerKind::kLayer, open_layer_});
  open_layer_ = open;
  const int64_t timeout = open < 0 ? 0 : layers_[static_cast<size_t>(open)].timeout_ms;
  if (timeout == 0) return;
  const auto began = layer_began_.find(open);
  timers_.set({TimerKind::kLayer, open},
              pg::monotonic_ms() + (began == layer_began_.end() ? timeout : left_of(timeout, began->second)));
}

std::string ActiveRun::reason(const plan::Skip& skip) const {
  switch (skip.cause) {
    case plan::SkipCause::kParent:
      return pg::format("\"%s\" did not end OK", name_of(skip.culprit).c_str());
    case plan::SkipCause::kLayer:
      return pg::format("layer before: \"%s\" did not end OK", name_of(skip.culprit).c_str());
    case plan::SkipCause::kLayerCheck:
      return pg::format("layer \"%s\" lacks tables", layers_[static_cast<size_t>(skip.layer)].name.c_str());
    case plan::SkipCause::kStopped:
      return pg::format("stopped: \"%s\" did not end OK", name_of(skip.culprit).c_str());
    case plan::SkipCause::kCancelled:
      return "the run was cancelled";
    case plan::SkipCause::kTimedOut:
      return "the run took longer than its timeout of " + report::duration(static_cast<double>(timeout_ms_));
    case plan::SkipCause::kLayerTimedOut:
      return pg::format(
          "layer \"%s\" took longer than its timeout of %s", layers_[static_cast<size_t>(skip.layer)].name.c_str(),
          report::duration(static_cast<double>(layers_[static_cast<size_t>(skip.layer)].timeout_ms)).c_str());
    case plan::SkipCause::kHeldBack:
      return "quarantined: it took the server down again and again; setup.release_job() lets it run";
  }
  return "";
}

void ActiveRun::collect_skipped() {
  for (const plan::Skip& skip : schedule_.take_skipped()) {
    held_.erase(skip.step);
    skipped_.push_back(skip.step);
    timers_.clear({TimerKind::kRetry, skip.step});
    log_store::Entry entry;
    entry.step_id = skip.step;
    entry.status = "SKIPPED";
    entry.started = pg::now();
    entry.message = reason(skip);
    unwritten_.push_back(std::move(entry));
  }
}

bool ActiveRun::must_write() const {
  return !unwritten_.empty() || schedule_.layer_to_check().has_value() || schedule_.done();
}

void ActiveRun::write() {
  if (!unwritten_.empty()) log_store::write(key_, unwritten_);
  checked_.reset();
  new_complaint_.clear();
  if (const std::optional<int> layer = schedule_.layer_to_check()) {
    const std::vector<std::string> missing = run_store::missing_tables(key_, *layer);
    checked_ = {*layer, missing.empty()};
    for (const std::string& table : missing) {
      if (!new_complaint_.empty()) new_complaint_ += "\n";
      new_complaint_ += pg::format("layer \"%s\": table %s does not exist after its jobs have ended",
                                   layers_[static_cast<size_t>(*layer)].name.c_str(), table.c_str());
    }
  }
  if (schedule_.done()) run_store::mark_finished(key_, ending());
}

void ActiveRun::written() {
  unwritten_.clear();
  if (!new_complaint_.empty()) complaints_.push_back(new_complaint_);
  if (!checked_) return;
  schedule_.layer_checked(checked_->first, checked_->second);
  checked_.reset();
  follow_up();
}

run_store::Ending ActiveRun::ending() const {
  const int ok = schedule_.count(plan::StepState::kOk);
  const int cancelled = schedule_.count(plan::StepState::kCancelled);
  const int failed = schedule_.count(plan::StepState::kFailed) + cancelled;
  const int skipped = schedule_.count(plan::StepState::kSkipped);
  std::string message;
  for (const std::string& complaint : complaints_) message += (message.empty() ? "" : "\n") + complaint;
  // A cancellation or timeout that came too late to stop anything changes nothing.
  const bool all_ok = ok == schedule_.step_count() && complaints_.empty();
  const char* status = all_ok ? "OK" : cancelled_ ? "CANCELLED" : timed_out_ ? "TIMED_OUT" : "ERROR";
  if (strcmp(status, "TIMED_OUT") == 0)
    message = "the run took longer than its timeout of " + report::duration(static_cast<double>(timeout_ms_)) +
              (message.empty() ? "" : "\n") + message;
  return {status, ok, failed, skipped, message};
}

}  // namespace etl
