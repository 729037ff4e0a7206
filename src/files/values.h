// Values of the plain forms that files mostly hold, read without the server: on any thread, and much faster than by the
// types' input functions.
//
// Each function accepts a subset of what the type's input function of PostgreSQL accepts, and gives the same value.
// False says nothing about the text: then the input function is to be asked.
#pragma once

#include <cstdint>
#include <string_view>

namespace etl::files {

// Digits, perhaps after a minus sign, within bounds.
bool parse_integer(std::string_view text, int64_t least, int64_t most, int64_t* value);

// At most 18 digits, perhaps with a point in between: value / 10^scale.
bool parse_decimal(std::string_view text, int64_t* value, int* scale);

// Digits with an optional fraction and exponent, not out of range.
bool parse_double(std::string_view text, double* value);
bool parse_float(std::string_view text, float* value);

// 2024-02-29, from year 1 on: days since 2000-01-01.
bool parse_date(std::string_view text, int32_t* days);

// 2024-02-29 23:59:59.123456, with T or a space, the fraction up to 6 digits: microseconds since 2000-01-01.
bool parse_timestamp(std::string_view text, int64_t* microseconds);

// true, false, t, f, yes, no, y, n, on, off, 1, 0, in lower case.
bool parse_boolean(std::string_view text, bool* value);

}  // namespace etl::files
