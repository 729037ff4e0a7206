#include "files/pieces.h"

#include "files/problems.h"

namespace etl::files {

namespace {

// More cost memory, fewer cost time: a query takes some milliseconds to begin.
constexpr size_t kMostRecords = 50'000;
constexpr size_t kMostBytes = 8 << 20;

}  // namespace

ReaderOptions Piece::options_of(ReaderOptions options) {
  options.header = false;
  options.skip = 0;
  options.encoding.reset();
  return options;
}

Place Piece::record(size_t number) const {
  if (number == 0 || number > records_.size()) return {};
  const Begin& begin = records_[number - 1];
  const size_t end = number == records_.size() ? text_.size() : records_[number].offset;
  std::string raw = text_.substr(begin.offset, end - begin.offset);
  if (raw.ends_with(line_end_)) raw.resize(raw.size() - line_end_.size());
  return {begin.line, std::move(raw)};
}

std::map<int64_t, Place> Piece::rows(const std::set<int64_t>& numbers, const std::set<int64_t>& bad_records) const {
  std::map<int64_t, Place> places;
  int64_t row = 0;
  for (size_t number = 1; number <= records_.size() && places.size() < numbers.size(); ++number) {
    if (bad_records.contains(static_cast<int64_t>(number))) continue;
    const size_t begin = records_[number - 1].offset;
    if (!has_empty_rows_ && text_.compare(begin, line_end_.size(), line_end_) == 0) continue;
    if (numbers.contains(row)) places[row] = record(number);
    ++row;
  }
  return places;
}

Pieces::Pieces(const Source& source, const ReaderOptions& options, size_t columns)
    : source_(source),
      columns_(columns),
      lines_(source, options),
      quotes_(marks_of(options)),
      line_number_(options.skip),
      is_header_next_(options.header.value_or(true)) {}

std::optional<Piece> Pieces::next(Piece piece) {
  piece.text_.clear();
  piece.records_.clear();
  while (piece.records_.size() < kMostRecords && piece.text_.size() < kMostBytes)
    if (!read_record(&piece)) break;
  if (piece.records_.empty()) return std::nullopt;
  piece.line_end_ = lines_.line_end();
  piece.has_empty_rows_ = columns_ == 1;
  return piece;
}

// DuckDB sees only one piece at a time.
void Pieces::check_line_end() const {
  if (!lines_.had_end() || lines_.line_end() == "\r") return;
  if (line_.ends_with("\r\n") != (lines_.line_end() == "\r\n")) throw mixed_line_ends(source_);
}

bool Pieces::next_line() {
  if (!lines_.next(&line_)) return false;
  ++line_number_;
  if (lines_.had_end()) line_ += lines_.line_end().back();
  quotes_.take(line_);
  return true;
}

// A quoted field may contain line ends.
bool Pieces::read_record(Piece* piece) {
  const Piece::Begin begin{line_number_ + 1, piece->text_.size()};
  bool is_too_long = false;
  do {
    if (!next_line()) {
      if (!quotes_.is_open()) return false;
      throw open_quote(source_, begin.line);
    }
    is_too_long = is_too_long || piece->text_.size() - begin.offset + line_.size() >= kMostLineBytes;
    if (!is_too_long) piece->text_ += line_;
  } while (quotes_.is_open());
  if (is_too_long) throw too_long(source_);
  check_line_end();
  if (std::exchange(is_header_next_, false)) {
    piece->text_.resize(begin.offset);
  } else {
    piece->records_.push_back(begin);
  }
  return true;
}

}  // namespace etl::files
