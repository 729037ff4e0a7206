// Rows of a file that do not fit, and where in the file they are.
#pragma once

#include <map>
#include <set>

#include "files/duckdb_api.h"
#include "pg/error.h"

namespace etl::files {

// A value that a column does not take.
struct BadValue {
  int64_t row;  // of the file, from 0, as it is read: without the records that could not be taken apart
  std::string column;
  std::string text;
  std::string sqlstate;
  std::string error;
};

// Empties what DuckDB remembers of an earlier file.
void forget_rejects(const Database& database);

// What is to be put aside: rows with bad values, and records that DuckDB could not take apart.
std::vector<Reject> list_rejects(const Database& database, const LoadRequest& request,
                                 const std::vector<BadValue>& bad);

// The error that a load fails with because of a value; after it nothing may be asked of the server.
pg::Failure explain_value(const LoadRequest& request, const BadValue& bad, const std::string& detail);

// Likewise because of what DuckDB says.
pg::Failure explain_record(const LoadRequest& request, const QueryError& error);

}  // namespace etl::files
