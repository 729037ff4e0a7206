// Load jobs and their runs as the service that runs jobs elsewhere shows them.
#pragma once

#include "engine/task_call.h"

namespace etl {

// A load job by the name that a definition calls it.
struct NamedJob {
  std::string layer;
  std::string job;
  int max_concurrent = 1;

  std::string qualified() const { return layer + "." + job; }
};

// "layer.job", or the name of a job that only one layer has, of those that a role may run. StateError
// (Glue.EntityNotFoundException, Glue.InvalidInputException where several layers have it). Needs an open Spi and the
// engine's rights, as all here.
NamedJob find_job(const std::string& name, Oid role);

// In how many runs that have not ended it has not ended either.
int64_t count_open_runs(const NamedJob& job);

// What became of a job in a run.
struct JobRun {
  RunId run_id = 0;
  std::string job;
  std::string state;    // STARTING, RUNNING, SUCCEEDED, FAILED, STOPPED, TIMEOUT
  std::string message;  // of its last attempt that failed, or of the run
  int attempts = 0;     // that have ended
  TimestampTz requested_at = 0;
  TimestampTz started_at = 0;
  TimestampTz finished_at = 0;
  std::string arguments;  // JSON

  Json shown(const TaskCall& call) const;
};

// Runs of a job, or of all jobs (empty names), that a role may see, the latest first; of one run, or (0) of all before
// another one (0: from the latest).
struct JobRunFilter {
  std::string layer;
  std::string job;
  RunId run_id = 0;
  RunId before = 0;
  int64_t most = 1;
};
std::vector<JobRun> read_job_runs(const JobRunFilter& filter, Oid role);

// "jr_12", as tasks call a run.
std::string job_run_id(RunId run_id);
std::optional<RunId> parse_job_run_id(const std::string& text);

}  // namespace etl
