#include "files/csv_record.h"

#include "plan/fence.h"

namespace etl::files {

namespace {

// Goes through a text, which begins inside quotes or not; returns whether it ends so.
template <typename AddCharacters, typename EndField>
bool scan(std::string_view text, const CsvMarks& marks, bool quoted, AddCharacters add, EndField end_field) {
  const auto at = [&](const std::string& mark, size_t i) { return !mark.empty() && text.substr(i).starts_with(mark); };
  for (size_t i = 0; i < text.size();) {
    if (quoted && at(marks.escape, i) && at(marks.quote, i + marks.escape.size())) {
      add(marks.quote);
      i += marks.escape.size() + marks.quote.size();
    } else if (at(marks.quote, i)) {
      quoted = !quoted;
      i += marks.quote.size();
    } else if (!quoted && at(marks.delimiter, i)) {
      end_field();
      i += marks.delimiter.size();
    } else {
      add(text.substr(i++, 1));
    }
  }
  return quoted;
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

}  // namespace etl::files
