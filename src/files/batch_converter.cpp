#include "files/batch_converter.h"

#include "pg/guard.h"
#include "pg/transaction.h"

namespace etl::files {

BatchConverter::BatchConverter(LoadedColumns* columns, const LoadRequest& request, bool tests_nulls)
    : columns_(columns),
      request_(request),
      tests_nulls_(tests_nulls),
      memory_("etl_files batch"),
      datums_(columns->loaded().size() + columns->fixed().size()) {}

std::vector<bool> BatchConverter::convert(const Batch& batch) {
  const size_t rows = batch.chunk.rows();
  std::vector<bool> skipped(request_.put_aside ? rows : 0);
  for (size_t i = 0; i < columns_->loaded().size(); ++i) {
    datums_[i].resize(rows);
    if (!request_.put_aside) {
      convert_or_fail(batch, i);
      continue;
    }
    convert_putting_aside(batch, i, &skipped);
    if (tests_nulls_) put_nulls_aside(i, rows, &skipped);
  }
  return skipped;
}

void BatchConverter::convert_rows(const Batch& batch, size_t column, size_t first) {
  Converter& converter = columns_->loaded()[column].converter;
  pg::guard([&] {
    const MemoryContext before = MemoryContextSwitchTo(memory_.get());
    converter.convert(batch, column, first, &datums_[column]);
    MemoryContextSwitchTo(before);
  });
}

void BatchConverter::convert_or_fail(const Batch& batch, size_t column) try {
  convert_rows(batch, column, 0);
} catch (const pg::Error& error) {
  fault_ = fault_of(error, batch, column);
  throw;
}

// None where the error is not about a value, such as a cancel.
std::optional<BadValue> BatchConverter::fault_of(const pg::Error& error, const Batch& batch, size_t column) const {
  if (!is_of_row(error)) return std::nullopt;
  const LoadedColumn& loaded = columns_->loaded()[column];
  const size_t row = loaded.converter.row_at_fault();
  const std::string given(text_at(batch.chunk.column(column), row).value_or(""));
  return bad_value(error, rows_before_ + static_cast<int64_t>(row), loaded.name, loaded.converter.in_file(given),
                   given);
}

void BatchConverter::convert_putting_aside(const Batch& batch, size_t column, std::vector<bool>* skipped) {
  for (size_t first = 0; first < batch.chunk.rows();) {
    try {
      pg::Subtransaction subtransaction;
      convert_rows(batch, column, first);
      subtransaction.release();
      break;
    } catch (const pg::Error& error) {
      const std::optional<BadValue> fault = fault_of(error, batch, column);
      if (!fault) throw;
      const size_t row = columns_->loaded()[column].converter.row_at_fault();
      put_aside(*fault, row, skipped);
      first = row + 1;
    }
  }
}

void BatchConverter::put_nulls_aside(size_t column, size_t rows, std::vector<bool>* skipped) {
  const LoadedColumn& loaded = columns_->loaded()[column];
  const FormData_pg_attribute& target = columns_->target(loaded.attribute);
  if (!target.attnotnull) return;
  for (size_t row = 0; row < rows; ++row)
    if (!(*skipped)[row] && datums_[column].nulls[row])
      put_aside({rows_before_ + static_cast<int64_t>(row), loaded.name, "", "23502",
                 pg::format("null value in column \"%s\" violates not-null constraint", NameStr(target.attname))},
                row, skipped);
}

void BatchConverter::put_aside(const BadValue& value, size_t row, std::vector<bool>* skipped) {
  if (!(*skipped)[row]) put_aside_.push_back(value);
  (*skipped)[row] = true;
}

void BatchConverter::fill_fixed(size_t rows) {
  for (size_t i = 0; i < columns_->fixed().size(); ++i) {
    const FixedColumn& fixed = columns_->fixed()[i];
    Datums& column = datums_[columns_->loaded().size() + i];
    column.resize(rows);
    for (size_t row = 0; row < rows; ++row) {
      column.nulls[row] = !fixed.is_row_number && !fixed.text;
      column.values[row] = fixed.is_row_number ? Int64GetDatum(number_of(row)) : fixed.datum;
    }
  }
}

void BatchConverter::end(const Batch& batch) {
  rows_before_ += static_cast<int64_t>(batch.chunk.rows());
  memory_.reset();
}

BadValue BatchConverter::bad_row(const pg::Error& error, size_t row) const {
  return bad_value(error, rows_before_ + static_cast<int64_t>(row), "", "", "");
}

}  // namespace etl::files
