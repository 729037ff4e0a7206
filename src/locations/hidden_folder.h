// A hidden folder beside a name, for what is on its way there. list() and find_files() leave it out.
//
// It is locked (flock) while this object lives, and the lock goes with the process: a folder without one was left by a
// process that died, and the next one beside the same name removes it.
#pragma once

#include <fcntl.h>

#include <string>
#include <vector>

#include "locations/directory.h"

namespace etl::locations {

class HiddenFolder {
 public:
  // `parent` has to stay open as long as this object lives. FileError.
  HiddenFolder(int parent, const std::string& name);
  // Removes it with all in it; what cannot be removed stays.
  ~HiddenFolder() { remove(); }
  HiddenFolder(HiddenFolder&& other) noexcept;
  HiddenFolder& operator=(HiddenFolder&&) = delete;

  int descriptor() const { return folder_.get(); }
  void remove();

  static constexpr size_t kLongestName = 230;  // of a name beside which there can be one

 private:
  bool make(const std::string& name);
  bool lock(const std::string& name);

  int parent_;
  std::string name_;  // empty: it is removed
  Descriptor folder_;
};

// What is in a directory; nothing where it cannot be read.
std::vector<std::string> names_in(int directory);

inline constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Throws the FileError of errno: "cannot be created: No space left on device".
[[noreturn]] void fail(const char* what);

}  // namespace etl::locations
