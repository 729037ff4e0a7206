// Posts of watchers: processes that watch the locations of a database for files that arrive.
//
// A database has a post while it has a watched location, or is thought to. places.h draws its states.
#pragma once

#include "engine/places.h"

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

Place& post_at(const Locked& locked, int place);

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
