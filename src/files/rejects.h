// Rows of a file that do not fit, and where in the file they are.
#pragma once

#include "files/duckdb_api.h"
#include "files/pieces.h"
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

// What an error says of a value: as the file has it (`text`), not as it was handed to the server (`given`), with a
// point for a decimal comma.
BadValue bad_value(const pg::Error& error, int64_t row, const std::string& column, const std::string& text,
                   const std::string& given);

// Whether an error may be about a value or a row, and not about the work on them, such as a cancel.
bool is_of_row(const pg::Error& error);

// Fails where the escape mark of a CSV file, in quotes, stands before something else than a quote or itself: DuckDB
// leaves it out, COPY does not. Reads the file, if it has such a mark.
void require_plain_escapes(const LoadRequest& request);

// Fails where a quote of a CSV file does not end: DuckDB goes on somewhere, and the rest of the file would be missed by
// nobody. Reads the file line by line.
void require_ended_quotes(const LoadRequest& request);

// Empties what DuckDB remembers of an earlier file or piece.
void forget_rejects(const Database& database);

// What is to be put aside: rows with bad values, and records that DuckDB could not take apart. `piece`: of a CSV file,
// which all of this is about, also the numbers of rows; other files have no lines.
std::vector<Reject> list_rejects(const Database& database, const LoadRequest& request, const std::vector<BadValue>& bad,
                                 const Piece* piece);

// The error that a load fails with because of a value, with its place in the file; after it nothing may be asked of the
// server.
pg::Error explain_value(const LoadRequest& request, const BadValue& bad, const pg::Error& error);

// Likewise because of what DuckDB says.
pg::Failure explain_record(const LoadRequest& request, const QueryError& error);

}  // namespace etl::files
