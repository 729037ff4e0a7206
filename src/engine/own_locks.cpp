#include "engine/own_locks.h"

#include "pg/guard.h"

namespace etl {

LOCKTAG own_lock(OwnLock kind, uint32_t number) {
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, number, 0, static_cast<uint16>(kind));
  return tag;
}

void take_own_lock(OwnLock kind) {
  const LOCKTAG tag = own_lock(kind);
  pg::guard([&] { LockAcquire(&tag, ExclusiveLock, true, false); });
}

}  // namespace etl
