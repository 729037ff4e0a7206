// Which step may run next: the pure state of one run.
//
// The schedule never touches the server, a clock or a thread. Its owner (the conductor) asks for steps,
// says how they ended, and is told what follows: steps that became ready, steps that are skipped and why,
// layers whose tables are to be checked now.
//
// A step:
//
//   kWaiting -> kReady -> kRunning -> kOk | kFailed | kCancelled
//       |        | ^ ^        | |
//       |        | | \--------/ |    put_back(): lost with its worker, it runs again
//       |        v |            |
//       |       kHeld <---------/    hold(): its owner lets it wait; release() makes it ready again
//       |        |
//       v        v
//       kSkipped                     also from kReady: what it waits for did not end OK, or its time is over
//
// A step becomes ready when its layer is open and all its parents are kOk. It is skipped as soon as one
// parent ends otherwise, whether its layer is open or not; for what happened to the previous layer, when its
// own opens.
//
// A step that is held is ready but for something that the schedule knows nothing of: a retry that is not due, a
// limit, a pause. It keeps its layer from being complete, and in a 'sequence' layer it keeps its turn: nothing else
// of that layer starts.
//
// A layer opens when the one before it is complete (all its steps have ended) and has been checked; the first
// one opens with begin(). Layers without a step in the run are passed over: they need no check, and "the
// previous layer" is always the previous one that has steps. A layer whose steps were all skipped is complete
// like any other, and to be checked.
//
// A run halts by on_error 'stop', by cancel() or by time_out(), whichever comes first. Halting skips at once whatever
// is pending (waiting, ready or held), for that one reason; what runs goes on. From then on every layer counts as
// checked: a halted run is done when nothing runs.
//
// A layer that is timed out has its pending steps skipped in the same way, and goes on otherwise like any other.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "plan/graph.h"
#include "plan/ready_queue.h"

namespace etl::plan {

using StepId = int;  // index of the step in its run

enum class StepState : std::uint8_t { kWaiting, kReady, kHeld, kRunning, kOk, kFailed, kSkipped, kCancelled };

// True for the edges of the drawing above, and for no other.
bool is_legal(StepState from, StepState to);

// True for kOk, kFailed, kSkipped and kCancelled.
bool has_ended(StepState state);

struct StepSpec {
  int layer = 0;     // index into the run's layers
  int lane = 0;      // steps of one lane can be served by the same workers (one lane for each owner)
  int priority = 0;  // higher first; ranks the steps of a layer that may start, but not in a 'sequence' layer
  int load_order = 0;
  bool follows_layer = true;    // skipped if anything of the previous layer did not end OK
  std::vector<StepId> parents;  // all must end kOk; smaller ids only, of the same or an earlier layer
  double weight = 1.0;          // expected duration in any unit, greater than 0
};

struct LayerSpec {
  bool sequence = false;
};

enum class OnError : std::uint8_t {
  kContinue,  // whatever does not depend on the failure still runs
  kStop       // nothing new starts after the first step that ended kFailed or kCancelled
};

// Why a step was skipped.
enum class SkipCause : std::uint8_t {
  kParent,         // the parent `culprit` did not end OK
  kLayer,          // `culprit`, the lowest such step of the previous layer, did not end OK
  kLayerCheck,     // the table check of `layer`, the previous one, failed
  kStopped,        // on_error is 'stop' and `culprit` failed
  kCancelled,      // the run was cancelled
  kTimedOut,       // the run was timed out
  kLayerTimedOut,  // `layer`, its own, was timed out
  kHeldBack        // its owner held it, and gave it up
};

struct Skip {
  StepId step;  // the step that is skipped
  SkipCause cause;
  StepId culprit;  // see SkipCause; -1 where there is none
  int layer;       // for kLayerCheck and kLayerTimedOut; -1 otherwise
};

class Schedule {
 public:
  // `max_parallel` is the largest number of steps running at the same time, 0 for no limit.
  Schedule(std::vector<LayerSpec> layers, std::vector<StepSpec> steps, OnError on_error, int max_parallel);

  // Recovery: says, before begin(), how a step ended or that it is running now. `state` is kOk, kFailed,
  // kSkipped, kCancelled or kRunning. Each step at most once, in any order. begin() draws the consequences.
  //
  // A step that was kOk stays so, whatever is said of its parents: where only the parent is to run again, whoever
  // depends on the step finds it kOk and does not wait for that parent.
  //
  // What was running had been released by its parents: if it is put back it runs again, whatever is said of
  // them. Table checks are not restored: after begin() layer_to_check() names every complete layer again, in
  // order, and the owner answers from its records or by checking. A cancelled run is cancelled again by its
  // owner, after restoring.
  void restore(StepId step, StepState state);

  // Opens the first layer. Call once. With restored steps, first skips what follows from them.
  void begin();

