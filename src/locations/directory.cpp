#include "locations/fence.h"

#include "locations/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "locations/resolve.h"

namespace etl::locations {
namespace {

using Kind = FileError::Kind;

constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // a FIFO must not make us wait
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kEntriesBetweenTicks = 256;

using OpenDirectory = std::unique_ptr<DIR, int (*)(DIR*)>;

struct stat stat_of(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) throw FileError(Kind::kBroken, "cannot be examined: " + std::string(strerror(errno)));
  return facts;
}

// Empty for a regular file.
std::string irregularity(mode_t mode) {
  if (S_ISREG(mode)) return "";
  if (S_ISDIR(mode)) return "is a directory";
  if (S_ISFIFO(mode)) return "is a named pipe";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is not a regular file";
}

File file_of(std::string path, Descriptor opened) {
  const struct stat facts = stat_of(opened.get());
  const std::string problem = irregularity(facts.st_mode);
  if (!problem.empty()) throw FileError(Kind::kNotRegular, problem);
  return File(std::move(path), std::move(opened), facts_of(facts));
}

std::string joined(const std::string& directory, const char* name) {
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  return std::exchange(fd_, -1);
}

FileFacts facts_of(const struct stat& status) {
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr int64_t kMostSeconds = std::numeric_limits<int64_t>::max() / kSecond - 1;
  const int64_t seconds = std::clamp<int64_t>(status.st_mtim.tv_sec, -kMostSeconds, kMostSeconds);
  return {status.st_size, seconds * kSecond + status.st_mtim.tv_nsec};
}

File File::open(const std::string& path) {
  Descriptor opened(::open(path.c_str(), kReadFlags));
  if (!opened.is_open()) throw error_of_open(errno);
  return file_of(path, std::move(opened));
}

FileFacts File::facts_now() const {
  return facts_of(stat_of(descriptor_.get()));
}

size_t File::read(int64_t offset, char* buffer, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(descriptor_.get(), buffer + done, size - done, offset + static_cast<int64_t>(done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      throw FileError(Kind::kBroken, "could not be read: " + std::string(strerror(errno)));
    }
  }
  return done;
}

void File::read_all(const std::function<bool(std::string_view)>& take) const {
  std::string buffer(size_t{1} << 18, '\0');
  size_t got;
  for (int64_t offset = 0; (got = read(offset, buffer.data(), buffer.size())) > 0;
       offset += static_cast<int64_t>(got)) {
    if (!take(std::string_view(buffer.data(), got))) return;
  }
}

std::string normalized(std::string_view path) {
  if (path.starts_with('/'))
    throw FileError(Kind::kOutside, "is an absolute path; a file of a location is named relative to it");
  if (path.find('\0') != std::string_view::npos) throw FileError(Kind::kBroken, "is no file name: it contains NUL");
  std::string result;
  while (!path.empty()) {
    const std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), component.size() + 1));
    if (component == "..") throw FileError(Kind::kOutside, "leads out of the location: \"..\" is not allowed");
    if (component.empty() || component == ".") continue;
    if (!result.empty()) result.push_back('/');
    result.append(component);
  }
  return result;
}

Directory Directory::open(const std::string& path, Resolution resolution) {
  Descriptor opened(::open(path.c_str(), kDirectoryFlags));
  if (!opened.is_open()) {
    if (errno == ENOTDIR) throw FileError(Kind::kNotRegular, "is not a directory");
    throw error_of_open(errno);
  }
  return Directory(std::move(opened), resolution);
}

Descriptor Directory::resolve(const std::string& path, int flags) const {
  if (resolution_ == Resolution::kKernel) {
    bool is_supported;
    Descriptor opened = resolve_by_kernel(descriptor_.get(), path, flags, is_supported);
    if (is_supported) return opened;
  }
  return resolve_by_walking(descriptor_.get(), path, flags);
}

File Directory::open_file(std::string_view path) const {
  std::string name = normalized(path);
  if (name.empty()) throw FileError(Kind::kNotRegular, "is a directory");
  Descriptor opened = resolve(name, kReadFlags);
  return file_of(std::move(name), std::move(opened));
}

Directory Directory::open_directory(std::string_view path) const {
  const std::string name = normalized(path);
  return Directory(resolve(name.empty() ? "." : name, kDirectoryFlags), resolution_);
}

// What a name of an open directory stands for; none where it is gone meanwhile.
std::optional<Entry> Directory::entry(int directory, const char* name, const std::string& path,
                                      bool& is_directory) const {
  is_directory = false;
  struct stat facts;
  if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return Entry{path, {}, error_of_open(errno).what()};
  }
  if (!S_ISLNK(facts.st_mode)) {
    is_directory = S_ISDIR(facts.st_mode);
    return Entry{path, facts_of(facts), irregularity(facts.st_mode)};
  }
  try {
    const Descriptor target = resolve(path, O_PATH | O_CLOEXEC);
    const struct stat target_facts = stat_of(target.get());
    if (S_ISDIR(target_facts.st_mode)) return Entry{path, {}, "is a symbolic link to a directory: not followed", true};
    return Entry{path, facts_of(target_facts), irregularity(target_facts.st_mode)};
  } catch (const FileError& error) {
    if (error.kind() == Kind::kMissing) return Entry{path, {}, "is a symbolic link to nothing"};
    return Entry{path, {}, error.what()};
  }
}

void Directory::list_one(const std::string& path, const Listing& listing, size_t& count, std::vector<Entry>& found,
                         std::vector<std::string>& directories) const {
  Descriptor opened = resolve(path.empty() ? "." : path, kDirectoryFlags | (path.empty() ? 0 : O_NOFOLLOW));
  OpenDirectory stream(fdopendir(opened.get()), closedir);
  if (!stream) throw error_of_open(errno);
  const int descriptor = opened.release();  // the stream owns it now
  while (true) {
    errno = 0;
    const dirent* const next = readdir(stream.get());
    if (next == nullptr && errno != 0)
      throw FileError(Kind::kBroken, "could not be read: " + std::string(strerror(errno)));
    if (next == nullptr) return;
    if (strcmp(next->d_name, ".") == 0 || strcmp(next->d_name, "..") == 0) continue;
    if (++count > listing.most_entries)
      throw FileError(Kind::kTooMany, "has more than " + std::to_string(listing.most_entries) + " files");
    if (listing.tick && count % kEntriesBetweenTicks == 0) listing.tick();
    bool is_directory;
    std::optional<Entry> it = entry(descriptor, next->d_name, joined(path, next->d_name), is_directory);
    if (!it) continue;
    if (!is_directory) {
      found.push_back(*std::move(it));
      continue;
    }
    const auto reason = listing.leave_out ? listing.leave_out(it->path) : std::nullopt;
    if (!reason)
      directories.push_back(std::move(it->path));
    else if (!reason->empty())
      found.push_back({std::move(it->path), {}, *reason, true});
  }
}

std::vector<Entry> Directory::list(const Listing& listing) const {
  std::vector<Entry> found;
  std::vector<std::string> directories;
  size_t count = 0;
  list_one("", listing, count, found, directories);
  while (!directories.empty()) {
    const std::string path = std::move(directories.back());
    directories.pop_back();
    if (listing.tick) listing.tick();
    try {
      list_one(path, listing, count, found, directories);
    } catch (const FileError& error) {
      if (error.kind() == Kind::kTooMany) throw;
      if (error.kind() != Kind::kMissing) found.push_back({path, {}, error.what(), true});
    }
  }
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
  return found;
}

}  // namespace etl::locations
