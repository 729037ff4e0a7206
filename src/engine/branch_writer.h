// Writes what branches of an execution came to in a transaction: their history, their log, where they are, and what
// that means for those around them.
#pragma once

#include "engine/branch_step.h"

namespace etl {

// Raised where what follows from a branch may not stay: the execution has ended, or the Parallel or Map that it is in,
// or another worker was faster.
struct StaleBranch {};

struct Written {
  bool ended_run = false;
  std::vector<int> uncounted;  // branches that have ended, which their parents have still to count: they are due
  MadeDue made_due{};
};

// Needs an open Spi and the engine's rights. StaleBranch.
Written write_branches(ActiveExecution& execution, std::vector<Advanced>* advanced);

}  // namespace etl
