#include "files/copied_rows.h"

#include <set>

#include "files/problems.h"
#include "pg/copy_rows.h"

namespace etl::files {

CopiedRows::CopiedRows(LoadedColumns* columns, BatchConverter* converter, const LoadRequest& request, int64_t file_size)
    : columns_(columns), converter_(converter), request_(request), file_size_(file_size) {}

int64_t CopiedRows::copy(Stream* stream) {
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
      if (!next_text(stream, &text)) return size_t{0};
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
    if (query_error_) std::rethrow_exception(query_error_);
    if (place.line > 0 && is_of_row(error))
      fault_ = BadValue{row_of_line(place.line), file_name_of(place.column), place.value,
                        unpack_sql_state(error.sqlstate()), error.what()};
    throw;
  }
}

// The file's name of a column of the table.
std::string CopiedRows::file_name_of(const std::string& column) const {
  for (const LoadedColumn& loaded : columns_->loaded())
    if (column == NameStr(columns_->target(loaded.attribute).attname)) return loaded.name;
  return column;
}

// An error of DuckDB's cannot pass COPY as it is.
std::optional<Batch> CopiedRows::next_batch(Stream* stream) {
  try {
    return stream->next();
  } catch (const QueryError& error) {
    query_error_ = std::current_exception();
    throw explain(request_.source, error);
  }
}

// The next rows; false after the last.
bool CopiedRows::next_text(Stream* stream, std::string* text) {
  text->clear();
  while (text->empty()) {
    const std::optional<Batch> batch = next_batch(stream);
    if (!batch) return false;
    const std::vector<bool> skipped = request_.puts_rows_aside ? converter_->convert(*batch) : std::vector<bool>();
    for (size_t row = 0; row < batch->chunk.rows(); ++row)
      if (skipped.empty() || !skipped[row]) append_row(*batch, row, text);
    converter_->end(*batch);
  }
  return true;
}

void CopiedRows::append_row(const Batch& batch, size_t row, std::string* text) const {
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
}

// Each row is a line of the text, but for those that were put aside.
int64_t CopiedRows::row_of_line(int64_t line) const {
  std::set<int64_t> aside;
  for (const BadValue& value : converter_->put_aside()) aside.insert(value.row);
  int64_t row = line - 1;
  for (const int64_t other : aside)
    if (other <= row) ++row;
  return row;
}

}  // namespace etl::files
