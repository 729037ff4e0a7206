// Unpacking gzip files, and whether they are whole.
#pragma once

#include <zlib.h>

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace etl::files {

// Unpacks a file of one or more members, from its beginning, with reads of its own: the file's position is not moved.
class GzipReader {
 public:
  explicit GzipReader(int descriptor);
  ~GzipReader() { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // The next bytes; none at the end, which problem() may explain.
  std::string_view next();

  // Empty, or what is wrong with the file, such as "ends too early".
  const std::string& problem() const { return problem_; }

 private:
  bool fill();

  int descriptor_;
  z_stream stream_ = {};
  int64_t offset_ = 0;
  bool is_inside_ = false;  // a member has begun, and not ended
  bool is_done_ = false;
  std::string problem_;
  std::string packed_;
  std::string unpacked_;
};

// Unpacks a file beside its load, on a thread of its own, to find out whether it is whole: DuckDB takes what there
// is of a file that was cut off, and compares no check sums.
class GzipCheck {
 public:
  // `take` is given what was unpacked, on the thread.
  GzipCheck(int descriptor, std::function<void(std::string_view)> take);
  ~GzipCheck() { stop(); }
  GzipCheck(const GzipCheck&) = delete;
  GzipCheck& operator=(const GzipCheck&) = delete;

  // Waits for the end; a cancel ends it. Empty where the file is whole.
  std::string wait();

  // Ends the thread. May be called again.
  void stop();

 private:
  void run(int descriptor);

  const std::function<void(std::string_view)> take_;
  int wakeup_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> finished_ = false;
  std::string problem_;  // set before finished_
  std::thread thread_;
};

}  // namespace etl::files
