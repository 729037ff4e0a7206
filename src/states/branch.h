// One sequence of states on its way: the machine itself, a branch of a Parallel, an iteration of a Map.
//
// A branch is plain data. Between two calls of Interpreter::advance() it waits for something outside, and can be kept
// as JSON; all that it will do follows from it, the definition, and the events that it is told.
//
//   kNew --> kTask, kWaiting, kForked <--> kRetrying --> ... --> kEnded, kBroken
//                                                                          kBroken --> kForked, kRetrying (redrive)
#pragma once

#include <variant>

#include "states/gathering.h"
#include "states/history.h"
#include "states/timestamp.h"

namespace etl::states {

struct MapItem {
  int64_t index = 0;
  Json value;
};

struct Branch {
  // kBetween: about to enter the state.
  enum class Phase { kNew, kTask, kWaiting, kRetrying, kForked, kEnded, kBroken, kBetween };

  std::string flow;   // pointer of its Flow
  std::string state;  // name of the state that it is in
  Phase phase = Phase::kNew;
  Json input;                       // of the state, raw
  Json variables = Json::object();  // its own
  // Those of the branches around it, null if there are none: visible_variables() of the one above. They are no part of
  // the JSON form, for they cannot change while this branch is open, and may be large: thousands of branches share
  // them.
  std::shared_ptr<const Json> outer;

  std::optional<MapItem> item;  // of the innermost Map around it: $$.Map.Item
  std::string iteration_of;     // name of the Map whose iteration it is; else empty
  // The machine, or a child of a distributed Map: it has a history of its own, which tells of its beginning and end as
  // of those of an execution.
  bool is_execution = false;

  Time entered{};  // the state
  EventId entered_event = 0;
  EventId last_event = 0;

  // The branch, the visit and the attempt together name an attempt; they are never used again, not even after a
  // redrive.
  int64_t visit = 0;    // states entered so far
  int64_t attempt = 0;  // tasks, or sets of children, that this visit has begun

  int64_t retry_count = 0;       // of this visit: $$.State.RetryCount
  std::vector<int64_t> retries;  // by retrier
  Time due{};                    // what it waits for, where it is kWaiting or kRetrying
  std::string task_token;        // of the task that is under way: $$.Task.Token; empty where it has none

  // From the fork until the state is left or tried again: what its children are made from. Of a Map the items, of a
  // Parallel the input of all branches.
  std::optional<GatheringRules> gathering;
  Json forked;

  Json to_json() const;
  static Branch from_json(const Json& json, std::shared_ptr<const Json> outer = nullptr);
};

// Its own variables and those around it; null if there are none.
std::shared_ptr<const Json> visible_variables(const Branch& branch);

// What may happen to a branch.
struct Begin {};
struct TaskSucceeded {
  Json output;
};
struct TaskFailed {
  Failure failure;
  bool timed_out = false;  // its error is States.Timeout or States.HeartbeatTimeout
};
struct TimeReached {};  // that it waits for
struct Resumed {};      // after a Pause
// All children have ended. Those whose failure was tolerated gave tolerated_output().
struct ChildrenEnded {
  std::vector<Json> outputs;  // in the order of the children
  EventId last_event = 0;     // of the child that ended last; 0 where children have histories of their own
};
// A child failed, or too many did; the others have been stopped.
struct ChildrenFailed {
  Failure failure;
  EventId last_event = 0;
};
using Event = std::variant<Begin, TaskSucceeded, TaskFailed, TimeReached, ChildrenEnded, ChildrenFailed, Resumed>;

// What a branch needs next.
struct RunTask {
  std::string resource;
  Json parameters;
  Json credentials;                         // null: none
  std::optional<double> timeout_seconds;    // from its beginning; none: it may take as long as it likes
  std::optional<double> heartbeat_seconds;  // between two signs of life

  Json to_json() const;
  static RunTask from_json(const Json& json);
};
struct Wait {
  Time until{};
};
// Nothing: it goes on at once, when its history so far is kept.
struct Pause {};
// Children, each made by Interpreter::children() when it may begin: Branch::gathering tells when.
struct Fork {};
struct Ended {
  Json output;
};
struct Broken {
  Failure failure;
};
using Next = std::variant<RunTask, Wait, Pause, Fork, Ended, Broken>;

}  // namespace etl::states
