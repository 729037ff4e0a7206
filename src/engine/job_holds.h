// Jobs that are held back from one run to the next: paused by somebody, or quarantined because they took the server
// down; and the notes about crashes that lead to the latter.
//
// Functions that read or write need an open pg::Spi and the engine's rights.
#pragma once

#include "engine/active_run.h"

namespace etl {

class JobHolds {
 public:
  void read();

  // Why a step may not start now, or none.
  std::optional<HoldReason> find(const ActiveRun& run, StepId step) const;

  // A job has succeeded: what crashed before has not done so in a row.
  void forgive(const ActiveRun& run, StepId step);
  bool must_write() const { return !forgiven_.empty(); }
  void write() const;
  void written() { forgiven_.clear(); }

 private:
  using Job = std::pair<std::string, std::string>;  // layer, name

  std::map<Job, HoldReason> holds_;
  std::set<Job> crashed_;  // that have crashed, and not succeeded since
  std::set<Job> forgiven_;
};

namespace job_holds {

// The process of an attempt was killed, and took the server down: writes its log row, counts the crash, and
// quarantines the job if it was one too many.
void record_crash(const RunKey& run, StepId step, int attempt);

// As a caller asks. Failure (undefined_object, insufficient_privilege) where there is no such job of his. With the
// caller's rights; these functions take the engine's by themselves.
void pause(const std::string& layer, const std::string& job);
void release(const std::string& layer, const std::string& job);

}  // namespace job_holds

}  // namespace etl
