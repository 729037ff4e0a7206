// Callers: those who start a run and follow it, wait for one, or cancel one.
#pragma once

#include "engine/request.h"
#include "pg/spi.h"

namespace etl {

// Starts a run in the current transaction, refused where that is read-only.
RunId start_run(const RunRequest& request);

// Starts a run, commits, reports its progress as NOTICEs and returns when it has ended OK. Holds no snapshot and no
// lock while it waits. Raises kRunFailed with every failed job if it ended otherwise. Ctrl-C cancels the run; a caller
// that is terminated leaves it going. `spi` is not atomic.
void run_and_follow(const RunRequest& request, pg::Spi* spi);

// Prints what would run.
void print_plan(const RunRequest& request);

// The status of a run once it has ended, or at `deadline` (as pg::monotonic_ms(); 0: none) the present one.
std::string wait_for_run(RunId run_id, int64_t deadline);

// Asks for the cancellation of a run; it takes effect when the current transaction commits.
void cancel_run(RunId run_id);

}  // namespace etl
