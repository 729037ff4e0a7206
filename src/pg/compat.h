// All differences between server versions 15 to 18 that this extension meets.
#pragma once

extern "C" {
#include "access/relation.h"
#include "access/xlogutils.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/storage.h"
#include "commands/dbcommands.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "postmaster/bgworker.h"
#include "storage/proc.h"
#include "storage/smgr.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#if PG_VERSION_NUM >= 160000
#include "utils/relfilenumbermap.h"
#else
#include "utils/relfilenodemap.h"
#endif
#include "utils/wait_event.h"
}

#if PG_VERSION_NUM < 150000
#error "etl_orchestrator needs PostgreSQL 15 or newer"
#endif

namespace etl::compat {

// Number of this process among all, from 0; the size of an array indexed by it is proc_count().
inline int my_proc_number() {
#if PG_VERSION_NUM >= 170000
  return MyProcNumber;
#else
  return MyProc->pgprocno;
#endif
}

inline int proc_count() {
  return MaxBackends + NUM_AUXILIARY_PROCS;
}

inline bool run_portal(Portal portal, bool is_top_level, DestReceiver* receiver, QueryCompletion* completion) {
#if PG_VERSION_NUM >= 180000
  return PortalRun(portal, FETCH_ALL, is_top_level, receiver, receiver, completion);
#else
  return PortalRun(portal, FETCH_ALL, is_top_level, true, receiver, receiver, completion);
#endif
}

// Enters a row that was inserted into the indexes of its table. Returns what needs a look at the end: of no use here.
inline List* insert_index_tuples(ResultRelInfo* table, TupleTableSlot* slot, EState* estate) {
#if PG_VERSION_NUM >= 160000
  return ExecInsertIndexTuples(table, slot, estate, false, false, nullptr, NIL, false);
#else
  return ExecInsertIndexTuples(table, slot, estate, false, false, nullptr, NIL);
#endif
}

// May `role` become `target` with SET ROLE? From 16 on membership alone does not grant it.
inline bool may_set_role(Oid role, Oid target) {
#if PG_VERSION_NUM >= 160000
  return member_can_set_role(role, target);
#else
  return is_member_of_role(role, target);
#endif
}

inline bool may(Oid catalog, Oid object, Oid role, AclMode mode) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(catalog, object, role, mode) == ACLCHECK_OK;
#else
  return (catalog == NamespaceRelationId ? pg_namespace_aclcheck(object, role, mode)
                                         : pg_database_aclcheck(object, role, mode)) == ACLCHECK_OK;
#endif
}

inline bool may_use_schema(Oid schema, Oid role) {
  return may(NamespaceRelationId, schema, role, ACL_USAGE);
}
inline bool may_create_in_schema(Oid schema, Oid role) {
  return may(NamespaceRelationId, schema, role, ACL_CREATE);
}
inline bool may_connect(Oid database, Oid role) {
  return may(DatabaseRelationId, database, role, ACL_CONNECT);
}
inline bool may_create_schemas(Oid database, Oid role) {
  return may(DatabaseRelationId, database, role, ACL_CREATE);
}

inline bool owns_table(Oid table, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, table, role);
#else
  return pg_class_ownercheck(table, role);
#endif
}

// Before 16 walkers are declared without their arguments.
inline bool walk_expression(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, walker, context);
#else
  const auto untyped = reinterpret_cast<void (*)()>(walker);
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

// Gives a relation a new, empty file, and the old one to the commit.
inline void begin_new_file(Relation relation, char persistence) {
#if PG_VERSION_NUM >= 160000
  RelationSetNewRelfilenumber(relation, persistence);
#else
  RelationSetNewRelfilenode(relation, persistence);
#endif
}

