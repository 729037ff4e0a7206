// Batches of a file's rows as datums, and the rows among them that do not fit.
#pragma once

#include "files/loaded_columns.h"
#include "files/rejects.h"

namespace etl::files {

class BatchConverter {
 public:
  // `tests_nulls`: where rows are put aside, those are, too, that lack a value which their column must have. A trigger
  // might still give it.
  BatchConverter(LoadedColumns* columns, const LoadRequest& request, bool tests_nulls);

  // Makes datums of a batch. Where rows are put aside, returns which; else the first that does not fit is an error, and
  // fault() says which.
  std::vector<bool> convert(const Batch& batch);

  // Adds the values that are the same in all rows, or the row's number.
  void fill_fixed(size_t rows);

  // The datums of the batch, by column: the loaded ones, then the fixed ones. They live until end().
  const std::vector<Datums>& datums() const { return datums_; }

  // Goes on behind the batch.
  void end(const Batch& batch);

  int64_t rows_before() const { return rows_before_; }  // of the file, in earlier batches
  int64_t number_of(size_t row) const { return request_.first_row + rows_before_ + static_cast<int64_t>(row); }

  // What an error says of a row of the batch.
  BadValue bad_row(const pg::Error& error, size_t row) const;

  const std::optional<BadValue>& fault() const { return fault_; }
  std::vector<BadValue> take_put_aside() { return std::exchange(put_aside_, {}); }  // since it was last called

 private:
  void convert_rows(const Batch& batch, size_t column, size_t first);
  void convert_or_fail(const Batch& batch, size_t column);
  void convert_putting_aside(const Batch& batch, size_t column, std::vector<bool>* skipped);
  void put_nulls_aside(size_t column, size_t rows, std::vector<bool>* skipped);
  void put_aside(const BadValue& value, size_t row, std::vector<bool>* skipped);
  std::optional<BadValue> fault_of(const pg::Error& error, const Batch& batch, size_t column) const;

  LoadedColumns* columns_;
  const LoadRequest& request_;
  const bool tests_nulls_;
  const pg::Memory memory_;  // of the datums of a batch
  std::vector<Datums> datums_;
  int64_t rows_before_ = 0;
  std::optional<BadValue> fault_;
  std::vector<BadValue> put_aside_;
};

}  // namespace etl::files
