// Runs and their steps, as the tables of schema setup hold them. Their log: log_store.h.
//
// Every function needs an open pg::Spi and the engine's rights: a conductor has them, all others hold
// pg::EngineRights.
#pragma once

#include "engine/load_options.h"
#include "engine/shared_state.h"
#include "pg/spi.h"
#include "plan/retry.h"
#include "plan/schedule.h"

namespace etl::run_store {

// Asks for the cancellation of a run. Never waits for a lock.
void request_cancel(RunId run_id);

struct Head {
  RunKey key;
  bool started;  // RUNNING: a conductor worked on it before
  bool cancel_requested;
  bool foreign;  // it was started in another database, of which this one is a copy
  int jobs_total;
};

// Runs that have not finished, oldest first.
std::vector<Head> unfinished();

struct StoredLayer {
  std::string name;
  bool sequence;
  int64_t timeout_ms;  // 0: none
};

struct StoredStep {
  int layer;  // index into StoredRun::layers
  std::string job;
  Oid owner;
  int load_order;
  bool follows_layer;
  int priority;
  int max_concurrent;
  std::string table;                                   // quoted, or empty
  std::vector<std::pair<std::string, int>> resources;  // name, units
  int64_t timeout_ms;                                  // of an attempt; 0: none
  bool shares_commit;
  double expected_ms;   // from history; negative: unknown
  int attempts_before;  // of earlier rounds
  int round;            // how often the step was opened again
  std::vector<StepId> parents;
};

struct StoredRun {
  plan::OnError on_error;
  int max_parallel;  // 0: no limit
  int priority;
  int64_t timeout_ms;      // 0: none
  TimestampTz started_at;  // 0: not yet
  std::vector<StoredLayer> layers;
  std::vector<StoredStep> steps;  // by step id
};

// None if there is no such run.
std::optional<StoredRun> read_run(const RunKey& run);

// One step by itself, with the name of its layer. None if there is no such step.
std::optional<std::pair<std::string, StoredStep>> read_step(const RunKey& run, StepId step);

// Another run of the same pipeline that has not finished and goes first, with what is to be done about it.
struct Rival {
  RunId id;
  std::string if_running;  // of the run that asks
};
std::optional<Rival> rival_of(const RunKey& run);

void mark_started(const RunKey& run);

struct Ending {
  const char* status;
  int ok;
  int failed;
  int skipped;
  std::string message;
};

void mark_finished(const RunKey& run, const Ending& ending);

// Remembers how long the jobs of a run took, a few hundred at a time: those whose log rows come after `log_id` (0: from
// the beginning). Returns the last one; none if there was nothing left.
std::optional<int64_t> learn_durations(const RunKey& run, int64_t log_id);

// Everything that a worker needs to run a step.
struct Work {
  StepId step_id = 0;
  std::string layer;
  std::string job;
  std::string table;     // "schema.table" as SQL writes it, or empty
  std::string file;      // not empty: load this file into the table; with a location, all that this pattern means
  std::string location;  // or empty
  LoadOptions load;      // of a file
  bool skips_unchanged = false;
  std::string command;  // otherwise run this
  bool commits_each_statement = false;
  bool discovered = false;  // from an object that must still belong to the job's owner
  int64_t timeout_ms = 0;   // 0: none
  int64_t statement_timeout_ms = 0;
  int attempts_before = 0;
  plan::RetryPolicy policy;
};

// The steps of a run, in the order of their ids; those that do not exist are left out.
std::vector<Work> read_work(const RunKey& run, const std::vector<StepId>& steps);

// Tables that jobs of a layer declare and that do not exist.
std::vector<std::string> missing_tables(const RunKey& run, int layer);

// A parameter of a run, or none.
std::optional<std::string> read_param(const RunKey& run, const std::string& name);

// What a caller sees of a run, as of the latest snapshot whatever the isolation level.
struct State {
  RunKey key;
  std::string status;
  bool ended;
  std::string message;
  Oid started_by;
  bool foreign;  // see Head
  bool is_execution;
  Oid owner;         // of the machine, of an execution; else InvalidOid
  std::string xmin;  // the transaction that wrote the row, as text
};

std::optional<State> read_state(RunId run_id);

// Keeps others from opening a run again until the current transaction ends. False if it has not ended, or not any
// more: somebody has just opened it.
bool lock_ended(const RunKey& run);

// Opens a run that has ended again: these steps are to run in new attempts, after so many.
void reopen(const RunKey& run, const std::map<StepId, int>& steps);

// Makes a run that was found in a copy of its database one of this database.
void adopt_foreign(const RunKey& run);

}  // namespace etl::run_store
