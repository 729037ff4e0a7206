// The launcher: a static worker that starts a conductor or a watcher where one is needed, and again after it died.
//
// It connects to no database and reads one shared catalog. At its own start it has a conductor look into every
// database for runs that a crash or a restart interrupted; a conductor that finds nothing to do leaves at once.
// Afterwards it sleeps until a seat is wanted (SetLatch) or one of its conductors starts or stops (SIGUSR1).

#include "engine/watch_posts.h"
#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/spi.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
}

namespace etl {

namespace {

constexpr size_t kMostLooks = 2;  // databases that are looked into at the same time after a start

struct Databases {
  int count;
  Oid* oids;
};

// Every database that accepts connections and is no template.
std::vector<Oid> databases() {
  pg::Transaction transaction;
  const Databases read = pg::guard([] {
    Databases found{0, static_cast<Oid*>(palloc(sizeof(Oid)))};
    Relation catalog = table_open(DatabaseRelationId, AccessShareLock);
    TableScanDesc scan = table_beginscan_catalog(catalog, 0, nullptr);
    while (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection)) {
      const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
      // A limit of -2 marks a database whose DROP was interrupted.
      if (!row->datallowconn || row->datistemplate || row->datconnlimit == -2) continue;
      found.oids = static_cast<Oid*>(repalloc(found.oids, sizeof(Oid) * (static_cast<size_t>(found.count) + 1)));
      found.oids[found.count++] = row->oid;
    }
    table_endscan(scan);
    table_close(catalog, AccessShareLock);
    return found;
  });
  std::vector<Oid> oids(read.oids, read.oids + read.count);
  transaction.commit();
  return oids;
}

Place& seat_at(const Locked& locked, int place) {
  return locked->seats()[place];
}

// Of a database that was dropped by force, slots of workers that died in the middle may be left.
void free_slots_of(const Locked& locked, Oid database) {
  Slot* slots = locked->slots();
  for (int i = 0; i < locked->slot_count; ++i)
    if (slots[i].database == database && slots[i].worker == nullptr) slots[i].state = SlotState::kFree;
  locked.announce_slot();
}

class Launcher {
 public:
  void run() {
    unseen_ = databases();
    for (;;) {
      pg::check_interrupts();
      if (take_look_everywhere()) unseen_ = databases();
      want_for_unseen();
      const long delay = pg::sooner(conductors_.start_wanted(), watchers_.start_wanted());
      pg::sleep_on_latch(is_behind() ? 0 : delay, "EtlLauncherMain");
    }
  }

 private:
  static bool take_look_everywhere() {
    const Locked locked;
    const bool wanted = locked->look_everywhere;
    locked->look_everywhere = false;
    return wanted;
  }

  // Wants a conductor in each database that nobody has looked into yet, as far as there are seats and no more than a
  // few at a time; the death of each conductor that found nothing makes room for the next.
  void want_for_unseen() {
    const Locked locked;
    while (!unseen_.empty() && count_starting(locked) < kMostLooks && locked.has_vacant_seat()) {
      if (locked.find_seat(unseen_.back()) == nullptr) locked.call_conductor(unseen_.back());
      unseen_.pop_back();
    }
  }

  static size_t count_starting(const Locked& locked) {
    const Seat* seats = locked->seats();
    return static_cast<size_t>(std::count_if(seats, seats + locked->seat_count, [](const Seat& seat) {
      return seat.state == PlaceState::kWanted || seat.state == PlaceState::kStarting;
    }));
  }

  // True if a place became wanted while this process waited inside the server, and lost its latch.
  bool is_behind() const { return conductors_.is_behind() || watchers_.is_behind() || Locked()->look_everywhere; }

  PlaceStarter conductors_{seat_at, "conductor", free_slots_of};
  PlaceStarter watchers_{watch_posts::post_at, "watcher", nullptr};
  std::vector<Oid> unseen_;  // databases that may have unfinished runs
};

void leave(int, Datum) {
  Locked()->launcher = nullptr;
}

}  // namespace

}  // namespace etl

extern "C" PGDLLEXPORT void etl_launcher_main(Datum) {
  etl::pg::boundary([] {
    using namespace etl;
    pg::handle_background_signals();
    pg::guard([] {
      BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
      before_shmem_exit(leave, 0);
    });
    Locked()->launcher = MyProc;
    Launcher().run();
  });
}
