// Attempts, in the worker of their owner.
#pragma once

#include "engine/shared_state.h"

namespace etl {

// Tells whether what this worker does was asked to stop.
using AskStop = std::function<StopReason()>;

// Runs one attempt and commits its effect together with its log row; if it fails, rolls back and commits a row that
// says why. Fills in how the task ended. Called and returns outside a transaction. pg::Error where not even the row of
// a failure could be written.
void run_attempt(const RunKey& run, Task* task, const AskStop& stop);

}  // namespace etl
