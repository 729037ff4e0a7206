// What DuckDB says, in PostgreSQL's words.
#pragma once

#include "files/duckdb_api.h"
#include "pg/error.h"

namespace etl::files {

// A record of a CSV file that cannot be taken apart.
struct RecordProblem {
  int64_t record;  // from 1, as DuckDB counts: with the header and empty lines
  std::string raw;
  std::string sqlstate;
  std::string error;
};

// In our words what DuckDB says of a record; fills in the SQLSTATE, too.
RecordProblem describe(int64_t record, const std::string& raw, const std::string& reason);

// What an error says of a record; none if it is about something else.
std::optional<RecordProblem> record_problem(const QueryError& error);

// The error that a file cannot be read, from what DuckDB says of it.
pg::Failure explain(const Source& source, const QueryError& error);

inline constexpr size_t kMostColumns = 1600;  // of a table

pg::Failure too_long(const Source& source);
pg::Failure too_many_columns(const Source& source, size_t count);
pg::Failure mixed_line_ends(const Source& source);
pg::Failure open_quote(const Source& source, int64_t line);
pg::Failure unreadable(const Source& source, const std::string& problem, const std::string& detail = "");

// "22P04" as the server's number.
int sqlstate_number(const std::string& sqlstate);

inline constexpr const char* kBadRowHint =
    "Mend the file, set the job's reader_options, or let on_bad_row => 'reject' put such rows aside.";

inline constexpr const char* kRefusedRowHint = "Mend the file, or change what the table demands of its rows.";

inline constexpr const char* kEncodingHint =
    "If the file has another encoding, name it: reader_options => '{\"encoding\": \"latin-1\"}', or utf-16.";
std::string hint_for(const RecordProblem& problem);

inline constexpr size_t kMostShown = 1000;  // bytes of a record, in an error

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
