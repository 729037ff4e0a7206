#include "plan/fence.h"

#include "plan/schedule.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <tuple>
#include <utility>

namespace etl::plan {

bool is_legal(StepState from, StepState to) {
  switch (from) {
    case StepState::kWaiting:
      return to == StepState::kReady || to == StepState::kSkipped;
    case StepState::kReady:
      return to == StepState::kRunning || to == StepState::kHeld || to == StepState::kSkipped;
    case StepState::kHeld:
      return to == StepState::kReady || to == StepState::kSkipped;
    case StepState::kRunning:
      return to == StepState::kOk || to == StepState::kFailed || to == StepState::kCancelled ||
             to == StepState::kReady || to == StepState::kHeld;
    case StepState::kOk:
    case StepState::kFailed:
    case StepState::kSkipped:
    case StepState::kCancelled:
      return false;
  }
  return false;
}

bool has_ended(StepState state) {
  return state == StepState::kOk || state == StepState::kFailed || state == StepState::kSkipped ||
         state == StepState::kCancelled;
}

Schedule::Schedule(std::vector<LayerSpec> layers, std::vector<StepSpec> steps, OnError on_error, int max_parallel)
    : parents_(parents_of(steps)), children_(reversed(parents_)), on_error_(on_error), max_parallel_(max_parallel) {
  assert(max_parallel >= 0);
  layers_.resize(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) layers_[i].sequence = layers[i].sequence;
  steps_.reserve(steps.size());
  for (std::size_t id = 0; id < steps.size(); ++id) {
    const StepSpec& spec = steps[id];
    assert(spec.layer >= 0 && spec.layer < static_cast<int>(layers.size()));
    assert(spec.weight > 0);
    steps_.push_back({.layer = spec.layer,
                      .lane = spec.lane,
                      .missing_parents = static_cast<int>(spec.parents.size()),
                      .follows_layer = spec.follows_layer});
    Layer& layer = layers_[spec.layer];
    layer.steps.push_back(static_cast<StepId>(id));
    ++layer.unended;
  }
  counts_[static_cast<std::size_t>(StepState::kWaiting)] = step_count();
  rank_by_urgency(steps);
}

Graph Schedule::parents_of(const std::vector<StepSpec>& steps) {
  std::size_t edges = 0;
  for (const StepSpec& step : steps) edges += step.parents.size();
  Graph parents(static_cast<int>(steps.size()), static_cast<int>(edges));
  for (std::size_t id = 0; id < steps.size(); ++id) {
    parents.add_node();
    for (const StepId parent : steps[id].parents) {
      assert(parent >= 0 && parent < static_cast<StepId>(id) && steps[parent].layer <= steps[id].layer);
      parents.add_edge(parent);
    }
  }
  return parents;
}

// Urgency never changes: a step is ready only while everything behind it is still to come.
void Schedule::rank_by_urgency(const std::vector<StepSpec>& steps) {
  // What is left from the start of a step to the end of its layer; children have larger ids.
  std::vector<double> path(steps.size());
  for (StepId id = step_count() - 1; id >= 0; --id) {
    path[id] += steps[id].weight;
    for (const StepId parent : steps[id].parents) {
      if (steps[parent].layer == steps[id].layer) path[parent] = std::max(path[parent], path[id]);
    }
  }
  const auto key = [&](StepId id) {
    const bool sequence = layers_[steps[id].layer].sequence;
    const double priority = sequence ? 0.0 : steps[id].priority;
    const double length = sequence ? 0.0 : path[id];
    return std::tuple(steps[id].layer, -priority, -length, steps[id].load_order, id);
  };
  by_rank_.resize(steps.size());
  std::iota(by_rank_.begin(), by_rank_.end(), 0);
  std::sort(by_rank_.begin(), by_rank_.end(), [&](StepId a, StepId b) { return key(a) < key(b); });
  for (std::size_t rank = 0; rank < by_rank_.size(); ++rank) {
    steps_[by_rank_[rank]].rank = static_cast<int>(rank);
  }
}

void Schedule::restore(StepId step, StepState state) {
  assert(current_ < 0 && !halt_ && steps_[step].state == StepState::kWaiting);
  assert(has_ended(state) || state == StepState::kRunning);
  if (state != StepState::kSkipped) {
    steps_[step].missing_parents = 0;
    transition(step, StepState::kReady);
    transition(step, StepState::kRunning);
  }
  if (state != StepState::kRunning) transition(step, state);
}

void Schedule::begin() {
  assert(current_ < 0);
  // Ascending, so that a step that is skipped here is met later and has its own consequences drawn.
  for (StepId id = 0; id < step_count(); ++id) {
    if (has_ended(steps_[id].state)) follow_up(id);
  }
  open_next_layer();
}

std::optional<StepId> Schedule::next(int lane) const {
  if (!may_start_any()) return std::nullopt;
  if (layers_[current_].sequence && ready_.heads().begin()->second != lane) return std::nullopt;
  const std::optional<int> rank = ready_.first(lane);
  if (!rank) return std::nullopt;
  return by_rank_[*rank];
}

std::vector<int> Schedule::lanes_with_work() const {
  std::vector<int> lanes;
  if (!may_start_any()) return lanes;
  for (const auto& [rank, lane] : ready_.heads()) {
    lanes.push_back(lane);
    if (layers_[current_].sequence) break;
  }
  return lanes;
}

void Schedule::start(StepId step) {
  assert(may_start_any());
  ready_.erase(steps_[step].lane, steps_[step].rank);
  transition(step, StepState::kRunning);
}

void Schedule::finish(StepId step, StepState outcome) {
  assert(outcome != StepState::kReady);
  transition(step, outcome);
  follow_up(step);
}

void Schedule::put_back(StepId step) {
  transition(step, StepState::kReady);
  admit(step);
}

void Schedule::hold(StepId step) {
  dequeue(step);
  transition(step, StepState::kHeld);
  admit(step);
}

void Schedule::release(StepId step) {
  if (steps_[step].state != StepState::kHeld) return;
  transition(step, StepState::kReady);
  admit(step);
}

void Schedule::give_up(StepId step) {
  if (steps_[step].state == StepState::kHeld) skip(step, {-1, SkipCause::kHeldBack, -1, -1});
}

void Schedule::cancel() {
  if (!done()) halt(SkipCause::kCancelled, -1);
}

void Schedule::time_out() {
  if (!done()) halt(SkipCause::kTimedOut, -1);
}

void Schedule::time_out_layer(int layer) {
  if (halt_ || layers_[layer].unended == 0) return;
  layers_[layer].timed_out = true;
  std::vector<StepId> pending;
  for (const StepId id : layers_[layer].steps) {
    if (is_pending(id)) pending.push_back(id);
  }
  // All of them before any child: one that has its parent among them is skipped for the same reason as that parent.
  for (const StepId id : pending) {
    dequeue(id);
    skip_alone(id, *reason_to_skip(id));
  }
  for (const StepId id : pending) skip_children(id);
}

std::vector<Skip> Schedule::take_skipped() {
  return std::exchange(skipped_, {});
}

std::optional<int> Schedule::layer_to_check() const {
  if (halt_ || !open_layer() || layers_[current_].unended > 0) return std::nullopt;
  return current_;
}

void Schedule::layer_checked(int layer, bool tables_ok) {
  if (halt_) return;
  assert(layer_to_check() == layer);
  previous_ = layer;
  previous_passed_ = tables_ok;
  all_passed_ = all_passed_ && tables_ok;
  open_next_layer();
}

std::optional<int> Schedule::open_layer() const {
  if (current_ < 0 || current_ == static_cast<int>(layers_.size())) return std::nullopt;
  return current_;
}

std::vector<StepId> Schedule::missing_parents(StepId step) const {
  std::vector<StepId> missing;
  for (const StepId parent : parents_[step]) {
    if (steps_[parent].state != StepState::kOk) missing.push_back(parent);
  }
  return missing;
}

bool Schedule::done() const {
  if (halt_) return running_count() == 0;
  return current_ == static_cast<int>(layers_.size());
}

bool Schedule::all_ok() const {
  return done() && !halt_ && all_passed_ && count(StepState::kOk) == step_count();
}

// The only place that changes a step's state.
void Schedule::transition(StepId id, StepState to) {
  Step& step = steps_[id];
  Layer& layer = layers_[step.layer];
  assert(is_legal(step.state, to));
  --counts_[static_cast<std::size_t>(step.state)];
  ++counts_[static_cast<std::size_t>(to)];
  if (step.state == StepState::kRunning) --layer.running;
  if (to == StepState::kRunning) ++layer.running;
  if (step.state == StepState::kHeld) --layer.held;
  if (to == StepState::kHeld) ++layer.held;
  step.state = to;
  if (!has_ended(to)) return;
  --layer.unended;
  if (to != StepState::kOk && (layer.first_not_ok < 0 || id < layer.first_not_ok)) layer.first_not_ok = id;
}

bool Schedule::is_pending(StepId id) const {
  const StepState state = steps_[id].state;
  return state == StepState::kWaiting || state == StepState::kReady || state == StepState::kHeld;
}

// Takes a pending step that is not queued as far as it can go: to the queue or to its skipping.
void Schedule::admit(StepId id) {
  const Step& step = steps_[id];
  assert(is_pending(id));
  if (const auto reason = reason_to_skip(id)) return skip(id, *reason);
  if (step.state == StepState::kHeld || !layers_[step.layer].open || step.missing_parents > 0) return;
  if (step.state == StepState::kWaiting) transition(id, StepState::kReady);
  ready_.insert(step.lane, step.rank);
}

// Why a pending step is not to run any more, apart from its parents: these have skip_children().
std::optional<Skip> Schedule::reason_to_skip(StepId id) const {
  const Step& step = steps_[id];
  const Layer& layer = layers_[step.layer];
  if (halt_) return halt_;
  if (layer.timed_out) return Skip{-1, SkipCause::kLayerTimedOut, -1, step.layer};
  if (step.follows_layer) return layer.gate;
  return std::nullopt;
}

// Any step, as its owner left it: a ready one is in the queue as soon as its layer is open.
void Schedule::dequeue(StepId id) {
  const Step& step = steps_[id];
  if (step.state == StepState::kReady && layers_[step.layer].open) ready_.erase(step.lane, step.rank);
}

void Schedule::skip(StepId id, Skip reason) {
  skip_alone(id, reason);
  skip_children(id);
}

void Schedule::skip_alone(StepId id, Skip reason) {
  transition(id, StepState::kSkipped);
  reason.step = id;
  skipped_.push_back(reason);
}

// Draws the consequences of a step that has ended.
void Schedule::follow_up(StepId id) {
  const StepState state = steps_[id].state;
  if (state == StepState::kOk) {
    for (const StepId child : children_[id]) {
      if (steps_[child].state == StepState::kWaiting && --steps_[child].missing_parents == 0) admit(child);
    }
    return;
  }
  if (on_error_ == OnError::kStop && state != StepState::kSkipped) halt(SkipCause::kStopped, id);
  skip_children(id);
}

// The step `id` did not end OK. Children of a step that is skipped here are skipped in turn, by a queue:
// a chain of any length must not overflow the stack.
void Schedule::skip_children(StepId id) {
  std::vector<StepId> queue{id};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const StepId culprit = queue[i];
    for (const StepId child : children_[culprit]) {
      // A child that is past waiting had run before: see restore().
      if (steps_[child].state != StepState::kWaiting) continue;
      skip_alone(child, {-1, SkipCause::kParent, culprit, -1});
      queue.push_back(child);
    }
  }
}

