// Several short jobs in one transaction: each in a subtransaction of its own, their effects and success rows committed
// together, so that they pay for one commit.
//
// Only successes come out of it. Whatever fails, takes longer than the delay that a shared commit may have, or wants
// something that others in the transaction would notice, is rolled back and has to run alone (Outcome::kAlone): what it
// would have done to its log, its retries and its timeouts happens there, as if it had not been tried. If the commit
// itself fails, all of them run alone. What was not begun goes back.
#pragma once

#include "engine/attempt.h"

namespace etl {

// Runs the tasks in their order and fills in how each ended. `begins` is told the index of each one that begins.
void run_together(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop,
                  const std::function<void(size_t)>& begins);

}  // namespace etl
