// A whole execution in memory: an EXPRESS machine, a test of a state, a replay.
#pragma once

#include "states/interpreter.h"

namespace etl::states {

enum class ExecutionStatus { kSucceeded, kFailed, kTimedOut, kAborted };

struct ExecutionResult {
  ExecutionStatus status = ExecutionStatus::kFailed;
  Json output;      // where it succeeded
  Failure failure;  // where it did not
};

// The world that an execution runs in. Whatever it raises ends the execution and reaches its caller.
class World {
 public:
  using Note = std::function<void(TaskProgress progress, Json details)>;

  virtual ~World() = default;
  virtual Time now() = 0;
  virtual void sleep_until(Time time) = 0;
  // Runs a task to its end: TaskSucceeded or TaskFailed. `note` tells the history of its progress. The task's limits of
  // time are the world's to keep.
  virtual Event run_task(const RunTask& task, const Branch& branch, const Note& note) = 0;
  virtual std::string new_token() = 0;
  virtual void stepped(Branch*) {}  // after each step of a branch
};

// Children of a fork take turns: one goes on until it waits. Those of a distributed Map tell no history. The machine's
// TimeoutSeconds counts from `info.started`.
ExecutionResult run_in_memory(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata,
                              Entropy& entropy, History& history, World& world);

}  // namespace etl::states
