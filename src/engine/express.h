// Executions of EXPRESS machines, in the worker of their owner: in one go, in memory. Only their end is kept.
#pragma once

#include "engine/active_execution.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/attempt.h"

namespace etl {

// Runs it from its input. Each task is a transaction of its own. None if it was stopped, or is not to be ended here.
// Called and returns outside a transaction.
std::optional<execution_store::Ending> run_express(const ActiveExecution& execution, const AskStop& stop);

}  // namespace etl
