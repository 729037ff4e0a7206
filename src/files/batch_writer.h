// Batches of datums into a table without triggers.
#pragma once

#include "files/converter.h"
#include "pg/row_writer.h"

namespace etl::files {

// Whether rows can be written past the executor: an ordinary table without triggers and row security. Empty, or the
// reason why not.
std::string why_not_written_directly(Oid table);

// Whether triggers may change rows before they are stored, in the table or a partition of it.
bool has_before_triggers(Oid table);

// Writes into the table itself, or a heap that will replace its content. Columns that the batches do not fill get their
// defaults. Nothing is to be freed after an error: the abort of the transaction does it.
class BatchWriter {
 public:
  // `attributes`: numbers of the columns that every batch fills.
  BatchWriter(Oid table, Oid heap, const std::vector<int>& attributes);

  // Writes the rows of a batch but those marked. `columns[i]` are the values of `attributes[i]`.
  void write(const std::vector<Datums>& columns, size_t rows, const std::vector<bool>& skipped);

  // Shows how much of a file was read, where the server shows it of a COPY.
  static void show_progress(int64_t bytes, int64_t total);

  // Ends the work. Returns the number of rows.
  int64_t finish();

  // The row of the batch that an error raised by write() is about; none: it came when rows were stored, and may be
  // about one of many.
  std::optional<size_t> row_at_fault() const;

 private:
  void prepare_defaults();
  void put_row(const std::vector<Datums>& columns);

  std::vector<int> attributes_;
  pg::RowWriter* writer_ = nullptr;
  std::vector<std::pair<int, ExprState*>> defaults_;  // by index of the attribute
  size_t row_ = 0;
};

}  // namespace etl::files
