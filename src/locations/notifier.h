// What the kernel tells of changes in directories (inotify).
//
// It tells that something changed beneath a directory, not what: whoever hears it has to look. Changes that other
// machines make on a network file system are not told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "locations/directory.h"

namespace etl::locations {

class Notifier {
 public:
  Notifier();  // FileError

  // Readable while there is something to be heard.
  int descriptor() const { return inotify_.get(); }

  // Tells of changes beneath a directory as changes of `place` from now on, but for what `leave_out` says as for
  // Listing. To be called again after each change of the place: directories may have come. FileError.
  void watch(int place, const Directory& root,
             const std::function<std::optional<std::string>(const std::string& path)>& leave_out,
             const std::function<void()>& tick);

  // Places that have changed since the last call. Never waits.
  std::set<int> changes();

 private:
  void add(int place, const Directory& directory);

  Descriptor inotify_;
  std::map<int, std::set<int>> places_;  // by the number of the watch: an inode may lie in several places
};

}  // namespace etl::locations
