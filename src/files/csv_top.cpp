#include "files/csv_top.h"

#include "files/lines.h"
#include "files/problems.h"
#include "locations/text.h"

namespace etl::files {

namespace {

constexpr int64_t kMostHeaderLines = 100;

pg::Failure bad_header(const Source& source, const char* what) {
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" has no header", source.name.c_str()), what,
                     "Its first line must name its columns.");
}

ReaderOptions without_skip(ReaderOptions options) {
  options.skip = 0;
  return options;
}

// Puts lines together to records, and finds fault with those that DuckDB does not take.
class Top {
 public:
  Top(const Source& source, const ReaderOptions& options)
      : source_(source), options_(options), marks_(marks_of(options)), lines_(source, without_skip(options)) {}

  CsvTop read() {
    CsvTop top;
    while (line_ < options_.skip && next_line()) {
      check_line_end();
      if (shape_.has_text_behind) throw bad_skipped_line("text stands behind a quoted value in a skipped line");
      if (!shape_.is_open) ++top.skipped_records;
    }
    if (shape_.is_open) throw bad_skipped_line("a quote does not end in the skipped lines");
    top.columns = read_first_record();
    top.line_end = lines_.line_end();
    return top;
  }

 private:
  // Reads a line; what its quotes are like is in shape_.
  bool next_line() {
    const bool was_open = shape_.is_open;
    if (!lines_.next(&text_)) return false;
    ++line_;
    if (!was_open) begun_in_ = line_;
    if (lines_.was_too_long()) throw too_long(source_);
    std::string_view text = text_;
    if (ends_with_crlf() && text.ends_with('\r')) text.remove_suffix(1);
    shape_ = locations::shape_of(text, marks_, was_open);
    lacks_return_ = ends_with_crlf() && !shape_.is_open && text.size() == text_.size();
    return true;
  }

  bool ends_with_crlf() const { return lines_.had_end() && lines_.line_end() == "\r\n"; }

  void check_line_end() const {
    if (shape_.has_line_end || lacks_return_) throw mixed_line_ends(source_);
  }

  std::vector<std::string> read_first_record() {
    std::string record;
    size_t fields = 0;
    const int64_t last = line_ + kMostHeaderLines;
    while (line_ <= last && next_line()) {
      if (locations::printable(text_) != text_)
        throw pg::Failure(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
                          pg::format("the header of file \"%s\" is not in its encoding", source_.name.c_str()),
                          "It is: " + locations::printable(text_, kMostShown), kEncodingHint);
      check_line_end();
      record += text_;
      fields += shape_.fields - (fields > 0 ? 1 : 0);
      if (record.size() >= kMostLineBytes) throw too_long(source_);
      if (fields > kMostColumns) throw too_many_columns(source_, fields);
      if (shape_.has_text_behind && options_.header.value_or(true))
        throw bad_header(source_, "A quote in its first line does not end where its name does.");
      if (!shape_.is_open) {
        if (ends_with_crlf()) record.pop_back();
        return locations::split_record(record, marks_);
      }
      record += lines_.line_end() == "\r" ? '\r' : '\n';
    }
    if (!record.empty()) throw bad_header(source_, "A quote in its first line does not end.");
    return {};
  }

  pg::Failure bad_skipped_line(const char* what) const {
    return pg::Failure(
        ERRCODE_BAD_COPY_FILE_FORMAT,
        pg::format("file \"%s\", line %lld: %s", source_.name.c_str(), static_cast<long long>(begun_in_), what),
        "Where the rows begin cannot be told: skipped lines are read as CSV, too.",
        "Mend the line, or set the job's reader_options: skip, quote.");
  }

  const Source& source_;
  const ReaderOptions& options_;
  const locations::CsvMarks marks_;
  LineReader lines_;
  int64_t line_ = 0;
  int64_t begun_in_ = 0;  // the line in which the record begins
  std::string text_;
  locations::CsvShape shape_;
  bool lacks_return_ = false;
};

}  // namespace

CsvTop read_top(const Source& source, const ReaderOptions& options) {
  return Top(source, options).read();
}

}  // namespace etl::files
