#include "disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "sample.h"

namespace bench {

namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& directory) {
    std::string name = directory + "/sync.XXXXXX";
    descriptor_ = mkstemp(name.data());
    check(descriptor_ >= 0);
    unlink(name.c_str());
  }
  ~TemporaryFile() { close(descriptor_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  template <size_t kSize>
  void write_and_sync(const std::array<char, kSize>& page) {
    check(pwrite(descriptor_, page.data(), kSize, 0) == static_cast<ssize_t>(kSize) && fdatasync(descriptor_) == 0);
  }

 private:
  static void check(bool done) {
    if (!done) throw std::system_error(errno, std::generic_category(), "could not sync a file");
  }

  int descriptor_;
};

}  // namespace

double syncs_per_second(const std::string& directory) {
  TemporaryFile file(directory);
  std::array<char, 8192> page{};
  file.write_and_sync(page);  // the first one allocates
  Sample seconds;
  for (int i = 0; i < 50; ++i) {
    page.fill(static_cast<char>(i));
    const auto start = std::chrono::steady_clock::now();
    file.write_and_sync(page);
    seconds.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 1 / seconds.median();
}

}  // namespace bench
