// Why the branches of an execution do not go on.
#pragma once

#include "engine/diagnosis.h"
#include "engine/run_store.h"

namespace etl {

// One row for each of the first thousand branches that wait, with the machine as layer and the state as job. Needs an
// open Spi and the engine's rights.
std::vector<Wait> why_branches_wait(const run_store::State& execution, Oid caller);

}  // namespace etl
