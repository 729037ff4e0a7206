// Why what should run does not, and what runs now: read from the tables and the slots, in the process of whoever asks.
#pragma once

#include "engine/shared_state.h"

namespace etl {

// Why one job of a run is not running, or is held up while it runs.
struct Wait {
  std::string layer;
  std::string job;
  std::string reason;  // a word: see sql/looking.sql
  std::string explanation;
  std::vector<std::string> waits_for;  // jobs
  TimestampTz retry_at = 0;            // 0: none
  int pid = 0;                         // of the process that holds the lock; 0: none
  std::string query;                   // of that process, where the caller may see it
};

// One row for each job of a run that the caller may see and that waits; none if the run has ended. Failure
// (no_data_found) for an unknown run.
std::vector<Wait> why_waiting(RunId run_id);

// An attempt that a worker is working on.
struct RunningAttempt {
  RunId run_id;
  std::string layer;
  std::string job;
  int attempt;
  int pid;
  std::string owner;
  TimestampTz since;
  int statement;
  int64_t rows;
  double expected_ms;  // negative: unknown
  StopReason stop;
};

// Those in this database, of owners that the caller is a member of.
std::vector<RunningAttempt> running_attempts();

}  // namespace etl
