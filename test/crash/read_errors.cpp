// Preloaded into a server, this lets every read from a file fail whose name ends with "unreadable.csv", as a failing
// disk does.
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

bool is_unreadable(int file) {
  constexpr const char* kEnd = "unreadable.csv";
  char link[64], name[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, name, sizeof name);
  const auto end = static_cast<ssize_t>(strlen(kEnd));
  return size >= end && memcmp(name + size - end, kEnd, static_cast<size_t>(end)) == 0;
}

}  // namespace

// In place of those of the C library.
extern "C" {

ssize_t pread64(int file, void* buffer, size_t size, off64_t offset) {
  if (is_unreadable(file)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, file, buffer, size, offset);
}

ssize_t pread(int file, void* buffer, size_t size, off_t offset) {
  return pread64(file, buffer, size, offset);
}

}  // extern "C"
