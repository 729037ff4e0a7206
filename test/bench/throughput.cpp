// Jobs per second that do nothing, beside what they cannot do without: one committed row each.
//
// A layer of independent jobs and a layer whose jobs form one chain, each job SELECT 1; and pgbench inserting
// one row like load_log's per transaction, with as many clients as jobs can run at the same time. Runs and
// pgbench take turns, so that noise hits both alike. Prints medians over the rounds, of the ratio too.
//
// Connects through the environment (PGHOST and so on), as a superuser, to a database of its own with the
// extension; see run.sh, which makes one.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kWorkers = 2;

struct Options {
  int runs = 5;
  int jobs = 1000;
  int seconds = 3;  // of pgbench at a time
  std::string pgbench = "pgbench";
  std::string script = "test/bench/one_row.sql";
};

int positive(const std::string& name, const std::string& text) {
  char* end = nullptr;
  const long number = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0' || number < 1 || number > 100000)
    throw std::invalid_argument(name + " takes a number from 1 to 100000, not \"" + text + "\"");
  return static_cast<int>(number);
}

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) throw std::invalid_argument(name + " needs a value");
    const std::string& value = arguments[i + 1];
    if (name == "--runs") {
      options.runs = positive(name, value);
    } else if (name == "--jobs") {
      options.jobs = positive(name, value);
    } else if (name == "--seconds") {
      options.seconds = positive(name, value);
    } else if (name == "--pgbench") {
      options.pgbench = value;
    } else if (name == "--script") {
      options.script = value;
    } else {
      throw std::invalid_argument("unknown option " + name +
                                  "; there are --runs, --jobs, --seconds, --pgbench, --script");
    }
  }
  return options;
}

class Sample {
 public:
  void add(double value) { values_.insert(std::upper_bound(values_.begin(), values_.end(), value), value); }

  double lowest() const { return values_.front(); }
  double highest() const { return values_.back(); }
  double median() const { return (values_[(values_.size() - 1) / 2] + values_[values_.size() / 2]) / 2; }

 private:
  std::vector<double> values_;  // in order
};

// Runs of a layer and pgbench's answer to each of them.
struct Comparison {
  Sample jobs;     // per second
  Sample commits;  // per second
  Sample ratio;

  void add(double jobs_per_second, double commits_per_second) {
    jobs.add(jobs_per_second);
    commits.add(commits_per_second);
    ratio.add(jobs_per_second / commits_per_second);
  }
};

std::string setting(pqxx::connection& connection, const std::string& name) {
  pqxx::nontransaction session(connection);
  return session.exec1("SELECT current_setting(" + session.quote(name) + ", true)")[0].as<std::string>("");
}

// The bench layers, and the table for pgbench.
void set_up(pqxx::connection& connection, int jobs) {
  const std::string workers = setting(connection, "etl_orchestrator.max_workers");
  if (workers != std::to_string(kWorkers))
    throw std::runtime_error("etl_orchestrator.max_workers is \"" + workers + "\", but must be " +
                             std::to_string(kWorkers));
  pqxx::work work(connection);
  work.exec("CREATE EXTENSION IF NOT EXISTS etl_orchestrator");
  work.exec("SELECT setup.create_layer('bench'), setup.create_layer('bench_chain')");
  work.exec("DELETE FROM setup.load_jobs WHERE layer IN ('bench', 'bench_chain')");
  work.exec_params(
      R"(INSERT INTO setup.load_jobs (layer, job_name, command, depends_on)
         SELECT layer, 'job_' || i, 'SELECT 1',
                CASE WHEN layer = 'bench_chain' AND i > 1 THEN ARRAY['job_' || (i - 1)] ELSE '{}' END
           FROM generate_series(1, $1::int) i, unnest(ARRAY['bench', 'bench_chain']) layer)",
      jobs);
  work.exec("DROP TABLE IF EXISTS bench.one_row");
  work.exec("CREATE TABLE bench.one_row (LIKE setup.load_log INCLUDING ALL)");
  work.commit();
}

struct Run {
  int64_t id;
  double per_second;  // jobs
  double around_ms;   // of the run: before its first job started and after its last had ended
};

// Starts a run of the layer and waits for its end. What it takes is what the caller waits, planning included.
Run run_layer(pqxx::connection& connection, const std::string& layer, int jobs) {
  const auto start = std::chrono::steady_clock::now();
  Run run{};
  {
    pqxx::work work(connection);
    run.id = work.exec1("SELECT setup.start_run(" + work.quote(layer) + ")")[0].as<int64_t>();
    work.commit();
  }
  pqxx::nontransaction session(connection);
  const auto status = session.exec1("SELECT setup.wait_run(" + std::to_string(run.id) + ")")[0].as<std::string>();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

  const pqxx::row log = session.exec_params1(
      R"(SELECT count(*) FILTER (WHERE status = 'OK'),
                extract(epoch FROM max(finished_at) - min(started_at))::float8
           FROM setup.load_log WHERE run_id = $1)",
      run.id);
  if (status != "OK" || log[0].as<int>() != jobs)
    throw std::runtime_error("run " + std::to_string(run.id) + " of layer " + layer + " ended " + status + ", with " +
                             log[0].as<std::string>() + " of " + std::to_string(jobs) + " jobs");
  run.per_second = jobs / took.count();
  run.around_ms = (took.count() - log[1].as<double>()) * 1000;
  return run;
}

