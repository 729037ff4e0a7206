#include "files/lines.h"

#include <unistd.h>

#include "files/problems.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kReadBytes = 1 << 18;
constexpr std::string_view kMark = "\xef\xbb\xbf";  // of byte order, in UTF-8

void append_utf8(std::string* text, uint32_t c) {
  const auto more = [&](int shift) { *text += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    *text += static_cast<char>(c);
  } else if (c < 0x800) {
    *text += static_cast<char>(0xc0 | (c >> 6));
    more(0);
  } else if (c < 0x10000) {
    *text += static_cast<char>(0xe0 | (c >> 12));
    more(6);
    more(0);
  } else {
    *text += static_cast<char>(0xf0 | (c >> 18));
    more(12);
    more(6);
    more(0);
  }
}

uint32_t unit_at(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]) | static_cast<uint8_t>(bytes[i + 1]) << 8;
}

bool is_high_surrogate(uint32_t unit) {
  return (unit & 0xfc00) == 0xd800;
}

// Returns how many bytes were decoded: a character may go on in the next piece.
size_t decode_utf16(std::string_view bytes, std::string* text) {
  size_t i = 0;
  for (; i + 2 <= bytes.size(); i += 2) {
    uint32_t c = unit_at(bytes, i);
    if (is_high_surrogate(c)) {
      if (i + 4 > bytes.size()) break;
      c = 0x10000 + ((c & 0x3ff) << 10) + (unit_at(bytes, i + 2) & 0x3ff);
      i += 2;
    }
    append_utf8(text, c);
  }
  return i;
}

}  // namespace

LineReader::LineReader(const Source& source, const ReaderOptions& options) : source_(source) {
  const std::string encoding = options.encoding.value_or("utf-8");
  encoding_ = encoding == "latin-1" ? Encoding::kLatin1 : encoding == "utf-16" ? Encoding::kUtf16 : Encoding::kUtf8;
  if (source.compressed)
    gzip_ = std::make_unique<GzipReader>(source.descriptor);
  else
    bytes_.resize(kReadBytes);
  std::string skipped;
  for (int64_t i = 0; i < options.skip; ++i)
    if (!next(&skipped)) break;
}

void LineReader::decode(std::string_view bytes) {
  if (encoding_ == Encoding::kUtf8) {
    text_ += bytes;
  } else if (encoding_ == Encoding::kLatin1) {
    for (const char c : bytes) append_utf8(&text_, static_cast<uint8_t>(c));
  } else {
    rest_ += bytes;
    rest_.erase(0, decode_utf16(rest_, &text_));
  }
}

// More text behind what is left of it; false at the end.
bool LineReader::fill() {
  pg::check_interrupts();
  text_.erase(0, at_);
  at_ = 0;
  if (gzip_) {
    const std::string_view bytes = gzip_->next();
    if (!gzip_->problem().empty()) throw unreadable(source_, gzip_->problem());
    decode(bytes);
    return !bytes.empty();
  }
  const ssize_t size = pread(source_.descriptor, bytes_.data(), bytes_.size(), offset_);
  if (size < 0)
    throw pg::Failure(ERRCODE_IO_ERROR,
                      pg::format("file \"%s\" could not be read: %s", source_.name.c_str(), strerror(errno)));
  offset_ += size;
  if (size == 0) text_ += std::exchange(rest_, "");
  decode(std::string_view(bytes_).substr(0, static_cast<size_t>(size)));
  return size > 0;
}

void LineReader::find_line_end() {
  has_begun_ = true;
  while (text_.size() < kMostLineBytes && text_.find_first_of("\r\n") >= text_.size() - 1 && fill()) continue;
  if (text_.starts_with(kMark)) at_ = kMark.size();
  const size_t end = text_.find_first_of("\r\n");
  if (end < text_.size() && text_[end] == '\r' && text_.substr(end + 1, 1) != "\n") line_end_ = '\r';
}

bool LineReader::next(std::string* line) {
  if (!has_begun_) find_line_end();
  line->clear();
  was_too_long_ = false;
  bool found_any = false;
  for (;;) {
    const size_t end = text_.find(line_end_, at_);
    const size_t size = std::min(end, text_.size()) - at_;
    found_any = found_any || size > 0 || end != text_.npos;
    if (line->size() < kMostLineBytes) line->append(text_, at_, size);
    was_too_long_ = line->size() >= kMostLineBytes;
    at_ += size;
    if (end != text_.npos) {
      ++at_;
      return true;
    }
    if (!fill()) return found_any;
  }
}

}  // namespace etl::files
