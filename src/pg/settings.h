// The settings etl_orchestrator.*, as the server holds them in this process.
#pragma once

#include "pg/error.h"

namespace etl::settings {

enum class Progress { kJob, kLayer, kOff };

int max_workers();                  // largest number of job workers in the whole server
int idle_timeout_ms();              // how long a process without work stays; 0: leaves at once
Progress progress();                // what a waiting CALL reports
bool superuser_jobs();              // may superusers own jobs
bool analyze_after_load();          // analyze a job's table after a substantial change
bool enabled();                     // may anything start
int shared_commit_delay_ms();       // how long a finished job may wait for others to commit with; 0: not at all
int cancel_grace_ms();              // from cancelling to terminating what does not heed it
int crash_limit();                  // crashes in a row after which a job is quarantined; 0: never
int swap_timeout_ms();              // how long rows that are ready to be swapped in wait for readers
int64_t log_retention_minutes();    // how long history is kept; 0: for ever
int file_threads();                 // of DuckDB, for one file
int file_memory_limit_kb();         // of DuckDB
std::string file_temp_directory();  // of DuckDB; empty: none

// The attempt that this process is working on. Shown to the job as settings run_id, layer, job and attempt, also in
// parallel workers of its queries; outside a worker, and between jobs, these are empty.
struct CurrentAttempt {
  int64_t run_id = 0;  // 0: none
  TimestampTz run_at = 0;
  int attempt = 0;
  std::string layer;
  std::string job;
  std::map<std::string, std::optional<std::string>> params;  // of the run, those that the job has asked for
};
CurrentAttempt& current_attempt();
void show_attempt(CurrentAttempt attempt);
void clear_attempt();
void forget_attempt();  // but for the settings, which the next one sets

// Until the end of the open transaction, waits for locks no longer than this ("200ms").
void limit_lock_waits(const char* timeout);

// The open transaction commits without waiting for the disk, which has it a moment later.
void commit_without_disk();

// Sets a statement_timeout for what this process runs, until its settings are reset.
void limit_statements(int64_t milliseconds);

// Defines all settings; called once, when the library is loaded.
void define();

}  // namespace etl::settings
