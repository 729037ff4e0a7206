// Arguments and results of SQL functions.
#pragma once

#include "pg/spi.h"

extern "C" {
#include "fmgr.h"
}

namespace etl {

// None for null.
std::optional<std::string> text_argument(FunctionCallInfo fcinfo, int number);
std::string required_text(FunctionCallInfo fcinfo, int number, const char* what);  // Failure if null or empty
std::string json_argument(FunctionCallInfo fcinfo, int number);                    // jsonb that is not null, as text
std::optional<std::vector<std::string>> texts_argument(FunctionCallInfo fcinfo, int number, const char* name);

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

// Returns rows from a function that returns a table.
void return_rows(FunctionCallInfo fcinfo, const std::vector<std::vector<pg::Value>>& rows);

}  // namespace etl
