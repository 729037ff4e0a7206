// A worker's session between two jobs.
#pragma once

#include "pg/error.h"

namespace etl {

// Makes the session as fresh as a new one of its owner: no SET, role, temporary table, cursor, prepared statement,
// sequence value or advisory lock of the job before. In a transaction of its own.
void reset_session();

// The same, but for settings, inside an open transaction that others share: advisory locks of the transaction stay.
void forget_session_objects();

// What a new session of the role would start with: changes whenever ALTER ROLE or ALTER DATABASE changes a setting
// for it, or its rights to log in. In a transaction of its own.
uint64_t session_fingerprint(Oid role);

}  // namespace etl
