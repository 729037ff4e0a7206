// One attempt of one step, in the worker of its owner.
#pragma once

#include "engine/run_store.h"

namespace etl {

// Runs the attempt and commits its effect together with its log row; if it fails, rolls back and commits a row that
// says why. `was_cancelled` tells whether the attempt was asked to stop. Called and returns outside a transaction.
// pg::Error where not even the row of a failure could be written.
Outcome run_attempt(const Assignment& work, const std::function<bool()>& was_cancelled);

}  // namespace etl
