// What one value of a text file looks like. Which type a column gets follows from all its values: column_types.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace etl::crawl {

enum class Form : uint8_t {
  kTrueFalse,     // true, false
  kTF,            // t, f
  kInteger,       // no leading zeros, no plus sign: "007" and "+49" are text
  kDecimal,       // 12.50, -.5
  kCommaDecimal,  // 12,50
  kFloat,         // 1.5e10
  kNotFinite,     // NaN, inf, -Infinity
  kDate,
  kTimestamp,
  kTime,  // 23:59, 23:59:59.5
  kUuid,
  kText
};
inline constexpr int kForms = 12;

enum class IntegerRange : uint8_t { kInteger, kBigint, kNumeric };

// How a date is written. One text may be of several styles: 01/02/2024.
using DateStyles = uint16_t;
namespace date_style {
inline constexpr DateStyles kIso = 1;        // 2024-12-31
inline constexpr DateStyles kYmdSlash = 2;   // 2024/12/31
inline constexpr DateStyles kYmdDot = 4;     // 2024.12.31
inline constexpr DateStyles kDmyDot = 8;     // 31.12.2024: nobody writes the month first with dots
inline constexpr DateStyles kDmySlash = 16;  // 31/12/2024
inline constexpr DateStyles kMdySlash = 32;  // 12/31/2024
inline constexpr DateStyles kDmyDash = 64;   // 31-12-2024
inline constexpr DateStyles kMdyDash = 128;  // 12-31-2024
inline constexpr DateStyles kDayName = 256;  // 31-Dec-2024
inline constexpr DateStyles kAll = 511;
}  // namespace date_style

// How the time of a timestamp is written; as bits, so that a column's can be collected.
using TimeShapes = uint8_t;
namespace time_shape {
inline constexpr TimeShapes kMinutes = 1;   // 23:59
inline constexpr TimeShapes kSeconds = 2;   // 23:59:59
inline constexpr TimeShapes kFraction = 4;  // 23:59:59.999
inline constexpr TimeShapes kZone = 8;      // with Z, UTC, +01, +0100 or +01:00
inline constexpr TimeShapes kLetterT = 16;  // 2024-12-31T23:59
inline constexpr TimeShapes kNoZone = 32;   // always one of kZone and kNoZone
}  // namespace time_shape

struct ValueForm {
  Form form = Form::kText;
  IntegerRange range = IntegerRange::kInteger;  // of integers
  int integer_digits = 0;                       // of numbers
  int scale = 0;                                // of decimals: digits behind the point or comma
  bool is_double = true;                        // a fraction: double precision holds it, and prints it so
  DateStyles date_styles = 0;
  TimeShapes time_shapes = 0;
};

// Blanks around a number, a date or a truth value do not count, as in PostgreSQL.
ValueForm form_of(std::string_view text);

}  // namespace etl::crawl
