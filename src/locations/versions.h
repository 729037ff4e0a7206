// Versions of files: which of them have moved to another path.
//
// A file that is not known under its path may be one that was loaded under another. It is, if a loaded version has its
// content and is not at its own path any more: be nothing there, or a file with other content, as after log.csv was
// moved to log.1.csv and begun anew. A version moves once: what else has its content are copies.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "locations/directory.h"

namespace etl::locations {

// A file as it was at some time.
struct Version {
  std::string path;
  FileFacts facts;
  std::string hash;  // SHA-256 of its content as hexadecimal digits; empty: not looked at
};

// A version that a job's table holds.
struct Known {
  int64_t id;
  Version version;
  bool reload;  // somebody wants it loaded once more
  // What _loaded_at says in its rows, as the server counts time; none: they do not tell where they come from.
  std::optional<int64_t> stamp;
};

// A version that is at another path now, in the same content.
struct Move {
  Known from;
  Version to;
};

class MovedVersions {
 public:
  using FindSame = std::function<std::vector<Known>(const Version& file)>;
  using IsGone = std::function<bool(const Version& version)>;

  // `find_same` gives the loaded versions with the content of a file. `is_gone` says whether a version is certainly not
  // at its path any more; it is asked once for each.
  MovedVersions(FindSame find_same, IsGone is_gone) : find_same_(std::move(find_same)), is_gone_(std::move(is_gone)) {}

  // The version that a file is, of which the hash is known, and its own path is not that of a version with this
  // content. None if there is no such version that has moved. Each is given once, in the order of find_same.
  std::optional<Known> take(const Version& file);

 private:
  FindSame find_same_;
  IsGone is_gone_;
  std::map<std::string, std::deque<Known>> candidates_;  // by content; those that were not looked at yet
};

// Of the versions that were loaded from paths at which something else is after the moves, those that have not moved
// themselves: what they were is gone.
std::vector<Known> displaced(const std::vector<Move>& moves, std::vector<Known> at_new_paths);

}  // namespace etl::locations
