// A file's rows into a table by COPY, as its text format: with all triggers, into partitions.
#pragma once

#include <deque>

#include "files/batch_converter.h"
#include "files/input.h"
#include "pg/copy_rows.h"

namespace etl::files {

class CopiedRows {
 public:
  // `file_size`: in bytes, for pg_stat_progress_copy.
  CopiedRows(LoadedColumns* columns, BatchConverter* converter, const LoadRequest& request, int64_t file_size);

  // Returns the number of rows. Throws QueryError, too. After an error of the server's, fault() says which row it is
  // about, if that can be said.
  int64_t copy(Input* input);
  const std::optional<BadValue>& fault() const { return fault_; }

 private:
  bool read_text(Input* input, std::string* text);
  bool next_text(Input* input, std::string* text);
  void append_row(const Batch& batch, size_t row, std::string* text);
  std::optional<int64_t> row_of_line(int64_t line) const;
  BadValue fault_of(const pg::Error& error, int64_t row, const pg::CopyPlace& place) const;

  LoadedColumns* columns_;
  BatchConverter* converter_;
  const LoadRequest& request_;
  const int64_t file_size_;
  std::deque<int64_t> last_rows_;  // the last lines' rows: without those that were put aside
  int64_t lines_ = 0;
  std::optional<BadValue> fault_;
  std::exception_ptr read_error_;
};

}  // namespace etl::files
