// What the engine's processes share: seats of conductors, posts of watchers, slots of workers, processes that wait for
// a run.
//
// A latch alone may get lost: whoever waits inside the server, for a lock or a commit, resets it. So each reason to
// wake somebody is a flag, set under the lock before the latch, and looked at under the lock before going to sleep.
//
// Everything is in main shared memory, sized when the server starts, and read and written only under one LWLock,
// for which Locked is the key. Nobody waits, raises or runs SQL while holding it. README.md of this folder draws the
// states and says who changes what.
#pragma once

#include "pg/clock.h"

namespace etl {

using RunId = int64_t;
using StepId = int32_t;

// Branches of executions that somebody has told something; where they are many, all that there are.
struct ToldBranches {
  struct Branch {
    RunId run_id;
    StepId number;  // kAll: all of the execution

    bool operator==(const Branch&) const = default;
  };
  static constexpr StepId kAll = -1;
  static constexpr int kMost = 16;

  Branch branches[kMost];
  int count;
  bool all;

  void add(const Branch& branch) {
    if (std::find(branches, branches + count, branch) != branches + count) return;
    if (count < kMost)
      branches[count++] = branch;
    else
      all = true;
  }
  void add(const ToldBranches& others) {
    for (int i = 0; i < others.count; ++i) add(others.branches[i]);
    all = all || others.all;
  }
};

// A place for one process in a database: places.h.
enum class PlaceState { kVacant, kWanted, kStarting, kRunning };

struct Place {
  PlaceState state;
  Oid database;
  PGPROC* process;      // of kRunning
  uint64 generation;    // advances when a process takes the place
  bool has_news;        // what the process looks at has changed since it looked
  bool asked_to_leave;  // somebody drops, renames or copies the database
  bool server_is_full;  // the server had no slot for a process that is wanted here, or by the one that is here
  int quick_deaths;     // processes that died soon after their start, in a row
  int64 started_at;     // when the launcher last started one, as pg::monotonic_ms()
  int64 not_before;     // kWanted: start it no sooner; likewise
};

// A conductor's: one for each database that has, or wants, a conductor. Its news: runs were started or cancelled.
struct Seat : Place {
  ToldBranches told;  // by the news
  bool has_results;   // slots have changed since the conductor looked
  bool wants_slot;    // tell the conductor when a slot becomes free or idle
};

// A watcher's: watch_posts.h. Its news: locations or jobs have changed.
struct Post : Place {};

// A worker's place.
enum class SlotState { kFree, kStarting, kIdle, kBusy, kDone, kDead };

// How an attempt ended, as the worker says it. For all but the last two its row in load_log is committed before.
enum class Outcome : uint8 {
  kOk,
  kError,
  kTimedOut,
  kCancelled,
  kNotStarted,  // the worker did not begin it, because it leaves or was asked to stop
  kAlone        // it shared a transaction, and was rolled back: it has to run in one of its own
};

// Why a worker was asked to stop what it is busy with.
enum class StopReason : uint8 { kNone, kRunCancelled, kJobTimeout, kLayerTimeout, kRunTimeout, kGone };

// A run, and when it was asked for, which every row of it carries: by that its partitions are found, and a run of
// before DROP and CREATE EXTENSION, after which run ids begin anew, is told from one of now.
struct RunKey {
  RunId id;
  TimestampTz at;

  bool operator==(const RunKey&) const = default;
};

// One attempt of one step, in the hands of a worker.
struct Task {
  StepId step_id;
  int attempt;
  Outcome outcome;  // once it has ended
  int64 retry_due;  // of a failure: when it may be tried again, as pg::monotonic_ms(); 0: never
};

// So many short jobs share a transaction at most: beyond 64 subtransactions snapshots get slow.
inline constexpr int kMostTogether = 50;

// Branches that a worker has made due, besides those that it was given, of the same execution: so the conductor need
// not look for them.
struct MadeDue {
  struct Range {
    StepId first;
    int32 count;
  };
  static constexpr int kMost = 64;

  Range ranges[kMost];
  int range_count;
  bool more;       // others, too: the tables say which
  TimestampTz at;  // when the first of those is due that wait for a time; 0: none does
  bool stopped;    // some were ended that others may be at work on

