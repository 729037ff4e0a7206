// What a caller asks for when a run is started, and the run that follows from it.
#pragma once

#include "engine/shared_state.h"
#include "plan/blueprint.h"

namespace etl {

struct RunRequest {
  plan::Selection selection;
  std::string on_error = "continue";
  std::optional<int> max_parallel;
  std::string params = "{}";                     // jsonb, as text
  int priority = 0;                              // higher first
  std::optional<std::string> timeout;            // of the run; an interval, as text
  std::optional<std::string> statement_timeout;  // of statements, where neither job nor layer sets one
  std::string if_running = "queue";              // what to do about a run of the same pipeline: queue, skip, error
  std::string pipeline;                          // of which it is a run; empty: that follows from the selection
};

// One step as it will be stored, with everything that a worker needs.
struct PlannedStep {
  int layer;  // index into PlannedRun::layers
  std::string job;
  std::string owner;
  Oid owner_oid;
  int load_order;
  bool follows_layer;
  std::vector<int> depends_on;
  std::string table;     // "schema.table", or empty
  std::string file;      // an existing file; with a location: a path or pattern beneath it; or empty
  std::string location;  // or empty
  std::string command;   // or empty
  std::string transaction;
  std::string discovered_as;  // kind of object that it was discovered from, or empty
};

struct PlannedRun {
  std::vector<plan::Layer> layers;  // those that have steps
  std::vector<PlannedStep> steps;
};

// Reads the jobs and layers as they are configured now, and plans and validates a run of those that the current user
// may run. Raises one error that lists every problem: Failure with SQLSTATE kRunNotValid. Writes nothing.
PlannedRun plan_run(const RunRequest& request);

// Stores a planned run in the current transaction, and has the conductor called when that commits. Where the same
// pipeline is running and the request says so, stores it as SKIPPED, or raises kAlreadyRunning.
RunKey store_run(const RunRequest& request, const PlannedRun& run);

// SQLSTATEs of our own, class "OR": raised where no code of the server's says it.
inline constexpr int kRunFailed = MAKE_SQLSTATE('O', 'R', '0', '0', '1');
inline constexpr int kRunNotValid = MAKE_SQLSTATE('O', 'R', '0', '0', '2');
inline constexpr int kRunCancelled = MAKE_SQLSTATE('O', 'R', '0', '0', '3');
inline constexpr int kAlreadyRunning = MAKE_SQLSTATE('O', 'R', '0', '0', '4');
inline constexpr int kRunTimedOut = MAKE_SQLSTATE('O', 'R', '0', '0', '5');

}  // namespace etl
