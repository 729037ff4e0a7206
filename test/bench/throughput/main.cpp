// Jobs per second that do nothing, beside what they cannot do without: one committed row each.
//
// Layers of jobs, each job SELECT 1; and pgbench inserting one row like load_log's per transaction, with as many
// clients as jobs can run at the same time. Everything that is measured takes turns with pgbench, so that noise hits
// both alike. Prints medians over the rounds, of the ratio too.
//
// Connects through the environment (PGHOST and so on), as a superuser, to a database of its own; see run.sh, which
// makes one.
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "command.h"
#include "conductor_memory.h"
#include "disk.h"
#include "engine.h"
#include "options.h"
#include "pgbench.h"
#include "sample.h"
#include "table.h"

namespace bench {
namespace {

const char* const kDelay = "etl_orchestrator.shared_commit_delay";

struct RivalResult {
  Comparison comparison;
  std::string absence;  // why there is none
};

struct Results {
  Comparison alone;   // independent jobs, one commit each
  Comparison shared;  // as the setting's default has it; empty where there is no such setting
  Comparison chain;
  std::vector<RivalResult> rivals;  // as in the options
  Sample syncs;
  int repeated = 0;  // comparisons, because the disk changed its speed
  int unsteady = 0;  // comparisons that count although it did
  Sample around_ms;
  Sample gaps_ms;           // from a parent's row to its child's start; the commit of the parent is in between
  Sample gaps_unsynced_ms;  // the same without the sync
};

class Benchmark {
 public:
  Benchmark(pqxx::connection& connection, const Options& options)
      : connection_(connection), options_(options), pgbench_(connection, options, warm_up()) {
    for (const Rival& rival : options.rivals) results_.rivals.push_back({{}, rival.absence});
    pgbench_.commits_per_second(kWorkers);
  }

  Results measure() {
    for (int round = 1; round <= options_.rounds; ++round) {
      std::fprintf(stderr, "round %d of %d\n", round, options_.rounds);
      measure_round();
    }
    set_for_all(connection_, "synchronous_commit", "off");
    for (int round = 0; round < options_.rounds; ++round)
      add_gaps(connection_, run_layer(connection_, "bench_chain", options_.chain).id, results_.gaps_unsynced_ms);
    set_for_all(connection_, "synchronous_commit", std::nullopt);
    return results_;
  }

 private:
  // One run of each, so that all is in memory and the engine knows how long the jobs take. Returns the last.
  int64_t warm_up() {
    create_engine(connection_);
    create_layer(connection_, "bench", options_.jobs, Shape::kIndependent);
    create_layer(connection_, "bench_chain", options_.chain, Shape::kChain);
    shares_commits_ = setting(connection_, kDelay).has_value();
    run_layer(connection_, "bench", options_.jobs);
    return run_layer(connection_, "bench_chain", options_.chain).id;
  }

  void measure_round() {
    if (shares_commits_) set_for_all(connection_, kDelay, "0");
    const Run alone = compare_layer(results_.alone, "bench", options_.jobs, kWorkers);
    results_.around_ms.add(alone.around_ms);

    if (shares_commits_) {
      set_for_all(connection_, kDelay, std::nullopt);
      compare_layer(results_.shared, "bench", options_.jobs, kWorkers);
    }

    const Run chain = compare_layer(results_.chain, "bench_chain", options_.chain, 1);
    add_gaps(connection_, chain.id, results_.gaps_ms);

    for (size_t i = 0; i < options_.rivals.size(); ++i) compare_rival(options_.rivals[i], results_.rivals[i]);
  }

  // Returns the run that counts.
  Run compare_layer(Comparison& comparison, const std::string& layer, int jobs, int clients) {
    Run run{};
    compare(comparison, clients, 2, [&] {
      run = run_layer(connection_, layer, jobs);
      return run.per_second;
    });
    return run;
  }

  // One that fails is out of the race; it must not cost the others their results. They take long, and their ratios
  // are far from 1, so nothing is repeated.
  void compare_rival(const Rival& rival, RivalResult& result) {
    if (!result.absence.empty()) return;
    try {
      compare(result.comparison, kWorkers, 0, [&] { return number_of(rival.command); });
    } catch (const std::runtime_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      result.absence = "it ended with an error";
    }
  }

