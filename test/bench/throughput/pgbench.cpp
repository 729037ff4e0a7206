#include "pgbench.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "command.h"

namespace bench {

namespace {

// INSERT of a log row with everything that the engine gave it. log_id and what is generated come by themselves.
std::string insert_like(pqxx::transaction_base& work, int64_t run_id) {
  const pqxx::row statement = work.exec_params1(
      R"(SELECT format('INSERT INTO bench.one_row (%s) VALUES (%s)',
                       string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                       string_agg(CASE WHEN attname = 'run_id' THEN ':client_id'
                                       WHEN attname = 'step_id' THEN ':step'
                                       WHEN atttypid = 'timestamptz'::regtype THEN 'statement_timestamp()'
                                       ELSE quote_literal(value) END, ', ' ORDER BY attnum))
           FROM (SELECT to_jsonb(log) AS log FROM setup.load_log log WHERE run_id = $1 ORDER BY log_id LIMIT 1) log,
                jsonb_each_text(log) AS field (name, value)
           JOIN pg_attribute ON attrelid = 'setup.load_log'::regclass AND attname = name
          WHERE value IS NOT NULL AND name <> 'log_id' AND attgenerated = '')",
      run_id);
  return statement[0].as<std::string>();
}

}  // namespace

Pgbench::Pgbench(pqxx::connection& connection, const Options& options, int64_t run_id)
    : connection_(connection),
      program_(options.pgbench),
      script_(options.directory + "/one_row.sql"),
      seconds_(options.seconds) {
  pqxx::work work(connection);
  work.exec("CREATE SCHEMA IF NOT EXISTS bench");
  work.exec("DROP TABLE IF EXISTS bench.one_row");
  work.exec("CREATE TABLE bench.one_row (LIKE setup.load_log INCLUDING ALL)");
  const std::string insert = insert_like(work, run_id);
  work.commit();

  std::ofstream script(script_);
  script << "\\set step :step + 1\n" << insert << ";\n";
  if (!script.flush()) throw std::runtime_error("could not write " + script_);
}

double Pgbench::commits_per_second(int clients) {
  pqxx::nontransaction(connection_).exec("TRUNCATE bench.one_row");
  const std::string count = std::to_string(clients);
  const std::string output =
      output_of(shell_quoted(program_) + " --no-vacuum --protocol=prepared --client=" + count + " --jobs=" + count +
                " --time=" + std::to_string(seconds_) + " --define=step=0 --file=" + shell_quoted(script_) + " 2>&1");
  const size_t place = output.find("tps = ");
  if (place == std::string::npos) throw std::runtime_error("pgbench printed no tps:\n" + output);
  return std::strtod(output.c_str() + place + 6, nullptr);
}

}  // namespace bench
