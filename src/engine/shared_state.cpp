#include "engine/shared_state.h"

#include "engine/crash_notes.h"
#include "engine/places.h"

extern "C" {
#include "storage/shmem.h"
#include "utils/resowner.h"
}

namespace etl {

namespace {

SharedState* state = nullptr;
shmem_request_hook_type next_request_hook = nullptr;
shmem_startup_hook_type next_startup_hook = nullptr;

// Of the conductor, by the current transaction.
enum class Call { kNone, kAtCommit, kDue };
Call call = Call::kNone;
ToldBranches told;

constexpr const char* kTranche = "etl_orchestrator";

// One slot and one seat for each background worker that the server can have at all.
int place_count() {
  return max_worker_processes;
}

Size shared_size() {
  const auto places = static_cast<Size>(place_count());
  Size size = sizeof(SharedState);
  size = add_size(size, mul_size(places, sizeof(Seat)));
  size = add_size(size, mul_size(places, sizeof(Slot)));
  size = add_size(size, mul_size(static_cast<Size>(compat::proc_count()), sizeof(Waiter)));
  return add_size(size, mul_size(places, sizeof(Post)));
}

void request() {
  if (next_request_hook != nullptr) next_request_hook();
  RequestAddinShmemSpace(shared_size());
  RequestNamedLWLockTranche(kTranche, 1);
}

void startup() {
  if (next_startup_hook != nullptr) next_startup_hook();
  bool found = false;
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  state = static_cast<SharedState*>(ShmemInitStruct("etl_orchestrator", shared_size(), &found));
  if (!found) {
    memset(static_cast<void*>(state), 0, shared_size());
    state->lock = &GetNamedLWLockTranche(kTranche)->lock;
    state->seat_count = place_count();
    state->slot_count = place_count();
    state->waiter_count = compat::proc_count();
  }
  LWLockRelease(AddinShmemInitLock);
  if (!found) crash_notes::start_up(place_count());
}

void at_transaction_end(XactEvent event, void*) {
  if (call == Call::kNone) return;
  if (event == XACT_EVENT_PRE_PREPARE)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot PREPARE a transaction that has started or cancelled a run")));
  if (event == XACT_EVENT_COMMIT) call = Call::kDue;
  if (event == XACT_EVENT_ABORT) {
    call = Call::kNone;
    told = {};
  }
}

// Wakes the conductor only when it sees what has been committed. That is later than XACT_EVENT_COMMIT: until the
// server has told everybody of a new partition, a conductor still reads with a plan that does not know it, finds no
// run, and goes back to sleep. Must not raise.
void at_release(ResourceReleasePhase phase, bool, bool is_top_level, void*) {
  if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top_level || call != Call::kDue) return;
  call = Call::kNone;
  if (state != nullptr) Locked().call_conductor(MyDatabaseId, told);
  told = {};
}

}  // namespace

void request_shared_state() {
  next_request_hook = shmem_request_hook;
  shmem_request_hook = request;
  next_startup_hook = shmem_startup_hook;
  shmem_startup_hook = startup;
}

SharedState* shared_state() {
  return state;
}

void require_engine() {
  if (state != nullptr) return;
  throw pg::Failure(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "etl_orchestrator is not loaded by the server",
                    "Runs need its background workers, which start with the server.",
                    "Put this line into postgresql.conf and restart the server (other libraries stay in the list, "
                    "separated by commas):\n  shared_preload_libraries = 'etl_orchestrator'");
}

Locked::~Locked() {
  LWLockRelease(state->lock);
  for (size_t i = 0; i < to_wake_count_; ++i) SetLatch(&to_wake_[i]->procLatch);
}

void Locked::wake(PGPROC* process) const {
  const auto end = to_wake_.begin() + to_wake_count_;
  if (std::find(to_wake_.begin(), end, process) != end) return;
  if (to_wake_count_ < to_wake_.size()) {
    to_wake_[to_wake_count_++] = process;
  } else {
    SetLatch(&process->procLatch);
  }
}

void Locked::wake_launcher() const {
  if (state->launcher != nullptr) wake(state->launcher);
}

Seat* Locked::find_seat(Oid database) const {
  return find_place(state->seats(), state->seat_count, database);
}

bool Locked::has_vacant_seat() const {
  const Seat* seats = state->seats();
  return std::any_of(seats, seats + state->seat_count,
                     [](const Seat& seat) { return seat.state == PlaceState::kVacant; });
}

void Locked::call_conductor(Oid database, const ToldBranches& told_branches) const {
  Seat* seat = find_seat(database);
  if (seat == nullptr) seat = claim_place(state->seats(), state->seat_count, database);
  if (seat == nullptr) {
    state->look_everywhere = true;
  } else {
    seat->has_news = true;
    seat->told.add(told_branches);
  }
  if (seat != nullptr && seat->state == PlaceState::kRunning) {
    wake(seat->process);
  } else {
    wake_launcher();
  }
}

void Locked::announce_result(Oid database) const {
  Seat* seat = find_seat(database);
  if (seat == nullptr || seat->state != PlaceState::kRunning) return;
  seat->has_results = true;
  wake(seat->process);
}

void Locked::announce_slot(Oid but) const {
  Seat* seats = state->seats();
  for (int i = 0; i < state->seat_count; ++i)
    if (seats[i].state == PlaceState::kRunning && seats[i].wants_slot && seats[i].database != but)
      announce_result(seats[i].database);
}

void Locked::wake_waiters(RunId run_id, bool ended) const {
  Waiter* waiters = state->waiters();
  for (int i = 0; i < state->waiter_count; ++i) {
    Waiter& waiter = waiters[i];
    if (waiter.run_id != run_id || waiter.database != MyDatabaseId || !(ended || waiter.each_step)) continue;
    waiter.has_news = true;
    wake(waiter.process);
  }
}

void call_conductor_at_commit() {
  static bool registered = false;
  if (!registered) {
    RegisterXactCallback(at_transaction_end, nullptr);
    RegisterResourceReleaseCallback(at_release, nullptr);
    registered = true;
  }
  call = Call::kAtCommit;
}

void call_conductor_at_commit(const ToldBranches::Branch& branch) {
  call_conductor_at_commit();
  told.add(branch);
}

}  // namespace etl
