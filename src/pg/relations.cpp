#include "pg/relations.h"

#include "pg/guard.h"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteDefine.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
}

namespace etl::pg {

std::string TableName::quoted() const {
  return quote_name(schema) + "." + quote_name(table);
}

TableName parse_table_name(const std::string& text, const std::string& schema) {
  struct Parts {
    int count;
    const char* parts[3];
  };
  const Parts parts = guard([&] {
    Parts read{0, {}};
    List* names = NIL;
    if (!SplitIdentifierString(pstrdup(text.c_str()), '.', &names)) return read;
    ListCell* cell;
    foreach (cell, names) {
      if (read.count < 3) read.parts[read.count] = static_cast<const char*>(lfirst(cell));
      ++read.count;
    }
    return read;
  });
  if (parts.count == 1) return {schema, parts.parts[0]};
  if (parts.count == 2) return {parts.parts[0], parts.parts[1]};
  throw Failure(ERRCODE_INVALID_NAME, format("\"%s\" is not the name of a table", text.c_str()),
                "A table is named table or schema.table, with SQL's rules for quotes.");
}

std::string quote_name(const std::string& name) {
  return guard([&] { return quote_identifier(name.c_str()); });
}

std::string quote_text(const std::string& text) {
  return guard([&] { return static_cast<const char*>(quote_literal_cstr(text.c_str())); });
}

Oid find_schema(const std::string& name) {
  return guard([&] { return get_namespace_oid(name.c_str(), true); });
}

Oid find_table(const TableName& name) {
  return guard([&] {
    const Oid schema = get_namespace_oid(name.schema.c_str(), true);
    return OidIsValid(schema) ? get_relname_relid(name.table.c_str(), schema) : InvalidOid;
  });
}

bool can_be_loaded(Oid table) {
  const char kind = guard([&] { return get_rel_relkind(table); });
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE;
}

bool is_partitioned(Oid table) {
  return guard([&] { return get_rel_relkind(table); }) == RELKIND_PARTITIONED_TABLE;
}

TableName name_of_table(Oid table) {
  struct Parts {
    const char* schema;
    const char* table;
  };
  const Parts parts = guard([&] { return Parts{get_namespace_name(get_rel_namespace(table)), get_rel_name(table)}; });
  return {parts.schema == nullptr ? "" : parts.schema, parts.table == nullptr ? "" : parts.table};
}

bool has_delete_rule(Oid table) {
  return guard([&] {
    Relation relation = table_open(table, AccessShareLock);
    bool found = false;
    for (int i = 0; relation->rd_rules != nullptr && i < relation->rd_rules->numLocks; ++i) {
      const RewriteRule* rule = relation->rd_rules->rules[i];
      found = found || (rule->event == CMD_DELETE && rule->enabled != RULE_DISABLED);
    }
    table_close(relation, NoLock);
    return found;
  });
}

namespace {

struct ClassFacts {
  Oid owner;
  double rows;
};

ClassFacts class_facts(Oid table) {
  return guard([&] {
    ClassFacts facts{InvalidOid, -1};
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) return facts;
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    facts = {row->relowner, row->reltuples};
    ReleaseSysCache(tuple);
    return facts;
  });
}

}  // namespace

Oid table_owner(Oid table) {
  return class_facts(table).owner;
}

double planned_rows(Oid table) {
  return class_facts(table).rows;
}

std::vector<Column> loadable_columns(Oid table) {
  const TupleDesc columns = guard([&] {
    Relation relation = table_open(table, AccessShareLock);
    TupleDesc copy = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    table_close(relation, NoLock);
    return copy;
  });
  std::vector<Column> loadable;
  for (int i = 0; i < columns->natts; ++i) {
    const FormData_pg_attribute& column = *TupleDescAttr(columns, i);
    if (column.attisdropped || column.attgenerated != '\0') continue;
    const char* type = guard([&] { return format_type_with_typemod(column.atttypid, column.atttypmod); });
    loadable.push_back({NameStr(column.attname), i + 1, type, column.atthasdef || column.attidentity != '\0'});
  }
  return loadable;
}

std::optional<int64_t> rows_written_counter(Oid table) {
  if (!pgstat_track_counts) return std::nullopt;
  return guard([&] {
    int64 rows = 0;
    List* tables = has_subclass(table) ? find_all_inheritors(table, NoLock, nullptr) : list_make1_oid(table);
    ListCell* cell;
    foreach (cell, tables) {
      const Datum each = ObjectIdGetDatum(lfirst_oid(cell));
      rows += DatumGetInt64(DirectFunctionCall1(pg_stat_get_xact_tuples_inserted, each));
      rows += DatumGetInt64(DirectFunctionCall1(pg_stat_get_xact_tuples_updated, each));
    }
    list_free(tables);
    return rows;
  });
}

Oid hold_table(const TableName& name) {
  return guard([&] {
    RangeVar* given = makeRangeVar(pstrdup(name.schema.c_str()), pstrdup(name.table.c_str()), -1);
    return RangeVarGetRelid(given, AccessShareLock, true);
  });
}

std::vector<Oid> hold_members(Oid table) {
  if (!is_partitioned(table)) return {table};
  const List* found = guard([&] { return find_all_inheritors(table, AccessShareLock, nullptr); });
  std::vector<Oid> members;
  ListCell* cell;
  foreach (cell, found) members.push_back(lfirst_oid(cell));
  return members;
}

namespace {

bool heap_holds_rows(Relation relation) {
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  TupleTableSlot* row = table_slot_create(relation, nullptr);
  TableScanDesc scan = table_beginscan(relation, snapshot, 0, nullptr);
  const bool found = table_scan_getnextslot(scan, ForwardScanDirection, row);
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(row);
  UnregisterSnapshot(snapshot);
  return found;
}

}  // namespace

bool holds_rows(Oid table) {
  for (const Oid member : hold_members(table)) {
    const bool found = guard([&] {
      Relation relation = table_open(member, AccessShareLock);
      const char kind = relation->rd_rel->relkind;
      const bool holds = kind == RELKIND_RELATION ? heap_holds_rows(relation) : kind != RELKIND_PARTITIONED_TABLE;
      table_close(relation, NoLock);
      return holds;
    });
    if (found) return true;
  }
  return false;
}

void lock_for_writing(Oid table) {
  guard([&] { LockRelationOid(table, RowExclusiveLock); });
}

namespace {

Oid function_owner(Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) return InvalidOid;
  const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
  ReleaseSysCache(tuple);
  return owner;
}

}  // namespace

std::string trigger_of_ordinary_role(Oid table) {
  return guard([&]() -> const char* {
    Relation relation = table_open(table, AccessShareLock);
    const TriggerDesc* triggers = relation->trigdesc;
    const char* found = "";
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
      const Trigger& trigger = triggers->triggers[i];
      if (trigger.tgisinternal || trigger.tgenabled == TRIGGER_DISABLED) continue;
      if (!superuser_arg(function_owner(trigger.tgfoid))) found = pstrdup(trigger.tgname);
    }
    table_close(relation, NoLock);
    return found;
  });
}

}  // namespace etl::pg
