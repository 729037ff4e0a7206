#include "files/batch_writer.h"

#include "pg/guard.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "commands/progress.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/backend_progress.h"
#include "utils/rel.h"
#include "utils/rls.h"
}

namespace etl::files {

namespace {

bool has_insert_triggers(const TriggerDesc* triggers) {
  return triggers != nullptr && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
                                 triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
                                 triggers->trig_insert_after_statement || triggers->trig_insert_new_table);
}

const char* obstacle(Relation relation) {
  if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relam != HEAP_TABLE_AM_OID)
    return "it is not an ordinary table";
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

bool has_before_triggers(Oid table) {
  return pg::guard([&] {
    bool found = false;
    ListCell* cell;
    foreach (cell, find_all_inheritors(table, AccessShareLock, nullptr)) {
      Relation relation = table_open(lfirst_oid(cell), NoLock);
      found = found || (relation->trigdesc != nullptr && relation->trigdesc->trig_insert_before_row);
      table_close(relation, NoLock);
    }
    return found;
  });
}

BatchWriter::BatchWriter(Oid table, Oid heap, const std::vector<int>& attributes) : attributes_(attributes) {
  pg::guard([&] {
    LockRelationOid(table, RowExclusiveLock);
    writer_ = pg::RowWriter::open(table, heap);
    prepare_defaults();
    pgstat_progress_start_command(PROGRESS_COMMAND_COPY, table);
    pgstat_progress_update_param(PROGRESS_COPY_COMMAND, PROGRESS_COPY_COMMAND_FROM);
  });
}

// Evaluated for each row.
void BatchWriter::prepare_defaults() {
  TupleDesc columns = RelationGetDescr(writer_->table);
  for (int i = 0; i < columns->natts; ++i) {
    const Form_pg_attribute attribute = TupleDescAttr(columns, i);
    const bool filled = std::find(attributes_.begin(), attributes_.end(), i + 1) != attributes_.end();
    if (filled || attribute->attisdropped || attribute->attgenerated != '\0') continue;
    Expr* expression = reinterpret_cast<Expr*>(build_column_default(writer_->table, i + 1));
    if (expression == nullptr) continue;
    const MemoryContext before = MemoryContextSwitchTo(writer_->estate->es_query_cxt);
    ExprState* state = ExecInitExpr(expression_planner(expression), nullptr);
    MemoryContextSwitchTo(before);
    defaults_.emplace_back(i, state);
  }
}

void BatchWriter::put_row(const std::vector<Datums>& columns) {
  TupleTableSlot* slot = writer_->next();
  memset(slot->tts_isnull, true, static_cast<size_t>(slot->tts_tupleDescriptor->natts) * sizeof(bool));
  for (size_t i = 0; i < attributes_.size(); ++i) {
    const int index = attributes_[i] - 1;
    slot->tts_values[index] = columns[i].values[row_];
    slot->tts_isnull[index] = columns[i].nulls[row_];
  }
  for (const auto& [index, state] : defaults_)
    slot->tts_values[index] =
        ExecEvalExprSwitchContext(state, GetPerTupleExprContext(writer_->estate), &slot->tts_isnull[index]);
  writer_->put();
}

// What is raised here is caught by guard(): nothing in between needs a destructor.
void BatchWriter::write(const std::vector<Datums>& columns, size_t rows, const std::vector<bool>& skipped) {
  pg::guard([&] {
    for (row_ = 0; row_ < rows; ++row_)
      if (skipped.empty() || !skipped[row_]) put_row(columns);
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, writer_->rows);
    CHECK_FOR_INTERRUPTS();
  });
}

std::optional<size_t> BatchWriter::row_at_fault() const {
  return writer_->flushing ? std::nullopt : std::optional(row_);
}

void BatchWriter::show_progress(int64_t bytes, int64_t total) {
  pgstat_progress_update_param(PROGRESS_COPY_BYTES_PROCESSED, bytes);
  pgstat_progress_update_param(PROGRESS_COPY_BYTES_TOTAL, total);
}

int64_t BatchWriter::finish() {
  return pg::guard([&] {
    const int64_t rows = writer_->close();
    pgstat_progress_end_command();
    return rows;
  });
}

}  // namespace etl::files
