#include "files/csv_record.h"

#include <algorithm>
#include <cstdint>

#include "plan/fence.h"

namespace etl::files {

namespace {

// Goes through a text, which begins inside quotes or not; returns whether it ends so. A quote that does not begin its
// field is a character like others; blanks may stand before one that does.
template <typename AddCharacters, typename EndField>
bool scan(std::string_view text, const CsvMarks& marks, bool begins_in_quotes, AddCharacters add, EndField end_field) {
  enum class State { kBeginning, kQuoted, kPlain };
  State state = begins_in_quotes ? State::kQuoted : State::kBeginning;
  const auto at = [&](const std::string& mark, size_t i) { return !mark.empty() && text.substr(i).starts_with(mark); };
  for (size_t i = 0; i < text.size();) {
    if (state == State::kQuoted && at(marks.escape, i) && at(marks.quote, i + marks.escape.size())) {
      add(marks.quote);
      i += marks.escape.size() + marks.quote.size();
    } else if (state != State::kPlain && at(marks.quote, i)) {
      state = state == State::kQuoted ? State::kPlain : State::kQuoted;
      i += marks.quote.size();
    } else if (state != State::kQuoted && at(marks.delimiter, i)) {
      end_field();
      state = State::kBeginning;
      i += marks.delimiter.size();
    } else {
      if (state == State::kBeginning && text[i] != ' ') state = State::kPlain;
      add(text.substr(i++, 1));
    }
  }
  return state == State::kQuoted;
}

bool is_continuation(char c) {
  return (c & 0xc0) == 0x80;
}

// Bytes of the character of UTF-8 at the beginning; 0 if there is none.
size_t length_of_character(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const size_t length = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  const auto second = static_cast<uint8_t>(text[1]);
  const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);  // or a surrogate
  return is_overlong || is_beyond ? 0 : length;
}

}  // namespace

std::optional<std::vector<std::string>> split_record(std::string_view record, const CsvMarks& marks) {
  std::vector<std::string> fields(1);
  const bool quoted = scan(
      record, marks, false, [&](std::string_view more) { fields.back() += more; }, [&] { fields.emplace_back(); });
  if (quoted) return std::nullopt;
  return fields;
}

bool ends_in_quotes(std::string_view line, const CsvMarks& marks, bool begins_in_quotes) {
  if (marks.quote.empty() || line.find(marks.quote) == std::string_view::npos) return begins_in_quotes;
  return scan(
      line, marks, begins_in_quotes, [](std::string_view) {}, [] {});
}

std::string printable(std::string_view text, size_t most) {
  if (most < text.size()) {
    while (most > 0 && is_continuation(text[most])) --most;
    text = text.substr(0, most);
  }
  std::string result;
  while (!text.empty()) {
    const size_t length = length_of_character(text);
    if (length > 0) {
      result += text.substr(0, length);
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<uint8_t>(text[0]);
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

}  // namespace etl::files
