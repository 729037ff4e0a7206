#include "files/native_values.h"

#include <bit>
#include <map>

extern "C" {
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "utils/date.h"
}

namespace etl::files {

namespace {

constexpr int64_t kEpochDays = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr int64_t kEpochMicroseconds = kEpochDays * USECS_PER_DAY;

// DECIMAL(12,2) is kept as an integer of 2, 4 or 8 bytes.
NativeType decimal_type(const std::string& duck_type, int32 typmod) {
  int width = 0;
  int scale = 0;
  if (sscanf(duck_type.c_str(), "DECIMAL(%d,%d)", &width, &scale) != 2 || width > 18) return {};
  const std::optional<int> wanted = scale_of(typmod);
  if (wanted && (*wanted != scale || precision_of(typmod) < width)) return {};
  return {width <= 4 ? Native::kInt16 : width <= 9 ? Native::kInt32 : Native::kInt64, scale};
}

Native native_called(const std::string& duck_type) {
  static const std::map<std::string, Native> kTypes = {{"TINYINT", Native::kInt8Bit},
                                                       {"SMALLINT", Native::kInt16},
                                                       {"INTEGER", Native::kInt32},
                                                       {"BIGINT", Native::kInt64},
                                                       {"FLOAT", Native::kFloat},
                                                       {"DOUBLE", Native::kDouble},
                                                       {"BOOLEAN", Native::kBool},
                                                       {"DATE", Native::kDate},
                                                       {"TIMESTAMP", Native::kTimestamp},
                                                       {"TIMESTAMP_S", Native::kTimestamp},
                                                       {"TIMESTAMP_MS", Native::kTimestamp},
                                                       {"TIMESTAMP WITH TIME ZONE", Native::kTimestamp}};
  const auto type = kTypes.find(duck_type);
  return type == kTypes.end() ? Native::kNone : type->second;
}

// Whether a type without a modifier holds all values, and the same.
bool means_the_same(Oid type, Native native, bool is_zoned) {
  switch (native) {
    case Native::kInt8Bit:
    case Native::kInt16:
      return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
    case Native::kInt32:
      return type == INT4OID || type == INT8OID || type == NUMERICOID;
    case Native::kInt64:
      return type == INT8OID || type == NUMERICOID;
    case Native::kFloat:
      return type == FLOAT4OID;
    case Native::kDouble:
      return type == FLOAT8OID;
    case Native::kBool:
      return type == BOOLOID;
    case Native::kDate:
      return type == DATEOID;
    case Native::kTimestamp:
      return type == (is_zoned ? TIMESTAMPTZOID : TIMESTAMPOID);
    case Native::kNone:
      return false;
  }
  return false;
}

bool in_date_range(int64_t days) {
  return days >= DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE && days < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE;
}

template <typename T>
T at(const void* data, size_t row) {
  return static_cast<const T*>(data)[row];
}

bool take_date(int32_t days, int64_t* bits) {
  *bits = days == INT32_MAX ? DATEVAL_NOEND : days == -INT32_MAX ? DATEVAL_NOBEGIN : days - kEpochDays;
  return *bits == DATEVAL_NOEND || *bits == DATEVAL_NOBEGIN || in_date_range(*bits);
}

bool take_timestamp(int64_t micros, int64_t* bits) {
  if (micros == INT64_MAX || micros == -INT64_MAX) {
    *bits = micros == INT64_MAX ? DT_NOEND : DT_NOBEGIN;
    return true;
  }
  return !__builtin_sub_overflow(micros, kEpochMicroseconds, bits) && IS_VALID_TIMESTAMP(*bits);
}

}  // namespace

std::optional<int> scale_of(int32 typmod) {
  if (typmod < static_cast<int32>(VARHDRSZ)) return std::nullopt;
  const int scale = (typmod - VARHDRSZ) & 0x7ff;
  return (scale ^ 1024) - 1024;
}

int precision_of(int32 typmod) {
  return ((typmod - VARHDRSZ) >> 16) & 0xffff;
}

NativeType native_type_for(const FormData_pg_attribute& target, const std::string& duck_type) {
  if (target.atttypid == NUMERICOID && duck_type.starts_with("DECIMAL("))
    return decimal_type(duck_type, target.atttypmod);
  if (target.atttypmod >= 0 && target.atttypmod != MAX_TIMESTAMP_PRECISION) return {};  // it rounds, or has bounds
  const Native native = native_called(duck_type);
  return means_the_same(target.atttypid, native, duck_type.ends_with("ZONE")) ? NativeType{native, 0} : NativeType{};
}

bool take_native(Native kind, const void* data, size_t row, int64_t* bits) {
  switch (kind) {
    case Native::kInt8Bit:
      *bits = at<int8_t>(data, row);
      return true;
    case Native::kInt16:
      *bits = at<int16_t>(data, row);
      return true;
    case Native::kInt32:
      *bits = at<int32_t>(data, row);
      return true;
    case Native::kInt64:
      *bits = at<int64_t>(data, row);
      return true;
    case Native::kFloat:
      *bits = std::bit_cast<int32_t>(at<float>(data, row));
      return true;
    case Native::kDouble:
      *bits = std::bit_cast<int64_t>(at<double>(data, row));
      return true;
    case Native::kBool:
      *bits = at<uint8_t>(data, row) != 0 ? 1 : 0;
      return true;
    case Native::kDate:
      return take_date(at<int32_t>(data, row), bits);
    case Native::kTimestamp:
      return take_timestamp(at<int64_t>(data, row), bits);
    case Native::kNone:
      return false;
  }
  return false;
}

}  // namespace etl::files
