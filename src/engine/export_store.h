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
  bool may_replace_any = false;  // also what a role has exported that the current user is no member of
};

// What the last export to this path wrote.
struct Earlier {
  locations::Written written;
  std::string exported_by;
  Oid owner;  // a role that may be gone
};

// None: there was no export to it. Failure (duplicate_file) if the path lies in the folder of
// another export, or another export's in it.
std::optional<Earlier> find(const std::string& location, const std::string& path);

// Writes down what was exported instead of what was under its path, and returns that; waits for whoever exports to the
// same path. Failure as fail_not_exporter() where that was somebody else without may_replace_any.
std::optional<locations::Written> record(const Export& done);

// Failure (insufficient_privilege): the export to a path belongs to another role.
[[noreturn]] void fail_not_exporter(const std::string& location, const std::string& path, const std::string& exporter);

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
