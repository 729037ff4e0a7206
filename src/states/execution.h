// A whole execution in memory: an EXPRESS machine, a test of a state, a replay.
#pragma once

#include "states/branch.h"

namespace etl::states {

enum class ExecutionStatus { kSucceeded, kFailed, kTimedOut, kAborted };

struct ExecutionResult {
  ExecutionStatus status = ExecutionStatus::kFailed;
  Json output;      // where it succeeded
  Failure failure;  // where it did not
};

// The world that an execution runs in.
class World {
 public:
  virtual ~World() = default;
  virtual Time now() = 0;
  virtual void sleep_until(Time time) = 0;  // may raise: a cancel
  // Runs a task to its end: TaskSucceeded or TaskFailed. `event` tells of its progress (TaskScheduled, TaskStarted,
  // TaskSubmitted, LambdaFunctionScheduled, ...), as the kind of the resource has it.
  virtual Event run_task(const RunTask& task, const Branch& branch,
                         const std::function<void(const std::string& type, Json details)>& event) = 0;
  virtual std::string new_token() = 0;
};

// Children of a fork take turns: one goes on until it waits.
ExecutionResult run_in_memory(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata,
                              Entropy& entropy, History& history, World& world);

}  // namespace etl::states
