// One record of a CSV file: its header, or one that does not fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etl::files {

struct CsvMarks {
  std::string delimiter = ",";
  std::string quote = "\"";   // empty: none
  std::string escape = "\"";  // as quote: a quote is doubled
};

// The fields of a record, without its line end; none if a quoted field does not end in it: the record goes on with the
// next line.
std::optional<std::vector<std::string>> split_record(std::string_view record, const CsvMarks& marks);

// The same line by line: whether a quoted field goes on after this one. The record ends with the first that says no.
bool ends_in_quotes(std::string_view line, const CsvMarks& marks, bool begins_in_quotes);

// At most so many bytes of a text, without half a character at the end; what is not UTF-8, or NUL, as \xe9.
std::string printable(std::string_view text, size_t most = std::string_view::npos);

}  // namespace etl::files
