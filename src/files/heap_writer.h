// Rows into a heap, many at a time, as COPY writes them into a table without triggers.
#pragma once

#include "files/converter.h"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "nodes/execnodes.h"
}

namespace etl::files {

// Whether rows can be written past the executor: an ordinary table without triggers, row security and a parent. Empty,
// or the reason why not.
std::string why_not_written_directly(Oid table);

// Writes rows that are in the table's columns into a heap: the table itself, with its indexes, or one that will replace
// its content, without any. Not null and check constraints, defaults and generated columns are the table's.
//
// Nothing is to be freed after an error: the abort of the transaction does it.
class HeapWriter {
 public:
  HeapWriter(Oid table, Oid heap, bool frozen);

  TupleDesc columns() const { return RelationGetDescr(table_); }

  // A column that every row fills; where none is named, a column has its default.
  void fills(int attribute) { filled_[static_cast<size_t>(attribute) - 1] = true; }

  // Writes the rows of a batch but those marked. `columns[i]` are the values of attribute `attributes[i]`.
  void write(const std::vector<int>& attributes, const std::vector<Datums>& columns, size_t rows,
             const std::vector<bool>& skipped);

  // Ends the work. Returns the number of rows.
  int64_t finish();

  // The row of the batch that an error raised by write() is about.
  size_t row_at_fault() const { return row_; }

 private:
  void open(Oid table, Oid heap, bool frozen);
  void prepare_defaults();
  void fill_slot(TupleTableSlot* slot, const std::vector<int>& attributes, const std::vector<Datums>& columns);
  void flush();
  TupleTableSlot* next_slot();

  Relation table_ = nullptr;
  Relation heap_ = nullptr;
  EState* estate_ = nullptr;
  ResultRelInfo* target_ = nullptr;
  BulkInsertState bulk_ = nullptr;
  CommandId command_ = 0;
  int options_ = 0;
  bool is_prepared_ = false;
  std::vector<bool> filled_;
  std::vector<std::pair<int, ExprState*>> defaults_;  // by index of the attribute
  std::vector<TupleTableSlot*> slots_;
  size_t used_ = 0;
  size_t row_ = 0;
  int64_t rows_ = 0;
};

}  // namespace etl::files
