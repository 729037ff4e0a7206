// Opening a run again that has ended.
#pragma once

#include "engine/request.h"

namespace etl {

// Has the run run again what has not succeeded; with `jobs`, exactly these, succeeded or not, widened by what they
// depend on and by what depends on them. Takes effect when the current transaction commits. Where the run was found in
// a copy of its database and has not ended, it goes on here. Failure where it has not ended, or is not the caller's.
void resume_run(RunId run_id, const plan::Selection& selection);

}  // namespace etl
