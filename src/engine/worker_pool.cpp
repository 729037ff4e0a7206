#include "engine/worker_pool.h"

#include <signal.h>

#include "engine/session.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

namespace etl {

namespace {

// Calls visit(slot, place) for each slot of this database.
template <typename F>
void each_own_slot(const Locked& locked, F&& visit) {
  Slot* slots = locked->slots();
  for (int place = 0; place < locked->slot_count; ++place)
    if (slots[place].state != SlotState::kFree && slots[place].database == MyDatabaseId) visit(slots[place], place);
}

bool takes_work(const Slot& slot) {
  return slot.state == SlotState::kIdle && !slot.retire;
}

constexpr int64_t kTimeSliceMs = 100;  // a worker serves so long before it gives way to another database

void retire(const Locked& locked, Slot& slot) {
  slot.retire = true;
  locked.wake(slot.worker);
}

// True if a conductor of another database waits for room and has no worker at all.
bool another_database_starves(const Locked& locked) {
  const Seat* seats = locked->seats();
  const Slot* slots = locked->slots();
  return std::any_of(seats, seats + locked->seat_count, [&](const Seat& seat) {
    return seat.state == PlaceState::kRunning && seat.wants_slot && seat.database != MyDatabaseId &&
           std::none_of(slots, slots + locked->slot_count, [&](const Slot& slot) {
             return slot.state != SlotState::kFree && slot.database == seat.database;
           });
  });
}

bool has_had_its_slice(const Slot& slot) {
  return !slot.fresh && pg::monotonic_ms() - slot.since > kTimeSliceMs;
}

// To the whole process group, as the server does it: a job may wait for a program that it has started.
void signal_group(const Slot& slot, int number) {
  kill(-slot.pid, number);
}

// Stops what a worker is busy with. It still is: the state changes only under the lock.
void stop_slot(Slot& slot, StopReason reason) {
  if (slot.state != SlotState::kBusy || slot.stop != StopReason::kNone) return;
  slot.stop = reason;
  slot.terminate_at = pg::monotonic_ms() + settings::cancel_grace_ms();
  signal_group(slot, SIGINT);
}

Finished content_of(const Slot& slot) {
  return {slot.owner,
          slot.run,
          {slot.tasks, slot.tasks + slot.task_count},
          slot.made_due,
          slot.state == SlotState::kDead,
          slot.stop,
          static_cast<size_t>(slot.progress.task),
          slot.progress.began};
}

bool is_full(const Locked& locked) {
  const Slot* slots = locked->slots();
  const auto taken =
      std::count_if(slots, slots + locked->slot_count, [](const Slot& slot) { return slot.state != SlotState::kFree; });
  return taken >= std::min(settings::max_workers(), locked->slot_count);
}

std::string name_of(Oid owner) {
  pg::Transaction transaction;
  const std::string name = pg::role_name(owner);
  transaction.commit();
  return name;
}

bool has_worker(const Locked& locked, Oid owner) {
  bool found = false;
  each_own_slot(locked, [&](const Slot& slot, int) { found = found || slot.owner == owner; });
  return found;
}

bool is_starting(const Locked& locked, Oid owner) {
  bool found = false;
  each_own_slot(locked, [&](const Slot& slot, int) {
    found = found || (slot.owner == owner && slot.state == SlotState::kStarting);
  });
  return found;
}

}  // namespace

std::vector<Finished> WorkerPool::adopt() {
  std::vector<Finished> busy;
  const Locked locked;
  each_own_slot(locked, [&](Slot& slot, int) {
    if (slot.state == SlotState::kStarting) {
      ++slot.generation;  // whoever is starting finds another number, and leaves
      slot.state = SlotState::kFree;
      locked.announce_slot();
    } else if (slot.state != SlotState::kIdle && slot.run.id != 0) {
      busy.push_back(content_of(slot));
    }
  });
  return busy;
}

std::vector<Finished> WorkerPool::collect() {
  std::vector<Finished> finished;
  const Locked locked;
  each_own_slot(locked, [&](Slot& slot, int) {
    if (slot.state != SlotState::kDone && slot.state != SlotState::kDead) return;
    if (slot.run.id != 0) finished.push_back(content_of(slot));
    slot.state = slot.worker == nullptr ? SlotState::kFree : SlotState::kIdle;
    slot.run = {};
    slot.task_count = 0;
    if (slot.state == SlotState::kFree) locked.announce_slot();
  });
  return finished;
}

std::vector<Oid> WorkerPool::failed_starts() {
  std::vector<Oid> owners;
  for (auto entry = starting_.begin(); entry != starting_.end();) {
    pid_t pid;
    const bool stopped = GetBackgroundWorkerPid(entry->second, &pid) == BGWH_STOPPED;
    const Locked locked;
    Slot& slot = locked->slots()[entry->first];
    const bool attached = slot.state != SlotState::kStarting || slot.database != MyDatabaseId;
    if (!stopped && !attached) {
      ++entry;
      continue;
    }
    if (stopped && !attached) {
      owners.push_back(slot.owner);
      slot.state = SlotState::kFree;
      locked.announce_slot();
    }
    pfree(entry->second);
    entry = starting_.erase(entry);
  }
  return owners;
}

void WorkerPool::begin_round(const std::vector<Oid>& owners) {
  starved_.clear();
  with_work_ = owners;
  const Locked locked;
  for (const Oid owner : owners)
    if (!is_starved(owner) && !has_worker(locked, owner)) starved_.push_back(owner);
  // Who was served longest ago comes first, so that owners take turns where there is room for few.
  std::stable_sort(starved_.begin(), starved_.end(), [&](Oid a, Oid b) { return last_start_[a] < last_start_[b]; });
}

// Makes room by retiring an idle worker, unless one is leaving already: one of another database, or one whose owner has
// nothing to do here; for an owner who has no worker at all, any.
void WorkerPool::retire_one(const Locked& locked, bool any) const {
  const auto is_idle = [](const Slot& slot) { return slot.state == SlotState::kIdle; };
  const auto may_go = [&](const Slot& slot) {
    return is_idle(slot) && !slot.fresh &&
           (any || slot.database != MyDatabaseId ||
            std::find(with_work_.begin(), with_work_.end(), slot.owner) == with_work_.end());
  };
  Slot* slots = locked->slots();
  Slot* end = slots + locked->slot_count;
  if (std::any_of(slots, end, [&](const Slot& slot) { return is_idle(slot) && slot.retire; })) return;
  Slot* found = std::find_if(slots, end, may_go);
  if (found != end) retire(locked, *found);
}

bool WorkerPool::is_starved(Oid owner) const {
  return std::find(starved_.begin(), starved_.end(), owner) != starved_.end();
}

std::optional<int> WorkerPool::reserve(Oid owner) {
  const Locked locked;
  const bool no_room = server_is_full_ || is_full(locked);
  const bool must_give_way = no_room && !starved_.empty() && !is_starved(owner);
  Slot* slots = locked->slots();
  for (int place = 0; place < locked->slot_count; ++place) {
    Slot& slot = slots[place];
    if (!takes_work(slot) || slot.database != MyDatabaseId || slot.owner != owner) continue;
    if (must_give_way && !slot.fresh) continue;  // each worker serves at least once
    if (no_room && has_had_its_slice(slot) && another_database_starves(locked)) {
      retire(locked, slot);
      continue;
    }
    return place;
  }
  return std::nullopt;
}

bool WorkerPool::hand_over(int place, Oid owner, const RunKey& run, const std::vector<Task>& tasks,
                           int64_t timeout_ms) {
  const Locked locked;
  Slot& slot = locked->slots()[place];
  if (!takes_work(slot) || slot.database != MyDatabaseId || slot.owner != owner) return false;
  slot.run = run;
  slot.task_count = static_cast<int>(tasks.size());
  std::copy(tasks.begin(), tasks.end(), slot.tasks);
  slot.made_due = {};
  slot.stop = StopReason::kNone;
  slot.deadline = timeout_ms == 0 ? 0 : pg::monotonic_ms() + timeout_ms;
  slot.terminate_at = 0;
  slot.progress = {0, 0, 0, pg::now()};
  ++slot.generation;
  slot.state = SlotState::kBusy;
  slot.fresh = false;
  locked.wake(slot.worker);
  return true;
}

void WorkerPool::end_round(bool work_is_left) {
  const Locked locked;
  if (!work_is_left) locked.find_seat(MyDatabaseId)->wants_slot = false;
  bool room = false;
  each_own_slot(locked, [&](Slot& slot, int) {
    room = room || slot.state == SlotState::kIdle;
    if (slot.state == SlotState::kIdle) slot.fresh = false;  // there was nothing for it
  });
  if (room) locked.announce_slot(MyDatabaseId);
}

bool WorkerPool::want(Oid owner) {
  {
    const Locked locked;
    if (is_starting(locked, owner)) return true;
    if (is_full(locked)) {
      locked.find_seat(MyDatabaseId)->wants_slot = true;
      retire_one(locked, is_starved(owner));
      return true;
    }
  }
  server_is_full_ = !start(owner);
  const Locked locked;
  locked.find_seat(MyDatabaseId)->server_is_full = server_is_full_;
  if (!server_is_full_) return true;
  locked.find_seat(MyDatabaseId)->wants_slot = true;
  retire_one(locked, is_starved(owner));
  return false;
}

bool WorkerPool::start(Oid owner) {
  const std::string name = "etl_orchestrator worker for " + name_of(owner);
  const uint64_t fingerprint = session_fingerprint(owner);
  int place = 0;
  uint64 generation = 0;
  {
    const Locked locked;
    Slot* slots = locked->slots();
    while (place < locked->slot_count && slots[place].state != SlotState::kFree) ++place;
    if (place == locked->slot_count) {  // somebody was faster
      locked.find_seat(MyDatabaseId)->wants_slot = true;
      return true;
    }
    generation = slots[place].generation + 1;
    slots[place] = Slot{};
    slots[place].state = SlotState::kStarting;
    slots[place].generation = generation;
    slots[place].database = MyDatabaseId;
    slots[place].owner = owner;
    slots[place].fresh = true;
  }
  last_start_[owner] = ++starts_;
  BackgroundWorkerHandle* handle = nullptr;
  try {
    handle = start_background("etl_worker_main", name, "etl_orchestrator worker",
                              {MyDatabaseId, owner, place, generation, fingerprint});
  } catch (const pg::Error&) {
    Locked()->slots()[place].state = SlotState::kFree;
    throw;
  }
  if (handle != nullptr) {
    starting_[place] = handle;
    told_about_slots_ = false;
    return true;
  }
  Locked()->slots()[place].state = SlotState::kFree;
  if (!told_about_slots_)
    log_line(LOG, "etl_orchestrator waits for a background worker slot, jobs stay in the queue",
             "Consider increasing max_worker_processes, or lowering etl_orchestrator.max_workers.");
  told_about_slots_ = true;
  return false;
}

void WorkerPool::stop(RunId run_id, StopReason reason, const std::function<bool(StepId)>& concerns) {
  const Locked locked;
  each_own_slot(locked, [&](Slot& slot, int) {
    if (slot.run.id != run_id) return;
    const bool concerned =
        std::any_of(slot.tasks, slot.tasks + slot.task_count, [&](const Task& task) { return concerns(task.step_id); });
    if (concerned) stop_slot(slot, reason);
  });
}

void WorkerPool::stop(RunId run_id, StopReason reason) {
  stop(run_id, reason, [](StepId) { return true; });
}

void WorkerPool::stop_all() {
  const Locked locked;
  each_own_slot(locked, [](Slot& slot, int) { stop_slot(slot, StopReason::kGone); });
}

void WorkerPool::tend() {
  const int64_t now = pg::monotonic_ms();
  const Locked locked;
  each_own_slot(locked, [&](Slot& slot, int) {
    if (slot.state != SlotState::kBusy) return;
    if (slot.stop == StopReason::kNone && slot.deadline != 0 && slot.deadline <= now)
      stop_slot(slot, StopReason::kJobTimeout);
    if (slot.terminate_at != 0 && slot.terminate_at <= now) {
      signal_group(slot, SIGTERM);
      slot.terminate_at = 0;
    }
  });
}

long WorkerPool::until_due() const {
  long delay = pg::kForever;
  const Locked locked;
  each_own_slot(locked, [&](const Slot& slot, int) {
    if (slot.state != SlotState::kBusy) return;
    const int64_t next = slot.terminate_at != 0           ? slot.terminate_at
                         : slot.stop == StopReason::kNone ? slot.deadline
                                                          : 0;
    if (next != 0) delay = pg::sooner(delay, pg::milliseconds_until(next));
  });
  return delay;
}

bool WorkerPool::is_settled() const {
  bool settled = starting_.empty();
  const Locked locked;
  each_own_slot(locked, [&](const Slot& slot, int) { settled = settled && slot.state == SlotState::kIdle; });
  return settled;
}

bool WorkerPool::has_workers() const {
  bool found = false;
  const Locked locked;
  each_own_slot(locked, [&](const Slot&, int) { found = true; });
  return found;
}

bool WorkerPool::retire_all() {
  bool none_left = true;
  const Locked locked;
  each_own_slot(locked, [&](Slot& slot, int) {
    none_left = false;
    if (slot.state == SlotState::kIdle) retire(locked, slot);
  });
  return none_left;
}

}  // namespace etl
