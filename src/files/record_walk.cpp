#include "files/record_walk.h"

#include <algorithm>

#include "files/csv_top.h"
#include "files/lines.h"
#include "locations/text.h"

namespace etl::files {

RecordWalk::RecordWalk(const LoadRequest& request, Search* search)
    : marks_(marks_of(request.options)),
      columns_(request.file_columns.size()),
      search_(search),
      line_(request.options.skip),
      records_(read_top(request.source, request.options).skipped_records),
      header_(request.options.header.value_or(true) ? records_ + 1 : 0) {}

void RecordWalk::line(std::string_view text) {
  ++line_;
  if (record_.line == 0) {
    record_ = {line_, std::string(text)};
  } else if (record_.raw.size() < kMostLineBytes) {
    record_.raw.append("\n").append(text);
  }
  has_odd_escape_ = marks_.escape != marks_.quote && text.find(marks_.escape) != text.npos &&
                    shape_of(text, marks_, is_open_).has_odd_escape;
  is_open_ = ends_in_quotes(text, marks_, is_open_);
  if (!is_open_) end_record();
}

void RecordWalk::end() {
  if (is_open_) open_since_ = record_.line;
  if (record_.line > 0) end_record();
}

void RecordWalk::end_record() {
  ++records_;
  was_too_long_ = was_too_long_ || record_.raw.size() >= kMostLineBytes;
  if (record_.raw.ends_with('\r')) record_.raw.pop_back();
  const bool is_empty = columns_ > 1 && record_.raw.empty();
  if (search_->records.contains(records_)) {
    search_->record_places[records_] = record_;
  } else if (records_ != header_ && !is_empty && (search_->knows_records || is_row())) {
    if (search_->rows.contains(rows_)) search_->row_places[rows_] = record_;
    ++rows_;
  }
  record_ = {};
}

// As DuckDB decides it, which leaves out empty fields that are too many.
bool RecordWalk::is_row() const {
  const locations::CsvShape shape = shape_of(record_.raw, marks_);
  if (shape.has_text_behind || shape.fields < columns_ || !locations::is_valid_utf8(record_.raw)) return false;
  if (shape.fields == columns_) return true;
  const std::vector<std::string> fields = split_record(record_.raw, marks_);
  return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(columns_), fields.end(),
                     [](const std::string& field) { return field.empty(); });
}

}  // namespace etl::files
