#include "pg/replacement.h"

#include "pg/clock.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/spi.h"
#include "pg/transaction.h"
#include "pg/unfinished_files.h"
#include "pg/wait.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/toast_internals.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "commands/cluster.h"
#include "commands/tablecmds.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace etl::pg {

namespace {

// How long to wait for readers at a time, and how long to let others pass in between. Below deadlock_timeout's default:
// a reader that waits for us to write is not to be the victim.
constexpr int kFirstWaitMs = 50;
constexpr int kLongestWaitMs = 500;

std::string name_of(Oid table) {
  return name_of_table(table).quoted();
}

HeapTuple class_row(Oid relation) {
  HeapTuple row = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(row)) elog(ERROR, "cache lookup failed for relation %u", relation);
  return row;
}

void note_files_of(Oid heap) {
  Relation relation = table_open(heap, NoLock);
  const Oid toast = relation->rd_rel->reltoastrelid;
  note_unfinished_file(relation);
  table_close(relation, NoLock);
  if (!OidIsValid(toast)) return;
  for (const Oid part : {toast, toast_get_valid_index(toast, AccessShareLock)}) {
    relation = relation_open(part, AccessShareLock);
    note_unfinished_file(relation);
    relation_close(relation, NoLock);
  }
}

// The toast table of a heap belongs to it by a dependency, and nothing else depends on either.
void give_toast_table(Oid toast, Oid heap) {
  if (!OidIsValid(toast)) return;
  const ObjectAddress part{RelationRelationId, toast, 0};
  const ObjectAddress whole{RelationRelationId, heap, 0};
  if (deleteDependencyRecordsFor(RelationRelationId, toast, false) != 1)
    elog(ERROR, "unexpected dependencies of toast table %u", toast);
  recordDependencyOn(&part, &whole, DEPENDENCY_INTERNAL);
}

void rename_toast_table(Oid toast, Oid table) {
  char name[NAMEDATALEN];
  const Oid index = toast_get_valid_index(toast, NoLock);
  snprintf(name, sizeof name, "pg_toast_%u", table);
  RenameRelationInternal(toast, name, true, false);
  snprintf(name, sizeof name, "pg_toast_%u_index", table);
  RenameRelationInternal(index, name, true, true);
  CommandCounterIncrement();
  ResetRelRewrite(toast);
}

// "Key (id)=(1) is duplicated." as COPY says it, in the server's language: "Key (id)=(1) already exists."
std::string as_existing_key(const char* detail) {
  if (detail == nullptr) return "";
  const std::string_view pattern = _("Key %s is duplicated.");
  const size_t key = pattern.find("%s");
  const std::string_view text = detail;
  if (key == std::string_view::npos) return detail;
  const std::string_view before = pattern.substr(0, key);
  const std::string_view after = pattern.substr(key + 2);
  if (text.size() < before.size() + after.size() || !text.starts_with(before) || !text.ends_with(after)) return detail;
  std::string result = _("Key %s already exists.");
  const size_t place = result.find("%s");
  if (place == std::string::npos) return detail;
  return result.replace(place, 2, text.substr(before.size(), text.size() - before.size() - after.size()));
}

[[noreturn]] void fail_as_copy(const Error& error) {
  const ErrorData& data = error.data();
  if (error.sqlstate() != ERRCODE_UNIQUE_VIOLATION || data.constraint_name == nullptr) throw error;
  std::string message = _("duplicate key value violates unique constraint \"%s\"");
  if (const size_t place = message.find("%s"); place != std::string::npos)
    message.replace(place, 2, data.constraint_name);
  throw Failure(ERRCODE_UNIQUE_VIOLATION, message, as_existing_key(data.detail));
}

std::string holders(Oid table) {
  static Statement find{
      "SELECT string_agg(DISTINCT pid::text, ', ') FROM pg_locks WHERE locktype = 'relation' AND relation = $1 "
      "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
      "AND pid <> pg_backend_pid()",
      {OIDOID}};
  const EngineRights rights;
  const Spi spi;
  return find.run({value(table)}).text(0, 0);
}

[[noreturn]] void fail_because_of_readers(Oid table, int patience_ms) {
  const std::string pids = holders(table);
  throw Failure(ERRCODE_LOCK_NOT_AVAILABLE,
                format("the new rows of table %s could not be swapped in: others kept reading it for %d ms",
                       name_of(table).c_str(), patience_ms),
                pids.empty() ? "" : format("It is locked by process %s.", pids.c_str()),
                "End the transactions that have read it, or raise etl_orchestrator.swap_timeout.");
}

// Everything that the commit takes the files of away, in the order in which readers lock it.
void lock_all(Oid table, Oid toast) {
  LockRelationOid(table, AccessExclusiveLock);
  if (OidIsValid(toast)) LockRelationOid(toast, AccessExclusiveLock);
  Relation relation = table_open(table, NoLock);
  ListCell* cell;
  foreach (cell, RelationGetIndexList(relation)) LockRelationOid(lfirst_oid(cell), AccessExclusiveLock);
  table_close(relation, NoLock);
}

bool try_to_lock_all(Oid table, Oid toast, int wait_ms) {
  try {
    Subtransaction subtransaction;
    guard([&] {
      const int level = NewGUCNestLevel();
      set_config_option("lock_timeout", psprintf("%d", wait_ms), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                        false);
      lock_all(table, toast);
      AtEOXact_GUC(false, level);
    });
    subtransaction.release();
    return true;
  } catch (const Error& error) {
    if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
    return false;
  }
}

}  // namespace

