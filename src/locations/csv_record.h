// The records of a CSV file, from its lines.
//
// Where a field ends is what DuckDB says in its strict mode, as it takes the rows apart. A quote that does not begin
// its field is a character like others; a blank may stand before one that does, and blanks behind one that ends it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etl::locations {

// Bytes; '\0': none.
struct CsvMarks {
  char delimiter = ',';
  char quote = '"';
  char escape = '"';             // as quote: a quote is doubled
  bool quotes_anywhere = false;  // COPY's way: quotes begin and end inside a field, too
};

// What a text shows that begins in a record, or in a quoted field of one.
struct CsvShape {
  size_t fields = 1;             // that begin or go on in it
  bool is_open = false;          // a quoted field does not end: the record goes on with the next line
  bool has_text_behind = false;  // behind a quoted field: "a"b
  bool has_odd_escape = false;   // the escape mark stands before something else than itself and the quote
  bool has_line_end = false;     // CR or LF outside quotes
};

// `begins_open`: in a quoted field, as the line before left it.
CsvShape shape_of(std::string_view text, const CsvMarks& marks, bool begins_open = false);

// As shape_of(...).is_open.
bool ends_in_quotes(std::string_view text, const CsvMarks& marks, bool begins_open = false);

// The fields of a record, without its line end.
std::vector<std::string> split_record(std::string_view record, const CsvMarks& marks);

// The first record of a text, without its line end; none if it does not end there. `is_whole`: what ends the text ends
// the record, too.
std::optional<std::string_view> first_record(std::string_view text, bool is_whole, const CsvMarks& marks);

}  // namespace etl::locations
