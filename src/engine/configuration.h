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
  std::string location;  // that the file is in, or empty
  std::string load_mode;
  std::vector<std::string> key_columns;
  std::string rescue_column;  // or empty
  bool provenance;
  bool puts_rows_aside;              // on_bad_row = 'reject'
  std::string crawler;               // that made the job, and can make its table; or empty
  std::string discovered_as;         // kind of object that it was discovered from, or empty
  std::vector<std::string> lacking;  // what it takes of resources that are not there, or too small: one text each
};

struct Configuration {
  plan::Catalog catalog;
  std::map<std::string, std::string> config;  // setup.etl_config
};

// Reads layers, jobs and configuration, whatever row level security hides from `caller`; jobs that it may not run are
// marked so. Needs an open Spi and the engine's rights.
Configuration read_configuration(Oid caller);

// The details of a blueprint's jobs, in the order of its steps. Apart, because everybody's commands could be a lot.
std::vector<JobDetail> read_details(const plan::Catalog& catalog, const plan::Blueprint& blueprint);

// What discovery finds in a layer now: the owner of the object behind each discoverable job, by the job's name and the
// object's kind. Needs the same.
std::map<std::pair<std::string, std::string>, Oid> read_discoverable(const std::string& layer);

}  // namespace etl
