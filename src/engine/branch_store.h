// Branches of executions, as setup.execution_branches holds them. What is said at the head of run_store.h holds here.
//
// Who locks several rows of an execution takes the one of setup.executions first, then branches from the highest number
// down: a child, of which few others know, has a higher one than its parent, which all of its children want. Texts are
// JSON, or empty where there is none.
#pragma once

#include "engine/run_store.h"

namespace etl::branch_store {

struct BranchKey {
  RunKey run;
  int branch = 0;  // 0: the machine itself

  auto operator<=>(const BranchKey& other) const {
    return std::tie(run.id, branch) <=> std::tie(other.run.id, other.branch);
  }
  bool operator==(const BranchKey& other) const { return run.id == other.run.id && branch == other.branch; }
};

// What the conductor learns of a branch.
struct DueBranch {
  BranchKey key;
  Oid owner;
};

// Branches that can be advanced at a moment: all that there are; those that waited for a time, the first of them first;
// of those that were told something. Whoever makes a branch due at once tells the conductor which one, so that it looks
// at all only where that may have been lost.
std::vector<DueBranch> find_due(TimestampTz now, size_t most);
std::vector<DueBranch> find_due_in_time(TimestampTz now, size_t most);
std::vector<DueBranch> find_due_of(const std::vector<ToldBranches::Branch>& told, TimestampTz now);

// When the next branch is due, after a moment; 0: never.
TimestampTz next_due(TimestampTz after);

// Those of some branches that are not there any more, or whose execution has ended.
std::vector<BranchKey> find_gone(const std::vector<BranchKey>& branches);

struct StoredBranch {
  int number = 0;
  std::string position;  // empty: it has not begun
  std::string task;
  std::string event;
  bool is_handed_over = false;  // its task: somebody else ends it
  int64_t revision = 0;
  int parent = -1;  // -1: none
  int64_t parent_revision = 0;
  int child = 0;
  bool is_quiet = false;  // the history does not tell of it
  int crashes = 0;
  int first_child = 0;  // where it is in a Parallel or Map: number of the first of its children
  int children = 0;     // how many they are
  std::string result;   // of one that has ended, and that its parent has not counted yet; else empty
};

// Those of some branches of an execution that are due, by their numbers.
std::vector<StoredBranch> read_due(const RunKey& run, const std::vector<int>& numbers);

// Where one is; none if it is gone.
struct Position {
  std::string position;
  int parent = -1;
};
std::optional<Position> read_position(const RunKey& run, int number);

// How far the children of a branch are.
struct Fork {
  std::string rules;
  int first = 0;  // number of the first child; the others follow
  int count = 0;
  int64_t begun = 0;
  int64_t ended = 0;
  int64_t failed_weight = 0;
};

struct LockedBranch {
  int64_t revision = 0;
  bool is_to_go_on = false;  // somebody has told it something, or it goes on by itself, sooner or later
  Fork fork;                 // rules are empty: it has no children
};

// Locks branches until the end of the transaction; those that are gone are left out.
std::map<int, LockedBranch> lock(const RunKey& run, const std::set<int>& numbers);
// The same, but waits for nobody: those that another transaction has locked are left out, too.
std::map<int, LockedBranch> try_lock(const RunKey& run, const std::set<int>& numbers);

constexpr TimestampTz kNever = INT64_MAX;

// Where a branch is now.
struct SavedBranch {
  int number = 0;
  int64_t revision = 0;  // that it had
  std::string position;
  std::string task;
  std::string token;             // that its task waits for
  RunId awaited_run = 0;         // whose end ends its task; 0: none
  TimestampTz due = kNever;      // DT_NOBEGIN: now; kNever: when something has happened
  TimestampTz timeout = kNever;  // of a task that waits
  double heartbeat_seconds = 0;  // 0: none
  std::optional<Fork> fork;      // none: it has no children
  std::string result;            // of a child that has ended
};

// A branch of an execution that has ended without success.
struct KeptBranch {
  int number = 0;
  int parent = -1;  // -1: none
  int child = 0;
  int64_t revision = 0;
  std::string position;
  std::string result;  // empty: it has not ended
  Fork fork;
};
std::vector<KeptBranch> read_all(const RunKey& run);  // locked, from the highest number down

// Saves branches, each in its next revision. False if one is not in the revision that it had: then nothing of the
// transaction may stay.
bool save(const RunKey& run, std::vector<SavedBranch> branches);

// Branches that have ended: their parents count them, or are still to do so, which is due. mark_counted() as save().
struct RevisedBranch {
  int number = 0;
  int64_t revision = 0;
};
bool mark_counted(const RunKey& run, const std::vector<RevisedBranch>& branches);
void mark_uncounted(const RunKey& run, const std::vector<int>& numbers);

void save_fork(const BranchKey& parent, const Fork& fork);

struct NewBranch {
  int number;
  int child;              // its place in the fork
  std::string position;   // empty: it has ended before it began
  std::string result;     // of that
  bool is_quiet = false;  // also where its parent is
};
// Children of a branch, of its owner, due now.
void add_children(const BranchKey& parent, const std::vector<NewBranch>& children);

// The results of children, by their places.
std::vector<std::string> results(const RunKey& run, int first, int count);
void remove_children(const BranchKey& parent);  // and theirs
// Nothing of them is due any more; they are kept for a redrive.
void stop_children(const BranchKey& parent);

// Tells a branch what has happened, and makes it due.
void tell(const BranchKey& key, const std::string& event);

// Tells the branches whose tasks wait for the end of a run, and calls the conductor for them.
void tell_run_ended(RunId run_id);

// Asks for the end of the runs that the task of a branch waits for, and those of all branches below it: nobody will be
// told of them any more.
void cancel_awaited(const BranchKey& top);

// One more crash while this branch was advanced.
void record_crash(const BranchKey& key);

// Locks all branches of an execution: before its end is written.
void lock_all(const RunKey& run);

// Nothing of an execution is due any more: its branches, which are locked, are removed, or kept as they are for a
// redrive. end_all() locks them.
void end_locked(const RunKey& run, bool keep);
void end_all(const RunKey& run, bool keep);

// Whether a task waits for a token. What is reported of it is taken up by apply_reports().
bool is_awaited(const std::string& token);
// False if its end was reported before.
bool report(const std::string& token, const std::optional<std::string>& event);
// Tells the branches what was reported of their tasks, and returns them.
std::vector<ToldBranches::Branch> apply_reports();

}  // namespace etl::branch_store