// To be told when two relations exchange files: that of `taker` is new in this transaction, that of `giver` as old as
// the taker's was. Decides what has to be logged.
inline void take_over_storage(Oid taker, Oid giver) {
  Relation to = relation_open(taker, NoLock);
  Relation from = relation_open(giver, NoLock);
  from->rd_createSubid = to->rd_createSubid;
#if PG_VERSION_NUM >= 160000
  from->rd_newRelfilelocatorSubid = to->rd_newRelfilelocatorSubid;
  from->rd_firstRelfilelocatorSubid = to->rd_firstRelfilelocatorSubid;
  RelationAssumeNewRelfilelocator(to);
#else
  from->rd_newRelfilenodeSubid = to->rd_newRelfilenodeSubid;
  from->rd_firstRelfilenodeSubid = to->rd_firstRelfilenodeSubid;
  RelationAssumeNewRelfilenode(to);
#endif
  relation_close(to, NoLock);
  relation_close(from, NoLock);
}

// True if nothing of a relation's file is older than this transaction.
inline bool has_new_file(Relation relation) {
#if PG_VERSION_NUM >= 160000
  const SubTransactionId renewed = relation->rd_firstRelfilelocatorSubid;
#else
  const SubTransactionId renewed = relation->rd_firstRelfilenodeSubid;
#endif
  return relation->rd_createSubid != InvalidSubTransactionId || renewed != InvalidSubTransactionId;
}

// Tablespace and number of a relation's file.
inline std::pair<Oid, Oid> file_of(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return {relation->rd_locator.spcOid, relation->rd_locator.relNumber};
#else
  return {relation->rd_node.spcNode, relation->rd_node.relNode};
#endif
}

// Whether a relation of this database has that file.
inline bool is_file_of_relation(Oid tablespace, Oid number) {
#if PG_VERSION_NUM >= 160000
  return OidIsValid(RelidByRelfilenumber(tablespace, number));
#else
  return OidIsValid(RelidByRelfilenode(tablespace, number));
#endif
}

#if PG_VERSION_NUM >= 160000
using FileOfRelation = RelFileLocator;
#else
using FileOfRelation = RelFileNode;
#endif

inline bool file_exists(Oid tablespace, Oid number) {
#if PG_VERSION_NUM >= 170000
  const ProcNumber everybody = INVALID_PROC_NUMBER;
#else
  const BackendId everybody = InvalidBackendId;
#endif
  const FileOfRelation file{tablespace, MyDatabaseId, number};
  return smgrexists(smgropen(file, everybody), MAIN_FORKNUM);
}

// For a file of this database that no relation has.
inline void drop_file_at_commit(Oid tablespace, Oid number) {
  const FileOfRelation file{tablespace, MyDatabaseId, number};
  Relation relation = CreateFakeRelcacheEntry(file);
  RelationDropStorage(relation);
  FreeFakeRelcacheEntry(relation);
}

// Before 17 two cache entries must not keep files open that they have exchanged.
inline void close_files([[maybe_unused]] Oid relation) {
#if PG_VERSION_NUM < 170000
  RelationCloseSmgrByOid(relation);
#endif
}

inline void swap_statistics(Form_pg_class one, Form_pg_class other) {
  std::swap(one->relpages, other->relpages);
  std::swap(one->reltuples, other->reltuples);
  std::swap(one->relallvisible, other->relallvisible);
#if PG_VERSION_NUM >= 180000
  std::swap(one->relallfrozen, other->relallfrozen);
#endif
}

// Flags for BackgroundWorkerInitializeConnectionByOid. From 17 on a worker may serve a role that cannot log in.
#if PG_VERSION_NUM >= 170000
inline constexpr bool kOwnersMustLogIn = false;
inline constexpr uint32 kWorkerConnectionFlags = BGWORKER_BYPASS_ROLELOGINCHECK;
#else
inline constexpr bool kOwnersMustLogIn = true;
inline constexpr uint32 kWorkerConnectionFlags = 0;
#endif

// Names shown in pg_stat_activity.wait_event.
inline uint32 wait_event([[maybe_unused]] const char* name) {
#if PG_VERSION_NUM >= 170000
  return WaitEventExtensionNew(name);
#else
  return PG_WAIT_EXTENSION;
#endif
}

}  // namespace etl::compat
