// The process of a conductor: how it connects, takes its seat and, if it dies, leaves it to the next.

#include "engine/background.h"
#include "engine/conductor.h"
#include "engine/own_locks.h"
#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/wait.h"

namespace etl {

namespace {

uint64 seat_generation = 0;  // of the seat that this process holds

// Takes the seat. False if another conductor has it.
bool take_seat(const StartOrder& order) {
  const Locked locked;
  Seat& seat = locked->seats()[order.place];
  const bool expected =
      seat.database == order.database && (seat.state == SeatState::kStarting || seat.state == SeatState::kWanted);
  if (!expected) return false;
  seat.state = SeatState::kRunning;
  seat.conductor = MyProc;
  seat_generation = ++seat.generation;
  return true;
}

// If this process ends without having left its seat, it died: the launcher starts another.
void leave_at_exit(int, Datum place) {
  const Locked locked;
  Seat& seat = locked->seats()[DatumGetInt32(place)];
  if (seat.state != SeatState::kRunning || seat.generation != seat_generation) return;
  seat.state = SeatState::kWanted;
  seat.has_news = true;
  seat.conductor = nullptr;
  if (locked->launcher != nullptr) locked.wake(locked->launcher);
}

}  // namespace

}  // namespace etl

extern "C" PGDLLEXPORT void etl_conductor_main(Datum) {
  etl::pg::boundary([] {
    using namespace etl;
    pg::handle_background_signals();
    const StartOrder order = start_order();
    connect_engine_process(order.database);
    pg::guard([&] { before_shmem_exit(leave_at_exit, Int32GetDatum(order.place)); });
    // While somebody holds it, no other process is the conductor of this database. Whoever finds the one of before
    // still leaving waits here until it is gone.
    take_own_lock(OwnLock::kConductor);
    if (take_seat(order)) conduct_runs();
  });
}
