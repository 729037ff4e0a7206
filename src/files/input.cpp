#include "files/input.h"

#include <sys/mman.h>
#include <unistd.h>

#include "files/rejects.h"
#include "locations/magic.h"

namespace etl::files {

namespace {

// A file that holds a text, and is gone when nobody has it open any more.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(memfd_create("etl_files piece", MFD_CLOEXEC)) {
    // DuckDB takes a mark at the beginning away; one in the middle of a file belongs to its value.
    const bool keeps_mark = !text.starts_with(locations::kByteOrderMark) || append(locations::kByteOrderMark);
    if (descriptor_ >= 0 && keeps_mark && append(text)) return;
    const int error = errno;
    if (descriptor_ >= 0) close(descriptor_);
    throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("could not write a file in memory: %s", strerror(error)));
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  bool append(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written < 0 && errno != EINTR) return false;
      text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    }
    return true;
  }

  int descriptor_;
};

}  // namespace

Input::Input(const Database& database, const LoadRequest& request, const CsvReading& reading, const PutPiece& put_piece,
             Steps steps)
    : database_(database),
      request_(request),
      reading_(reading),
      put_piece_(put_piece),
      steps_(std::move(steps)),
      source_(request.source) {}

void Input::begin() {
  has_begun_ = true;
  if (!request_.put_aside || request_.source.format != Format::kCsv) return read(request_.options, reading_);
  pieces_.emplace(request_.source, request_.options, request_.file_columns.size());
  look_ahead({});
  begin_piece();
}

// While DuckDB reads a piece, the next one is made.
void Input::begin_piece() {
  if (next_failure_) throw pg::Failure(*next_failure_);
  Piece spare = std::move(piece_).value_or(Piece());
  piece_ = std::exchange(next_piece_, std::nullopt);
  if (!piece_) return;
  forget_rejects(database_);
  const MemoryFile file(piece_->text());
  Source piece = request_.source;
  piece.descriptor = file.descriptor();
  piece.compressed = false;
  source_ = put_piece_(piece);
  const CsvTop top = piece_->top();
  read(Piece::options_of(request_.options), {.keeps_rejects = true, .top = &top});
  look_ahead(std::move(spare));
}

void Input::look_ahead(Piece spare) try {
  next_piece_ = pieces_->next(std::move(spare));
} catch (const pg::Failure& failure) {
  next_failure_ = failure;
}

void Input::read(const ReaderOptions& options, const CsvReading& reading) {
  stream_.emplace(database_, steps_.query(source_, options, reading), steps_.prepare);
}

std::optional<Batch> Input::next() {
  if (!has_begun_) {
    begin();
  } else if (!pieces_) {
    steps_.done();
  }
  while (stream_) {
    if (std::optional<Batch> batch = stream_->next()) return batch;
    stream_.reset();
    if (!pieces_) break;
    steps_.done();
    begin_piece();
  }
  return std::nullopt;
}

}  // namespace etl::files
