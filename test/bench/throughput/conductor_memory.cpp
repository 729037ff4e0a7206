#include "conductor_memory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "engine.h"

namespace bench {

namespace {

using namespace std::chrono_literals;

// The pid of this database's conductor, 0 if there is none.
int conductor(pqxx::connection& connection) {
  pqxx::nontransaction session(connection);
  const pqxx::result found = session.exec(
      R"(SELECT pid FROM pg_stat_activity
          WHERE backend_type = 'etl_orchestrator conductor' AND datname = current_database())");
  return found.empty() ? 0 : found[0][0].as<int>();
}

void end_conductor(pqxx::connection& connection) {
  const int pid = conductor(connection);
  if (pid == 0) return;
  pqxx::nontransaction(connection).exec_params("SELECT pg_terminate_backend($1)", pid);
  while (conductor(connection) == pid) std::this_thread::sleep_for(1ms);
}

// A line like "RssAnon:   1234 kB" of /proc/PID/status.
double status_mib(int pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    double kib = 0;
    if (word == name + ":" && status >> kib) return kib / 1024;
  }
  throw std::runtime_error("the conductor ended while its memory was measured");
}

// Looks at a process every 10 ms until it goes out of scope.
class PeakWatch {
 public:
  explicit PeakWatch(int pid) : pid_(pid), watcher_([this] { watch(); }) {}
  ~PeakWatch() { stop(); }

  double own_mib() {
    stop();
    return own_mib_;
  }

 private:
  void watch() {
    try {
      while (!stopped_) {
        own_mib_ = std::max(own_mib_, status_mib(pid_, "RssAnon"));
        std::this_thread::sleep_for(10ms);
      }
    } catch (const std::runtime_error&) {
      // Whoever asks for the peak of a process that has ended finds that out himself.
    }
  }
  void stop() {
    stopped_ = true;
    if (watcher_.joinable()) watcher_.join();
  }

  const int pid_;
  double own_mib_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread watcher_;  // the last, because it uses the others
};

}  // namespace

ConductorMemory measure_conductor(pqxx::connection& connection, int jobs) {
  create_layer(connection, "bench_one", 1, Shape::kIndependent);
  create_layer(connection, "bench_memory", jobs, Shape::kIndependent);
  end_conductor(connection);
  run_layer(connection, "bench_one", 1);
  const int pid = conductor(connection);

  ConductorMemory memory{};
  memory.before = {status_mib(pid, "RssAnon"), status_mib(pid, "VmRSS")};
  PeakWatch peak(pid);
  memory.per_second = run_layer(connection, "bench_memory", jobs).per_second;
  memory.peak = {peak.own_mib(), status_mib(pid, "VmHWM")};
  return memory;
}

}  // namespace bench
