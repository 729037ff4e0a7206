// The table that a load fills: what must be true of it.
#pragma once

#include "pg/error.h"

namespace etl {

// The table, which nobody can drop or replace by another from now on. Failure if it is none, or not one that this load
// may fill. `must_be_owned`: by the current user. A superuser's load is refused where the table or a partition could
// run another role's code with its rights: in a constraint, a default, an index, a trigger.
Oid take_table(const std::string& table, bool must_be_owned);

// The same, before rows of it are written where they are, and triggers fired: nobody can make one any more. (Whoever
// puts a new content in place of the old needs a stronger lock, and must not come to it from this one.)
void take_rows(Oid relation);

// Empties a table, and takes its rows, for a load that cannot swap. Failure where that would change rows of another
// table, or a rule says that to delete is something else.
void delete_rows(Oid relation, const std::string& table);

}  // namespace etl
