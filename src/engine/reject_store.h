// Reject tables: where rows go that do not fit, beside the table that they were meant for.
#pragma once

#include "files/module.h"
#include "pg/relations.h"

namespace etl::reject_store {

// The reject table of a table: "bronze.orders_rejects".
pg::TableName table_for(const pg::TableName& table);

// Writes rejected rows of a file, as the current user and in its transaction; makes the table if it is not there.
void write(const pg::TableName& table, const std::string& file, const std::vector<files::Reject>& rejects);

}  // namespace etl::reject_store
