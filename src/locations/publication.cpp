#include "locations/fence.h"

#include "locations/publication.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace etl::locations {
namespace {

constexpr const char* kMark = ".export-";
constexpr size_t kRandomDigits = 16;
constexpr size_t kLongestName = 255;
constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

using OpenDirectory = std::unique_ptr<DIR, int (*)(DIR*)>;

[[noreturn]] void fail(const char* what) {
  const auto kind =
      errno == EACCES || errno == EPERM || errno == EROFS ? FileError::Kind::kUnreadable : FileError::Kind::kBroken;
  throw FileError(kind, std::string(what) + ": " + strerror(errno));
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string hidden_prefix(const std::string& name) {
  return "." + name + kMark;
}

std::string random_digits() {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != sizeof number) fail("cannot be named");
  char text[kRandomDigits + 1];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

void sync(int descriptor) {
  if (fsync(descriptor) != 0) fail("cannot be written to disk");
}

int rename_with(int directory, const char* from, const char* to, unsigned int flags) {
  return static_cast<int>(syscall(SYS_renameat2, directory, from, directory, to, flags));
}

// A directory that is there afterwards; one that is new is for everybody to read, whatever the umask.
void make_directory(int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), kDirectoryMode) != 0) {
    if (errno == EEXIST) return;
    fail("cannot be created");
  }
  const Descriptor made(openat(parent, name.c_str(), kFolderFlags));
  if (!made.is_open() || fchmod(made.get(), kDirectoryMode) != 0) fail("cannot be created");
  sync(parent);
}

// The directory of a path, made as far as it is not there.
Directory directory_for(const Directory& root, const std::string& path) {
  Directory directory = root.open_directory("");
  const std::string parent = parent_of(path);
  for (size_t begin = 0; begin < parent.size();) {
    const size_t end = std::min(parent.find('/', begin), parent.size());
    try {
      directory = root.open_directory(parent.substr(0, end));
    } catch (const FileError& error) {
      if (error.kind() != FileError::Kind::kMissing) throw;
      make_directory(directory.descriptor(), parent.substr(begin, end - begin));
      directory = root.open_directory(parent.substr(0, end));
    }
    begin = end + 1;
  }
  return directory;
}

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  const Descriptor own(openat(directory, ".", kFolderFlags));
  Descriptor given(dup(own.get()));
  const OpenDirectory stream(given.is_open() ? fdopendir(given.get()) : nullptr, closedir);
  if (!stream) return names;
  given.release();  // the stream owns it now
  while (const dirent* next = readdir(stream.get()))
    if (strcmp(next->d_name, ".") != 0 && strcmp(next->d_name, "..") != 0) names.emplace_back(next->d_name);
  return names;
}

// A file, or a directory with all beneath it. What cannot be removed stays.
void remove_all(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || (errno != EISDIR && errno != EPERM)) return;
  const Descriptor folder(openat(directory, name.c_str(), kFolderFlags));
  if (!folder.is_open()) return;
  for (const std::string& inner : names_in(folder.get())) remove_all(folder.get(), inner);
  unlinkat(directory, name.c_str(), AT_REMOVEDIR);
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Publication::Publication(const Directory& root, const std::string& path, Kind kind)
    : path_(normalized(path)), name_(name_in(path_)), kind_(kind), parent_(directory_for(root, path_)) {
  if (name_.empty()) throw FileError(FileError::Kind::kBroken, "is no name");
  if (hidden_prefix(name_).size() + kRandomDigits > kLongestName)
    throw FileError(FileError::Kind::kBroken, "has too long a name");
  remove_leftovers();
  while (!stage(hidden_prefix(name_) + random_digits())) continue;
}

Publication::~Publication() {
  if (!hidden_.empty()) remove_all(parent_.descriptor(), hidden_);
}

Publication::Publication(Publication&& other) noexcept
    : path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      kind_(other.kind_),
      parent_(std::move(other.parent_)),
      hidden_(std::exchange(other.hidden_, "")),
      staged_(std::move(other.staged_)),
      directories_(std::move(other.directories_)) {}

