// Which files of a location are meant to be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "locations/directory.h"
#include "locations/file_type.h"

namespace etl::locations {

struct Rules {
  std::vector<FileType> file_types = {};         // empty: all that are known
  std::optional<std::string> name_pattern = {};  // for the file's name without its directory
  // For the path of a file or of a directory, with all beneath it. Without '/': for any of the path's components.
  std::vector<std::string> exclusions = {};
  std::optional<int64_t> min_size = {};
  std::optional<int64_t> max_size = {};
  int64_t stable_for_ns = 0;  // left alone until it has not been modified for so long
};

// Why a file is not to be read, or nothing: its own problem, then the first rule in the order above that it breaks.
// A file is hidden if a component of its path begins with '.', or with '_' and holds no '=' (a partition may).
std::optional<std::string> refusal(const Rules& rules, const Entry& entry, int64_t now_ns);

// The parts of it: what the path alone tells, and what size and time tell.
std::optional<std::string> refusal_of_path(const Rules& rules, const std::string& path);
std::optional<std::string> refusal_of_facts(const Rules& rules, FileFacts facts, int64_t now_ns);

// Why nothing beneath a directory is to be read: it is hidden or excluded.
std::optional<std::string> refusal_of_directory(const Rules& rules, const std::string& path);

// A file of a location, and why it is not to be read.
struct Found {
  Entry entry;
  std::optional<std::string> refusal;
};

// What of the location matches a pattern, in the order of the paths; and directories that are not looked into, where
// something in them could match. `listing.leave_out` is ours. FileError.
std::vector<Found> find_files(const Directory& directory, const Rules& rules, const std::string& pattern,
                              int64_t now_ns, Listing listing = {});

int64_t now_ns();  // of the clock that files are stamped by

}  // namespace etl::locations
