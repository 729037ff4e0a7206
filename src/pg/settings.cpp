#include "pg/settings.h"

namespace etl::settings {

namespace {

int max_workers_value = 4;
int idle_timeout_value = 10000;
int progress_value = static_cast<int>(Progress::kJob);
bool superuser_jobs_value = true;
bool analyze_after_load_value = true;

const config_enum_entry kProgressOptions[] = {{"job", static_cast<int>(Progress::kJob), false},
                                              {"layer", static_cast<int>(Progress::kLayer), false},
                                              {"off", static_cast<int>(Progress::kOff), false},
                                              {nullptr, 0, false}};

// Shown texts live in static buffers: the server reads them at once.
char shown_number[32];

const char* show_run_id() {
  if (current_attempt().run_id == 0) return "";
  snprintf(shown_number, sizeof shown_number, "%lld", static_cast<long long>(current_attempt().run_id));
  return shown_number;
}

const char* show_attempt() {
  if (current_attempt().run_id == 0) return "";
  snprintf(shown_number, sizeof shown_number, "%d", current_attempt().attempt);
  return shown_number;
}

const char* show_layer() { return current_attempt().layer.c_str(); }
const char* show_job() { return current_attempt().job.c_str(); }

// A setting that only shows: its value comes from the current attempt, nobody can set it.
void define_shown(const char* name, const char* description, GucShowHook show) {
  static char* unused[4];
  static int next = 0;
  DefineCustomStringVariable(name, description, "Empty outside a job.", &unused[next++], "", PGC_INTERNAL,
                             GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE | GUC_NO_RESET_ALL, nullptr, nullptr, show);
}

}  // namespace

int max_workers() { return max_workers_value; }
int idle_timeout_ms() { return idle_timeout_value; }
Progress progress() { return static_cast<Progress>(progress_value); }
bool superuser_jobs() { return superuser_jobs_value; }
bool analyze_after_load() { return analyze_after_load_value; }

CurrentAttempt& current_attempt() {
  static auto* attempt = new CurrentAttempt;  // never destroyed: show hooks may run until the process ends
  return *attempt;
}

void define() {
  DefineCustomIntVariable("etl_orchestrator.max_workers",
                          "Largest number of jobs that run at the same time in the whole server.",
                          "Each takes one of max_worker_processes; what exceeds the limit waits in the queue.",
                          &max_workers_value, 4, 1, 1024, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.idle_timeout",
                          "How long a worker or conductor without work stays before it leaves.",
                          "0 lets it leave at once.", &idle_timeout_value, 10000, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS,
                          nullptr, nullptr, nullptr);
  DefineCustomEnumVariable("etl_orchestrator.progress", "What a CALL that waits for a run reports as it happens.",
                           "job: each finished job; layer: each finished layer; off: nothing but the summary.",
                           &progress_value, static_cast<int>(Progress::kJob), kProgressOptions, PGC_USERSET, 0,
                           nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("etl_orchestrator.superuser_jobs", "Whether superusers may own jobs.",
                           "When off, a run that contains a job of a superuser is refused.", &superuser_jobs_value,
                           true, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("etl_orchestrator.analyze_after_load",
                           "Analyzes the table of a job after the job has written a tenth of it or more.",
                           "Happens in the job's own transaction, where the job's owner may analyze the table.",
                           &analyze_after_load_value, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  define_shown("etl_orchestrator.run_id", "Inside a job: the run that it belongs to.", show_run_id);
  define_shown("etl_orchestrator.layer", "Inside a job: its layer.", show_layer);
  define_shown("etl_orchestrator.job", "Inside a job: its name.", show_job);
  define_shown("etl_orchestrator.attempt", "Inside a job: the number of the attempt, from 1.", show_attempt);
  MarkGUCPrefixReserved("etl_orchestrator");
}

}  // namespace etl::settings
