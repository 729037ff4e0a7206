#include "files/csv_record.h"

#include "plan/fence.h"

namespace etl::files {

std::optional<std::vector<std::string>> split_record(std::string_view record, const CsvMarks& marks) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  const auto at = [&](const std::string& mark, size_t i) {
    return !mark.empty() && record.substr(i).starts_with(mark);
  };
  for (size_t i = 0; i < record.size();) {
    if (quoted && at(marks.escape, i) && at(marks.quote, i + marks.escape.size())) {
      fields.back() += marks.quote;
      i += marks.escape.size() + marks.quote.size();
    } else if (at(marks.quote, i)) {
      quoted = !quoted;
      i += marks.quote.size();
    } else if (!quoted && at(marks.delimiter, i)) {
      fields.emplace_back();
      i += marks.delimiter.size();
    } else {
      fields.back() += record[i++];
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

}  // namespace etl::files
