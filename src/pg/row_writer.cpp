#include "pg/row_writer.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

// A table whose file is of this transaction has no room to look for: its rows go behind each other, in their order.
int insert_options(Relation table, Relation heap) {
  if (heap != table) return TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN;
  return compat::has_new_file(table) ? TABLE_INSERT_SKIP_FSM : 0;
}

}  // namespace

RowWriter* RowWriter::open(Oid table, Oid heap) {
  auto* writer = static_cast<RowWriter*>(palloc0(sizeof(RowWriter)));
  writer->table = table_open(table, NoLock);
  writer->new_heap = table_open(heap, NoLock);
  if (!writer->new_heap->rd_islocaltemp) PreventCommandIfReadOnly("COPY FROM");
  writer->options = insert_options(writer->table, writer->new_heap);
  writer->estate = CreateExecutorState();
  writer->target = makeNode(ResultRelInfo);
  InitResultRelInfo(writer->target, writer->table, 0, nullptr, 0);
  if (heap == table) ExecOpenIndices(writer->target, false);
  (void)GetPerTupleExprContext(writer->estate);
  writer->bulk = GetBulkInsertState();
  writer->slots = static_cast<TupleTableSlot**>(palloc0(sizeof(TupleTableSlot*) * kBatchRows));
  return writer;
}

TupleTableSlot* RowWriter::next() {
  ResetPerTupleExprContext(estate);
  TupleTableSlot*& slot = slots[filled];
  if (slot == nullptr) slot = table_slot_create(new_heap, nullptr);
  return ExecClearTuple(slot);
}

void RowWriter::put() {
  TupleTableSlot* slot = ExecStoreVirtualTuple(slots[filled]);
  slot->tts_tableOid = RelationGetRelid(table);
  const TupleConstr* constraints = RelationGetDescr(table)->constr;
  if (constraints != nullptr) {
    if (constraints->has_generated_stored) ExecComputeStoredGenerated(target, estate, slot, CMD_INSERT);
    ExecConstraints(target, slot, estate);
  }
  if (table->rd_rel->relispartition) ExecPartitionCheck(target, slot, estate, true);

  ExecMaterializeSlot(slot);
  bool copied = false;
  bytes += ExecFetchSlotHeapTuple(slot, false, &copied)->t_len;
  ++rows;
  if (++filled == kBatchRows || bytes >= kBatchBytes) flush();
}

void RowWriter::flush() {
  if (filled == 0) return;
  flushing = true;
  MemoryContext caller = MemoryContextSwitchTo(row_context());  // inserting leaks
  table_multi_insert(new_heap, slots, filled, GetCurrentCommandId(true), options, bulk);
  MemoryContextSwitchTo(caller);
  for (int i = 0; i < filled; ++i) {
    if (target->ri_NumIndices > 0) list_free(compat::insert_index_tuples(target, slots[i], estate));
    ExecClearTuple(slots[i]);
  }
  filled = 0;
  bytes = 0;
  flushing = false;
}

int64_t RowWriter::close() {
  flush();
  const int64_t written = rows;
  FreeBulkInsertState(bulk);
  table_finish_bulk_insert(new_heap, options);
  ExecCloseIndices(target);
  for (int i = 0; i < kBatchRows && slots[i] != nullptr; ++i) ExecDropSingleTupleTableSlot(slots[i]);
  FreeExecutorState(estate);
  table_close(table, NoLock);
  table_close(new_heap, NoLock);
  pfree(slots);
  pfree(this);
  return written;
}

}  // namespace etl::pg
