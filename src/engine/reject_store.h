// Reject tables: where rows go that do not fit, beside the table that they were meant for.
#pragma once

#include "files/module.h"
#include "pg/relations.h"
#include "plan/blueprint.h"

namespace etl::reject_store {

// The reject table of a table: "bronze.orders_rejects". A name that is too long for that is cut off and gets a hash of
// the whole name, so that no two tables share one. Needs a transaction.
pg::TableName table_for(const pg::TableName& table);

// A reject table that is there already may have been made by anybody who may create tables in its schema, in wait for
// the rows and for the rights of whoever writes them: its triggers and defaults run with those. So it must belong to
// the writer, to the owner of the table that the rows were meant for, or to a superuser; this says what is wrong if it
// does not.
std::optional<plan::Problem> problem_of_owner(const pg::TableName& table, Oid writer);

// Writes rejected rows of files, as the current user and in the transaction that is open.
class Writer {
 public:
  explicit Writer(const std::string& table);  // as SQL writes it

  // Makes the table if it is not there. Failure (insufficient_privilege) for what problem_of_owner() says.
  void write(const std::string& file, const std::vector<files::Reject>& rejects);

 private:
  void prepare();

  const pg::TableName table_;
  const std::string target_;
  bool is_ready_ = false;
};

}  // namespace etl::reject_store
