// Locations as the engine uses them: from a name in setup.locations to open files.
//
// Whoever reads a file for somebody asks require_use() first, for the role that the file is read for; nothing else here
// checks a right. Server errors of these functions are pg::Failure, with SQLSTATE and hint.
#pragma once

#include "locations/rules.h"
#include "pg/error.h"

namespace etl {

// A row of setup.locations.
struct Location {
  std::string name;
  std::string directory;  // absolute
  locations::Rules rules;
  bool watch = false;
  int64_t rescan_interval_ms = 0;  // 0: none
  bool writable = false;           // exports may write there
  std::string owner;
  Oid owner_oid = InvalidOid;  // of a role that may be gone
};

// With the engine's rights. Failure (undefined_object).
Location find_location(const std::string& name);

// Failure (undefined_object): there is no such location.
[[noreturn]] void fail_unknown_location(const std::string& name);

// Its owner, roles that it is granted to, members of them, and superusers may use it.
bool may_use(const Location& location, Oid role);

// Failure (insufficient_privilege).
void require_use(const Location& location, Oid role);

// Failure (insufficient_privilege) where require_use() fails, or exports may not write there.
void require_writing(const Location& location, Oid role);

// Failure where its directory is not there.
locations::Directory open_directory(const Location& location);

// What matches a pattern, and why it is not to be read where a rule says so. Can be cancelled.
std::vector<locations::Found> list_files(const Location& location, const std::string& pattern);

// Failure (object_not_in_prerequisite_state) where a rule refuses a file.
void require_accepted(const Location& location, const std::string& path, const std::optional<std::string>& refusal);

// A file that the rules accept, by its path beneath the location. Failure, naming the file and what is wrong.
locations::File open_file(const Location& location, const std::string& path);

// What a FileError means in SQL. An empty path: the location's directory itself.
pg::Failure failure_of(const Location& location, const std::string& path, const locations::FileError& error);

// The same of a file that is named by its absolute path.
pg::Failure failure_of(const std::string& path, const locations::FileError& error);

// Failure (object_in_use).
[[noreturn]] void fail_changed(const std::string& path);

// The time of a file's FileFacts.
TimestampTz timestamp_of(int64_t ns_since_1970);

}  // namespace etl
