// setup.load_files: which files a job has loaded, and which version of each its table holds. What is said at the head
// of run_store.h holds here.
#pragma once

#include "engine/shared_state.h"
#include "locations/directory.h"
#include "pg/spi.h"

namespace etl::file_store {

// Whose files.
struct Job {
  std::string layer;
  std::string name;
  std::string location;
};

// A file as it was at some time.
struct Version {
  std::string path;
  locations::FileFacts facts;
  std::string hash;  // SHA-256 of its content as hexadecimal digits; empty: not looked at
};

// A version that the job's table holds.
struct Known {
  int64_t id;
  Version version;
  bool reload;  // somebody wants it loaded once more
};

// One attempt to load a file.
struct Load {
  Version version;
  int64_t rows = 0;
  int64_t rejected = 0;
  std::string message;
  int sqlstate = 0;  // of one that failed
};

// A path that is longer than this cannot be remembered.
inline constexpr size_t kLongestPath = 2000;

// Failure (undefined_object) if the job was dropped: nothing could be remembered of it.
void require_job(const Job& job);

// Which of these files the table does not hold, by path, size and time: their places in the list. Paths are no longer
// than kLongestPath.
std::vector<size_t> find_unknown(const Job& job, const std::vector<Version>& files);

std::optional<Known> find_by_path(const Job& job, const std::string& path);
std::vector<Known> find_by_content(const Job& job, const std::string& hash);
std::vector<Known> find_all(const Job& job);

// A file was loaded. Raises a unique violation if another transaction has loaded it meanwhile: is_second_load().
void write_loaded(const RunKey& run, int attempt, const Job& job, const Load& load);
bool is_second_load(const pg::Error& error);

void write_failed(const RunKey& run, int attempt, const Job& job, const Load& load);

// The table does not hold a version any more; or nothing of the job's at all. Failure (serialization_failure) if that
// was true already.
void mark_replaced(const Known& known);
void mark_all_replaced(const Job& job);

// A version has another path or time now. Failure (serialization_failure) if the table does not hold it any more.
void change(const Known& known, const Version& now, const std::string& message);

// What a run has loaded of the job, in all its attempts.
struct Sum {
  int64_t files;
  int64_t rows;
  int64_t rejected;
};
Sum sum_of_run(const RunKey& run, const Job& job);

}  // namespace etl::file_store

namespace etl {

// As a caller asks, with the caller's rights. Failure (undefined_object, insufficient_privilege) where there is no such
// job of his.

// Forgets which files the job has loaded; returns how many.
int64_t reset_bookmark(const std::string& layer, const std::string& job);

// Has a file loaded once more. Failure (no_data_found) if the job has not loaded it.
void reload_file(const std::string& layer, const std::string& job, const std::string& path);

}  // namespace etl
