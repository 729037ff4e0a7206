#include "files/lines.h"

#include <unistd.h>

#include "files/problems.h"
#include "locations/magic.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kReadBytes = 1 << 18;
constexpr size_t kMostUnpacked = 1 << 24;  // to see whether a compressed file has lines that end in quotes

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

locations::CsvMarks marks_of(const ReaderOptions& options) {
  const auto byte = [](const std::string& mark) { return mark.empty() ? '\0' : mark[0]; };
  locations::CsvMarks marks;
  if (options.delimiter) marks.delimiter = byte(*options.delimiter);
  if (options.quote) marks.quote = byte(*options.quote);
  marks.escape = options.escape ? byte(*options.escape) : marks.quote;
  return marks;
}

LineReader::LineReader(const Source& source, const ReaderOptions& options)
    : source_(source), marks_(marks_of(options)) {
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

// In quotes, line ends are part of the value, whatever they are.
void LineReader::find_line_end() {
  has_begun_ = true;
  while (text_.size() < locations::kByteOrderMark.size() && fill()) continue;
  if (text_.starts_with(locations::kByteOrderMark)) text_.erase(0, locations::kByteOrderMark.size());
  bool is_open = false;
  for (size_t begin = 0, searched = 0;;) {
    const size_t end = text_.find_first_of("\r\n", searched);
    searched = std::min(end, text_.size());
    const bool may_go_on = searched + 1 >= text_.size();  // CR LF may be cut in two
    if (may_go_on && text_.size() < kMostLineBytes && fill()) continue;
    if (end == text_.npos) return;
    is_open = ends_in_quotes(std::string_view(text_).substr(begin, end - begin), marks_, is_open);
    begin = searched = end + 1;
    if (is_open) continue;
    if (text_[end] == '\r') line_end_ = text_.substr(begin, 1) == "\n" ? "\r\n" : "\r";
    return;
  }
}

bool LineReader::next(std::string* line) {
  if (!has_begun_) find_line_end();
  line->clear();
  was_too_long_ = false;
  had_end_ = false;
  bool found_any = false;
  for (;;) {
    const size_t end = text_.find(line_end_.back(), at_);
    const size_t size = std::min(end, text_.size()) - at_;
    found_any = found_any || size > 0 || end != text_.npos;
    if (line->size() < kMostLineBytes) line->append(text_, at_, size);
    was_too_long_ = line->size() >= kMostLineBytes;
    at_ += size;
    if (end != text_.npos) {
      ++at_;
      had_end_ = true;
      return true;
    }
    if (!fill() && at_ == text_.size()) return found_any;  // half a character may have been left
  }
}

locations::QuoteWalk walk_quotes(const Source& source, const ReaderOptions& options) {
  locations::QuoteWalk walk(marks_of(options));
  if (source.compressed) {
    GzipReader unpacked(source.descriptor);
    for (size_t taken = 0; taken < kMostUnpacked;) {
      const std::string_view bytes = unpacked.next();
      if (bytes.empty()) break;
      walk.take(bytes);
      taken += bytes.size();
    }
    return walk;
  }
  std::string bytes(kReadBytes, '\0');
  for (int64_t offset = 0;;) {
    pg::check_interrupts();
    const ssize_t size = pread(source.descriptor, bytes.data(), bytes.size(), offset);
    if (size <= 0) return walk;  // whoever reads the file says what is wrong
    walk.take(std::string_view(bytes).substr(0, static_cast<size_t>(size)));
    offset += size;
  }
}

}  // namespace etl::files
