#include "engine.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace bench {

std::optional<std::string> setting(pqxx::connection& connection, const std::string& name) {
  pqxx::nontransaction session(connection);
  const pqxx::row row = session.exec1("SELECT current_setting(" + session.quote(name) + ", true)");
  if (row[0].is_null()) return std::nullopt;
  return row[0].as<std::string>();
}

void set_for_all(pqxx::connection& connection, const std::string& name, const std::optional<std::string>& value) {
  pqxx::nontransaction session(connection);
  session.exec(value ? "ALTER SYSTEM SET " + name + " = " + session.quote(*value) : "ALTER SYSTEM RESET " + name);
  // The postmaster tells all its children at once, so when this session knows it the engine does too.
  const std::string before = session.exec1("SELECT pg_conf_load_time()")[0].as<std::string>();
  session.exec1("SELECT pg_reload_conf()");
  while (session.exec1("SELECT pg_conf_load_time()")[0].as<std::string>() == before)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void create_engine(pqxx::connection& connection) {
  const auto workers = setting(connection, "etl_orchestrator.max_workers");
  if (workers != std::to_string(kWorkers))
    throw std::runtime_error("etl_orchestrator.max_workers must be " + std::to_string(kWorkers) + ", not \"" +
                             workers.value_or("") + "\"");
  pqxx::work work(connection);
  work.exec("CREATE EXTENSION IF NOT EXISTS etl_orchestrator");
  work.commit();
}

void create_layer(pqxx::connection& connection, const std::string& layer, int jobs, Shape shape) {
  pqxx::work work(connection);
  work.exec_params("SELECT setup.create_layer($1)", layer);
  work.exec_params("DELETE FROM setup.load_jobs WHERE layer = $1", layer);
  work.exec_params(
      R"(INSERT INTO setup.load_jobs (layer, job_name, command, depends_on)
         SELECT $1, 'job_' || i, 'SELECT 1', CASE WHEN $3 AND i > 1 THEN ARRAY['job_' || (i - 1)] ELSE '{}' END
           FROM generate_series(1, $2::int) i)",
      layer, jobs, shape == Shape::kChain);
  work.commit();
  pqxx::nontransaction(connection).exec("ANALYZE setup.load_jobs");
}

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

void add_gaps(pqxx::connection& connection, int64_t run_id, Sample& gaps_ms) {
  pqxx::nontransaction session(connection);
  const pqxx::result gaps = session.exec_params(
      R"(SELECT extract(epoch FROM child.started_at - parent.finished_at)::float8 * 1000
           FROM setup.run_steps step
           JOIN setup.load_log child ON child.run_id = step.run_id AND child.step_id = step.step_id
           JOIN setup.load_log parent ON parent.run_id = step.run_id AND parent.step_id = step.depends_on[1]
          WHERE step.run_id = $1)",
      run_id);
  for (const pqxx::row& gap : gaps) gaps_ms.add(gap[0].as<double>());
}

}  // namespace bench
