// Runs, their steps and their log, as the tables of schema setup hold them.
//
// Every function needs an open pg::Spi and the engine's rights: a conductor has them, all others hold
// pg::EngineRights.
#pragma once

#include "engine/shared_state.h"
#include "pg/spi.h"
#include "plan/schedule.h"

namespace etl::run_store {

// Asks for the cancellation of a run. Never waits for a lock.
void request_cancel(RunId run_id);

struct Head {
  RunId id;
  bool started;  // RUNNING: a conductor worked on it before
  bool cancel_requested;
};

// Runs that have not finished, oldest first.
std::vector<Head> unfinished();

struct StoredLayer {
  std::string name;
  bool sequence;
};

struct StoredStep {
  int layer;  // index into StoredRun::layers
  std::string job;
  Oid owner;
  int load_order;
  bool follows_layer;
  std::vector<StepId> parents;
};

struct StoredRun {
  plan::OnError on_error;
  int max_parallel;  // 0: no limit
  std::vector<StoredLayer> layers;
  std::vector<StoredStep> steps;  // by step id
};

// None if there is no such run.
std::optional<StoredRun> read_run(RunId run_id);

// The latest attempt of a step that has ended.
struct StoredAttempt {
  StepId step_id;
  int attempt;
  plan::StepState state;
};

std::vector<StoredAttempt> read_attempts(RunId run_id);

// The outcome of one attempt, as load_log keeps it.
struct LogEntry {
  StepId step_id = 0;
  int attempt = 0;  // 0: skipped
  const char* status = "";
  TimestampTz started_at = 0;
  std::optional<int64_t> rows;
  std::string sqlstate;  // five characters, or empty
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
};

// Failure if the run is not one of this extension any more: it was dropped, and perhaps created again.
void write_log(const RunKey& run, const LogEntry& entry);

// True once the step has its success row.
bool has_succeeded(RunId run_id, StepId step_id);

// Tables that jobs of a layer declare and that do not exist.
std::vector<std::string> missing_tables(RunId run_id, int layer);

void mark_started(RunId run_id);

struct Ending {
  const char* status;
  int ok;
  int failed;
  int skipped;
  std::string message;
};

void mark_finished(RunId run_id, const Ending& ending);

// Everything that a worker needs to run a step.
struct Work {
  std::string layer;
  std::string job;
  std::string table;    // "schema.table" as SQL writes it, or empty
  std::string file;     // not empty: load this file into the table
  std::string command;  // otherwise run this
  bool commits_each_statement = false;
  bool discovered = false;  // from an object that must still belong to the job's owner
};

std::optional<Work> read_work(const RunKey& run, StepId step_id);

// A parameter of a run, or none.
std::optional<std::string> read_param(RunId run_id, const std::string& name);

// What a caller sees of a run, as of the latest snapshot whatever the isolation level.
struct State {
  std::string status;
  bool ended;
  std::string message;
  Oid started_by;
  std::string xmin;  // the transaction that wrote the row, as text
};

std::optional<State> read_state(RunId run_id);

// An attempt that has ended, as a caller reports it.
struct LogLine {
  int64_t log_id;
  StepId step_id;
  std::string layer;
  std::string job;
  std::string status;
  int64_t rows;
  double milliseconds;
  std::string message;
  std::string sqlstate;
};

// The lines of a run with higher numbers than `after`, in their order, as of the latest snapshot.
std::vector<LogLine> read_lines(RunId run_id, int64_t after);

}  // namespace etl::run_store
