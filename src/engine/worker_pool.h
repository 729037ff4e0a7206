// The conductor's view of the workers: who is idle, who has finished, whom to start, whom to stop.
#pragma once

#include "engine/background.h"

namespace etl {

// Tasks of one worker, and what became of them.
struct Finished {
  Oid owner;
  RunKey run;
  std::vector<Task> tasks;
  MadeDue made_due;
  bool died;         // the worker is gone and has said nothing
  StopReason stop;   // why it was asked to stop
  size_t at;         // the task that it works on: its place in `tasks`
  pg::Moment began;  // that task
};

class WorkerPool {
 public:
  // Takes over the slots of this database as a conductor of before left them. Returns what its workers are
  // working on.
  std::vector<Finished> adopt();

  // Tasks that have ended since the last call; their workers are idle again.
  std::vector<Finished> collect();

  // Owners for whom a worker was started that ended before it could serve.
  std::vector<Oid> failed_starts();

  // Begins a round of assignments: these owners have work. Those of them who have no worker at all are starved: as long
  // as there is no room for one of theirs, reserve() refuses the others, so that want() can make room.
  void begin_round(const std::vector<Oid>& owners);
  const std::vector<Oid>& starved() const { return starved_; }

  // The place of an idle worker of an owner, or none.
  std::optional<int> reserve(Oid owner);

  // Hands tasks, kMostTogether at most, to the worker in that place, which has so many milliseconds for them (0: no
  // limit). False if it has gone meanwhile.
  bool hand_over(int place, Oid owner, const RunKey& run, const std::vector<Task>& tasks, int64_t timeout_ms);

  // Sees to it that a worker for this owner starts as soon as there is room; makes room, if needed, by retiring an
  // idle worker. Does nothing while one is starting. False if the server has no worker slot: try again later. Ask for
  // starved owners first.
  bool want(Oid owner);

  // Ends a round, after all that could be assigned was: tells others about workers that are idle now.
  void end_round(bool work_is_left);

  // Asks the workers on these steps of a run to stop what they do.
  void stop(RunId run_id, StopReason reason, const std::function<bool(StepId)>& concerns);
  void stop(RunId run_id, StopReason reason);

  // Asks all workers of this database to stop what they do.
  void stop_all();

  // Stops what has run out of time, and terminates who did not heed a stop within etl_orchestrator.cancel_grace.
  void tend();

  // In how many milliseconds tend() has something to do; pg::kForever if nothing has a time.
  long until_due() const;

  bool has_workers() const;
  bool awaits_start() const { return !starting_.empty(); }  // of a worker that has not attached yet

  // True if every worker of this database is idle.
  bool is_settled() const;

  // Ends the idle workers of this database. True if no worker of it is left.
  bool retire_all();

 private:
  bool start(Oid owner);
  bool is_starved(Oid owner) const;
  void retire_one(const Locked& locked, bool any) const;

  std::map<int, BackgroundWorkerHandle*> starting_;  // by place of the slot
  std::vector<Oid> with_work_;                       // owners with work in this round
  std::vector<Oid> starved_;                         // those of them who have no worker
  std::map<Oid, uint64> last_start_;                 // by owner: which of the starts was its last
  uint64 starts_ = 0;
  bool server_is_full_ = false;  // it had no worker slot when it was last asked
  bool told_about_slots_ = false;
};

}  // namespace etl
