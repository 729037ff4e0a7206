// A file's rows into a table by COPY, as its text format: with all triggers, into partitions.
#pragma once

#include "files/batch_converter.h"

namespace etl::files {

class CopiedRows {
 public:
  // `file_size`: in bytes, for pg_stat_progress_copy.
  CopiedRows(LoadedColumns* columns, BatchConverter* converter, const LoadRequest& request, int64_t file_size);

  // Returns the number of rows. Throws QueryError, too. After an error of the server's, fault() says which row it is
  // about, if that can be said.
  int64_t copy(Stream* stream);
  const std::optional<BadValue>& fault() const { return fault_; }

 private:
  std::optional<Batch> next_batch(Stream* stream);
  bool next_text(Stream* stream, std::string* text);
  void append_row(const Batch& batch, size_t row, std::string* text) const;
  int64_t row_of_line(int64_t line) const;
  std::string file_name_of(const std::string& column) const;

  LoadedColumns* columns_;
  BatchConverter* converter_;
  const LoadRequest& request_;
  const int64_t file_size_;
  std::optional<BadValue> fault_;
  std::exception_ptr query_error_;
};

}  // namespace etl::files
