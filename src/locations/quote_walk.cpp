#include "locations/fence.h"

#include "locations/quote_walk.h"

#include <algorithm>

#include "locations/magic.h"

namespace etl::locations {

void QuoteWalk::take(std::string_view bytes) {
  if (marks_.quote == '\0' || bytes.empty()) return;
  if (!has_begun_ && bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  has_begun_ = true;
  for (size_t at = 0; at < bytes.size();) {
    switch (state_) {
      case State::kOutside:
        at = walk_outside(bytes, at);
        break;
      case State::kQuoted:
        at = walk_quoted(bytes, at);
        break;
      case State::kQuote:
        state_ = bytes[at] == marks_.quote ? State::kQuoted : State::kEnded;
        if (state_ == State::kQuoted) ++at;
        break;
      case State::kEscape:
        state_ = State::kQuoted;
        if (bytes[at] == marks_.quote || bytes[at] == marks_.escape) ++at;
        break;
      case State::kEnded:
        at = walk_behind(bytes, at);
        break;
    }
  }
  remember_end(bytes);
}

bool QuoteWalk::is_open() const {
  return state_ == State::kQuoted || state_ == State::kEscape;
}

size_t QuoteWalk::walk_outside(std::string_view bytes, size_t at) {
  const size_t quote = bytes.find(marks_.quote, at);
  if (quote == bytes.npos) return bytes.size();
  if (begins_field(bytes, quote)) state_ = State::kQuoted;
  return quote + 1;
}

size_t QuoteWalk::walk_quoted(std::string_view bytes, size_t at) {
  const bool is_doubled = marks_.escape == marks_.quote || marks_.escape == '\0';
  const size_t mark = is_doubled ? bytes.find(marks_.quote, at)
                                 : bytes.find_first_of(std::array{marks_.quote, marks_.escape}.data(), at, 2);
  const std::string_view text = bytes.substr(at, mark - at);
  has_quoted_line_ends_ = has_quoted_line_ends_ || text.find('\n') != text.npos || text.find('\r') != text.npos;
  if (mark == bytes.npos) return bytes.size();
  if (bytes[mark] != marks_.quote) {
    state_ = State::kEscape;
  } else {
    state_ = marks_.escape == marks_.quote ? State::kQuote : State::kEnded;
  }
  return mark + 1;
}

// "a" "b" is one field.
size_t QuoteWalk::walk_behind(std::string_view bytes, size_t at) {
  at = std::min(bytes.find_first_not_of(' ', at), bytes.size());
  if (at == bytes.size()) return at;
  state_ = State::kOutside;
  if (bytes[at] != marks_.quote || marks_.escape != marks_.quote) return at;
  state_ = State::kQuoted;
  return at + 1;
}

bool QuoteWalk::begins_field(std::string_view bytes, size_t at) const {
  const auto byte = [&](size_t back) { return back <= at ? bytes[at - back] : before_[before_.size() + at - back]; };
  const auto ends_field = [&](char c) { return c == marks_.delimiter || c == '\n' || c == '\r'; };
  return ends_field(byte(1)) || (byte(1) == ' ' && ends_field(byte(2)));
}

void QuoteWalk::remember_end(std::string_view bytes) {
  if (bytes.empty()) return;
  before_[0] = bytes.size() > 1 ? bytes[bytes.size() - 2] : before_[1];
  before_[1] = bytes.back();
}

}  // namespace etl::locations
