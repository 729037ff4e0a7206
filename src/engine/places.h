// Places of the engine's own processes in databases, seats of conductors and posts of watchers: how they are claimed,
// taken and left, and how the launcher fills them.
//
//   kVacant -> kWanted -> kStarting -> kRunning -> kVacant      left: nothing to do
//                 ^___________|___________/                     it died, or gave way: the launcher starts another
//
// A process that dies soon after its start again and again is started later and later, up to a minute.
#pragma once

#include "engine/background.h"
#include "pg/wait.h"

namespace etl {

// The place of a database among so many, or null.
template <typename T>
T* find_place(T* places, int count, Oid database) {
  T* const end = places + count;
  T* const found = std::find_if(
      places, end, [&](const T& it) { return it.state != PlaceState::kVacant && it.database == database; });
  return found == end ? nullptr : found;
}

// One that was vacant, wanted for a database from now on; null if there is none.
template <typename T>
T* claim_place(T* places, int count, Oid database) {
  T* const end = places + count;
  T* const found = std::find_if(places, end, [](const T& it) { return it.state == PlaceState::kVacant; });
  if (found == end) return nullptr;
  const uint64 generation = found->generation;
  *found = T{};
  found->generation = generation;
  found->state = PlaceState::kWanted;
  found->database = database;
  return found;
}

// In a process that was started for a place: takes it, and leaves it to another if this process dies. False if the
// place does not wait for it.
using PlaceAt = Place& (*)(const Locked&, int place);
bool take_place(PlaceAt at, const StartOrder& order);

// In the process that has the place: leaves, and another one is started no sooner than after so long.
void give_place_away(const Locked& locked, Place* place, int milliseconds);

// The launcher's part, for places of one kind.
class PlaceStarter {
 public:
  // The process is called `name`. `vacated` is told of a place whose database is gone; may be null.
  PlaceStarter(PlaceAt at, std::string name, void (*vacated)(const Locked&, Oid database))
      : at_(at), name_(std::move(name)), vacated_(vacated) {}

  // Starts a process for each place that wants one. How long until the next is due, or pg::kForever.
  long start_wanted();

  // True if a place became wanted meanwhile.
  bool is_behind() const;

 private:
  void notice_deaths();
  bool is_wanted(int place, Oid* database, long* delay) const;
  bool start(int place, Oid database);
  bool begin_start(int place, Oid database, bool exists) const;
  void could_not_start(int place);

  const PlaceAt at_;
  const std::string name_;
  void (*const vacated_)(const Locked&, Oid database);
  std::map<int, BackgroundWorkerHandle*> started_;  // by place
  bool waits_for_slot_ = false;                     // the server had no worker slot for one
  bool told_about_slots_ = false;
};

}  // namespace etl
