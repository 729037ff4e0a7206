// Reject tables: where rows go that do not fit, beside the table that they were meant for.
#pragma once

#include "files/module.h"
#include "pg/relations.h"
#include "plan/blueprint.h"

namespace etl::reject_store {

// The reject table of a table: "bronze.orders_rejects".
pg::TableName table_for(const pg::TableName& table);

// A reject table that is there already may have been made by anybody who may create tables in its schema, in wait for
// the rows and for the rights of whoever writes them: its triggers and defaults run with those. So it must belong to
// the writer, to the owner of the table that the rows were meant for, or to a superuser; this says what is wrong if it
// does not.
std::optional<plan::Problem> problem_of_owner(const pg::TableName& table, Oid writer);

// Writes rejected rows of a file, as the current user and in its transaction; makes the table if it is not there.
// Failure (insufficient_privilege) for what problem_of_owner() says.
void write(const pg::TableName& table, const std::string& file, const std::vector<files::Reject>& rejects);

}  // namespace etl::reject_store
