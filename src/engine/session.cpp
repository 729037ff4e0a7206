#include "engine/session.h"

#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/transaction.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_db_role_setting.h"
#include "commands/async.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "storage/lock.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace etl {

void reset_session() {
  pg::Transaction transaction;
  // DISCARD ALL, but for the plan cache, which holds nothing that a job could see.
  pg::guard([] {
    PortalHashTableDeleteAll();
    SetPGVariable("session_authorization", NIL, false);
    ResetAllOptions();
    DropAllPreparedStatements();
    Async_UnlistenAll();
    LockReleaseAll(USER_LOCKMETHOD, true);
    ResetTempTableNamespace();
    ResetSequenceCaches();
  });
  transaction.commit();
}

void forget_session_objects() {
  pg::guard([] {
    PortalHashTableDeleteAll();
    DropAllPreparedStatements();
    Async_UnlistenAll();
    ResetTempTableNamespace();
    ResetSequenceCaches();
  });
}

namespace {

// The settings of (database, role), as the versions of the catalog's row.
uint64_t settings_version(Relation catalog, Oid database, Oid role) {
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(database));
  ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
  SysScanDesc scan = systable_beginscan(catalog, DbRoleSettingDatidRolidIndexId, true, nullptr, 2, keys);
  HeapTuple tuple = systable_getnext(scan);
  const uint64_t version = HeapTupleIsValid(tuple) ? HeapTupleHeaderGetRawXmin(tuple->t_data) : 0;
  systable_endscan(scan);
  return version;
}

}  // namespace

namespace {

bool roles_changed = false;

void note_change_of_roles(Datum, int, uint32) {
  roles_changed = true;
}

// Changes with every change of the role itself, such as its being a superuser.
uint64_t role_version(Oid role) {
  HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
  if (!HeapTupleIsValid(tuple)) return 0;
  const uint64_t version = HeapTupleHeaderGetRawXmin(tuple->t_data);
  ReleaseSysCache(tuple);
  return version;
}

}  // namespace

void watch_roles() {
  pg::guard([] { CacheRegisterSyscacheCallback(AUTHOID, note_change_of_roles, Datum(0)); });
}

bool have_roles_changed() {
  pg::guard([] {  // as a transaction begins, a process hears of changes
    StartTransactionCommand();
    CommitTransactionCommand();
  });
  return std::exchange(roles_changed, false);
}

uint64_t session_fingerprint(Oid role) {
  pg::Transaction transaction;
  const bool may_start = (!compat::kOwnersMustLogIn || pg::role_can_log_in(role)) && pg::may_connect(role);
  const uint64_t fingerprint = pg::guard([&] {
    Relation catalog = table_open(DbRoleSettingRelationId, AccessShareLock);
    uint64_t versions = role_version(role);
    const Oid places[][2] = {{MyDatabaseId, role}, {InvalidOid, role}, {MyDatabaseId, InvalidOid}, {0, 0}};
    for (const auto& place : places) versions = versions * 1000003 + settings_version(catalog, place[0], place[1]);
    table_close(catalog, AccessShareLock);
    return versions * 2 + (may_start ? 1 : 0);
  });
  transaction.commit();
  return fingerprint;
}

}  // namespace etl
