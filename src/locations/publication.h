// A file, or a folder of files, on its way into a directory: it is there as a whole, or not at all.
//
// It is written under a hidden name beside its own, which list() and find_files() leave out, and renamed at the end.
// What had the name before is replaced in the same step (RENAME_EXCHANGE) and removed then. Who writes holds a lock on
// the hidden file or folder (flock), which goes with the process: what has no lock was left by one that died, and the
// next publication under the same name removes it.
//
// Who may write in the directory besides the server could swap parts of a path while it is made; nothing here leaves
// the directory by that, and in a folder that is being written (mode 0700) nobody can.
#pragma once

#include <set>
#include <string>

#include "locations/directory.h"

namespace etl::locations {

class Publication {
 public:
  enum class Kind { kFile, kFolder };

  // Makes the directories that `path` needs, and the hidden file or folder. FileError.
  Publication(const Directory& root, const std::string& path, Kind kind);
  // Removes it if it was not published.
  ~Publication();
  Publication(Publication&& other) noexcept;
  Publication& operator=(Publication&&) = delete;

  const std::string& path() const { return path_; }  // normalized

  // Of kFile: where to write.
  int descriptor() const { return staged_.get(); }

  // Of kFolder: a new file in it, with the directories that it needs; for writing. FileError, also where it is there.
  Descriptor new_file(const std::string& path);

  // Readable for everybody, and on disk: to be called for each file when it has been written. FileError.
  static FileFacts seal(const Descriptor& file);

  // Likewise the file, or what of the folder is not files. Call it before publish().
  FileFacts seal();

  // Gives it its name. FileError, with nothing changed: where something has that name and may not be replaced, or the
  // file system refuses. A folder replaces a file system object of any kind, and so does a file.
  void publish(bool may_replace);

 private:
  bool stage(const std::string& hidden);
  void remove_leftovers() const;
  bool rename_without_replacing() const;
  bool exchange() const;
  void sync_parent() const;

  std::string path_;
  std::string name_;  // in its directory
  Kind kind_;
  Directory parent_;
  std::string hidden_;  // empty: nothing is there to be removed
  Descriptor staged_;
  std::set<std::string> directories_;  // made in a folder
};

// Whether something has this name: a file, a directory, a link. FileError where that cannot be seen.
bool is_there(const Directory& root, const std::string& path);

// Removes a file if it is as it was written. FileError where the system refuses.
enum class Removal { kRemoved, kMissing, kChanged };
Removal remove_if_unchanged(const Directory& root, const std::string& path, FileFacts facts);

// Removes the directory `path`, and the empty ones beneath it, as far as they are empty.
void remove_empty_directories(const Directory& root, const std::string& path);

}  // namespace etl::locations
