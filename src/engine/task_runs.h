// Runs of jobs that tasks start and wait for.
#pragma once

#include "engine/task_call.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/request.h"

namespace etl {

// Plans and stores a run, as the current user, in the transaction of the task: it begins when that commits, once.
RunKey start_task_run(const TaskCall& call, const RunRequest& request);

// How a run stands.
struct RunReport {
  std::string status;  // as setup.load_runs has it
  std::string message;
  TimestampTz requested_at = 0;
  TimestampTz started_at = 0;   // 0: not yet
  TimestampTz finished_at = 0;  // 0: not yet
  std::string layer;            // empty: all
  int jobs_total = 0;
  int jobs_ok = 0;
  int jobs_failed = 0;
  int jobs_skipped = 0;
};
// None where there is no such run. Needs an open Spi and the engine's rights.
std::optional<RunReport> read_run_report(RunId run_id);

// Whether a run has ended: as it was stored, since another one of its pipeline goes first, or because it is not new. If
// not, it does not end before the transaction of the task does: then it is seen who waits for it.
bool has_run_ended(const TaskCall& call, RunId run_id);

}  // namespace etl