// False: somebody took it for a leftover before it was locked.
bool Publication::stage(const std::string& hidden) {
  const int parent = parent_.descriptor();
  if (kind_ == Kind::kFolder) {
    if (mkdirat(parent, hidden.c_str(), S_IRWXU) != 0) fail("cannot be created");
    staged_ = Descriptor(openat(parent, hidden.c_str(), kFolderFlags));
  } else {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    staged_ = Descriptor(openat(parent, hidden.c_str(), flags, S_IRUSR | S_IWUSR));
    if (!staged_.is_open()) fail("cannot be created");
  }
  struct stat ours;
  struct stat named;
  if (!staged_.is_open() || flock(staged_.get(), LOCK_EX | LOCK_NB) != 0 ||
      fstatat(parent, hidden.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 || fstat(staged_.get(), &ours) != 0 ||
      !is_same(ours, named))
    return false;
  hidden_ = hidden;
  return true;
}

void Publication::remove_leftovers() const {
  const int parent = parent_.descriptor();
  const std::string prefix = hidden_prefix(name_);
  for (const std::string& name : names_in(parent)) {
    if (!name.starts_with(prefix) || name.size() != prefix.size() + kRandomDigits) continue;
    const Descriptor left(openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (left.is_open() && flock(left.get(), LOCK_EX | LOCK_NB) == 0) remove_all(parent, name);
  }
}

Descriptor Publication::new_file(const std::string& path) {
  Descriptor directory(openat(staged_.get(), ".", kFolderFlags));
  const std::string relative = normalized(path);
  for (size_t begin = 0, end; (end = relative.find('/', begin)) != std::string::npos; begin = end + 1) {
    const std::string name = relative.substr(begin, end - begin);
    make_directory(directory.get(), name);
    directories_.insert(relative.substr(0, end));
    directory = Descriptor(openat(directory.get(), name.c_str(), kFolderFlags));
    if (!directory.is_open()) fail("cannot be created");
  }
  const std::string name = name_in(relative);
  Descriptor file(openat(directory.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file.is_open()) fail("cannot be created");
  return file;
}

FileFacts Publication::seal(const Descriptor& file) {
  struct stat facts;
  if (fchmod(file.get(), kFileMode) != 0 || fstat(file.get(), &facts) != 0) fail("cannot be written");
  sync(file.get());
  return {static_cast<int64_t>(facts.st_size),
          static_cast<int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

FileFacts Publication::seal() {
  if (kind_ == Kind::kFile) return seal(staged_);
  for (const std::string& path : directories_) {
    const Descriptor directory(openat(staged_.get(), path.c_str(), kFolderFlags));
    if (!directory.is_open()) fail("cannot be opened");
    sync(directory.get());
  }
  if (fchmod(staged_.get(), kDirectoryMode) != 0) fail("cannot be written");
  sync(staged_.get());
  return {};
}

// False: something has the name.
bool Publication::rename_without_replacing() const {
  const int parent = parent_.descriptor();
  if (rename_with(parent, hidden_.c_str(), name_.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) fail("cannot be renamed");
  struct stat facts;  // the file system cannot do both at once
  if (fstatat(parent, name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return false;
  if (renameat(parent, hidden_.c_str(), parent, name_.c_str()) != 0) fail("cannot be renamed");
  return true;
}

// What had the name has the hidden one afterwards, or is gone. False: nothing has the name any more.
bool Publication::exchange() const {
  const int parent = parent_.descriptor();
  if (rename_with(parent, hidden_.c_str(), name_.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == ENOENT) return false;
  if (errno != EINVAL && errno != ENOSYS) fail("cannot be renamed");
  if (renameat(parent, hidden_.c_str(), parent, name_.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  // A folder that is not empty, on a file system that cannot exchange two: for a moment none has the name.
  const std::string aside = hidden_prefix(name_) + random_digits();
  if (renameat(parent, name_.c_str(), parent, aside.c_str()) != 0) fail("cannot be replaced");
  if (renameat(parent, hidden_.c_str(), parent, name_.c_str()) != 0) {
    const int number = errno;
    renameat(parent, aside.c_str(), parent, name_.c_str());
    errno = number;
    fail("cannot be renamed");
  }
  remove_all(parent, aside);
  return true;
}

void Publication::publish(bool may_replace) {
  while (!rename_without_replacing()) {
    if (!may_replace) throw FileError(FileError::Kind::kExists, "exists already");
    if (exchange()) break;
  }
  sync(parent_.descriptor());
  remove_all(parent_.descriptor(), std::exchange(hidden_, ""));  // what was replaced
}

bool is_there(const Directory& root, const std::string& path) {
  const std::string relative = normalized(path);
  try {
    struct stat facts;
    const Directory parent = root.open_directory(parent_of(relative));
    return fstatat(parent.descriptor(), name_in(relative).c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
  } catch (const FileError& error) {
    if (error.kind() == FileError::Kind::kMissing) return false;
    throw;
  }
}

Removal remove_if_unchanged(const Directory& root, const std::string& path, FileFacts facts) {
  try {
    if (root.open_file(path).facts() != facts) return Removal::kChanged;
    const std::string relative = normalized(path);
    const Directory parent = root.open_directory(parent_of(relative));
    if (unlinkat(parent.descriptor(), name_in(relative).c_str(), 0) == 0) return Removal::kRemoved;
    if (errno != ENOENT) fail("cannot be removed");
    return Removal::kMissing;
  } catch (const FileError& error) {
    if (error.kind() == FileError::Kind::kMissing) return Removal::kMissing;
    if (error.kind() == FileError::Kind::kNotRegular) return Removal::kChanged;
    throw;
  }
}

namespace {

bool remove_empty(int parent, const std::string& name) {
  const Descriptor folder(openat(parent, name.c_str(), kFolderFlags));
  if (!folder.is_open()) return false;
  bool is_empty = true;
  for (const std::string& inner : names_in(folder.get())) is_empty = remove_empty(folder.get(), inner) && is_empty;
  return is_empty && unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace

void remove_empty_directories(const Directory& root, const std::string& path) {
  try {
    const std::string relative = normalized(path);
    remove_empty(root.open_directory(parent_of(relative)).descriptor(), name_in(relative));
  } catch (const FileError&) {
    return;  // gone already
  }
}

}  // namespace etl::locations