  // The ready step of a lane that should start next, or none: the highest priority first, then the longest remaining
  // path inside the layer, then the lowest load_order, then the lowest id. In a 'sequence' layer only the ready step
  // with the lowest load_order, then id, of all lanes may start, and none while one is running or held; other lanes
  // get none. None while max_parallel steps are running.
  std::optional<StepId> next(int lane) const;

  int ready_count(int lane) const { return ready_.size(lane); }

  // Lanes for which next() has a step, the one with the most urgent step first.
  std::vector<int> lanes_with_work() const;

  void start(StepId step);                      // kReady -> kRunning
  void finish(StepId step, StepState outcome);  // kRunning -> kOk, kFailed or kCancelled
  void put_back(StepId step);                   // kRunning -> kReady

  // kReady -> kHeld, or kRunning -> kHeld: it runs again later.
  void hold(StepId step);
  // kHeld -> kReady. No effect on a step that is not held any more: a halt may have skipped it.
  void release(StepId step);
  // kHeld -> kSkipped, with kHeldBack. No effect on a step that is not held any more.
  void give_up(StepId step);

  // put_back() and hold() skip the step instead if the run has halted, its layer is timed out or, in a recovered run,
  // the layer that it follows did not go well.

  // Halt the run, with kCancelled or kTimedOut. No effect if it is done or has halted before.
  void cancel();
  void time_out();

  // Skips the pending steps of a layer, open or not yet, with kLayerTimedOut, and steps of other layers that depend on
  // them with kParent. No effect on a layer whose steps have all ended, nor if the run has halted.
  void time_out_layer(int layer);

  // Steps that were skipped since the last call, in the order in which it happened. Restored skips are not
  // told.
  std::vector<Skip> take_skipped();

  // The layer whose steps have all ended and whose tables must be checked before the next opens, or none.
  std::optional<int> layer_to_check() const;

  // Answers layer_to_check(). No effect if the run has halted while the check was under way.
  void layer_checked(int layer, bool tables_ok);

  // Every step has ended, and every layer with steps was checked or the run has halted. Without a halt, false
  // before begin().
  bool done() const;
  bool all_ok() const;  // done, every step kOk, every check made and passed

  // The layer whose steps start now, or that is to be checked. None before begin() and after the last check; a halt
  // leaves it as it is.
  std::optional<int> open_layer() const;
  const std::vector<StepId>& steps_of(int layer) const { return layers_[layer].steps; }  // ascending
  std::vector<StepId> missing_parents(StepId step) const;                                // those that are not kOk

  StepState state(StepId step) const { return steps_[step].state; }
  int step_count() const { return static_cast<int>(steps_.size()); }
  int running_count() const { return count(StepState::kRunning); }
  int count(StepState state) const { return counts_[static_cast<std::size_t>(state)]; }

 private:
  struct Step {
    int layer;
    int lane;
    int rank = -1;        // place in the order in which steps of a layer should start
    int missing_parents;  // not yet kOk; 0 for a step that was restored as running
    bool follows_layer;
    StepState state = StepState::kWaiting;
  };

  struct Layer {
    bool sequence = false;
    bool open = false;
    std::vector<StepId> steps;  // ascending
    int unended = 0;            // steps that have not ended
    int running = 0;
    int held = 0;
    bool timed_out = false;
    StepId first_not_ok = -1;  // the lowest step that ended otherwise
    std::optional<Skip> gate;  // once open: why steps that follow the previous layer are skipped
  };

  static Graph parents_of(const std::vector<StepSpec>& steps);
  void rank_by_urgency(const std::vector<StepSpec>& steps);
  void transition(StepId id, StepState to);
  void admit(StepId id);
  std::optional<Skip> reason_to_skip(StepId id) const;
  void skip(StepId id, Skip reason);
  void skip_alone(StepId id, Skip reason);
  void dequeue(StepId id);
  void follow_up(StepId id);
  void skip_children(StepId id);
  void halt(SkipCause cause, StepId culprit);
  void open_next_layer();
  bool may_start_any() const;
  bool is_pending(StepId id) const;

  std::vector<Layer> layers_;
  std::vector<Step> steps_;
  Graph parents_;
  Graph children_;
  std::vector<StepId> by_rank_;
  OnError on_error_;
  int max_parallel_;

  std::array<int, 8> counts_{};  // steps by state
  ReadyQueue ready_;             // the kReady steps of the open layer; steps put back before it opens wait outside
  int current_ = -1;             // the open layer that is not yet checked; -1 before begin(), layers_.size() at the end
  int previous_ = -1;            // the last layer that was checked
  bool previous_passed_ = true;
  bool all_passed_ = true;
  std::optional<Skip> halt_;  // why nothing new starts
  std::vector<Skip> skipped_;
};

}  // namespace etl::plan
