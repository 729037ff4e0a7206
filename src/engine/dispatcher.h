// Hands out what may start: runs of higher priority first, runs of the same priority in turn, one worker's load at a
// time.
#pragma once

#include "engine/admission.h"
#include "engine/executions.h"
#include "engine/job_holds.h"

namespace etl {

using Runs = std::map<RunId, std::unique_ptr<ActiveRun>>;

class Dispatcher {
 public:
  Dispatcher(Runs& runs, Executions& executions, WorkerPool& pool, Admission& admission, const JobHolds& holds)
      : runs_(runs), executions_(executions), pool_(pool), admission_(admission), holds_(holds) {}

  // Hands out what can be handed out, and has workers started for the rest. False if a worker is wanted that the
  // server has no slot for.
  bool dispatch();

 private:
  void sift(ActiveRun& run);
  void wake_those_who_waited();
  std::optional<StepId> next_admitted(ActiveRun& run, Oid owner);
  bool hand_out_one(ActiveRun& run);
  std::vector<Task> gather(ActiveRun& run, Oid owner);
  void undo(ActiveRun& run, const std::vector<Task>& tasks);
  std::vector<std::vector<ActiveRun*>> by_priority() const;

  Runs& runs_;
  Executions& executions_;
  WorkerPool& pool_;
  Admission& admission_;
  const JobHolds& holds_;
  RunId served_last_ = 0;
};

}  // namespace etl