Replacement::Replacement(Oid table) : table_(table) {
  guard([&] { LockRelationOid(table_, ExclusiveLock); });
  const std::string reason = why_not_replaceable(table_);
  if (!reason.empty())
    throw Failure(ERRCODE_T_R_SERIALIZATION_FAILURE,
                  format("table %s was changed while its load began", name_of(table_).c_str()),
                  format("Its rows can no longer be swapped: %s.", reason.c_str()), "Load it again.");
  drop_unfinished_files();
  guard([&] {
    PreventCommandIfReadOnly("COPY FROM");
    Relation relation = table_open(table_, NoLock);
    CheckTableNotInUse(relation, "COPY FROM");
    toast_ = relation->rd_rel->reltoastrelid;
    // Vacuum comes to a toast table without its table, and would make us wait in the end.
    if (OidIsValid(toast_)) LockRelationOid(toast_, ShareUpdateExclusiveLock);
    heap_ = make_new_heap(table_, relation->rd_rel->reltablespace, relation->rd_rel->relam,
                          relation->rd_rel->relpersistence, ExclusiveLock);
    LockRelationOid(heap_, AccessExclusiveLock);
    note_files_of(heap_);
    table_close(relation, NoLock);
  });
}

void Replacement::swap_in(int patience_ms, const std::function<void()>& before_lock) {
  guard([&] {
    count_rows();
    exchange_files();
  });
  try {
    guard([&] { build_indexes(); });
  } catch (const Error& error) {
    fail_as_copy(error);
  }
  before_lock();
  lock_out_readers(patience_ms);
  guard([&] { drop_old_files(); });
}

// For the statistics it is as if the table had been truncated and filled.
void Replacement::count_rows() const {
  const Datum rows = DirectFunctionCall1(pg_stat_get_xact_tuples_inserted, ObjectIdGetDatum(heap_));
  Relation table = table_open(table_, NoLock);
  pgstat_count_truncate(table);
  pgstat_count_heap_insert(table, DatumGetInt64(rows));
  table_close(table, NoLock);
}

// As the server does for CLUSTER, but for two ordinary heaps of the same persistence and access method only, and with
// less than ACCESS EXCLUSIVE: until commit others find the old rows of pg_class, and nobody who would change these, or
// the table's statistics in place, gets past EXCLUSIVE.
void Replacement::exchange_files() const {
  Relation classes = table_open(RelationRelationId, RowExclusiveLock);
  HeapTuple table_row = class_row(table_);
  HeapTuple heap_row = class_row(heap_);
  auto* of_table = reinterpret_cast<Form_pg_class>(GETSTRUCT(table_row));
  auto* of_heap = reinterpret_cast<Form_pg_class>(GETSTRUCT(heap_row));
  std::swap(of_table->relfilenode, of_heap->relfilenode);
  std::swap(of_table->reltablespace, of_heap->reltablespace);
  std::swap(of_table->reltoastrelid, of_heap->reltoastrelid);
  std::swap(of_table->relfrozenxid, of_heap->relfrozenxid);
  std::swap(of_table->relminmxid, of_heap->relminmxid);
  compat::swap_statistics(of_table, of_heap);
  compat::take_over_storage(table_, heap_);

  CatalogTupleUpdate(classes, &table_row->t_self, table_row);
  CatalogTupleUpdate(classes, &heap_row->t_self, heap_row);
  give_toast_table(of_table->reltoastrelid, table_);
  give_toast_table(of_heap->reltoastrelid, heap_);
  table_close(classes, RowExclusiveLock);
  compat::close_files(table_);
  compat::close_files(heap_);
  CommandCounterIncrement();

  Relation table = table_open(table_, NoLock);  // every row has all columns now
  RelationClearMissing(table);
  table_close(table, NoLock);
  CommandCounterIncrement();
}

// All of them are emptied before the first is built, so that no function of an index expression finds one that belongs
// to the old heap.
void Replacement::build_indexes() const {
  Relation table = table_open(table_, NoLock);
  List* indexes = RelationGetIndexList(table);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);
    compat::begin_new_file(index, table->rd_rel->relpersistence);
    note_unfinished_file(index);
    index_close(index, NoLock);
  }
  foreach (cell, indexes) {
    CHECK_FOR_INTERRUPTS();
    Relation index = index_open(lfirst_oid(cell), NoLock);
    index_build(table, index, BuildIndexInfo(index), true, true);
    index_close(index, NoLock);
  }
  table_close(table, NoLock);
}

void Replacement::lock_out_readers(int patience_ms) const {
  const int64_t deadline = monotonic_ms() + patience_ms;
  for (int wait = kFirstWaitMs; !try_to_lock_all(table_, toast_, wait); wait = std::min(wait * 2, kLongestWaitMs)) {
    if (monotonic_ms() + wait > deadline) fail_because_of_readers(table_, patience_ms);
    for (const int64_t next = monotonic_ms() + wait; monotonic_ms() < next;) {
      sleep_on_latch(milliseconds_until(next), "EtlSwap");
      check_interrupts();
    }
  }
}

void Replacement::drop_old_files() const {
  Relation table = table_open(table_, NoLock);
  CheckTableForSerializableConflictIn(table);
  TransferPredicateLocksToHeapRelation(table);
  ListCell* cell;
  foreach (cell, RelationGetIndexList(table)) {
    Relation index = index_open(lfirst_oid(cell), NoLock);
    TransferPredicateLocksToHeapRelation(index);
    index_close(index, NoLock);
  }
  const Oid new_toast = table->rd_rel->reltoastrelid;
  table_close(table, NoLock);

  const ObjectAddress heap{RelationRelationId, heap_, 0};
  performDeletion(&heap, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
  if (OidIsValid(new_toast)) rename_toast_table(new_toast, table_);
  CommandCounterIncrement();
}

}  // namespace etl::pg
