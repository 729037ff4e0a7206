// What the tasks of state machines do: each resource has a handler in the database.
#pragma once

#include "states/interpreter.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/execution_store.h"
#include "pg/transaction.h"

namespace etl {

// Whose task it is.
struct TaskOwner {
  RunKey run;
  int branch;
  std::string machine;
  std::string state;
  std::string token;  // by which somebody may end it; empty: nobody can
};

struct TaskResult {
  states::Json output;           // of a task that was handed over: what that gave
  bool waits_for_token = false;  // somebody ends it by its token
  RunId awaited_run = 0;         // the end of this run ends it; 0: none
  std::optional<int64_t> rows;   // that it wrote or read, where that is known
  std::optional<states::Failure> failure = std::nullopt;  // it failed, and what it wrote stays
};

// Runs a task in the block that is open, with the rights of the current user, its owner. Raises what makes it fail:
// pg::Error, pg::Failure, states::StateError. After `timeout_seconds` of the task: StateError (States.Timeout).
TaskResult run_task(pg::Block& block, const states::RunTask& task, const TaskOwner& owner);

// What a task gives whose run has ended. Raises what run_task() raises.
TaskResult finish_task(pg::Block& block, const states::RunTask& task, const TaskOwner& owner);

// What a task reports for an error of the server or of ours.
states::Failure task_failure(const pg::Error& error);
states::Failure task_failure(const pg::Failure& failure);

// Why nothing here does the work of a resource for the machines of a role; none if something does. Needs an open Spi
// and the engine's rights.
std::optional<std::string> resource_problem(const std::string& resource, Oid owner);

}  // namespace etl
