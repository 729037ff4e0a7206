// Partitions of runs, steps and log: makes those to come, drops those that are older than
// etl_orchestrator.log_retention.
#pragma once

namespace etl::history {

// In transactions of its own, with short waits for locks; what does not succeed is tried at the next time.
void maintain();

}  // namespace etl::history