  void add(const Range& made) {
    Range* last = range_count == 0 ? nullptr : &ranges[range_count - 1];
    if (last != nullptr && last->first + last->count == made.first)
      last->count += made.count;
    else if (range_count < kMost)
      ranges[range_count++] = made;
    else
      more = true;
  }
  bool is_any() const { return range_count > 0 || more || at != 0 || stopped; }
  void add_time(TimestampTz due) { at = at == 0 ? due : std::min(at, due); }
  void add(const MadeDue& others) {
    for (int i = 0; i < others.range_count; ++i) add(others.ranges[i]);
    more = more || others.more;
    stopped = stopped || others.stopped;
    if (others.at != 0) add_time(others.at);
  }
};

// How far a worker is, for those who look on. Written by the worker alone, without the lock.
// Bytes of the name of a state: 80 characters.
inline constexpr size_t kStateBytes = 4 * 80 + 1;

struct Progress {
  int task;                      // index of the task that it works on
  int statement;                 // of its command, from 1
  int64 rows;                    // that its statements have written so far
  pg::Moment began;              // the task
  int attempt = 0;               // of the state below
  char state[kStateBytes] = {};  // of a state machine, whose task it runs; empty: none
};

struct Slot {
  SlotState state;
  uint64 generation;  // advances with every assignment, so that a late stop finds another number
  Oid database;
  Oid owner;
  PGPROC* worker;  // null before it has attached and after it has left
  int pid;
  RunKey run;  // of kBusy, kDone, kDead (id 0: none)
  int task_count;
  Task tasks[kMostTogether];
  MadeDue made_due;    // of kDone
  StopReason stop;     // what the worker does was asked to stop
  bool retire;         // leave instead of waiting for work
  bool fresh;          // has had no work yet
  int64 since;         // when the worker attached, as pg::monotonic_ms()
  int64 deadline;      // when they are to be stopped for their timeout, as pg::monotonic_ms(); 0: never
  int64 terminate_at;  // when the process is to be terminated, after a stop that it did not heed; 0: not
  Progress progress;
};

// Process that waits for a run; indexed by process number. run_id 0: waits for none.
struct Waiter {
  RunId run_id;
  Oid database;
  bool each_step;  // wake it for every step that ends, not only for the end of the run
  bool has_news;   // woken since it looked
  PGPROC* process;
};

struct SharedState {
  LWLock* lock;
  PGPROC* launcher;      // null while there is none
  bool look_everywhere;  // a caller found no seat: the launcher looks into every database
  int seat_count;
  int slot_count;
  int waiter_count;

  Seat* seats() { return reinterpret_cast<Seat*>(this + 1); }
  Slot* slots() { return reinterpret_cast<Slot*>(seats() + seat_count); }
  Waiter* waiters() { return reinterpret_cast<Waiter*>(slots() + slot_count); }
  Post* posts() { return reinterpret_cast<Post*>(waiters() + waiter_count); }  // as many as seats
};

// Requests shared memory and installs the hooks that make it; called when the postmaster loads the library.
void request_shared_state();

// Null where the library was not preloaded.
SharedState* shared_state();

// Failure (object_not_in_prerequisite_state) with the line for postgresql.conf where the library was not preloaded.
void require_engine();

// Holds the lock while it lives, and wakes whom it was told to when it has let go: who wakes up wants the lock. An
// error of the server releases all locks by itself.
class Locked {
 public:
  Locked() { LWLockAcquire(shared_state()->lock, LW_EXCLUSIVE); }
  ~Locked();
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

  SharedState* operator->() const { return shared_state(); }

  void wake(PGPROC* process) const;

  // The seat of a database, or null.
  Seat* find_seat(Oid database) const;

  bool has_vacant_seat() const;

  void wake_launcher() const;

  // Wakes the conductor of a database, or has the launcher start one, to look for news.
  void call_conductor(Oid database, const ToldBranches& told = {}) const;

  // Wakes the conductor of a database because a slot of it has changed.
  void announce_result(Oid database) const;

  // Wakes all conductors that wait for a slot, but for that of one database.
  void announce_slot(Oid but = InvalidOid) const;

  // Wakes who waits for a run: all of them at its end, else those that asked for each step.
  void wake_waiters(RunId run_id, bool ended) const;

 private:
  mutable std::array<PGPROC*, 8> to_wake_{};
  mutable size_t to_wake_count_ = 0;
};

// In an SQL function: calls the conductor of this database when the current transaction commits. Where this has made
// branches of executions due, it must say which.
void call_conductor_at_commit();
void call_conductor_at_commit(const ToldBranches::Branch& told);

}  // namespace etl
