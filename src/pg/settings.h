// The settings etl_orchestrator.*, as the server holds them in this process.
#pragma once

#include "pg/error.h"

namespace etl::settings {

enum class Progress { kJob, kLayer, kOff };

int max_workers();            // largest number of job workers in the whole server
int idle_timeout_ms();        // how long a process without work stays; 0: leaves at once
Progress progress();          // what a waiting CALL reports
bool superuser_jobs();        // may superusers own jobs
bool analyze_after_load();    // analyze a job's table after a substantial change

// The attempt that this process is working on, shown as read-only settings run_id, layer, job and attempt.
// Outside a worker, and between jobs, all are empty.
struct CurrentAttempt {
  int64_t run_id = 0;  // 0: none
  int attempt = 0;
  std::string layer;
  std::string job;
};
CurrentAttempt& current_attempt();

// Defines all settings; called once, when the library is loaded.
void define();

}  // namespace etl::settings
