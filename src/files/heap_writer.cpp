#include "files/heap_writer.h"

#include "pg/guard.h"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "commands/progress.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/backend_progress.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
}

namespace etl::files {

namespace {

constexpr size_t kMostSlots = 1000;  // as COPY

bool has_insert_triggers(const TriggerDesc* triggers) {
  return triggers != nullptr && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
                                 triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
                                 triggers->trig_insert_after_statement || triggers->trig_insert_new_table);
}

const char* obstacle(Relation relation) {
  if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relam != HEAP_TABLE_AM_OID)
    return "it is not an ordinary table";
  if (relation->rd_rel->relispartition) return "it is a partition";
  if (has_insert_triggers(relation->trigdesc)) return "it has triggers, or foreign keys";
  if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_ENABLED) return "it has row level security";
  return "";
}

}  // namespace

std::string why_not_written_directly(Oid table) {
  return pg::guard([&] {
    Relation relation = table_open(table, RowExclusiveLock);
    const char* reason = obstacle(relation);
    table_close(relation, NoLock);
    return reason;
  });
}

HeapWriter::HeapWriter(Oid table, Oid heap, bool frozen) {
  pg::guard([&] { open(table, heap, frozen); });
  filled_.resize(static_cast<size_t>(RelationGetDescr(table_)->natts));
  slots_.reserve(kMostSlots);
}

void HeapWriter::open(Oid table, Oid heap, bool frozen) {
  table_ = table_open(table, RowExclusiveLock);
  heap_ = heap == table ? table_ : table_open(heap, RowExclusiveLock);
  estate_ = CreateExecutorState();
  target_ = makeNode(ResultRelInfo);
  InitResultRelInfo(target_, table_, 0, nullptr, 0);
  if (heap == table) ExecOpenIndices(target_, false);
  bulk_ = GetBulkInsertState();
  command_ = GetCurrentCommandId(true);
  options_ = frozen ? TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN : 0;
  pgstat_progress_start_command(PROGRESS_COMMAND_COPY, table);
  pgstat_progress_update_param(PROGRESS_COPY_COMMAND, PROGRESS_COPY_COMMAND_FROM);
}

// Columns that the file does not fill have their defaults, evaluated for each row.
void HeapWriter::prepare_defaults() {
  is_prepared_ = true;
  TupleDesc columns = RelationGetDescr(table_);
  for (int i = 0; i < columns->natts; ++i) {
    const Form_pg_attribute attribute = TupleDescAttr(columns, i);
    if (filled_[static_cast<size_t>(i)] || attribute->attisdropped || attribute->attgenerated != '\0') continue;
    Expr* expression = reinterpret_cast<Expr*>(build_column_default(table_, i + 1));
    if (expression == nullptr) continue;
    const MemoryContext before = MemoryContextSwitchTo(estate_->es_query_cxt);
    ExprState* state = ExecInitExpr(expression_planner(expression), nullptr);
    MemoryContextSwitchTo(before);
    defaults_.emplace_back(i, state);
  }
}

TupleTableSlot* HeapWriter::next_slot() {
  if (used_ == slots_.size()) {
    const MemoryContext before = MemoryContextSwitchTo(estate_->es_query_cxt);
    slots_.push_back(table_slot_create(heap_, nullptr));
    MemoryContextSwitchTo(before);
  }
  return ExecClearTuple(slots_[used_]);
}

void HeapWriter::fill_slot(TupleTableSlot* slot, const std::vector<int>& attributes,
                           const std::vector<Datums>& columns) {
  const int natts = RelationGetDescr(table_)->natts;
  memset(slot->tts_isnull, true, static_cast<size_t>(natts) * sizeof(bool));
  for (size_t i = 0; i < attributes.size(); ++i) {
    const int index = attributes[i] - 1;
    slot->tts_values[index] = columns[i].values[row_];
    slot->tts_isnull[index] = columns[i].nulls[row_];
  }
  for (const auto& [index, state] : defaults_)
    slot->tts_values[index] = ExecEvalExpr(state, GetPerTupleExprContext(estate_), &slot->tts_isnull[index]);
  ExecStoreVirtualTuple(slot);
}

// What is raised here is caught by guard(): nothing in between needs a destructor.
void HeapWriter::write(const std::vector<int>& attributes, const std::vector<Datums>& columns, size_t rows,
                       const std::vector<bool>& skipped) {
  pg::guard([&] {
    if (!is_prepared_) prepare_defaults();
    const TupleConstr* constraints = RelationGetDescr(table_)->constr;
    for (row_ = 0; row_ < rows; ++row_) {
      if (!skipped.empty() && skipped[row_]) continue;
      TupleTableSlot* slot = next_slot();
      fill_slot(slot, attributes, columns);
      if (constraints != nullptr) {
        slot->tts_tableOid = RelationGetRelid(table_);
        if (constraints->has_generated_stored) ExecComputeStoredGenerated(target_, estate_, slot, CMD_INSERT);
        ExecConstraints(target_, slot, estate_);
      }
      if (table_->rd_rel->relispartition) ExecPartitionCheck(target_, slot, estate_, true);
      if (++used_ == kMostSlots) flush();
    }
    flush();  // the batch's memory goes now
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, rows_);
  });
}

void HeapWriter::flush() {
  if (used_ == 0) return;
  table_multi_insert(heap_, slots_.data(), static_cast<int>(used_), command_, options_, bulk_);
  if (target_->ri_NumIndices > 0) {
    for (size_t i = 0; i < used_; ++i) list_free(compat::insert_index_tuples(target_, slots_[i], estate_));
  }
  for (size_t i = 0; i < used_; ++i) ExecClearTuple(slots_[i]);
  rows_ += static_cast<int64_t>(used_);
  used_ = 0;
  ResetPerTupleExprContext(estate_);
  CHECK_FOR_INTERRUPTS();
}

int64_t HeapWriter::finish() {
  pg::guard([&] {
    FreeBulkInsertState(bulk_);
    table_finish_bulk_insert(heap_, options_);
    ExecResetTupleTable(estate_->es_tupleTable, false);
    for (TupleTableSlot* slot : slots_) ExecDropSingleTupleTableSlot(slot);
    if (heap_ == table_) ExecCloseIndices(target_);
    FreeExecutorState(estate_);
    if (heap_ != table_) table_close(heap_, NoLock);
    table_close(table_, NoLock);
    pgstat_progress_end_command();
  });
  return rows_;
}

}  // namespace etl::files
