// setup.load_log: one row for each attempt that has ended. What is said at the head of run_store.h holds here.
#pragma once

#include "engine/run_store.h"

namespace etl::log_store {

// The outcome of one attempt, as load_log keeps it.
struct Entry {
  StepId step_id = 0;
  int attempt = 0;  // 0: skipped
  const char* status = "";
  pg::Moment started{};
  pg::Moment finished{};  // none: now
  std::optional<int64_t> rows;
  std::string sqlstate;  // five characters, or empty
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  std::vector<std::string> notices;
  pg::Moment retry{};  // none: no further attempt
};

// Writes the rows of some attempts of a run. Failure if the run is not there any more: the extension was dropped, and
// perhaps created again.
void write(const RunKey& run, const std::vector<Entry>& entries);

// The latest attempt of a step, of its latest round that has any.
struct StoredAttempt {
  StepId step_id;
  int round;
  int attempt;  // 0: skipped
  plan::StepState state;
  TimestampTz retry_at;    // of one that failed; 0: it was the last
  TimestampTz started_at;  // of the first
  TimestampTz finished_at;
};

std::vector<StoredAttempt> read_attempts(const RunKey& run);

// True once the step has its success row of this round.
bool has_succeeded(const RunKey& run, StepId step_id);

// True once this attempt has a row.
bool has_ended(const RunKey& run, StepId step_id, int attempt);

// An attempt that has ended, as a caller reports it.
struct Line {
  int64_t log_id;
  StepId step_id;
  std::string layer;
  std::string job;
  int attempt;
  std::string status;
  int64_t rows;
  double milliseconds;
  std::string message;
  std::string sqlstate;
  TimestampTz retry_at;  // 0: no further attempt
};

// The lines of a run with higher numbers than `after`, in their order, as of the latest snapshot.
std::vector<Line> read_lines(const RunKey& run, int64_t after);

}  // namespace etl::log_store
