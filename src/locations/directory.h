// A directory out of which no path leads, and the files in it.
//
// Users name files by relative paths. Where the kernel resolves them (openat2), a path may go through symbolic links as
// long as every step stays beneath the directory; a link that is absolute or climbs out of it is refused, also when
// somebody changes directories meanwhile. Where openat2 is not to be had (a kernel before 5.6, a sandbox that forbids
// it), the path is walked component by component and every link is refused. Nothing here looks at a path twice:
// whoever has a File has an open descriptor, and reads what it was given.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etl::locations {

// Why a file or directory cannot be had. what() continues 'file "x" ...': "does not exist".
class FileError : public std::runtime_error {
 public:
  enum class Kind {
    kMissing,
    kOutside,     // the path leaves the directory, or might
    kNotRegular,  // a directory, a FIFO, a device
    kUnreadable,  // the operating system denies it
    kTooMany,     // entries, for list()
    kExists,      // and may not be replaced, for publish()
    kBroken       // input or output, or the path is not a name
  };

  FileError(Kind kind, const std::string& reason) : std::runtime_error(reason), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

// What distinguishes one content of a file from the next, as far as the file system tells.
struct FileFacts {
  int64_t size = 0;
  int64_t modified_ns = 0;  // since 1970

  bool operator==(const FileFacts&) const = default;
};

// Times before 1677 and after 2262 do not fit: they become these.
FileFacts facts_of(const struct stat& status);

// A regular file, open for reading.
class File {
 public:
  File(std::string path, Descriptor descriptor, FileFacts facts)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), facts_(facts) {}

  // An absolute path, whose links are followed. FileError where no regular file is there, or it cannot be read.
  static File open(const std::string& path);

  const std::string& path() const { return path_; }  // of one beneath a directory: relative, normalized
  int descriptor() const { return descriptor_.get(); }
  FileFacts facts() const { return facts_; }  // when it was opened
  FileFacts facts_now() const;

  // Fills the buffer from an offset on; less only at the end of the file. Returns the number of bytes.
  size_t read(int64_t offset, char* buffer, size_t size) const;

  // Hands the whole file over in pieces, until `take` returns false.
  void read_all(const std::function<bool(std::string_view)>& take) const;

 private:
  std::string path_;
  Descriptor descriptor_;
  FileFacts facts_;
};

// One thing that list() found.
struct Entry {
  std::string path;
  FileFacts facts;
  std::string problem;        // why it cannot be read ("is a named pipe"); empty for a regular file
  bool is_directory = false;  // one that was not looked into
};

struct Listing {
  size_t most_entries = 1'000'000;

  // What becomes of a directory, by its path: none: it is listed, too. Otherwise nothing beneath it is, and it becomes
  // one entry with this text as its problem; the empty text: not even that.
  std::function<std::optional<std::string>(const std::string& path)> leave_out;

  // Called again and again, so that somebody can end the listing by throwing.
  std::function<void()> tick;
};

class Directory {
 public:
  enum class Resolution { kKernel, kWalk };

  // An absolute path, whose own links are followed. FileError. kWalk: as if the kernel had no openat2.
  static Directory open(const std::string& path, Resolution resolution = Resolution::kKernel);

  // FileError where there is no such regular file, it cannot be read, or the path might leave the directory.
  File open_file(std::string_view path) const;

  // A directory beneath this one; "" is a second one of this. FileError.
  Directory open_directory(std::string_view path) const;

  // Everything beneath but directories, in the order of the paths' bytes. A symbolic link to a file beneath is that
  // file under the link's name; links to directories are not followed. A directory that cannot be read is an entry with
  // a problem. FileError (kTooMany, or where the directory itself cannot be read).
  std::vector<Entry> list(const Listing& listing = {}) const;

  int descriptor() const { return descriptor_.get(); }

 private:
  Directory(Descriptor descriptor, Resolution resolution)
      : descriptor_(std::move(descriptor)), resolution_(resolution) {}

  Descriptor resolve(const std::string& path, int flags) const;
  void list_one(const std::string& path, const Listing& listing, size_t& count, std::vector<Entry>& found,
                std::vector<std::string>& directories) const;
  std::optional<Entry> entry(int directory, const char* name, const std::string& path, bool& is_directory) const;

  Descriptor descriptor_;
  Resolution resolution_;
};

// The one way to write a relative path: "./a//b" is "a/b". FileError where it is absolute, goes up ("..") or holds NUL.
std::string normalized(std::string_view path);

}  // namespace etl::locations
