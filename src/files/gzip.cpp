#include "files/gzip.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "files/at_exit.h"
#include "files/signals.h"
#include "pg/error.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kPackedBytes = 1 << 16;
constexpr size_t kUnpackedBytes = 1 << 18;
constexpr int kGzipOnly = 15 + 16;  // the largest window, and no zlib header

}  // namespace

GzipReader::GzipReader(int descriptor)
    : descriptor_(descriptor), packed_(kPackedBytes, 0), unpacked_(kUnpackedBytes, 0) {
  if (inflateInit2(&stream_, kGzipOnly) != Z_OK)
    throw pg::Failure(ERRCODE_OUT_OF_MEMORY, "not enough memory to unpack a file");
}

// False at the end of the file.
bool GzipReader::fill() {
  if (stream_.avail_in > 0) return true;
  const ssize_t size = pread(descriptor_, packed_.data(), packed_.size(), offset_);
  if (size < 0) problem_ = std::string("could not be read: ") + strerror(errno);
  if (size <= 0) return false;
  offset_ += size;
  stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
  stream_.avail_in = static_cast<uInt>(size);
  return true;
}

std::string_view GzipReader::next() {
  while (!is_done_) {
    if (!fill()) {
      if (problem_.empty() && is_inside_) problem_ = "ends too early: it was cut off";
      if (problem_.empty() && offset_ == 0) problem_ = "is empty";
      break;
    }
    is_inside_ = true;
    stream_.next_out = reinterpret_cast<Bytef*>(unpacked_.data());
    stream_.avail_out = static_cast<uInt>(unpacked_.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      is_inside_ = false;
      inflateReset(&stream_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      problem_ = "is damaged, or something follows its content";
      break;
    }
    const size_t size = unpacked_.size() - stream_.avail_out;
    if (size > 0) return std::string_view(unpacked_).substr(0, size);
  }
  is_done_ = true;
  return {};
}

GzipCheck::GzipCheck(int descriptor, std::function<void(std::string_view)> take)
    : take_(std::move(take)), wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wakeup_ < 0)
    throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("could not create an eventfd: %s", strerror(errno)));
  at_exit::add(this, [](void* check) { static_cast<GzipCheck*>(check)->stop(); });
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this, descriptor] { run(descriptor); });
  } catch (...) {
    stop();
    throw;
  }
}

void GzipCheck::run(int descriptor) {
  try {
    GzipReader reader(descriptor);
    while (!stop_) {
      const std::string_view bytes = reader.next();
      if (bytes.empty()) break;
      take_(bytes);
    }
    problem_ = reader.problem();
  } catch (const std::exception&) {
    problem_ = "could not be checked: there is not enough memory";
  }
  finished_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof one);
}

std::string GzipCheck::wait() {
  while (!finished_) {
    pg::check_interrupts();
    pg::sleep_on_latch_or_socket(wakeup_, "EtlFileRead");
  }
  return problem_;
}

void GzipCheck::stop() {
  if (wakeup_ < 0) return;
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  at_exit::remove(this);
  close(wakeup_);
  wakeup_ = -1;
}

}  // namespace etl::files
