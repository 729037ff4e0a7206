// The lines of a text file, as they are there: for its header, and to find the place of a row that does not fit.
//
// They are read without DuckDB, which takes no line that is not in its encoding, or ends otherwise than the first.
#pragma once

#include <memory>
#include <string>

#include "files/gzip.h"
#include "files/module.h"
#include "locations/csv_record.h"
#include "locations/quote_walk.h"

namespace etl::files {

// The marks that a file is read with: those given, or COPY's.
locations::CsvMarks marks_of(const ReaderOptions& options);

class LineReader {
 public:
  // Begins after the lines that the options skip.
  LineReader(const Source& source, const ReaderOptions& options);

  // False at the end. The line is in UTF-8, as far as the file is in its encoding, and without its "\n"; an "\r" before
  // that is kept. Where the first record ends with "\r" alone, all lines do.
  bool next(std::string* line);

  // Whether the last line had an end: only at the end of the file it may have none.
  bool had_end() const { return had_end_; }

  // How the first record ends, once a line was read: "\n", "\r\n" or "\r".
  const std::string& line_end() const { return line_end_; }

  // Whether the last line was longer than any that can be read; then it was cut off.
  bool was_too_long() const { return was_too_long_; }

 private:
  enum class Encoding { kUtf8, kLatin1, kUtf16 };

  bool fill();
  void decode(std::string_view bytes);
  void find_line_end();

  const Source source_;
  const locations::CsvMarks marks_;
  Encoding encoding_;
  std::unique_ptr<GzipReader> gzip_;
  int64_t offset_ = 0;
  std::string bytes_;  // as read
  std::string rest_;   // half a character of UTF-16
  std::string text_;   // decoded
  size_t at_ = 0;      // the next character of it
  bool has_begun_ = false;
  bool had_end_ = false;
  std::string line_end_ = "\n";
  bool was_too_long_ = false;
};

// All of a CSV file that is not in UTF-16; of a compressed one the beginning.
locations::QuoteWalk walk_quotes(const Source& source, const ReaderOptions& options);

inline constexpr size_t kMostLineBytes = 1 << 24;

}  // namespace etl::files
