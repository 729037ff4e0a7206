#include "files/session.h"

#include <fcntl.h>
#include <unistd.h>

#include "files/problems.h"
#include "files/reader.h"
#include "files/sniffer.h"
#include "files/table_load.h"

namespace etl::files {

namespace {

// A chunk of wide rows has several megabytes; with less room than that the threads wait for each other.
constexpr const char* kStreamingBuffer = "'8MB'";

// A descriptor of ours, behind which each file is put in its turn.
class Seat {
 public:
  Seat() : descriptor_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0)
      throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("could not open /dev/null: %s", strerror(errno)));
  }
  ~Seat() { close(descriptor_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  int descriptor() const { return descriptor_; }

  Source put(const Source& source) const {
    if (dup3(source.descriptor, descriptor_, O_CLOEXEC) < 0)
      throw pg::Failure(ERRCODE_SYSTEM_ERROR,
                        pg::format("file \"%s\" could not be read: %s", source.name.c_str(), strerror(errno)));
    Source placed = source;
    placed.descriptor = descriptor_;
    return placed;
  }

 private:
  int descriptor_;
};

class DuckDbSession : public Session {
 public:
  explicit DuckDbSession(const Limits& limits)
      : database_(limits, {seat_.descriptor(), piece_seat_.descriptor()},
                  {{"streaming_buffer_size", kStreamingBuffer}}) {}

  std::vector<std::string> column_names(const Source& source, const ReaderOptions& options) override {
    const Source placed = seat_.put(source);
    return explained(placed, [&] { return read_column_names(database_, placed, options); });
  }

  Shape sniff(const Source& source, const ReaderOptions& options, int64_t rows) override {
    const Source placed = seat_.put(source);
    return explained(placed, [&] { return sniff_shape(database_, placed, options, rows); });
  }

  LoadResult load(const LoadRequest& request) override {
    LoadRequest placed = request;
    placed.source = seat_.put(request.source);
    const auto put_piece = [this](const Source& piece) { return piece_seat_.put(piece); };
    return explained(placed.source, [&] { return load_table(database_, placed, put_piece); });
  }

 private:
  Seat seat_;
  Seat piece_seat_;
  Database database_;
};

}  // namespace

std::unique_ptr<Session> open_session(const Limits& limits) {
  return std::make_unique<DuckDbSession>(limits);
}

}  // namespace etl::files
