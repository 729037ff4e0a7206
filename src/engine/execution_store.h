// Executions of state machines, their history and the log of their tasks, as the tables hold them. What is said at the
// head of branch_store.h holds here.
#pragma once

#include "engine/branch_store.h"

namespace etl::execution_store {

using branch_store::BranchKey;

// Whether an execution is open.
bool has_open();

// Open executions that are to be ended: that was asked for, or they have taken too long.
struct ToEnd {
  RunKey run;
  bool timed_out;
  std::optional<std::string> error;
  std::optional<std::string> cause;
};
std::vector<ToEnd> find_to_end(TimestampTz now);

// When the next execution times out, after a moment; 0: never.
TimestampTz next_timeout(TimestampTz after);

// What a worker needs to know of an execution.
struct StoredExecution {
  int64_t machine_id = 0;
  int version = 0;
  std::string machine;
  bool is_express = false;
  std::string name;
  std::string owner;
  std::string input;
  TimestampTz started_at = 0;
  TimestampTz timeout_at = 0;  // 0: none
  int redrive_count = 0;
};
StoredExecution read(const RunKey& run);

// Name of its machine; empty if the execution is gone.
std::string machine_of(const RunKey& run);

// How often it was redriven; none if it has ended, or is not there.
std::optional<int> open_redrives(const RunKey& run);

// Numbers for new branches of a run: the first of so many.
int take_numbers(const RunKey& run, int64_t count);

// What happened to a branch, as a JSON array of events.
struct BranchEvents {
  int branch = 0;
  int parent = -1;
  std::string events;
};
void write_events(const RunKey& run, const std::vector<BranchEvents>& events);

// An attempt at a task, as setup.load_log has it.
struct TaskEntry {
  int branch = 0;
  int64_t visit = 0;
  int64_t attempt = 0;
  std::string state;
  const char* status = "OK";
  pg::Moment started{};
  pg::Moment finished{};
  std::optional<int64_t> rows;
  std::string sqlstate;
  std::string message;
};
void write_log(const RunKey& run, const StoredExecution& execution, const std::vector<TaskEntry>& entries);

struct Ending {
  const char* status;  // SUCCEEDED, FAILED, TIMED_OUT, ABORTED
  std::string output;  // JSON, or empty
  std::optional<std::string> error;
  std::optional<std::string> cause;
};
// Nobody makes branches of the execution until the end of the transaction.
void lock(const RunKey& run);

// Marks an open execution and its run as ended. False if it has ended already.
bool finish(const RunKey& run, const Ending& ending);

// Ends one as find_to_end() says, or with an error, with its branches and the event that tells so; nothing if it has
// ended.
void end(const ToEnd& execution);
void fail(const RunKey& run, const std::string& error, const std::string& cause);

// Opens one of a STANDARD machine again that has ended without success, and its run. False if it is none.
bool reopen(const RunKey& run);

}  // namespace etl::execution_store
