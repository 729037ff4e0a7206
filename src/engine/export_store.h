// The SQL on setup.exports and setup.exported_files. With the engine's rights.
#pragma once

#include "engine/export.h"
#include "locations/publication.h"

namespace etl::export_store {

struct Export {
  std::string location;
  std::string path;
  std::string table;
  std::string format;
  std::vector<std::string> partition_by;
  std::vector<ExportedFile> files;
};

// What the last export to this path wrote, if there was one. Failure (duplicate_file) if the path lies in the folder of
// another export, or another export's in it.
std::optional<locations::Written> find(const std::string& location, const std::string& path);

// Writes down what was exported instead of what was under its path, and returns that; waits for whoever exports to the
// same path.
std::optional<locations::Written> record(const Export& done);

struct Expired {
  std::string path;
  bool is_folder;
  TimestampTz exported_at;
  std::vector<ExportedFile> files;
};

// Takes the exports that are older than the location's retention off the list, but for those that somebody replaces.
std::vector<Expired> take_expired(const std::string& location);

// Locations that have a retention.
std::vector<std::string> locations_with_retention();

}  // namespace etl::export_store