void Schedule::halt(SkipCause cause, StepId culprit) {
  if (halt_) return;
  halt_ = Skip{-1, cause, culprit, -1};
  ready_.clear();
  for (StepId id = 0; id < step_count(); ++id) {
    if (is_pending(id)) skip_alone(id, *halt_);
  }
}

void Schedule::open_next_layer() {
  do {
    ++current_;
  } while (current_ < static_cast<int>(layers_.size()) && layers_[current_].steps.empty());
  if (current_ == static_cast<int>(layers_.size())) return;

  Layer& layer = layers_[current_];
  layer.open = true;
  if (previous_ >= 0 && layers_[previous_].first_not_ok >= 0) {
    layer.gate = Skip{-1, SkipCause::kLayer, layers_[previous_].first_not_ok, -1};
  } else if (!previous_passed_) {
    layer.gate = Skip{-1, SkipCause::kLayerCheck, -1, previous_};
  }
  for (const StepId id : layer.steps) {
    if (is_pending(id)) admit(id);
  }
}

// Whether any ready step at all may start now.
bool Schedule::may_start_any() const {
  if (ready_.heads().empty()) return false;
  if (max_parallel_ > 0 && running_count() >= max_parallel_) return false;
  const Layer& layer = layers_[current_];
  return !layer.sequence || (layer.running == 0 && layer.held == 0);
}

}  // namespace etl::plan
