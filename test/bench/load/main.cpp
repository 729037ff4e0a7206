// What it takes to replace a table's rows by those of a file: a job of the engine, against COPY.
//
//   load [--rounds N] [--part 0.1] [--directory DIR] [--pgloader PROGRAM]
//
// In each round the job and its rivals load the same file one after the other, with a checkpoint before each, so that
// noise hits all alike. Prints medians over the rounds, of the ratios too. The job's time is what a caller gets, from
// setup.start_run() to the end of setup.wait_run(). Both must leave the same rows.
//
// Connects through the environment (PGHOST and so on), as a superuser, to a database of its own: see load.sh.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>

#include "../throughput/command.h"
#include "../throughput/sample.h"
#include "data_sets.h"

namespace bench {
namespace {

struct Options {
  int rounds = 5;
  double part = 1;  // of the full size
  std::string directory = ".";
  std::string pgloader;  // empty: left out
};

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    if (name == "--rounds")
      options.rounds = std::stoi(arguments[i + 1]);
    else if (name == "--part")
      options.part = std::stod(arguments[i + 1]);
    else if (name == "--directory")
      options.directory = arguments[i + 1];
    else if (name == "--pgloader")
      options.pgloader = arguments[i + 1];
    else
      throw std::invalid_argument("unknown option " + name);
  }
  return options;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Benchmark {
 public:
  Benchmark(pqxx::connection& connection, const Options& options) : connection_(connection), options_(options) {
    run("CREATE EXTENSION IF NOT EXISTS etl_orchestrator");
    run("SELECT setup.create_layer('bronze')");
    run("SELECT setup.create_location('bench', " + quoted(options.directory) + ", writable => true)");
  }

  void measure() {
    std::printf("%-44s %10s %10s %8s  from - to\n", "", "seconds", "COPY", "ratio");
    for (const DataSet& set : data_sets()) {
      make_files(set);
      compare(set, set.what + ", CSV", set.name + ".csv", copy_from(set, quoted(path(set, "csv"))));
      if (set.name != "orders") continue;
      compare(set, "the same, gzip, against zcat", set.name + ".csv.gz",
              copy_from(set, "PROGRAM " + quoted("zcat " + path(set, "csv.gz"))));
      compare(set, "the same, Parquet, against CSV", set.name + ".parquet", copy_from(set, quoted(path(set, "csv"))));
      if (!options_.pgloader.empty()) compare_pgloader(set);
    }
  }

 private:
  void run(const std::string& statement) {
    pqxx::nontransaction transaction(connection_);
    transaction.exec(statement);
  }

  std::string value(const std::string& query) {
    pqxx::nontransaction transaction(connection_);
    return transaction.exec(query)[0][0].as<std::string>();
  }

  std::string quoted(const std::string& text) { return connection_.quote(text); }

  std::string path(const DataSet& set, const std::string& type) const {
    return options_.directory + "/" + set.name + "." + type;
  }

  void make_files(const DataSet& set) {
    std::fprintf(stderr, "making the files of %s\n", set.name.c_str());
    std::string query = set.query;
    query.replace(query.find("%ROWS%"), 6,
                  std::to_string(static_cast<long long>(static_cast<double>(set.rows) * options_.part)));
    run("CREATE TABLE bronze." + set.name + " (" + set.columns + ")");
    run("COPY (" + query + ") TO " + quoted(path(set, "csv")) + " WITH (FORMAT csv, HEADER)");
    copy_from(set, quoted(path(set, "csv")))();
    if (set.name != "orders") return;
    run("COPY (SELECT 1) TO PROGRAM " + quoted("gzip -k " + path(set, "csv")));
    run("SELECT setup.export_table('bronze." + set.name + "', 'bench', path => '" + set.name + ".parquet')");
  }

  // What a user would write.
  std::function<void()> copy_from(const DataSet& set, const std::string& source) {
    const std::string statements = "BEGIN; TRUNCATE bronze." + set.name + "; COPY bronze." + set.name + " FROM " +
                                   source + " WITH (FORMAT csv, HEADER); COMMIT";
    return [this, statements] { run(statements); };
  }

  std::string checksum(const DataSet& set) {
    return value("SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) FROM bronze." + set.name +
                 " t");
  }

  void load(const DataSet& set) {
    const std::string id = value("SELECT setup.start_run('bronze', jobs => ARRAY['" + set.name + "'])");
    if (value("SELECT setup.wait_run(" + id + ")") != "OK")
      throw std::runtime_error(value("SELECT message FROM setup.load_log WHERE run_id = " + id));
  }

  void compare(const DataSet& set, const std::string& what, const std::string& file,
               const std::function<void()>& copy) {
    run("SELECT setup.add_job('bronze', '" + set.name + "', table_name => '" + set.name + "', location => 'bench', " +
        "file_path => '" + file + "')");
    Sample job, rival, ratio;
    for (int round = 0; round <= options_.rounds; ++round) {
      const double copied = measured(copy);
      const std::string expected = checksum(set);
      const double loaded = measured([&] { load(set); });
      if (checksum(set) != expected) throw std::runtime_error(what + ": the rows differ from COPY's");
      if (round == 0) continue;  // the first fills caches
      job.add(loaded);
      rival.add(copied);
      ratio.add(loaded / copied);
    }
    std::printf("%-44s %10.2f %10.2f %8.2f  %.2f - %.2f\n", what.c_str(), job.median(), rival.median(), ratio.median(),
                ratio.lowest(), ratio.highest());
    std::fflush(stdout);
  }

  double measured(const std::function<void()>& work) {
    run("CHECKPOINT");
    return seconds(work);
  }

  // Once: it is far slower, and its ratio needs no second digit.
  void compare_pgloader(const DataSet& set) {
    const std::string target = std::string("pgsql://postgres@unix:") + connection_.hostname() + ":" +
                               connection_.port() + "/" + connection_.dbname() + "?tablename=bronze." + set.name;
    const double taken = measured([&] {
      run("TRUNCATE bronze." + set.name);
      output_of(options_.pgloader + " --type csv --with 'skip header = 1' --with " +
                shell_quoted("fields terminated by ','") + " " + shell_quoted(path(set, "csv")) + " " +
                shell_quoted(target) + " 2>&1");
    });
    const double loaded = measured([&] { load(set); });
    std::printf("%-44s %10.2f %10.2f %8.2f\n", "the same, CSV, against pgloader", loaded, taken, loaded / taken);
  }

  pqxx::connection& connection_;
  const Options& options_;
};

}  // namespace
}  // namespace bench

int main(int count, char** arguments) try {
  const bench::Options options = bench::read_options(count, arguments);
  pqxx::connection connection;
  bench::Benchmark(connection, options).measure();
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
