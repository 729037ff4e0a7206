// The rules of src/plan/schedule.h in their plainest form, to hold a Schedule against: no queue, no counter,
// everything is worked out anew from what has happened.
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "plan/schedule.h"

namespace etl::plan {

using Random = std::mt19937_64;

int pick(Random& random, int low, int high);  // both included
bool chance(Random& random, double probability);

// The configuration of one run, and what its checks will find.
struct World {
  std::vector<LayerSpec> layers;
  std::vector<StepSpec> steps;
  OnError on_error = OnError::kContinue;
  int max_parallel = 0;
  std::vector<bool> tables_ok;  // by layer
};

World random_world(Random& random);

// How likely it is that something goes wrong.
struct Weather {
  double failure = 0;   // that a step ends kFailed, or else kCancelled
  double put_back = 0;  // that a running step is put back
  double cancel = 0;    // that the run is cancelled, at each action
  double hold = 0;      // that a step is held instead of started, or instead of ended
  double give_up = 0;   // that a held step is given up instead of released
  double time_out = 0;  // that a layer is timed out, at each action; a tenth of it that the run is
};

// What is known of a run after its conductor was lost.
struct History {
  std::vector<StepState> states;  // kWaiting: nothing is known
  bool cancelled = false;
};

// Drives a schedule by random actions. After each, compares whatever can be seen of the schedule with the
// rules, and fails the running test at the first difference.
class CheckedRun {
 public:
  CheckedRun(const World& world, const Weather& weather, const History& history);

  // Does at most `actions` actions; false if the run is not done then.
  bool go(Random& random, int actions);

  // What a new conductor may find: all that has ended, except that a skip may not have been written; of what
  // runs, that it does or nothing.
  History cut(Random& random) const;

  const Schedule& schedule() const { return schedule_; }
  int starts(StepId step) const { return starts_[step]; }
  int put_backs(StepId step) const { return put_backs_[step]; }  // or held instead of ended

 private:
  void act(Random& random);
  bool finish_one(Random& random);
  bool start_one(Random& random);
  bool release_one(Random& random);
  void time_out_one(Random& random);
  void stop(SkipCause cause);
  bool answer_check();
  void end(StepId step, StepState outcome);

  void compare();
  void compare_states() const;
  void compare_offers() const;
  void accept(const Skip& skip);
  bool is_legitimate(const Skip& skip) const;

  // The rules.
  bool ended(StepId step) const;
  bool pending(StepId step) const { return !ended(step) && states_[step] != StepState::kRunning; }
  bool not_ok(StepId step) const { return ended(step) && states_[step] != StepState::kOk; }
  bool complete(int layer) const;
  int previous_with_steps(int layer) const;  // -1: none
  bool open(int layer) const;
  std::optional<int> open_layer() const;
  std::optional<int> layer_to_check() const;
  bool has_reason_to_skip(StepId step) const;
  bool is_lost_by_layer(StepId step) const;
  bool may_be_ready(StepId step) const;
  bool more_urgent(StepId a, StepId b) const;
  std::vector<StepId> offers() const;  // the step that each lane may start, the most urgent first
  bool halted() const { return halt_.has_value(); }
  bool done() const;

  const World& world_;
  const Weather weather_;
  Schedule schedule_;
  std::vector<double> path_;
  std::vector<StepState> states_;  // kWaiting stands for kReady, too
  std::vector<bool> checked_;      // by layer
  std::vector<bool> timed_out_;    // by layer
  StepId given_up_ = -1;           // the last
  std::optional<Skip> halt_;
  std::vector<int> starts_;
  std::vector<int> put_backs_;
};

}  // namespace etl::plan
