// The table that a load fills: what must be true of it.
#pragma once

#include "pg/error.h"

namespace etl {

// The table, which nobody can drop or replace by another from now on. Failure if it is none, or not one that this load
// may fill. `must_be_owned`: by the current user. A superuser's load is refused where a constraint, a default or a
// trigger would run another role's code with its rights.
Oid take_table(const std::string& table, bool must_be_owned);

// Empties a table for a load that cannot swap. Failure where that would change rows of another table, or a rule says
// that to delete is something else.
void delete_rows(Oid relation, const std::string& table);

}  // namespace etl
