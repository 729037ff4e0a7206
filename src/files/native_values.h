// Values of DuckDB's types that mean the same in PostgreSQL: they are taken over as they are, and not as text.
#pragma once

#include <cstdint>
#include <string>

#include "pg/server.h"

namespace etl::files {

enum class Native { kNone, kInt8Bit, kInt16, kInt32, kInt64, kFloat, kDouble, kBool, kDate, kTimestamp };

struct NativeType {
  Native kind = Native::kNone;
  int scale = 0;  // of decimals, which are integers here
};

// For a column of the table and DuckDB's name of the file's type; kNone where they do not mean the same.
NativeType native_type_for(const FormData_pg_attribute& target, const std::string& duck_type);

// The bits of a value of the server, from row `row` of a vector's data. False if it has no counterpart.
bool take_native(Native kind, const void* data, size_t row, int64_t* bits);

// The digits behind the point that a numeric type keeps; none: as many as there are. Outside numeric(p,s), too.
std::optional<int> scale_of(int32 typmod);
int precision_of(int32 typmod);

}  // namespace etl::files
