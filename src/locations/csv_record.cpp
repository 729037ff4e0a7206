#include "locations/fence.h"

#include "locations/csv_record.h"

namespace etl::locations {

namespace {

// Goes through a text, character by character: add(c) for those of fields, end_field() at each delimiter.
template <typename Add, typename EndField>
CsvShape scan(std::string_view text, const CsvMarks& marks, bool begins_open, Add add, EndField end_field) {
  enum class State { kBeginning, kBlank, kPlain, kQuoted, kEnded };  // kEnded: a quoted field, but for blanks
  State state = begins_open ? State::kQuoted : State::kBeginning;
  CsvShape shape;
  const auto is = [&](char mark, size_t i) { return mark != '\0' && i < text.size() && text[i] == mark; };
  const auto may_open = [&] {
    if (marks.quotes_anywhere || state == State::kBeginning || state == State::kBlank) return true;
    return state == State::kEnded && marks.escape == marks.quote;  // "a" "b" is one field
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (state == State::kQuoted) {
      if (is(marks.escape, i) && (is(marks.quote, i + 1) || is(marks.escape, i + 1))) {
        add(text[++i]);
      } else if (is(marks.quote, i)) {
        state = State::kEnded;
      } else {
        shape.has_odd_escape = shape.has_odd_escape || is(marks.escape, i);
        add(c);
      }
    } else if (is(marks.delimiter, i)) {
      ++shape.fields;
      end_field();
      state = State::kBeginning;
    } else if (is(marks.quote, i) && may_open()) {
      state = State::kQuoted;
    } else {
      add(c);
      shape.has_line_end = shape.has_line_end || c == '\n' || c == '\r';
      if (state == State::kEnded && c == ' ') continue;
      shape.has_text_behind = shape.has_text_behind || (state == State::kEnded && !marks.quotes_anywhere);
      state = state == State::kBeginning && c == ' ' ? State::kBlank : State::kPlain;
    }
  }
  shape.is_open = state == State::kQuoted;
  return shape;
}

}  // namespace

CsvShape shape_of(std::string_view text, const CsvMarks& marks, bool begins_open) {
  return scan(
      text, marks, begins_open, [](char) {}, [] {});
}

bool ends_in_quotes(std::string_view text, const CsvMarks& marks, bool begins_open) {
  if (marks.quote == '\0' || text.find(marks.quote) == text.npos) return begins_open;
  return shape_of(text, marks, begins_open).is_open;
}

std::vector<std::string> split_record(std::string_view record, const CsvMarks& marks) {
  std::vector<std::string> fields(1);
  scan(
      record, marks, false, [&](char c) { fields.back() += c; }, [&] { fields.emplace_back(); });
  return fields;
}

std::optional<std::string_view> first_record(std::string_view text, bool is_whole, const CsvMarks& marks) {
  bool open = false;
  for (size_t begin = 0;;) {
    const size_t end = text.find_first_of("\r\n", begin);
    open = ends_in_quotes(text.substr(begin, end - begin), marks, open);
    if (end == text.npos) break;
    if (!open) return text.substr(0, end);
    begin = end + 1;
  }
  if (open || !is_whole) return std::nullopt;
  return text;
}

}  // namespace etl::locations
