#include "locations/fence.h"

#include "locations/resolve.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace etl::locations {
namespace {

using Kind = FileError::Kind;

// The kernel gives up (EAGAIN) when directories are renamed while it resolves a path.
constexpr int kMostTries = 64;

FileError is_link() {
  return FileError(Kind::kOutside, "goes through a symbolic link, which this system does not allow to follow safely");
}

// Opens one component. O_NOFOLLOW does not say that it was for a link.
Descriptor open_component(int directory, const std::string& name, int flags) {
  Descriptor opened(openat(directory, name.c_str(), flags | O_NOFOLLOW));
  if (opened.is_open()) return opened;
  const int number = errno;
  struct stat facts;
  if (fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(facts.st_mode)) throw is_link();
  throw error_of_open(number);
}

}  // namespace

FileError error_of_open(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return FileError(Kind::kMissing, "does not exist");
    case EXDEV:
      return FileError(Kind::kOutside, "leads out of the location");
    case ELOOP:
      return FileError(Kind::kOutside, "goes through symbolic links that are not followed");
    case EACCES:
    case EPERM:
      return FileError(Kind::kUnreadable, "cannot be read by the server: " + std::string(strerror(number)));
    case ENXIO:
    case ENODEV:
      return FileError(Kind::kNotRegular, "is not a regular file");
    default:
      return FileError(Kind::kBroken, "cannot be opened: " + std::string(strerror(number)));
  }
}

Descriptor resolve_by_kernel(int directory, const std::string& path, int flags, bool& is_supported) {
  struct open_how how = {};
  how.flags = static_cast<unsigned int>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  is_supported = true;
  for (int tries = 1;; ++tries) {
    Descriptor opened(static_cast<int>(syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how))));
    if (opened.is_open()) return opened;
    if ((errno == EAGAIN || errno == EINTR) && tries < kMostTries) continue;
    if (errno == ENOSYS || errno == EPERM) {
      is_supported = false;
      return Descriptor();
    }
    throw error_of_open(errno);
  }
}

Descriptor resolve_by_walking(int directory, const std::string& path, int flags) {
  Descriptor open;
  int here = directory;
  size_t begin = 0;
  for (size_t slash; (slash = path.find('/', begin)) != std::string::npos; begin = slash + 1) {
    open = open_component(here, path.substr(begin, slash - begin), O_PATH | O_DIRECTORY | O_CLOEXEC);
    here = open.get();
  }
  return open_component(here, path.substr(begin), flags | O_CLOEXEC);
}

}  // namespace etl::locations
