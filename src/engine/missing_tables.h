// Tables that jobs load and that are not there, though a crawler would make them.
#pragma once

#include "engine/run_store.h"

namespace etl {

// True if the table of a file job is missing. Needs a transaction.
bool table_is_missing(const run_store::Work& work);

// Runs the crawler that made a job, in a transaction of its own and in the session of their owner, or waits for it
// where it runs already; the steps of the run read their files as their jobs say afterwards. A note for the log, empty
// where somebody else has made the table meanwhile.
// Called and returns outside a transaction. Failure (undefined_table) where the table is missing still; pg::Error.
std::string crawl_for_missing_table(const RunKey& run, const run_store::Work& work);

}  // namespace etl
