// A run as a caller may see it.
#pragma once

#include "engine/run_store.h"

namespace etl {

// The state of a run that the current user may see. Failure (no_data_found) where there is none.
run_store::State visible_run(RunId run_id);

// The error about a run that was found in a copy of its database, and does not go on by itself.
pg::Failure foreign_run(RunId run_id);

}  // namespace etl
