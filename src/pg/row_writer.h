// Rows into a table without insert triggers, as COPY writes them: checked, many at a time. They go into the table
// itself and its indexes, or, frozen, into the heap of a Replacement, which gets its indexes later. In a table that was
// made or emptied in this transaction they lie in the order in which they came.
//
// For use inside one guard(): it holds nothing that needs a destructor, and an error leaves it to the transaction.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/heapam.h"
#include "nodes/execnodes.h"
}

namespace etl::pg {

struct RowWriter {
  // Both must be locked; `heap` is that of a Replacement of `table`, or `table`. Needs an active snapshot until
  // close().
  static RowWriter* open(Oid table, Oid heap);

  // An empty slot for the next row. Its values are set by the caller, for generated columns and dropped ones to null;
  // they may live in the memory of row_context(), which put() leaves and the next call of next() clears.
  TupleTableSlot* next();
  MemoryContext row_context() const { return estate->es_per_tuple_exprcontext->ecxt_per_tuple_memory; }

  // Computes generated columns and checks all constraints; then the row is on its way. Unique ones of a new heap are
  // checked when it gets its indexes.
  void put();

  // Writes what is left; returns the number of rows.
  int64_t close();

  static constexpr int kBatchRows = 1000;
  static constexpr size_t kBatchBytes = 64 * 1024;

  void flush();

  Relation table;
  Relation new_heap;
  EState* estate;
  ResultRelInfo* target;
  BulkInsertStateData* bulk;
  TupleTableSlot** slots;
  int options;
  int filled;
  size_t bytes;
  int64_t rows;
  bool flushing;  // what is raised meanwhile is of no certain row
};

}  // namespace etl::pg
