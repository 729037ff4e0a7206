// The launcher: a static worker that starts a conductor where one is needed, and again after it died. Watchers, too:
// watch_posts.h.
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

constexpr int kQuickDeathMs = 1000;  // a conductor that dies sooner after its start than this died quickly
constexpr int kFirstDelayMs = 1000;  // after the second quick death in a row, then twice as long each time
constexpr int kLongestDelayMs = 60 * 1000;
constexpr size_t kMostLooks = 2;       // databases that are looked into at the same time after a start
constexpr long kNotGoneMs = 1000;      // that signal can get lost
constexpr long kNoSlotRetryMs = 1000;  // nobody tells when another extension's worker has ended

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

class Launcher {
 public:
  void run() {
    unseen_ = databases();
    for (;;) {
      pg::check_interrupts();
      notice_deaths();
      if (take_look_everywhere()) unseen_ = databases();
      want_for_unseen();
      const long delay = pg::sooner(start_wanted(), watchers_.start_wanted(database_exists));
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
      return seat.state == SeatState::kWanted || seat.state == SeatState::kStarting;
    }));
  }

  // True if a seat or post became wanted while this process waited inside the server, and lost its latch.
  bool is_behind() {
    if (watchers_.is_behind()) return true;
    const Locked locked;
    if (locked->look_everywhere) return true;
    const Seat* seats = locked->seats();
    const int64_t now = pg::monotonic_ms();
    return std::any_of(seats, seats + locked->seat_count, [&](const Seat& seat) {
      return seat.state == SeatState::kWanted && seat.not_before <= now && !waits_for_slot_ &&
             !started_.contains(static_cast<int>(&seat - seats));
    });
  }

  // A conductor that ended without giving back its seat died before it could attach, or was adopted from a launcher
  // of before. Its seat is wanted again, or vacant if the database is gone.
  void notice_deaths() {
    for (auto entry = started_.begin(); entry != started_.end();) {
      pid_t pid;
      if (GetBackgroundWorkerPid(entry->second, &pid) != BGWH_STOPPED) {
        ++entry;
        continue;
      }
      pfree(entry->second);
      const int place = entry->first;
      entry = started_.erase(entry);
      const Locked locked;
      Seat& seat = locked->seats()[place];
      if (seat.state == SeatState::kStarting) seat.state = SeatState::kWanted;
      if (seat.state == SeatState::kWanted) delay_after_death(seat);
    }
  }

  static void delay_after_death(Seat& seat) {
    const int64_t now = pg::monotonic_ms();
    const bool quick = now - seat.started_at < kQuickDeathMs;
    seat.quick_deaths = quick ? seat.quick_deaths + 1 : 0;
    if (seat.quick_deaths < 2) return;
    const int doublings = std::min(seat.quick_deaths - 2, 6);
    seat.not_before = now + std::min(kFirstDelayMs << doublings, kLongestDelayMs);
  }

  // Starts a conductor for every wanted seat. Returns how long to sleep until the next is due.
  long start_wanted() {
    waits_for_slot_ = false;
    long delay = pg::kForever;
    const auto sooner = [&](long milliseconds) {
      if (delay == pg::kForever || milliseconds < delay) delay = milliseconds;
    };
    for (int place = 0; place < shared_state()->seat_count; ++place) {
      Oid database;
      {
        const Locked locked;
        Seat& seat = locked->seats()[place];
        if (seat.state == SeatState::kStarting && !started_.contains(place)) seat.state = SeatState::kWanted;
        if (seat.state != SeatState::kWanted) continue;
        if (started_.contains(place)) {  // the one of before is not gone yet; its end is told by a signal
          sooner(kNotGoneMs);
          continue;
        }
        if (seat.not_before > pg::monotonic_ms()) {
          sooner(pg::milliseconds_until(seat.not_before));
          continue;
        }
        database = seat.database;
      }
      if (!database_exists(database)) {
        forget(place, database);
      } else if (!start(place, database)) {
        waits_for_slot_ = true;
        sooner(kNoSlotRetryMs);
      }
    }
    return delay;
  }

  // Of a database that was dropped by force, slots of workers that died in the middle may be left.
  static void forget(int place, Oid database) {
    const Locked locked;
    Seat& seat = locked->seats()[place];
    if (seat.state != SeatState::kWanted || seat.database != database) return;
    seat.state = SeatState::kVacant;
    Slot* slots = locked->slots();
    for (int i = 0; i < locked->slot_count; ++i)
      if (slots[i].database == database && slots[i].worker == nullptr) slots[i].state = SlotState::kFree;
    locked.announce_slot();
  }

  static bool database_exists(Oid database) {
    pg::Transaction transaction;
    const bool exists = pg::guard([&] { return get_database_name(database) != nullptr; });
    transaction.commit();
    return exists;
  }

  static void mark_wanted(int place) {
    const Locked locked;
    Seat& seat = locked->seats()[place];
    if (seat.state == SeatState::kStarting) seat.state = SeatState::kWanted;
    seat.server_is_full = true;
  }

  bool start(int place, Oid database) {
    {
      const Locked locked;
      Seat& seat = locked->seats()[place];
      if (seat.state != SeatState::kWanted || seat.database != database) return true;  // somebody was faster
      seat.state = SeatState::kStarting;
      seat.started_at = pg::monotonic_ms();
    }
    BackgroundWorkerHandle* handle =
        start_background("etl_conductor_main", pg::format("etl_orchestrator conductor for database %u", database),
                         "etl_orchestrator conductor", {database, InvalidOid, place, 0, 0});
    if (handle == nullptr) {
      mark_wanted(place);
      if (!told_about_slots_)
        log_line(LOG, "etl_orchestrator waits for a background worker slot to start a conductor",
                 "Consider increasing max_worker_processes.");
      told_about_slots_ = true;
      return false;
    }
    told_about_slots_ = false;
    started_[place] = handle;
    Locked()->seats()[place].server_is_full = false;
    return true;
  }

  watch_posts::Starter watchers_;
  std::map<int, BackgroundWorkerHandle*> started_;  // by place of the seat
  std::vector<Oid> unseen_;                         // databases that may have unfinished runs
  bool waits_for_slot_ = false;                     // the server had no worker slot for a conductor
  bool told_about_slots_ = false;
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
