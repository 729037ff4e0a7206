#include "pg/settings.h"

#include "pg/guard.h"

namespace etl::settings {

namespace {

int max_workers_value = 4;
int idle_timeout_value = 10000;
int progress_value = static_cast<int>(Progress::kJob);
bool superuser_jobs_value = true;
bool analyze_after_load_value = true;
bool enabled_value = true;
int shared_commit_delay_value = 5;
int cancel_grace_value = 5000;
int crash_limit_value = 3;
int swap_timeout_value = 60000;
int log_retention_value = 90 * 24 * 60;
int file_threads_value = 1;
int file_memory_limit_value = 256 * 1024;
char* file_temp_directory_value;

const config_enum_entry kProgressOptions[] = {{"job", static_cast<int>(Progress::kJob), false},
                                              {"layer", static_cast<int>(Progress::kLayer), false},
                                              {"off", static_cast<int>(Progress::kOff), false},
                                              {nullptr, 0, false}};

constexpr const char* kShown[] = {"etl_orchestrator.run_id", "etl_orchestrator.layer", "etl_orchestrator.job",
                                  "etl_orchestrator.attempt"};
char* shown_values[4];

// Written by the engine only. Not of context internal, because these do not reach parallel workers.
void define_shown(int number, const char* description) {
  DefineCustomStringVariable(kShown[number], description, "Empty outside a job; set by the engine.",
                             &shown_values[number], "", PGC_SUSET,
                             GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE | GUC_NO_RESET_ALL, nullptr, nullptr, nullptr);
}

void show(const std::string (&values)[4]) {
  pg::guard([&] {
    for (int i = 0; i < 4; ++i) SetConfigOption(kShown[i], values[i].c_str(), PGC_SUSET, PGC_S_OVERRIDE);
  });
}

}  // namespace

int max_workers() {
  return max_workers_value;
}
int idle_timeout_ms() {
  return idle_timeout_value;
}
Progress progress() {
  return static_cast<Progress>(progress_value);
}
bool superuser_jobs() {
  return superuser_jobs_value;
}
bool analyze_after_load() {
  return analyze_after_load_value;
}

bool enabled() {
  return enabled_value;
}
int shared_commit_delay_ms() {
  return shared_commit_delay_value;
}
int cancel_grace_ms() {
  return cancel_grace_value;
}
int crash_limit() {
  return crash_limit_value;
}
int swap_timeout_ms() {
  return swap_timeout_value;
}
int64_t log_retention_minutes() {
  return log_retention_value;
}

int file_threads() {
  return file_threads_value;
}
int file_memory_limit_kb() {
  return file_memory_limit_value;
}
std::string file_temp_directory() {
  return file_temp_directory_value;
}

CurrentAttempt& current_attempt() {
  static auto* attempt = new CurrentAttempt;  // never destroyed: the library is not unloaded
  return *attempt;
}

void show_attempt(CurrentAttempt attempt) {
  show({std::to_string(attempt.run_id), attempt.layer, attempt.job, std::to_string(attempt.attempt)});
  current_attempt() = std::move(attempt);
}

void clear_attempt() {
  current_attempt() = {};
  show({"", "", "", ""});
}

void forget_attempt() {
  current_attempt() = {};
}

void limit_lock_waits(const char* timeout) {
  pg::guard([&] {
    set_config_option("lock_timeout", timeout, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
  });
}

void commit_without_disk() {
  pg::guard([] {
    set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
  });
}

void limit_statements(int64_t milliseconds) {
  const std::string value = std::to_string(std::min<int64_t>(milliseconds, INT_MAX));
  pg::guard([&] { SetConfigOption("statement_timeout", value.c_str(), PGC_USERSET, PGC_S_SESSION); });
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
                           &progress_value, static_cast<int>(Progress::kJob), kProgressOptions, PGC_USERSET, 0, nullptr,
                           nullptr, nullptr);
  DefineCustomBoolVariable("etl_orchestrator.superuser_jobs", "Whether superusers may own jobs.",
                           "When off, a run that contains a job of a superuser is refused.", &superuser_jobs_value,
                           true, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("etl_orchestrator.analyze_after_load",
                           "Analyzes the table of a job after the job has written a tenth of it or more.",
                           "Happens in the job's own transaction, where the job's owner may analyze the table.",
                           &analyze_after_load_value, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable(
      "etl_orchestrator.enabled", "Whether anything may start.",
      "When off, and after a reload, running jobs go on, and all others wait until it is on again.", &enabled_value,
      true, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.shared_commit_delay",
                          "How long a short job that has finished may wait for others to commit together with it.",
                          "A job that runs past it is rolled back and runs again alone. 0 turns shared commits off.",
                          &shared_commit_delay_value, 5, 0, 1000, PGC_SIGHUP, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.cancel_grace",
                          "How long a job may take to heed a cancel or a timeout before its process is terminated.", "",
                          &cancel_grace_value, 5000, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.crash_limit",
                          "After how many crashes of the server in a row the job that caused them is quarantined.",
                          "setup.release_job() lets it run again. 0 never quarantines.", &crash_limit_value, 3, 0, 1000,
                          PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.swap_timeout",
                          "How long a load that is ready to replace a table's rows waits for readers of the old ones.",
                          "Readers that come meanwhile wait half a second at most. Then the load fails.",
                          &swap_timeout_value, 60000, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.log_retention", "How long runs and their log are kept.",
                          "They go week by week, never with an unfinished run. 0 keeps them for ever.",
                          &log_retention_value, 90 * 24 * 60, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MIN, nullptr, nullptr,
                          nullptr);
  DefineCustomIntVariable("etl_orchestrator.file_threads", "Threads that parse and unpack a file, or pack one.",
                          "Beside them the process itself writes or reads the rows.", &file_threads_value, 1, 1, 64,
                          PGC_SUSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("etl_orchestrator.file_memory_limit",
                          "Memory that a process uses to read or write a file, beside the server's own.", nullptr,
                          &file_memory_limit_value, 256 * 1024, 64 * 1024, INT_MAX, PGC_SUSET, GUC_UNIT_KB, nullptr,
                          nullptr, nullptr);
  DefineCustomStringVariable("etl_orchestrator.file_temp_directory",
                             "Directory for what does not fit into file_memory_limit; not in the data directory.",
                             "Empty: nothing is written there, and what does not fit is an error.",
                             &file_temp_directory_value, "", PGC_SUSET, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
  define_shown(0, "Inside a job: the run that it belongs to.");
  define_shown(1, "Inside a job: its layer.");
  define_shown(2, "Inside a job: its name.");
  define_shown(3, "Inside a job: the number of the attempt, from 1.");
  MarkGUCPrefixReserved("etl_orchestrator");
}

}  // namespace etl::settings
