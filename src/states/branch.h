// One sequence of states on its way: the machine itself, a branch of a Parallel, an iteration of a Map.
//
// A branch is plain data. Between two calls of advance() it waits for something outside, and can be kept as JSON; all
// that it will do follows from it, the definition, and the events that it is told.
//
//   advance(branch, Begin) -> RunTask | Wait | Fork | Ended ...   then that is done, and
//   advance(branch, what came of it) -> ...                       until Ended or Broken
//
// States without effect (Pass, Choice, Succeed, Fail) never end a call: a call goes on to the next state that has one.
#pragma once

#include <variant>

#include "states/definition.h"
#include "states/history.h"
#include "states/timestamp.h"

namespace etl::states {

class JsonataEngine;

// $$.Execution and $$.StateMachine.
struct ExecutionInfo {
  std::string execution_id;
  std::string execution_name;
  std::string role;
  Time started{};
  int64_t redrive_count = 0;
  std::string machine_id;
  std::string machine_name;
  Json input;
};

struct MapItem {
  int64_t index = 0;
  Json value;
};

struct Branch {
  enum class Phase { kNew, kTask, kWaiting, kRetrying, kForked, kEnded };

  std::string flow;               // pointer of its Flow
  std::string state;              // name of the state that it is in
  Phase phase = Phase::kNew;
  Json input;                     // of the state, raw
  Json outer = Json::object();    // variables of the enclosing branches, as they were when this one began
  Json variables = Json::object();  // its own
  std::optional<MapItem> item;    // of the innermost Map around it
  Time entered{};                 // the state
  EventId entered_event = 0;
  EventId last_event = 0;
  int64_t retry_count = 0;        // of this visit of the state: $$.State.RetryCount
  std::vector<int64_t> retries;   // by retrier
  std::string task_token;         // of the task that is under way: $$.Task.Token
  int64_t visits = 0;             // states entered so far; with retry_count names an attempt in a branch
  std::vector<std::string> awaited_map_name;  // names of the Map around it, for its events; at most one

  Json to_json() const;
  static Branch from_json(const Json& json);
};

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
// All children have ended, or enough of them to know that the state failed.
struct ChildrenEnded {
  std::vector<Json> outputs;  // in the order of the children
  EventId last_event = 0;
};
struct ChildrenFailed {
  Failure failure;
  EventId last_event = 0;
};
using Event = std::variant<Begin, TaskSucceeded, TaskFailed, TimeReached, ChildrenEnded, ChildrenFailed>;

// What a branch needs next.
struct RunTask {
  std::string resource;
  Json parameters;
  Json credentials;
  std::optional<double> timeout_seconds;
  std::optional<double> heartbeat_seconds;
};
struct Wait {
  Time until{};
};
struct Fork {
  std::vector<Branch> children;
  int64_t max_concurrency = 0;  // 0: no limit
  // Of a distributed Map: more failures than either are too many. Otherwise the first failure is.
  std::optional<int64_t> tolerated_failures;
  std::optional<double> tolerated_percentage;
  std::vector<int64_t> weights;  // items in each child, where they are batched; else empty
  bool is_map = false;
  bool distributed = false;
};
struct Ended {
  Json output;
};
struct Broken {
  Failure failure;
};
using Next = std::variant<RunTask, Wait, Fork, Ended, Broken>;

class Interpreter {
 public:
  // All must outlive it. `new_token` makes task tokens.
  Interpreter(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata, Entropy& entropy,
              History& history, std::function<Time()> now, std::function<std::string()> new_token);

  // A branch that begins the machine, with its ExecutionStarted event.
  Branch start(Json input);

  // Never raises but what the callbacks raise; what goes wrong in a state is Broken, or caught as it says.
  Next advance(Branch* branch, Event event);

  // States that one call may pass before it gives up with States.Runtime: a cycle of Choice and Pass never ends.
  static constexpr int64_t kMostEvents = 25'000;  // of an execution, as the service has it

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace etl::states
