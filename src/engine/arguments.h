// Arguments and results of SQL functions.
#pragma once

#include "pg/boundary.h"
#include "pg/spi.h"

extern "C" {
#include "fmgr.h"
}

namespace etl {

// None for null.
std::optional<std::string> text_argument(FunctionCallInfo fcinfo, int number);
std::string json_argument(FunctionCallInfo fcinfo, int number);  // jsonb that is not null, as text
std::optional<std::vector<std::string>> texts_argument(FunctionCallInfo fcinfo, int number, const char* name);

// An argument that must be given: Failure (null_value_not_allowed) with its name where it is null, or an empty text.
std::string required_text(FunctionCallInfo fcinfo, int number);
std::string required_json(FunctionCallInfo fcinfo, int number);
Datum required_argument(FunctionCallInfo fcinfo, int number);

// A flag that is null is false.
bool flag_argument(FunctionCallInfo fcinfo, int number);

// An interval, as text that interval_in reads, whatever the settings; none for null.
std::optional<std::string> interval_argument(FunctionCallInfo fcinfo, int number);

// When an interval from now will have passed, as pg::monotonic_ms(); 0 for null.
int64_t deadline_argument(FunctionCallInfo fcinfo, int number);

Datum text_result(const std::string& text);

// Raises in a procedure that was called inside a transaction block: `what` cannot be awaited there; `instead` says what
// can be called.
void require_no_block(FunctionCallInfo fcinfo, const char* what, const char* instead);

// Raises read_only_sql_transaction, which names the function, where the transaction may only read.
void require_writable(FunctionCallInfo fcinfo);

// The boundary() of a function that writes.
template <typename F>
auto writing(FunctionCallInfo fcinfo, F&& body) -> decltype(body()) {
  return pg::boundary([&] {
    require_writable(fcinfo);
    return body();
  });
}

// Returns rows from a function that returns a table.
void return_rows(FunctionCallInfo fcinfo, const std::vector<std::vector<pg::Value>>& rows);

}  // namespace etl
