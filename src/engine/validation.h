// What must be there before a run starts: schemas, tables, files, and the rights of the jobs' owners.
#pragma once

#include "engine/configuration.h"

namespace etl {

// Completes the steps of a blueprint with what a worker needs, and finds everything that would keep them from
// running. Rights are checked before a file is looked at. Needs an open Spi and the engine's rights.
PlannedRun complete_steps(const Configuration& configuration, const plan::Blueprint& blueprint,
                          const std::vector<JobDetail>& details, std::vector<plan::Problem>* problems);

}  // namespace etl