struct Gap {
  double median_ms;
  double percentile99_ms;
};

// From a parent's finished_at to its child's started_at, over all links of all these runs of the chain.
Gap measure_gaps(pqxx::connection& connection, const std::string& run_ids) {
  pqxx::nontransaction session(connection);
  const pqxx::row row = session.exec_params1(
      R"(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms),
                percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)
           FROM (SELECT extract(epoch FROM child.started_at - parent.finished_at)::float8 * 1000 AS ms
                   FROM setup.run_steps step
                   JOIN setup.load_log child USING (run_id, step_id)
                   JOIN setup.load_log parent ON parent.run_id = step.run_id
                                             AND parent.step_id = step.depends_on[1]
                  WHERE step.run_id = ANY ($1)) link)",
      "{" + run_ids + "}");
  return {row[0].as<double>(0), row[1].as<double>(0)};
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("could not run: " + command);
  std::string output;
  char part[4096];
  while (const size_t size = fread(part, 1, sizeof part, pipe)) output.append(part, size);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("failed: " + command + "\n" + output);
  return output;
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// Transactions per second; the table begins empty each time.
double pgbench(pqxx::connection& connection, const Options& options, int clients, int seconds) {
  pqxx::nontransaction(connection).exec("TRUNCATE bench.one_row RESTART IDENTITY");
  const std::string count = std::to_string(clients);
  const std::string output = output_of(
      shell_quoted(options.pgbench) + " --no-vacuum --protocol=prepared --client=" + count + " --jobs=" + count +
      " --time=" + std::to_string(seconds) + " --define=step=0 --file=" + shell_quoted(options.script) + " 2>&1");
  const size_t place = output.find("tps = ");
  if (place == std::string::npos) throw std::runtime_error("pgbench printed no tps:\n" + output);
  return std::strtod(output.c_str() + place + 6, nullptr);
}

// With commas between thousands.
std::string grouped(double number) {
  std::string text = std::to_string(static_cast<long long>(number + 0.5));
  for (int place = static_cast<int>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<size_t>(place), ",");
  return text;
}

void print_machine(pqxx::connection& connection) {
  const double gib = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / (1 << 30);
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::localtime(&now));
  std::printf("%s, %ld cores, %.0f GiB memory, PostgreSQL %s, fsync %s, synchronous_commit %s\n\n", date,
              sysconf(_SC_NPROCESSORS_ONLN), gib, setting(connection, "server_version").c_str(),
              setting(connection, "fsync").c_str(), setting(connection, "synchronous_commit").c_str());
}

void print_sample(const std::string& what, const Sample& sample) {
  std::printf("%-44s %10s %8s %8s", what.c_str(), grouped(sample.median()).c_str(), grouped(sample.lowest()).c_str(),
              grouped(sample.highest()).c_str());
}

void print_comparison(const std::string& what, const std::string& base, const Comparison& comparison) {
  print_sample(what, comparison.jobs);
  std::printf("  %16.2f\n", comparison.ratio.median());
  print_sample("  " + base, comparison.commits);
  std::printf("\n");
}

void measure(const Options& options) {
  pqxx::connection connection("");
  set_up(connection, options.jobs);
  run_layer(connection, "bench", options.jobs);  // warms everything up
  run_layer(connection, "bench_chain", options.jobs);
  pgbench(connection, options, kWorkers, 1);

  Comparison independent, chain;
  Sample around_ms;
  std::string chain_runs;
  for (int round = 0; round < options.runs; ++round) {
    const Run wide = run_layer(connection, "bench", options.jobs);
    independent.add(wide.per_second, pgbench(connection, options, kWorkers, options.seconds));
    around_ms.add(wide.around_ms);

    const Run narrow = run_layer(connection, "bench_chain", options.jobs);
    chain.add(narrow.per_second, pgbench(connection, options, 1, options.seconds));
    chain_runs += (chain_runs.empty() ? "" : ",") + std::to_string(narrow.id);
  }

  const std::string jobs = grouped(options.jobs);
  const std::string workers = std::to_string(kWorkers);
  print_machine(connection);
  std::printf("%-44s %10s %8s %8s  %16s\n", "what", "per second", "lowest", "highest", "ratio to pgbench");
  print_comparison(jobs + " independent jobs, " + workers + " workers",
                   "pgbench, " + workers + " clients, one row a commit", independent);
  print_comparison(jobs + " jobs in a chain", "pgbench, 1 client, one row a commit", chain);

  const Gap gap = measure_gaps(connection, chain_runs);
  std::printf("\nFrom a parent's finished_at to its child's started_at, in ms: median %.2f, 99th percentile %.2f\n",
              gap.median_ms, gap.percentile99_ms);
  std::printf("Before the first and after the last of %s independent jobs, in ms: %.0f\n", jobs.c_str(),
              around_ms.median());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    measure(read_options({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "throughput: %s\n", error.what());
    return 1;
  }
}
