// Posts of watchers: processes that watch the locations of a database for files that arrive.
//
// A database has a post while it has a watched location, or is thought to. The launcher starts a watcher for each post:
//
//   kVacant -> kWanted -> kStarting -> kRunning -> kVacant      nothing is watched any more
//                 ^___________|___________/                     it died, or gave way to DROP or ALTER DATABASE
//
// In shared memory, under the one lock, like seats and slots: who changes what is said in README.md of this folder.
#pragma once

#include "engine/background.h"

namespace etl::watch_posts {

// Has a watcher look at the locations and jobs of a database again; starts one if there is none, or only (told) tells
// one that is there.
enum class Call { kStart, kTell };
void call(const Locked& locked, Oid database, Call call);
bool has_post(const Locked& locked, Oid database);

// The same for this database when the current transaction commits.
void call_at_commit(Call call);

// Somebody needs the database unused: its watcher leaves, and comes back later.
void ask_to_leave(const Locked& locked, Oid database);

// The launcher's part.
class Starter {
 public:
  // Starts watchers that are wanted. How long until one is due, or pg::kForever.
  long start_wanted(const std::function<bool(Oid)>& database_exists);

  // True if a post became wanted meanwhile.
  bool is_behind() const;

 private:
  void notice_deaths();

  std::map<int, BackgroundWorkerHandle*> started_;  // by place of the post
  bool waits_for_slot_ = false;
};

// The watcher's part.

// Takes the post. False if it is not waiting for this process.
bool take(const StartOrder& order);

bool was_asked_to_leave();
bool take_news();  // since the last call
bool has_news();

// Gives the post back: because nothing is watched, which fails if there is news; or until the database is free again.
bool leave_for_good();
void give_way();

}  // namespace etl::watch_posts
