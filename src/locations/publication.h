// A file, or a folder of files, on its way into a directory: it is there as a whole, or not at all.
//
// It is written in a hidden folder beside its name and moved at the end. What had the name before takes its place in
// the hidden folder in the same step (RENAME_EXCHANGE), and can be put back until somebody says that it stays.
//
// Who may write in the directory besides the server could swap parts of a path while it is made; nothing here leaves
// the directory by that, and in the hidden folder (mode 0700) nobody can.
#pragma once

#include <map>
#include <set>
#include <string>

#include "locations/hidden_folder.h"

namespace etl::locations {

class Publication {
 public:
  enum class Kind { kFile, kFolder };
  enum class Renaming { kKernel, kPlain };

  // Makes the directories that `path` needs, and the hidden folder. FileError. kPlain: as if the file system could
  // neither exchange two names nor keep a name that is taken.
  Publication(const Directory& root, const std::string& path, Kind kind, Renaming renaming = Renaming::kKernel);
  // Gives it up unless keep() was called: what had the name has it again.
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

  // Gives it its name. FileError where something has that name and may not be replaced, or the file system refuses;
  // then it is to be given up. A folder replaces a file system object of any kind, and so does a file.
  void publish(bool may_replace);

  // It stays, and what it replaced goes. Throws nothing: what cannot be removed is left to the next publication.
  void keep();

 private:
  enum class State { kStaged, kPublished, kReplaced, kKept };

  bool take_free_name();
  bool exchange();
  bool replace_plainly();
  void give_up();
  void put_back() const;
  bool has_the_name() const;

  std::string path_;
  std::string name_;  // in its directory
  Kind kind_;
  Renaming renaming_;
  Directory parent_;
  HiddenFolder hidden_;  // in parent_
  Descriptor staged_;
  std::set<std::string> directories_;  // made in a folder
  State state_ = State::kStaged;
  const char* replaced_ = nullptr;  // of kReplaced: the name of what was replaced, in the hidden folder
};

// Whether something has this name: a file, a directory, a link. FileError where that cannot be seen.
bool is_there(const Directory& root, const std::string& path);

// Files by their paths, as they were when they had been written.
using Written = std::map<std::string, FileFacts>;

// What has this name, or is beneath it, and is none of these files as it was written: its path, or empty if there is no
// such thing. Files that are missing do not matter, nor do directories. Can be ended by `tick`, as a listing.
// FileError.
std::string first_foreign(const Directory& root, const std::string& path, const Written& written,
                          const std::function<void()>& tick);

// Removes a file if it is as it was written. FileError where the system refuses.
enum class Removal { kRemoved, kMissing, kChanged };
Removal remove_if_unchanged(const Directory& root, const std::string& path, FileFacts facts);

// Removes the directory `path`, and the empty ones beneath it, as far as they are empty.
void remove_empty_directories(const Directory& root, const std::string& path);

}  // namespace etl::locations
