// One run in the hands of the conductor: its schedule, what holds its steps back, its timeouts, and what has to be
// written about it.
#pragma once

#include "engine/log_store.h"
#include "engine/worker_pool.h"
#include "plan/timers.h"

namespace etl {

// Why a step that could start does not.
enum class HoldReason { kRetry, kLimit, kPaused, kQuarantined };

class ActiveRun {
 public:
  // From the stored plan and the attempts that have ended; `busy` is what workers are working on now.
  ActiveRun(const RunKey& key, run_store::StoredRun stored, const std::vector<log_store::StoredAttempt>& ended,
            const std::vector<Finished>& busy);

  const RunKey& key() const { return key_; }
  RunId id() const { return key_.id; }
  int priority() const { return priority_; }
  bool done() const { return schedule_.done(); }
  const plan::Schedule& schedule() const { return schedule_; }

  // What a step is.
  const run_store::StoredStep& step(StepId step) const { return steps_[static_cast<size_t>(step)]; }
  const std::string& layer_of(StepId step) const;
  std::string name_of(StepId step) const;  // "layer.job"
  bool in_sequence(StepId step) const;     // its layer runs one job at a time

  // Owners who have a step that may start now, the most urgent first.
  std::vector<Oid> owners_with_work() const;

  // The next step of an owner, if one may start now.
  std::optional<StepId> next(Oid owner) const;

  // How many steps of an owner are ready, and may share a transaction or not.
  int ready_count(Oid owner) const;

  // True if the step is short enough, as far as is known, to share a transaction that may last so long.
  bool shares_commit(StepId step, double delay_ms) const;

  // Takes a step from the ready ones, as a task for a worker.
  Task start(StepId step);

  // Puts back a step whose task was not handed over.
  void put_back(const Task& task);

  // A ready step does not start before it is released.
  void hold(StepId step, HoldReason reason);
  void release(StepId step);

  // Steps that are held for a pause or a quarantine.
  std::vector<StepId> held_jobs() const;

  // Steps that were skipped since the last call: they wait for nothing any more.
  std::vector<StepId> take_skipped() { return std::exchange(skipped_, {}); }

  // A worker said how its task ended, and has logged it; or that it has not begun, and the step waits again.
  void ended(const Task& task);

  // An attempt ended without a worker that could log it: with this entry, to be written.
  void failed(const Task& task, log_store::Entry entry);

  void cancel();

  // For one who only looks: checks the tables of complete layers as the conductor would, so that the next layer is
  // open.
  void check_tables();

  // What has become due: retries start again; timeouts of a layer or of the run skip what has not begun, and stop what
  // runs.
  void tend(WorkerPool* pool);

  // In how many milliseconds something becomes due, or pg::kForever.
  long until_due() const;

  // Writes what is to be written: log rows, checks of tables, the end of the run. In a transaction with an open Spi;
  // when that is committed, call written(); if it is rolled back, write() again later.
  bool must_write() const;
  void write();
  void written();

 private:
  enum class TimerKind { kRetry, kLayer, kRun };
  using TimerKey = std::pair<TimerKind, int>;  // and the step or layer

  void restore(const std::vector<log_store::StoredAttempt>& ended, const std::vector<Finished>& busy);
  void set_run_timer(const run_store::StoredRun& stored);
  void hold_until(StepId step, int64_t due);
  void set_retry(StepId step, int64_t due);
  void hold_restored_retries();
  void give_up_on_quarantined();
  void follow_up();
  int lane_of(Oid owner) const;
  std::string reason(const plan::Skip& skip) const;
  void collect_skipped();
  run_store::Ending ending() const;

  RunKey key_;
  int priority_;
  int64_t timeout_ms_;
  std::vector<run_store::StoredLayer> layers_;
  std::vector<run_store::StoredStep> steps_;  // by step id
  std::vector<int> attempts_;                 // used so far, by step id
  std::vector<Oid> owners_;                   // by lane
  plan::Schedule schedule_;
  std::map<StepId, HoldReason> held_;
  std::set<StepId> alone_;  // steps that have to run in a transaction of their own
  plan::Timers<TimerKey> timers_;
  std::map<StepId, log_store::StoredAttempt> to_retry_;  // attempts of before, whose steps are not ready yet
  std::map<int, TimestampTz> layer_began_;               // of layers that began before this conductor came
  int open_layer_ = -1;
  bool cancelled_ = false;
  bool timed_out_ = false;
  std::vector<log_store::Entry> unwritten_;
  std::vector<StepId> skipped_;                  // not yet told
  std::optional<std::pair<int, bool>> checked_;  // layer, and whether its tables are there
  std::vector<std::string> complaints_;          // about layers whose tables are missing
  std::string new_complaint_;
};

}  // namespace etl
