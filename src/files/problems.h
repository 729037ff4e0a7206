// What DuckDB says, in PostgreSQL's words.
#pragma once

#include "files/duckdb_api.h"
#include "pg/error.h"

namespace etl::files {

// The error that a file cannot be read, from what DuckDB says of it.
pg::Failure explain(const Source& source, const QueryError& error);

// Runs `body`; what DuckDB throws becomes the error that the user sees.
template <typename F>
auto explained(const Source& source, F&& body) {
  try {
    return body();
  } catch (const QueryError& error) {
    throw explain(source, error);
  }
}

}  // namespace etl::files