  // Measures, then asks pgbench. Does so again if the disk by itself says that its speed changed meanwhile, and there
  // are retries left: the two have met different disks.
  void compare(Comparison& comparison, int clients, int retries, const std::function<double()>& jobs_per_second) {
    for (;; --retries) {
      Sample syncs;
      const auto ask_disk = [&] { syncs.add(syncs_per_second(options_.directory)); };
      ask_disk();
      const double jobs = jobs_per_second();
      ask_disk();
      const double commits = pgbench_.commits_per_second(clients);
      ask_disk();
      results_.syncs.add(syncs.median());
      const bool is_steady = syncs.highest() < 2 * syncs.lowest();
      if (is_steady || retries == 0) {
        comparison.add(jobs, commits);
        if (!is_steady) ++results_.unsteady;
        return;
      }
      ++results_.repeated;
    }
  }

  pqxx::connection& connection_;
  const Options& options_;
  bool shares_commits_ = false;
  Results results_;
  Pgbench pgbench_;  // the last, because it wants a run's log
};

void print_machine(pqxx::connection& connection, int rounds) {
  const double gib = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / (1 << 30);
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::localtime(&now));
  const auto value = [&](const char* name) { return setting(connection, name).value_or("unknown"); };
  std::printf("%s, %ld cores, %.0f GiB memory, PostgreSQL %s\n", date, sysconf(_SC_NPROCESSORS_ONLN), gib,
              value("server_version").c_str());
  std::printf("fsync %s, synchronous_commit %s, medians of %d rounds\n\n", value("fsync").c_str(),
              value("synchronous_commit").c_str(), rounds);
}

void print_comparison(const std::string& what, const Comparison& comparison, int clients) {
  print_row(what, comparison.jobs, comparison.ratio);
  print_row("  pgbench, " + std::to_string(clients) + (clients == 1 ? " client" : " clients") + ", one row a commit",
            comparison.commits);
}

void print_results(const Options& options, const Results& results, const std::string& delay) {
  const std::string independent = grouped(options.jobs) + " independent jobs, ";
  print_head();
  print_comparison(independent + "one commit each", results.alone, kWorkers);
  if (results.shared.jobs.empty())
    print_absence(independent + "shared commits", std::string("there is no ") + kDelay);
  else
    print_comparison(independent + "commits shared for " + delay, results.shared, kWorkers);
  print_comparison(grouped(options.chain) + " jobs in a chain", results.chain, 1);
  for (size_t i = 0; i < options.rivals.size(); ++i) {
    const RivalResult& rival = results.rivals[i];
    if (rival.absence.empty())
      print_row(options.rivals[i].name, rival.comparison.jobs, rival.comparison.ratio);
    else
      print_absence(options.rivals[i].name, rival.absence);
  }
  print_row("fdatasync of a page", results.syncs);
  std::printf("Repeated because the disk changed its speed: %d comparisons; counted although it did: %d\n",
              results.repeated, results.unsteady);

  std::printf("\nFrom a parent's log row to its child's start, in ms:       median %5.2f, 99th percentile %5.2f\n",
              results.gaps_ms.median(), results.gaps_ms.percentile(0.99));
  std::printf("The same without the sync of the parent's commit:           median %5.2f, 99th percentile %5.2f\n",
              results.gaps_unsynced_ms.median(), results.gaps_unsynced_ms.percentile(0.99));
  std::printf("Before the first and after the last of %s jobs, in ms:  median %5.0f\n", grouped(options.jobs).c_str(),
              results.around_ms.median());
}

void print_memory(int jobs, const ConductorMemory& memory) {
  std::printf(
      "\nThe conductor in MiB, its own (with shared pages): %.1f (%.1f) before, at most %.1f (%.1f) in a run of "
      "%s jobs,\nwhich took %.1f s\n",
      memory.before.own_mib, memory.before.with_mib, memory.peak.own_mib, memory.peak.with_mib, grouped(jobs).c_str(),
      jobs / memory.per_second);
}

void run(const Options& options) {
  pqxx::connection connection("");
  const Results results = Benchmark(connection, options).measure();
  print_machine(connection, options.rounds);
  print_results(options, results, setting(connection, kDelay).value_or(""));
  std::fflush(stdout);
  if (options.memory_jobs > 0) print_memory(options.memory_jobs, measure_conductor(connection, options.memory_jobs));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    bench::run(bench::read_options({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "throughput: %s\n", error.what());
    return 1;
  }
}
