// The process of a conductor: how it connects and takes its seat.

#include "engine/conductor.h"
#include "engine/own_locks.h"
#include "engine/places.h"
#include "pg/boundary.h"
#include "pg/wait.h"

extern "C" PGDLLEXPORT void etl_conductor_main(Datum) {
  etl::pg::boundary([] {
    using namespace etl;
    pg::handle_background_signals();
    const StartOrder order = start_order();
    connect_engine_process(order.database);
    // While somebody holds it, no other process is the conductor of this database. Whoever finds the one of before
    // still leaving waits here until it is gone.
    take_own_lock(OwnLock::kConductor);
    const auto seat = [](const Locked& locked, int place) -> Place& { return locked->seats()[place]; };
    if (take_place(seat, order)) conduct_runs();
  });
}
