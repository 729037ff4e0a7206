// What the workers of this database are at, as their slots say, for those who ask why something waits.
#pragma once

#include "engine/diagnosis.h"
#include "engine/worker_pool.h"

namespace etl {

// A worker's tasks.
struct BusyWorker {
  Finished work;
  int pid;  // 0: it has done them
  Progress progress;

  // Whether it is at this step or branch now, or has it to do next.
  bool is_at(const RunKey& run, StepId id) const;
  bool is_next(const RunKey& run, StepId id) const;

 private:
  bool has(const RunKey& run, StepId id, bool (*holds)(int task, int current)) const;
};

struct BusyWorkers {
  std::vector<BusyWorker> busy;
  int taken = 0;  // slots in the whole server
  bool server_is_full = false;
  bool has_conductor = false;

  static BusyWorkers look();

  // Why what could run has no worker.
  std::string why_none_is_free() const;
};

// The lock that a process waits for, and one of those who hold it. `caller` sees the queries of roles that it is a
// member of. False if the process waits for none. Needs an open Spi and the engine's rights.
bool find_blocker(int pid, Oid caller, Wait* wait);

// What keeps all runs of this database from going on, or one that is `foreign` to it. False if nothing does.
bool explain_standstill(bool foreign, Wait* wait);

// What waits for a worker that does other things before.
void explain_next(Wait* wait);

}  // namespace etl
