// What may run at the same time, across all runs of the database: limits of jobs and layers, units of resources, and
// one job at a time on a table.
#pragma once

#include "engine/active_run.h"
#include "plan/limits.h"

namespace etl {

// A step that runs, or wants to.
struct Applicant {
  RunKey run;
  int priority;
  StepId id;
  const std::string& layer;
  const run_store::StoredStep& step;
};

Applicant applicant(const ActiveRun& run, StepId step);

class Admission {
 public:
  // Reads the capacities of layers and resources as they are now. Needs an open pg::Spi and the engine's rights.
  void read_capacities();

  // Whether a ready step may start now. If not, it waits in line: hold it until woken() names it.
  bool admits(const Applicant& applicant);

  // A step that runs, and one that has ended.
  void take(const Applicant& applicant);
  void release(const RunKey& run, StepId step);

  // A step that is ready no more, and a run that is there no more.
  void forget(RunId run, StepId step) { limits_.forget(run, step); }
  void forget(RunId run);

  // Steps that may try again, since the last call.
  std::vector<std::pair<RunId, StepId>> woken();

  // The limit that keeps a step from starting, in words: 'resource "warehouse_io": 3 of 4 units are in use'. Empty if
  // none does. Leaves the line as it is.
  std::string obstacle(const Applicant& applicant);

 private:
  using Key = std::tuple<RunId, TimestampTz, StepId>;

  std::vector<plan::Demand> demands_of(const Applicant& applicant);
  plan::LimitId limit(const std::string& name, int capacity);

  plan::Limits limits_;
  std::map<std::string, int> layers_;  // those that have a limit
  std::map<std::string, int> resources_;
  std::map<Key, std::vector<plan::Demand>> taken_;
};

}  // namespace etl
