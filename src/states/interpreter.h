// Takes a branch from one effect to the next.
//
//   advance(branch, Begin) -> RunTask | Wait | Fork | Ended ...   then that is done, and
//   advance(branch, what came of it) -> ...                       until Ended or Broken
//
// States without effect (Pass, Choice, Succeed, Fail, a Wait for a time that has passed) never end a call: a call goes
// on to the next state that has one. An interpreter keeps nothing of a branch; it is made in no time.
#pragma once

#include <functional>

#include "states/branch.h"
#include "states/definition.h"

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

// How far a task is that has not ended.
enum class TaskProgress { kStarted, kSubmitted };

class Interpreter {
 public:
  // Of a history, as the service has it: a cycle of Choice and Pass ends there, with States.Runtime.
  static constexpr EventId kMostEvents = 25'000;
  // Children of one state at the same time, where it does not say less. It bounds what a Map costs whose ItemSelector
  // copies a large input into each item.
  static constexpr int64_t kMostConcurrency = 1'000;

  // All must outlive it. `new_token` makes task tokens.
  Interpreter(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata, Entropy& entropy,
              std::function<Time()> now, std::function<std::string()> new_token);

  // A branch that begins the machine. Its input is that of the execution.
  Branch start() const;

  // What goes wrong in a state is Broken, or caught as it says. Raises only what its callbacks raise, and
  // std::logic_error where the event does not fit the phase.
  Next advance(Branch* branch, Event event, History& history);

  // The children of a branch that is kForked that have these indexes; a Failure, which ends that child, where its
  // input cannot be made.
  using Child = std::variant<Branch, Failure>;
  std::vector<Child> children(const Branch& parent, const std::vector<int64_t>& indexes);

  // Tells the history of a task under way: when it is started; when a task that waits for its token was handed over.
  void note(Branch* branch, TaskProgress progress, Json details, History& history);

  // Puts a branch that is kBroken back to where it can go on: kForked, if it broke with its children (those that failed
  // are redriven, too, or ChildrenEnded is told again), else kRetrying, due at once. Its retries begin again.
  void redrive(Branch* branch);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace etl::states
