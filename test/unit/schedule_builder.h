// Short spelling of schedules, for tests.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "plan/schedule.h"

namespace etl::plan {

// A step that follows its layer.
inline StepSpec follower(int layer = 0) {
  return {.layer = layer, .parents = {}};
}

// A step that has dependencies of its own, perhaps all of them outside the run.
inline StepSpec dependent(int layer, std::vector<StepId> parents) {
  return {.layer = layer, .follows_layer = false, .parents = std::move(parents)};
}

// A schedule that is not yet begun, of as many layers as its steps need.
inline Schedule prepare(std::vector<StepSpec> steps, OnError on_error = OnError::kContinue, int max_parallel = 0) {
  int layers = 1;
  for (const StepSpec& step : steps) layers = std::max(layers, step.layer + 1);
  return Schedule(std::vector<LayerSpec>(layers), std::move(steps), on_error, max_parallel);
}

inline Schedule begin(std::vector<StepSpec> steps, OnError on_error = OnError::kContinue, int max_parallel = 0) {
  Schedule schedule = prepare(std::move(steps), on_error, max_parallel);
  schedule.begin();
  return schedule;
}

inline void run(Schedule& schedule, StepId step, StepState outcome = StepState::kOk) {
  schedule.start(step);
  schedule.finish(step, outcome);
}

}  // namespace etl::plan
