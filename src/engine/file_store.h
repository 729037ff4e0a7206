// setup.load_files: which files a job has loaded, and which version of each its table holds. What is said at the head
// of run_store.h holds here.
#pragma once

#include "engine/shared_state.h"
#include "locations/versions.h"
#include "pg/engine_rights.h"
#include "pg/spi.h"

namespace etl::file_store {

// Whose files.
struct Job {
  std::string layer;
  std::string name;
  std::string location;
};

using locations::Known;
using locations::Move;
using locations::Version;

// One attempt to load a file.
struct Load {
  Version version;
  int64_t rows = 0;
  int64_t rejected = 0;
  std::string message;
  int sqlstate = 0;              // of one that failed
  std::optional<int64_t> stamp;  // as in Known
};

// A path that is longer than this cannot be remembered.
inline constexpr size_t kLongestPath = 2000;

// Failure (undefined_object) if the job was dropped: nothing could be remembered of it.
void require_job(const Job& job);

// A file that the table does not hold as it is now, by path, size and time.
struct Unknown {
  size_t place;         // in the list
  bool may_have_moved;  // the table holds a version of its size from another path
};

// Those of these files that are to be loaded, or to be loaded once more, in the order in which that is to be tried:
// what has failed before comes last, so that it keeps no other from its turn, and what was not tried for longest goes
// first.
std::vector<Unknown> find_to_load(const Job& job, const std::vector<Version>& files);

// Those for which a run is to be started: none was, for what they are now.
std::vector<Unknown> find_to_announce(const Job& job, const std::vector<Version>& files);

std::optional<Known> find_by_path(const Job& job, const std::string& path);
std::vector<Known> find_same(const Job& job, const Version& file);        // in content, in the order of their loads
std::optional<Known> find_original(const Job& job, const Version& file);  // the first of them
std::vector<Known> find_all(const Job& job);

// The rows that these have brought.
int64_t rows_loaded(const Job& job);

// A file was loaded. Raises a unique violation if another transaction has loaded it meanwhile: is_second_load().
void write_loaded(const RunKey& run, int attempt, const Job& job, const Load& load);
bool is_second_load(const pg::Error& error);

void write_failed(const RunKey& run, int attempt, const Job& job, const Load& load);

// The table does not hold a version any more; or nothing of the job's at all. Failure (serialization_failure) if that
// was true already.
void mark_replaced(const Known& known);
void mark_all_replaced(const Job& job);

// A version has another time now. Failure (serialization_failure) if the table does not hold it any more.
void touch(const Known& known, const Version& now);

// Versions have other paths now, also each other's. The same Failure, or is_second_load().
void move(const std::vector<Move>& moves);

// What a run has loaded of the job, in all its attempts.
struct Sum {
  int64_t files;
  int64_t rows;
  int64_t rejected;
};
Sum sum_of_run(const RunKey& run, const Job& job);

// Runs calls of these with what they need, in a session of a user.
template <typename F>
auto use(F&& calls) {
  const pg::EngineRights rights;
  const pg::LatestSnapshot snapshot;
  const pg::Spi spi;
  return calls();
}

}  // namespace etl::file_store

namespace etl {

// As a caller asks, with the caller's rights. Failure (undefined_object, insufficient_privilege) where there is no such
// job of his.

// Forgets which files the job has loaded; returns how many.
int64_t reset_bookmark(const std::string& layer, const std::string& job);

// Has a file loaded once more. Failure (no_data_found) if the job has not loaded it.
void reload_file(const std::string& layer, const std::string& job, const std::string& path);

}  // namespace etl
