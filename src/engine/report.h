// What a person reads about a run: lines of 80 columns.
#pragma once

#include "engine/log_store.h"
#include "engine/request.h"

namespace etl::report {

// "12 ms", "3.42 s", "2 min 05 s", "1 h 07 min".
std::string duration(double milliseconds);

// The plan of a run, one line each, for a dry run.
std::vector<std::string> plan_lines(const PlannedRun& run);

// Writes the lines of one run: columns are as wide as its names need.
class Formatter {
 public:
  explicit Formatter(const PlannedRun& run);

  std::string job_line(const log_store::Line& line) const;

 private:
  int layer_width_ = 0;
  int job_width_ = 0;
};

// An attempt at a task of a state machine.
std::string task_line(const log_store::Line& line);

// Adds up what became of the jobs of a layer or of a run.
struct Tally {
  int total = 0;
  int ok = 0;
  int skipped = 0;
  int failed = 0;  // also cancelled
  int64_t rows = 0;

  void add(const log_store::Line& line);
  int ended() const { return ok + skipped + failed; }
  std::string text() const;  // "6 jobs, 116294 rows" or "6 jobs: 4 OK, 1 failed, 1 skipped"
};

}  // namespace etl::report
