// The conductor's view of the workers: who is idle, who has finished, whom to start, whom to stop.
#pragma once

#include "engine/background.h"

namespace etl {

// What became of an assignment.
struct Finished {
  Assignment work;
  bool died;        // the worker is gone and has said nothing
  Outcome outcome;  // otherwise
};

class WorkerPool {
 public:
  // Takes over the slots of this database as a conductor of before left them. Returns what its workers are
  // working on.
  std::vector<Assignment> adopt();

  // Assignments that have ended since the last call; their workers are idle again.
  std::vector<Finished> collect();

  // Owners for whom a worker was started that ended before it could serve.
  std::vector<Oid> failed_starts();

  // Begins a round of assignments: these owners have work. Those of them who have no worker at all are starved: as long
  // as there is no room for one of theirs, assign() refuses work for the others, so that want() can make room.
  void begin_round(const std::vector<Oid>& owners);
  const std::vector<Oid>& starved() const { return starved_; }

  // Hands work to an idle worker of its owner. False if there is none.
  bool assign(Oid owner, const Assignment& work);

  // Sees to it that a worker for this owner starts as soon as there is room; makes room, if needed, by retiring an
  // idle worker. Does nothing while one is starting. False if the server has no worker slot: try again later. Ask for
  // starved owners first.
  bool want(Oid owner);

  // Ends a round, after all that could be assigned was: tells others about workers that are idle now.
  void end_round(bool work_is_left);

  // Asks the workers on this run to stop what they do.
  void cancel(RunId run_id);

  // Asks all workers of this database to stop what they do.
  void stop_all();

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
