#include "files/copied_rows.h"

#include "pg/copy_rows.h"

namespace etl::files {

namespace {

constexpr size_t kLinesRemembered = 1 << 14;  // more than COPY reads ahead of the row that it stores

}  // namespace

CopiedRows::CopiedRows(LoadedColumns* columns, BatchConverter* converter, const LoadRequest& request, int64_t file_size)
    : columns_(columns), converter_(converter), request_(request), file_size_(file_size) {}

int64_t CopiedRows::copy(Input* input) {
  std::vector<std::string> names;
  for (const int attribute : columns_->attributes()) names.emplace_back(NameStr(columns_->target(attribute).attname));
  pg::CopyDialect dialect;
  dialect.csv = false;
  dialect.encoding = "UTF8";
  std::string text;
  size_t used = 0;
  const auto source = [&](char* buffer, size_t most) {
    if (used == text.size()) {
      used = 0;
      if (!read_text(input, &text)) return size_t{0};
    }
    const size_t count = std::min(most, text.size() - used);
    memcpy(buffer, text.data() + used, count);
    used += count;
    return count;
  };
  pg::CopyPlace place;
  try {
    return pg::copy_rows(request_.table, request_.heap, names, dialect, file_size_, source, &place);
  } catch (const pg::Error& error) {
    if (read_error_) std::rethrow_exception(read_error_);
    const std::optional<int64_t> row = row_of_line(place.line);
    if (row && is_of_row(error)) fault_ = fault_of(error, *row, place);
    throw;
  }
}

BadValue CopiedRows::fault_of(const pg::Error& error, int64_t row, const pg::CopyPlace& place) const {
  for (const LoadedColumn& loaded : columns_->loaded())
    if (place.column == NameStr(columns_->target(loaded.attribute).attname))
      return bad_value(error, row, loaded.name, loaded.converter.in_file(place.value), place.value);
  return bad_value(error, row, place.column, place.value, place.value);
}

// What fails here is about no row of COPY's, wherever that is.
bool CopiedRows::read_text(Input* input, std::string* text) {
  try {
    return next_text(input, text);
  } catch (...) {
    read_error_ = std::current_exception();
    throw;
  }
}

// The next rows; false after the last.
bool CopiedRows::next_text(Input* input, std::string* text) {
  text->clear();
  while (text->empty()) {
    const std::optional<Batch> batch = input->next();
    if (!batch) return false;
    const std::vector<bool> skipped = request_.put_aside ? converter_->convert(*batch) : std::vector<bool>();
    for (size_t row = 0; row < batch->chunk.rows(); ++row)
      if (skipped.empty() || !skipped[row]) append_row(*batch, row, text);
    converter_->end(*batch);
  }
  return true;
}

void CopiedRows::append_row(const Batch& batch, size_t row, std::string* text) {
  bool first = true;
  const auto append = [&](const std::optional<std::string_view>& value) {
    if (!std::exchange(first, false)) *text += '\t';
    value ? pg::append_copy_text(text, *value) : pg::append_copy_null(text);
  };
  for (size_t i = 0; i < columns_->loaded().size(); ++i) append(text_at(batch.chunk.column(i), row));
  for (const FixedColumn& column : columns_->fixed())
    column.is_row_number ? append(std::to_string(converter_->number_of(row)))
                         : append(column.text ? std::optional<std::string_view>(*column.text) : std::nullopt);
  *text += '\n';
  ++lines_;
  last_rows_.push_back(converter_->rows_before() + static_cast<int64_t>(row));
  if (last_rows_.size() > kLinesRemembered) last_rows_.pop_front();
}

// Each row is a line of the text, but for those that were put aside.
std::optional<int64_t> CopiedRows::row_of_line(int64_t line) const {
  const int64_t first = lines_ - std::ssize(last_rows_) + 1;
  if (line < first || line > lines_) return std::nullopt;
  return last_rows_[static_cast<size_t>(line - first)];
}

}  // namespace etl::files
