// The SQL of arrivals: which jobs read a location, and for which files runs were started. What is said at the head of
// run_store.h holds here.
#pragma once

#include "engine/shared_state.h"
#include "locations/versions.h"
#include "pg/spi.h"

namespace etl::arrival_store {

// Locations that were told to be watched in this database, not in one that it was copied or restored from.
bool has_watched_locations();
std::vector<std::string> watched_locations();  // names

// An enabled job that reads files of a location, and that nobody holds back.
struct Job {
  std::string layer;
  std::string name;
  std::string pattern;  // or a path
  Oid owner;
};
std::vector<Job> jobs_of(const std::string& location);

using File = locations::Version;

// A run that was started for arrivals of the job and that has not begun: it finds what is there now. 0: none.
RunId find_queued_run(const Job& job);

void record(const std::string& location, const Job& job, const std::vector<File>& files, RunId run);

// Forgets files of a job that are not there any more.
void forget_others(const std::string& location, const Job& job, const std::vector<File>& files);

}  // namespace etl::arrival_store
