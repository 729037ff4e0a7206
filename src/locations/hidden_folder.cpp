#include "locations/fence.h"

#include "locations/hidden_folder.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace etl::locations {
namespace {

constexpr const char* kMark = ".export-";
constexpr size_t kRandomDigits = 16;
constexpr int kMostTries = 16;

using OpenDirectory = std::unique_ptr<DIR, int (*)(DIR*)>;

std::string prefix_for(const std::string& name) {
  return "." + name + kMark;
}

std::string random_digits() {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != sizeof number) fail("cannot be named");
  char text[kRandomDigits + 1];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// A file, or a directory with all beneath it. What cannot be removed stays.
void remove_all(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || (errno != EISDIR && errno != EPERM)) return;
  const Descriptor folder(openat(directory, name.c_str(), kFolderFlags));
  if (!folder.is_open()) return;
  for (const std::string& inner : names_in(folder.get())) remove_all(folder.get(), inner);
  unlinkat(directory, name.c_str(), AT_REMOVEDIR);
}

void remove_leftovers(int parent, const std::string& name) {
  const std::string prefix = prefix_for(name);
  for (const std::string& each : names_in(parent)) {
    if (!each.starts_with(prefix) || each.size() != prefix.size() + kRandomDigits) continue;
    const Descriptor left(openat(parent, each.c_str(), kFolderFlags));
    if (left.is_open() && flock(left.get(), LOCK_EX | LOCK_NB) == 0) remove_all(parent, each);
  }
}

}  // namespace

void fail(const char* what) {
  const auto kind =
      errno == EACCES || errno == EPERM || errno == EROFS ? FileError::Kind::kUnreadable : FileError::Kind::kBroken;
  throw FileError(kind, std::string(what) + ": " + strerror(errno));
}

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  Descriptor own(openat(directory, ".", kFolderFlags));
  const OpenDirectory stream(own.is_open() ? fdopendir(own.get()) : nullptr, closedir);
  if (!stream) return names;
  own.release();  // the stream owns it now
  while (const dirent* next = readdir(stream.get()))
    if (strcmp(next->d_name, ".") != 0 && strcmp(next->d_name, "..") != 0) names.emplace_back(next->d_name);
  return names;
}

HiddenFolder::HiddenFolder(int parent, const std::string& name) : parent_(parent) {
  remove_leftovers(parent, name);
  for (int i = 0; i < kMostTries; ++i)
    if (make(prefix_for(name) + random_digits())) return;
  throw FileError(FileError::Kind::kBroken, "cannot be created: its hidden folder goes again and again");
}

HiddenFolder::HiddenFolder(HiddenFolder&& other) noexcept
    : parent_(other.parent_), name_(std::exchange(other.name_, "")), folder_(std::move(other.folder_)) {}

// False: somebody took it for a leftover before it was locked.
bool HiddenFolder::make(const std::string& name) {
  if (mkdirat(parent_, name.c_str(), S_IRWXU) != 0) fail("cannot be created");
  if (lock(name)) {
    name_ = name;
    return true;
  }
  if (errno == EWOULDBLOCK || errno == ENOENT) return false;
  const int number = errno;
  unlinkat(parent_, name.c_str(), AT_REMOVEDIR);
  errno = number;
  fail("cannot be created");
}

bool HiddenFolder::lock(const std::string& name) {
  struct stat ours;
  struct stat named;
  folder_ = Descriptor(openat(parent_, name.c_str(), kFolderFlags));
  if (!folder_.is_open() || flock(folder_.get(), LOCK_EX | LOCK_NB) != 0 || fstat(folder_.get(), &ours) != 0 ||
      fstatat(parent_, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0)
    return false;
  if (ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) return true;
  errno = ENOENT;
  return false;
}

void HiddenFolder::remove() {
  if (name_.empty()) return;
  if (unlinkat(parent_, name_.c_str(), AT_REMOVEDIR) != 0) {
    for (const std::string& inner : names_in(folder_.get())) remove_all(folder_.get(), inner);
    unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
  }
  name_.clear();
}

}  // namespace etl::locations
