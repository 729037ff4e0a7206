#include "engine/places.h"

#include "pg/guard.h"
#include "pg/transaction.h"

extern "C" {
#include "commands/dbcommands.h"
}

namespace etl {

namespace {

constexpr int64_t kQuickDeathMs = 1000;  // who dies sooner after its start than this died quickly
constexpr int64_t kFirstDelayMs = 1000;  // after the second quick death in a row, then twice as long each time
constexpr int64_t kLongestDelayMs = 60'000;
constexpr int kMostDoublings = 6;
constexpr long kNotGoneMs = 1000;      // the signal of an end can get lost
constexpr long kNoSlotRetryMs = 1000;  // nobody tells when another extension's worker has ended

Place* own = nullptr;  // of this process
uint64 own_generation = 0;

void want_after_death(Place* place) {
  place->state = PlaceState::kWanted;
  const int64_t now = pg::monotonic_ms();
  place->quick_deaths = now - place->started_at < kQuickDeathMs ? place->quick_deaths + 1 : 0;
  if (place->quick_deaths < 2) return;
  const int doublings = std::min(place->quick_deaths - 2, kMostDoublings);
  place->not_before = now + std::min(kFirstDelayMs << doublings, kLongestDelayMs);
}

// If this process ends without having left its place, it died.
void leave_at_exit(int, Datum) {
  const Locked locked;
  if (own->state != PlaceState::kRunning || own->generation != own_generation) return;
  want_after_death(own);
  own->process = nullptr;
  own->has_news = true;
  locked.wake_launcher();
}

bool database_exists(Oid database) {
  pg::Transaction transaction;
  const bool exists = pg::guard([&] { return get_database_name(database) != nullptr; });
  transaction.commit();
  return exists;
}

}  // namespace

bool take_place(PlaceAt at, const StartOrder& order) {
  {
    const Locked locked;
    Place& place = at(locked, order.place);
    const bool is_expected = place.database == order.database &&
                             (place.state == PlaceState::kStarting || place.state == PlaceState::kWanted);
    if (!is_expected) return false;
    place.state = PlaceState::kRunning;
    place.process = MyProc;
    own = &place;
    own_generation = ++place.generation;
  }
  pg::guard([] { before_shmem_exit(leave_at_exit, 0); });
  return true;
}

void give_place_away(const Locked& locked, Place* place, int milliseconds) {
  place->state = PlaceState::kWanted;
  place->process = nullptr;
  place->has_news = true;
  place->asked_to_leave = false;
  place->not_before = pg::monotonic_ms() + milliseconds;
  locked.wake_launcher();
}

// One that ended without having taken its place died before it could, or another one was faster.
void PlaceStarter::notice_deaths() {
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
    if (Place& it = at_(locked, place); it.state == PlaceState::kStarting) want_after_death(&it);
  }
}

long PlaceStarter::start_wanted() {
  notice_deaths();
  waits_for_slot_ = false;
  long delay = pg::kForever;
  for (int place = 0; place < shared_state()->seat_count; ++place) {
    Oid database;
    if (!is_wanted(place, &database, &delay)) continue;
    if (!begin_start(place, database, database_exists(database)) || start(place, database)) continue;
    could_not_start(place);
    delay = pg::sooner(delay, kNoSlotRetryMs);
  }
  return delay;
}

// Now; if it is later, in `delay` how long until then.
bool PlaceStarter::is_wanted(int place, Oid* database, long* delay) const {
  const Locked locked;
  Place& it = at_(locked, place);
  // A launcher of before started it, whose handle is gone: it may still come, then this one leaves.
  if (it.state == PlaceState::kStarting && !started_.contains(place)) it.state = PlaceState::kWanted;
  if (it.state != PlaceState::kWanted) return false;
  *database = it.database;
  if (started_.contains(place)) {  // the one of before is not gone yet
    *delay = pg::sooner(*delay, kNotGoneMs);
    return false;
  }
  if (it.not_before <= pg::monotonic_ms()) return true;
  *delay = pg::sooner(*delay, pg::milliseconds_until(it.not_before));
  return false;
}

// False if nothing is to be started: somebody was faster, or the database is gone.
bool PlaceStarter::begin_start(int place, Oid database, bool exists) const {
  const Locked locked;
  Place& it = at_(locked, place);
  if (it.state != PlaceState::kWanted || it.database != database) return false;
  it.state = exists ? PlaceState::kStarting : PlaceState::kVacant;
  it.started_at = pg::monotonic_ms();
  if (!exists && vacated_ != nullptr) vacated_(locked, database);
  return exists;
}

// False where the server has no slot.
bool PlaceStarter::start(int place, Oid database) {
  const std::string title = "etl_orchestrator " + name_;
  BackgroundWorkerHandle* handle =
      start_background(("etl_" + name_ + "_main").c_str(), pg::format("%s for database %u", title.c_str(), database),
                       title.c_str(), {database, InvalidOid, place, 0, 0});
  if (handle == nullptr) return false;
  told_about_slots_ = false;
  started_[place] = handle;
  at_(Locked(), place).server_is_full = false;
  return true;
}

void PlaceStarter::could_not_start(int place) {
  waits_for_slot_ = true;
  {
    const Locked locked;
    Place& it = at_(locked, place);
    if (it.state == PlaceState::kStarting) it.state = PlaceState::kWanted;  // not one that came late, and runs
    it.server_is_full = true;
  }
  if (!told_about_slots_)
    log_line(LOG, "etl_orchestrator waits for a background worker slot to start a " + name_,
             "Consider increasing max_worker_processes.");
  told_about_slots_ = true;
}

bool PlaceStarter::is_behind() const {
  const Locked locked;
  const int64_t now = pg::monotonic_ms();
  for (int place = 0; place < locked->seat_count; ++place) {
    const Place& it = at_(locked, place);
    if (it.state == PlaceState::kWanted && it.not_before <= now && !waits_for_slot_ && !started_.contains(place))
      return true;
  }
  return false;
}

}  // namespace etl
