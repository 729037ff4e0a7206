#include "engine/active_run.h"

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
    spec.follows_layer = step.follows_layer;
    spec.parents = std::move(step.parents);
    steps.push_back(std::move(spec));
  }
  return plan::Schedule(std::move(layers), std::move(steps), stored.on_error, stored.max_parallel);
}

}  // namespace

ActiveRun::ActiveRun(const RunKey& key, run_store::StoredRun stored, const std::vector<run_store::StoredAttempt>& ended,
                     const std::vector<Assignment>& running)
    : key_(key),
      layers_(stored.layers),
      attempts_(stored.steps.size(), 0),
      owners_(distinct_owners(stored)),
      schedule_(make_schedule(stored, owners_)) {
  steps_.reserve(stored.steps.size());
  for (auto& step : stored.steps) steps_.emplace_back(step.layer, std::move(step.job));
  std::unordered_set<StepId> settled;
  for (const Assignment& work : running) {
    if (work.run.id != key.id || work.run.extension != key.extension) continue;
    attempts_[static_cast<size_t>(work.step_id)] = work.attempt;
    schedule_.restore(work.step_id, plan::StepState::kRunning);
    settled.insert(work.step_id);
  }
  for (const auto& attempt : ended) {
    if (!settled.insert(attempt.step_id).second) continue;
    attempts_[static_cast<size_t>(attempt.step_id)] = attempt.attempt;
    schedule_.restore(attempt.step_id, attempt.state);
  }
  schedule_.begin();
  collect_skipped();
}

int ActiveRun::lane_of(Oid owner) const {
  const auto found = std::find(owners_.begin(), owners_.end(), owner);
  return found == owners_.end() ? -1 : static_cast<int>(found - owners_.begin());
}

std::string ActiveRun::name_of(StepId step) const {
  const auto& [layer, job] = steps_[static_cast<size_t>(step)];
  return layers_[static_cast<size_t>(layer)].name + "." + job;
}

std::vector<Oid> ActiveRun::owners_with_work() const {
  std::vector<Oid> owners;
  for (const int lane : schedule_.lanes_with_work()) owners.push_back(owners_[static_cast<size_t>(lane)]);
  return owners;
}

std::optional<Assignment> ActiveRun::next(Oid owner) const {
  const int lane = lane_of(owner);
  if (lane < 0) return std::nullopt;
  const std::optional<StepId> step = schedule_.next(lane);
  if (!step) return std::nullopt;
  return Assignment{key_, *step, attempts_[static_cast<size_t>(*step)] + 1};
}

void ActiveRun::started(const Assignment& work) {
  attempts_[static_cast<size_t>(work.step_id)] = work.attempt;
  schedule_.start(work.step_id);
}

void ActiveRun::ended(const Assignment& work, Outcome outcome) {
  if (schedule_.state(work.step_id) != plan::StepState::kRunning) return;
  if (outcome == Outcome::kNotStarted) return put_back(work);
  const plan::StepState state = outcome == Outcome::kOk      ? plan::StepState::kOk
                                : outcome == Outcome::kError ? plan::StepState::kFailed
                                                             : plan::StepState::kCancelled;
  schedule_.finish(work.step_id, state);
  collect_skipped();
}

void ActiveRun::put_back(const Assignment& work) {
  attempts_[static_cast<size_t>(work.step_id)] = work.attempt - 1;
  schedule_.put_back(work.step_id);
  collect_skipped();
}

void ActiveRun::failed(const Assignment& work, run_store::LogEntry entry) {
  if (schedule_.state(work.step_id) != plan::StepState::kRunning) return;
  entry.step_id = work.step_id;
  entry.attempt = work.attempt;
  unwritten_.push_back(std::move(entry));
  schedule_.finish(work.step_id, plan::StepState::kFailed);
  collect_skipped();
}

void ActiveRun::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  schedule_.cancel();
  collect_skipped();
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
  }
  return "";
}

void ActiveRun::collect_skipped() {
  for (const plan::Skip& skip : schedule_.take_skipped()) {
    run_store::LogEntry entry;
    entry.step_id = skip.step;
    entry.status = "SKIPPED";
    entry.started_at = GetCurrentTimestamp();
    entry.message = reason(skip);
    unwritten_.push_back(std::move(entry));
  }
}

bool ActiveRun::must_write() const {
  return !unwritten_.empty() || schedule_.layer_to_check().has_value() || schedule_.done();
}

void ActiveRun::write() {
  for (const auto& entry : unwritten_) run_store::write_log(key_, entry);
  checked_.reset();
  new_complaint_.clear();
  if (const std::optional<int> layer = schedule_.layer_to_check()) {
    const std::vector<std::string> missing = run_store::missing_tables(key_.id, *layer);
    checked_ = {*layer, missing.empty()};
    for (const std::string& table : missing) {
      if (!new_complaint_.empty()) new_complaint_ += "\n";
      new_complaint_ += pg::format("layer \"%s\": table %s does not exist after its jobs have ended",
                                   layers_[static_cast<size_t>(*layer)].name.c_str(), table.c_str());
    }
  }
  if (schedule_.done()) run_store::mark_finished(key_.id, ending());
}

void ActiveRun::written() {
  unwritten_.clear();
  if (!new_complaint_.empty()) complaints_.push_back(new_complaint_);
  if (!checked_) return;
  schedule_.layer_checked(checked_->first, checked_->second);
  checked_.reset();
  collect_skipped();
}

run_store::Ending ActiveRun::ending() const {
  const int ok = schedule_.count(plan::StepState::kOk);
  const int cancelled = schedule_.count(plan::StepState::kCancelled);
  const int failed = schedule_.count(plan::StepState::kFailed) + cancelled;
  const int skipped = schedule_.count(plan::StepState::kSkipped);
  std::string message;
  for (const std::string& complaint : complaints_) message += (message.empty() ? "" : "\n") + complaint;
  // A cancellation that came too late to stop anything changes nothing.
  const bool all_ok = ok == schedule_.step_count() && complaints_.empty();
  const char* status = all_ok ? "OK" : cancelled_ ? "CANCELLED" : "ERROR";
  return {status, ok, failed, skipped, message};
}

}  // namespace etl
