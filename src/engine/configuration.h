// Layers, jobs and configuration as they stand in the tables now.
#pragma once

#include "engine/request.h"

namespace etl {

// What a job has beyond its place in the graph.
struct JobDetail {
  std::string owner;
  Oid owner_oid;
  std::string table_name;
  std::string file_path;
  std::string command;
  std::string transaction;
  std::string discovered_as;  // kind of object that it was discovered from, or empty
};

struct Configuration {
  plan::Catalog catalog;
  std::vector<JobDetail> details;             // by index of catalog.jobs
  std::map<std::string, std::string> config;  // setup.etl_config
};

// Reads everything, whatever row level security hides from `caller`; jobs that it may not run are marked so. Needs an
// open Spi and the engine's rights.
Configuration read_configuration(Oid caller);

// What discovery finds in a layer now: the owner of the object behind each discoverable job. Needs the same.
std::map<std::string, Oid> read_discoverable(const std::string& layer);

}  // namespace etl
