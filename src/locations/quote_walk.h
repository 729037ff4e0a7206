// Where the quoted fields of a CSV text begin and end, as csv_record.h has it, but in great strides: only quotes are
// looked at, and what stands around them.
#pragma once

#include <array>
#include <string_view>

#include "locations/csv_record.h"

namespace etl::locations {

class QuoteWalk {
 public:
  // For marks whose quotes begin fields only.
  explicit QuoteWalk(const CsvMarks& marks) : marks_(marks) {}

  // Goes on with the next bytes of a text in UTF-8 or another encoding that has ASCII's bytes for ASCII's characters
  // only.
  void take(std::string_view bytes);

  bool is_open() const;  // the text so far ends in a quoted field
  bool has_quoted_line_ends() const { return has_quoted_line_ends_; }

 private:
  enum class State {
    kOutside,
    kQuoted,
    kQuote,   // behind a quote in a quoted field, which ends it if it is not doubled
    kEscape,  // behind an escape mark that is no quote
    kEnded    // behind a quoted field, and perhaps blanks
  };

  size_t walk_outside(std::string_view bytes, size_t at);
  size_t walk_quoted(std::string_view bytes, size_t at);
  size_t walk_behind(std::string_view bytes, size_t at);
  bool begins_field(std::string_view bytes, size_t at) const;
  void remember_end(std::string_view bytes);

  CsvMarks marks_;
  State state_ = State::kOutside;
  bool has_begun_ = false;
  std::array<char, 2> before_{'\n', '\n'};  // the last bytes of what was taken
  bool has_quoted_line_ends_ = false;
};

}  // namespace etl::locations
