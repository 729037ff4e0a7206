#include "run_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace etl::plan {
namespace {

Schedule recovered(const World& world, const History& history) {
  Schedule schedule(world.layers, world.steps, world.on_error, world.max_parallel);
  for (std::size_t step = 0; step < history.states.size(); ++step) {
    if (history.states[step] != StepState::kWaiting) {
      schedule.restore(static_cast<StepId>(step), history.states[step]);
    }
  }
  if (history.cancelled) schedule.cancel();
  schedule.begin();
  return schedule;
}

// What is left of the layer from the start of each step on.
std::vector<double> remaining_paths(const World& world) {
  std::vector<double> path(world.steps.size(), 0);
  for (std::size_t id = world.steps.size(); id-- > 0;) {
    path[id] += world.steps[id].weight;
    for (const StepId parent : world.steps[id].parents) {
      if (world.steps[parent].layer == world.steps[id].layer) path[parent] = std::max(path[parent], path[id]);
    }
  }
  return path;
}

}  // namespace

int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution(low, high)(random);
}

bool chance(Random& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

World random_world(Random& random) {
  World world;
  const int layers = pick(random, 1, 5);
  for (int i = 0; i < layers; ++i) {
    world.layers.push_back({.sequence = chance(random, 0.25)});
    world.tables_ok.push_back(chance(random, 0.85));
  }
  world.on_error = chance(random, 0.25) ? OnError::kStop : OnError::kContinue;
  world.max_parallel = chance(random, 0.5) ? 0 : pick(random, 1, 4);
  const int steps = pick(random, 0, 24);
  const double density = std::uniform_real_distribution(0.0, 0.4)(random);
  // Some layers stay empty. Ids need not ascend with layers where no dependency asks for it.
  const bool by_layer = chance(random, 0.7);
  for (StepId id = 0; id < steps; ++id) {
    StepSpec step;
    step.layer = by_layer ? id * layers / steps : pick(random, 0, layers - 1);
    step.lane = pick(random, 0, 3);
    step.priority = chance(random, 0.7) ? 0 : pick(random, -1, 2);
    step.load_order = pick(random, 0, 3);
    step.weight = pick(random, 1, 5);
    for (StepId parent = 0; parent < id; ++parent) {
      if (world.steps[parent].layer <= step.layer && chance(random, density)) step.parents.push_back(parent);
    }
    step.follows_layer = step.parents.empty() ? chance(random, 0.8) : chance(random, 0.1);
    world.steps.push_back(std::move(step));
  }
  return world;
}

CheckedRun::CheckedRun(const World& world, const Weather& weather, const History& history)
    : world_(world),
      weather_(weather),
      schedule_(recovered(world, history)),
      path_(remaining_paths(world)),
      states_(history.states),
      checked_(world.layers.size(), false),
      timed_out_(world.layers.size(), false),
      starts_(world.steps.size(), 0),
      put_backs_(world.steps.size(), 0) {
  states_.resize(world.steps.size(), StepState::kWaiting);
  if (history.cancelled && !done()) halt_ = Skip{-1, SkipCause::kCancelled, -1, -1};
  for (std::size_t id = 0; id < states_.size() && !halted() && world.on_error == OnError::kStop; ++id) {
    if (states_[id] != StepState::kFailed && states_[id] != StepState::kCancelled) continue;
    halt_ = Skip{-1, SkipCause::kStopped, static_cast<StepId>(id), -1};
  }
  compare();
}

bool CheckedRun::go(Random& random, int actions) {
  while (!schedule_.done() && actions-- > 0 && !::testing::Test::HasFailure()) {
    act(random);
    compare();
  }
  return schedule_.done();
}

History CheckedRun::cut(Random& random) const {
  History history{states_, halted() && halt_->cause == SkipCause::kCancelled};
  for (StepState& state : history.states) {
    const bool is_known = state == StepState::kHeld      ? false
                          : state == StepState::kSkipped ? chance(random, 0.8)
                          : state == StepState::kRunning ? chance(random, 0.5)
                                                         : true;
    if (!is_known) state = StepState::kWaiting;
  }
  return history;
}

void CheckedRun::act(Random& random) {
  if (chance(random, weather_.cancel)) {
    schedule_.cancel();
    return stop(SkipCause::kCancelled);
  }
  if (chance(random, weather_.time_out)) return time_out_one(random);
  if (chance(random, 0.5) && finish_one(random)) return;
  if (chance(random, 0.2) && release_one(random)) return;
  if (start_one(random) || finish_one(random) || release_one(random) || answer_check()) return;
  ADD_FAILURE() << "not done, and nothing to start, to finish, to release or to check";
}

void CheckedRun::stop(SkipCause cause) {
  if (!halted()) halt_ = Skip{-1, cause, -1, -1};
}

void CheckedRun::time_out_one(Random& random) {
  if (chance(random, 0.1)) {
    schedule_.time_out();
    return stop(SkipCause::kTimedOut);
  }
  const int layer = pick(random, 0, static_cast<int>(world_.layers.size()) - 1);
  if (!complete(layer)) timed_out_[layer] = true;
  schedule_.time_out_layer(layer);
}

bool CheckedRun::release_one(Random& random) {
  std::vector<StepId> held;
  for (StepId id = 0; id < std::ssize(states_); ++id) {
    if (states_[id] == StepState::kHeld) held.push_back(id);
  }
  if (held.empty()) return false;
  const StepId step = held[pick(random, 0, static_cast<int>(held.size()) - 1)];
  if (chance(random, weather_.give_up)) {
    given_up_ = step;
    schedule_.give_up(step);
  } else {
    schedule_.release(step);
    states_[step] = StepState::kWaiting;
  }
  return true;
}

bool CheckedRun::start_one(Random& random) {
  const std::vector<int> lanes = schedule_.lanes_with_work();
  if (lanes.empty()) return false;
  const std::optional<StepId> step = schedule_.next(lanes[pick(random, 0, static_cast<int>(lanes.size()) - 1)]);
  if (!step) {
    ADD_FAILURE() << "a lane with work has no step";
    return true;
  }
  EXPECT_TRUE(may_be_ready(*step)) << "step " << *step << " was released too early, or twice";
  if (chance(random, weather_.hold)) {
    schedule_.hold(*step);
    states_[*step] = StepState::kHeld;
    return true;
  }
  schedule_.start(*step);
  states_[*step] = StepState::kRunning;
  ++starts_[*step];
  return true;
}

bool CheckedRun::finish_one(Random& random) {
  std::vector<StepId> running;
  for (std::size_t id = 0; id < states_.size(); ++id) {
    if (states_[id] == StepState::kRunning) running.push_back(static_cast<StepId>(id));
  }
  if (running.empty()) return false;
  const StepId step = running[pick(random, 0, static_cast<int>(running.size()) - 1)];
  if (chance(random, weather_.put_back)) {
    schedule_.put_back(step);
    states_[step] = StepState::kWaiting;
    ++put_backs_[step];
  } else if (chance(random, weather_.hold)) {
    schedule_.hold(step);
    states_[step] = StepState::kHeld;
    ++put_backs_[step];
  } else if (chance(random, weather_.failure)) {
    end(step, chance(random, 0.8) ? StepState::kFailed : StepState::kCancelled);
  } else {
    end(step, StepState::kOk);
  }
  return true;
}

void CheckedRun::end(StepId step, StepState outcome) {
  schedule_.finish(step, outcome);
  states_[step] = outcome;
  if (outcome != StepState::kOk && world_.on_error == OnError::kStop && !halted()) {
    halt_ = Skip{-1, SkipCause::kStopped, step, -1};
  }
}

bool CheckedRun::answer_check() {
  const std::optional<int> layer = schedule_.layer_to_check();
  if (!layer) return false;
  schedule_.layer_checked(*layer, world_.tables_ok[*layer]);
  checked_[*layer] = true;
  return true;
}

// Everything that can be seen, against the rules.
void CheckedRun::compare() {
  for (const Skip& skip : schedule_.take_skipped()) accept(skip);
  compare_states();
  compare_offers();
  EXPECT_EQ(schedule_.layer_to_check(), layer_to_check());
  if (!halted()) {
    EXPECT_EQ(schedule_.open_layer(), open_layer());
  }
  EXPECT_EQ(schedule_.done(), done());
  const bool all_steps_ok = std::ranges::count(states_, StepState::kOk) == std::ssize(states_);
  bool all_tables_ok = true;
  for (const StepSpec& step : world_.steps) all_tables_ok = all_tables_ok && world_.tables_ok[step.layer];
  EXPECT_EQ(schedule_.all_ok(), done() && !halted() && all_steps_ok && all_tables_ok);
}

void CheckedRun::compare_states() const {
  int ready = 0;
  for (StepId id = 0; id < schedule_.step_count(); ++id) {
    const StepState seen = schedule_.state(id);
    ready += seen == StepState::kReady;
    const std::vector<StepId>& parents = world_.steps[id].parents;
    EXPECT_EQ(std::ssize(schedule_.missing_parents(id)),
              std::ranges::count_if(parents, [&](StepId parent) { return states_[parent] != StepState::kOk; }));
    EXPECT_FALSE(pending(id) && has_reason_to_skip(id)) << "step " << id << " should have been skipped";
    if (states_[id] != StepState::kWaiting) {
      EXPECT_EQ(seen, states_[id]) << "step " << id;
      continue;
    }
    // Recovery: put back before its layer opened.
    const bool is_held_back = put_backs_[id] > 0 && !open(world_.steps[id].layer);
    const bool is_ready = may_be_ready(id) || is_held_back;
    EXPECT_EQ(seen, is_ready ? StepState::kReady : StepState::kWaiting) << "step " << id;
  }
  EXPECT_EQ(schedule_.count(StepState::kReady), ready);
  EXPECT_EQ(schedule_.running_count(), std::ranges::count(states_, StepState::kRunning));
}

void CheckedRun::compare_offers() const {
  std::vector<int> lanes;
  std::set<int> others;
  for (const StepSpec& step : world_.steps) others.insert(step.lane);
  for (const StepId offer : offers()) {
    const int lane = world_.steps[offer].lane;
    lanes.push_back(lane);
    others.erase(lane);
    EXPECT_EQ(schedule_.next(lane), offer) << "lane " << lane;
  }
  EXPECT_EQ(schedule_.lanes_with_work(), lanes);
  for (const int lane : others) EXPECT_EQ(schedule_.next(lane), std::nullopt) << "lane " << lane;
}

void CheckedRun::accept(const Skip& skip) {
  EXPECT_TRUE(pending(skip.step)) << "step " << skip.step << " was skipped in no state for it";
  EXPECT_TRUE(is_legitimate(skip)) << "step " << skip.step << " was skipped for cause " << static_cast<int>(skip.cause)
                                   << ", culprit " << skip.culprit;
  states_[skip.step] = StepState::kSkipped;
}

bool CheckedRun::is_legitimate(const Skip& skip) const {
  const StepSpec& step = world_.steps[skip.step];
  const int previous = previous_with_steps(step.layer);
  switch (skip.cause) {
    case SkipCause::kParent:
      return std::ranges::count(step.parents, skip.culprit) && not_ok(skip.culprit) && skip.layer == -1;
    case SkipCause::kLayer: {
      if (!step.follows_layer || previous < 0 || !open(step.layer)) return false;
      StepId lowest = 0;
      while (world_.steps[lowest].layer != previous || !not_ok(lowest)) {
        if (++lowest == std::ssize(world_.steps)) return false;
      }
      return skip.culprit == lowest && skip.layer == -1;
    }
    case SkipCause::kLayerCheck:
      return step.follows_layer && open(step.layer) && previous >= 0 && skip.layer == previous &&
             !world_.tables_ok[previous] && skip.culprit == -1;
    case SkipCause::kStopped:
    case SkipCause::kCancelled:
    case SkipCause::kTimedOut:
      return halted() && skip.cause == halt_->cause && skip.culprit == halt_->culprit && skip.layer == -1;
    case SkipCause::kLayerTimedOut:
      return timed_out_[step.layer] && skip.culprit == -1 && skip.layer == step.layer;
    case SkipCause::kHeldBack:
      return skip.step == given_up_ && states_[skip.step] == StepState::kHeld && skip.culprit == -1 && skip.layer == -1;
  }
  return false;
}

bool CheckedRun::ended(StepId step) const {
  return states_[step] != StepState::kWaiting && states_[step] != StepState::kHeld &&
         states_[step] != StepState::kRunning;
}

bool CheckedRun::complete(int layer) const {
  for (StepId id = 0; id < std::ssize(world_.steps); ++id) {
    if (world_.steps[id].layer == layer && !ended(id)) return false;
  }
  return true;
}

int CheckedRun::previous_with_steps(int layer) const {
  int previous = -1;
  for (const StepSpec& step : world_.steps) {
    if (step.layer < layer) previous = std::max(previous, step.layer);
  }
  return previous;
}

bool CheckedRun::open(int layer) const {
  for (const StepSpec& step : world_.steps) {
    if (step.layer < layer && (!checked_[step.layer] || !complete(step.layer))) return false;
  }
  return true;
}

std::optional<int> CheckedRun::layer_to_check() const {
  const std::optional<int> layer = open_layer();
  return halted() || !layer || !complete(*layer) ? std::nullopt : layer;
}

std::optional<int> CheckedRun::open_layer() const {
  for (int layer = 0; layer < std::ssize(world_.layers); ++layer) {
    const bool has_steps = std::ranges::count(world_.steps, layer, &StepSpec::layer) > 0;
    if (has_steps && !checked_[layer]) return layer;
  }
  return std::nullopt;
}

bool CheckedRun::has_reason_to_skip(StepId id) const {
  if (halted() || timed_out_[world_.steps[id].layer]) return true;
  return std::ranges::any_of(world_.steps[id].parents, [&](StepId parent) { return not_ok(parent); }) ||
         is_lost_by_layer(id);
}

bool CheckedRun::is_lost_by_layer(StepId id) const {
  const StepSpec& step = world_.steps[id];
  const int previous = previous_with_steps(step.layer);
  if (!step.follows_layer || previous < 0 || !open(step.layer)) return false;
  if (!world_.tables_ok[previous]) return true;
  for (StepId other = 0; other < std::ssize(world_.steps); ++other) {
    if (world_.steps[other].layer == previous && not_ok(other)) return true;
  }
  return false;
}

bool CheckedRun::may_be_ready(StepId id) const {
  const StepSpec& step = world_.steps[id];
  const auto is_ok = [&](StepId parent) { return states_[parent] == StepState::kOk; };
  return states_[id] == StepState::kWaiting && open(step.layer) && std::ranges::all_of(step.parents, is_ok) &&
         !has_reason_to_skip(id);
}

bool CheckedRun::more_urgent(StepId a, StepId b) const {
  const StepSpec& one = world_.steps[a];
  const StepSpec& other = world_.steps[b];
  if (!world_.layers[one.layer].sequence) {
    if (one.priority != other.priority) return one.priority > other.priority;
    if (path_[a] != path_[b]) return path_[a] > path_[b];
  }
  return std::tie(one.load_order, a) < std::tie(other.load_order, b);
}

std::vector<StepId> CheckedRun::offers() const {
  if (world_.max_parallel > 0 && std::ranges::count(states_, StepState::kRunning) >= world_.max_parallel) return {};
  std::vector<StepId> ready;
  for (StepId id = 0; id < std::ssize(world_.steps); ++id) {
    if (may_be_ready(id)) ready.push_back(id);
  }
  std::ranges::sort(ready, [&](StepId a, StepId b) { return more_urgent(a, b); });
  if (ready.empty()) return {};
  if (const int layer = world_.steps[ready.front()].layer; world_.layers[layer].sequence) {
    for (StepId id = 0; id < std::ssize(world_.steps); ++id) {
      const bool has_the_turn = states_[id] == StepState::kRunning || states_[id] == StepState::kHeld;
      if (world_.steps[id].layer == layer && has_the_turn) return {};
    }
    return {ready.front()};
  }
  std::vector<StepId> offers;
  std::set<int> lanes;
  for (const StepId id : ready) {
    if (lanes.insert(world_.steps[id].lane).second) offers.push_back(id);
  }
  return offers;
}

bool CheckedRun::done() const {
  if (halted()) return std::ranges::count(states_, StepState::kRunning) == 0;
  for (StepId id = 0; id < std::ssize(world_.steps); ++id) {
    if (!ended(id) || !checked_[world_.steps[id].layer]) return false;
  }
  return true;
}

}  // namespace etl::plan
