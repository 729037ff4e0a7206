// One run in the hands of the conductor: its schedule, and what has to be written about it.
#pragma once

#include "engine/run_store.h"
#include "plan/schedule.h"

namespace etl {

class ActiveRun {
 public:
  // From the stored plan and the attempts that have ended; `running` are steps that a worker is working on now.
  ActiveRun(const RunKey& key, run_store::StoredRun stored, const std::vector<run_store::StoredAttempt>& ended,
            const std::vector<Assignment>& running);

  RunId id() const { return key_.id; }
  bool done() const { return schedule_.done(); }

  // Owners who have a step that may start now, the most urgent first.
  std::vector<Oid> owners_with_work() const;

  // The next step of an owner, if one may start now, as an assignment; started() says that it was handed out.
  std::optional<Assignment> next(Oid owner) const;
  void started(const Assignment& work);

  // A worker said how its attempt ended, and has logged it; or that it has not begun, and the step waits again.
  void ended(const Assignment& work, Outcome outcome);

  // An attempt ended without a worker that could log it: it failed with this entry, to be written.
  void failed(const Assignment& work, run_store::LogEntry entry);

  void cancel();

  // Writes what is to be written: log rows, checks of tables, the end of the run. In a transaction with an open Spi;
  // when that is committed, call written(); if it is rolled back, write() again later.
  bool must_write() const;
  void write();
  void written();

 private:
  void put_back(const Assignment& work);
  int lane_of(Oid owner) const;
  std::string name_of(StepId step) const;
  std::string reason(const plan::Skip& skip) const;
  void collect_skipped();
  run_store::Ending ending() const;

  RunKey key_;
  std::vector<run_store::StoredLayer> layers_;
  std::vector<std::pair<int, std::string>> steps_;  // layer and job name, by step id
  std::vector<int> attempts_;                       // used so far, by step id
  std::vector<Oid> owners_;                         // by lane
  plan::Schedule schedule_;
  bool cancelled_ = false;
  std::vector<run_store::LogEntry> unwritten_;
  std::optional<std::pair<int, bool>> checked_;  // layer, and whether its tables are there
  std::vector<std::string> complaints_;          // about layers whose tables are missing
  std::string new_complaint_;
};

}  // namespace etl
