// The engine as a caller sees it: layers of jobs that do nothing, and runs of them.
#pragma once

#include <cstdint>
#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "sample.h"

namespace bench {

constexpr int kWorkers = 2;

// The value of a setting; none if the server does not know it.
std::optional<std::string> setting(pqxx::connection& connection, const std::string& name);

// Changes a setting for the whole server, and returns when the server has taken it up. Without a value: back to what
// the configuration file says.
void set_for_all(pqxx::connection& connection, const std::string& name, const std::optional<std::string>& value);

// The extension, with the right number of workers. Throws if the server is not made for this.
void create_engine(pqxx::connection& connection);

// A layer of jobs that do nothing: all independent, or each after the one before.
enum class Shape { kIndependent, kChain };
void create_layer(pqxx::connection& connection, const std::string& layer, int jobs, Shape shape);

struct Run {
  int64_t id;
  double per_second;  // jobs, as the caller waits: validation, planning and the end of the run included
  double around_ms;   // of the run: before its first job started and after its last had ended
};

// Starts a run of the layer and waits for its end. Throws unless all its jobs end OK.
Run run_layer(pqxx::connection& connection, const std::string& layer, int jobs);

// Adds the time from each parent's finished_at to its child's started_at, in ms, over all links of a run of a chain.
void add_gaps(pqxx::connection& connection, int64_t run_id, Sample& gaps_ms);

}  // namespace bench
