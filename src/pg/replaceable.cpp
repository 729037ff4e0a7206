#include "pg/guard.h"
#include "pg/replacement.h"
#include "pg/roles.h"

extern "C" {
#include "access/table.h"
#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/heap.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "replication/slot.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

// Each reason is found by a function that returns it, or null. They run inside guard(): what they allocate stays.

namespace etl::pg {

namespace {

// Others own what is not an ordinary heap: its files are not ours to exchange.
const char* kind_of_table(Relation table) {
  if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) return "the table is partitioned";
  if (table->rd_rel->relkind != RELKIND_RELATION) return "it is not an ordinary table";
  if (IsSystemRelation(table) || table->rd_rel->relisshared) return "it is a table of the system";
  if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP) return "the table is temporary";
  if (table->rd_rel->relam != HEAP_TABLE_AM_OID) return "the table's access method is not heap";
  return nullptr;
}

// It builds indexes, and so runs their functions, in the owner's name. Where a right is missing, or row level security
// decides row by row, ordinary statements know what to say.
const char* rights_on_it(Relation table) {
  const Oid id = RelationGetRelid(table);
  if (!compat::owns_table(id, GetUserId())) return "the table belongs to another role";
  if (!may_replace_rows(GetUserId(), id)) return "rights on the table have been revoked from its owner";
  if (check_enable_rls(id, InvalidOid, true) == RLS_ENABLED) return "row level security applies to it";
  return nullptr;
}

// Rows that come or go must be looked at one by one. Foreign keys could be checked at once, but not without holding off
// who writes to the other table. (The table's own triggers for UPDATE do not matter, nor do rules: COPY heeds none.)
const char* keys_and_triggers(Relation table) {
  const List* referring = heap_truncate_find_FKs(list_make1_oid(RelationGetRelid(table)));
  if (referring != NIL) {
    const char* other = get_rel_name(linitial_oid(referring));
    return psprintf("a foreign key of table \"%s\" refers to it", other == nullptr ? "" : other);
  }
  if (RelationGetFKeyList(table) != NIL) return "the table has a foreign key";
  const TriggerDesc* triggers = table->trigdesc;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (trigger.tgisinternal || trigger.tgenabled == TRIGGER_DISABLED) continue;
    if (TRIGGER_FOR_INSERT(trigger.tgtype) || TRIGGER_FOR_DELETE(trigger.tgtype) ||
        TRIGGER_FOR_TRUNCATE(trigger.tgtype))
      return psprintf("the table has trigger \"%s\"", trigger.tgname);
  }
  return nullptr;
}

// A unique index finds duplicates when it is built, an exclusion constraint reports them in another way than COPY. What
// is half built is for its owner to finish.
const char* indexes_of_it(Relation table) {
  ListCell* cell;
  foreach (cell, RelationGetIndexList(table)) {
    const Oid index = lfirst_oid(cell);
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for index %u", index);
    const auto* row = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    const bool excludes = row->indisexclusion;
    const bool ready = row->indisready && row->indisvalid;
    ReleaseSysCache(tuple);
    if (excludes) return psprintf("the table has exclusion constraint \"%s\"", get_rel_name(index));
    if (!ready) return psprintf("its index \"%s\" is not valid", get_rel_name(index));
  }
  return nullptr;
}

// Subscribers would hear nothing of the new rows: what is written to a new heap is no change to those who decode.
const char* subscribers_of_it(Relation table) {
  if (!RelationIsLogicallyLogged(table)) return nullptr;
  PublicationDesc published;
  RelationBuildPublicationDesc(table, &published);
  const PublicationActions& actions = published.pubactions;
  if (actions.pubinsert || actions.pubdelete || actions.pubtruncate) return "the table is published";

  bool decoded = false;
  LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
  for (int i = 0; i < max_replication_slots; ++i) {
    const ReplicationSlot& slot = ReplicationSlotCtl->replication_slots[i];
    decoded = decoded || (slot.in_use && slot.data.database == MyDatabaseId);
  }
  LWLockRelease(ReplicationSlotControlLock);
  return decoded ? "a replication slot decodes the changes of this database" : nullptr;
}

bool is_mutable_and_ordinary(Oid function, void*) {
  return function >= FirstNormalObjectId && func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

bool calls_such_function(Node* node, void* context) {
  if (node == nullptr) return false;
  if (check_functions_in_node(node, is_mutable_and_ordinary, context)) return true;
  return compat::walk_expression(node, calls_such_function, context);
}

bool calls_such_function(const char* expression) {
  return expression != nullptr && calls_such_function(static_cast<Node*>(stringToNode(expression)), nullptr);
}

// A function of somebody's that reads the table would find its old rows there, not those that have been loaded so far.
const char* functions_of_it(Relation table) {
  const TupleConstr* constraints = RelationGetDescr(table)->constr;
  if (constraints == nullptr) return nullptr;
  for (int i = 0; i < constraints->num_defval; ++i)
    if (calls_such_function(constraints->defval[i].adbin)) return "a default calls a function that may read the table";
  for (int i = 0; i < constraints->num_check; ++i)
    if (calls_such_function(constraints->check[i].ccbin))
      return "a constraint calls a function that may read the table";
  return nullptr;
}

const char* first_reason(Relation table) {
  for (const auto look :
       {kind_of_table, rights_on_it, keys_and_triggers, indexes_of_it, subscribers_of_it, functions_of_it})
    if (const char* reason = look(table)) return reason;
  return "";
}

}  // namespace

std::string why_not_replaceable(Oid table) {
  return guard([&] {
    Relation relation = table_open(table, AccessShareLock);
    const char* reason = first_reason(relation);
    table_close(relation, NoLock);
    return reason;
  });
}

}  // namespace etl::pg
