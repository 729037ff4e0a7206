// A worker's session between two jobs.
#pragma once

#include "pg/error.h"

namespace etl {

// Makes the session as fresh as a new one of its owner: no SET, role, temporary table, cursor, prepared statement,
// sequence value or advisory lock of the job before. In a transaction of its own.
void reset_session();

// The same, but for settings and advisory locks, inside an open transaction that others share: what a lock guards is
// not committed yet.
void forget_session_objects();

// What a new session of the role would start with: changes whenever ALTER ROLE or ALTER DATABASE changes a setting
// for it, or anything changes about the role itself. In a transaction of its own.
uint64_t session_fingerprint(Oid role);

// Whether any role was changed since the last call; watch_roles() begins to watch. Outside a transaction.
void watch_roles();
bool have_roles_changed();

}  // namespace etl
