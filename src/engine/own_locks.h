// Locks of the engine's own: all kinds in one place, since no two may be the same.
//
// They are kept where advisory locks are, but no function of SQL can take or release one: the last field of the lock is
// none of those that advisory locks have, which are 1 and 2.
#pragma once

#include "pg/error.h"

extern "C" {
#include "storage/lock.h"
}

namespace etl {

enum class OwnLock : uint16 {
  kConductor = 3,  // of the database
  kWatcher = 4,    // of the database
  kCrawler = 5     // by a number that follows from its name
};

// In this database; `number` tells locks of one kind apart.
LOCKTAG own_lock(OwnLock kind, uint32_t number = 0);

// Takes the lock for the life of this process. While another one has it, waits.
void take_own_lock(OwnLock kind);

}  // namespace etl
