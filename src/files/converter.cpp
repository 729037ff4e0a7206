#include "files/converter.h"

#include <bit>
#include <charconv>

#include "files/values.h"
#include "pg/guard.h"

extern "C" {
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

namespace etl::files {

namespace {

constexpr int64_t kEpochDays = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr int64_t kEpochMicroseconds = kEpochDays * USECS_PER_DAY;
constexpr int kNoScale = -1;

// The digits after the point that a numeric column keeps; kNoScale: as many as there are.
int scale_of(int32 typmod) {
  if (typmod < static_cast<int32>(VARHDRSZ)) return kNoScale;
  const int scale = (typmod - VARHDRSZ) & 0x7ff;
  return (scale ^ 1024) - 1024;
}

int precision_of(int32 typmod) {
  return ((typmod - VARHDRSZ) >> 16) & 0xffff;
}

// Gives a decimal the scale of its column by adding zeros; false if that is not possible without a look at the rules.
bool fit_decimal(int32 typmod, int64_t* value, int* scale) {
  const int wanted = scale_of(typmod);
  if (typmod < static_cast<int32>(VARHDRSZ)) return true;
  if (wanted < *scale) return false;
  for (; *scale < wanted; ++*scale)
    if (__builtin_mul_overflow(*value, 10, value)) return false;
  int64_t limit = 1;
  for (int i = 0; i < precision_of(typmod); ++i)
    if (__builtin_mul_overflow(limit, 10, &limit)) return true;  // wider than any of ours
  return *value<limit&& * value> - limit;
}

bool in_date_range(int64_t days) {
  return days >= DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE && days < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE;
}

bool is_json(Oid type) {
  return type == JSONOID || type == JSONBOID;
}

template <typename T>
T at(const void* data, size_t row) {
  return static_cast<const T*>(data)[row];
}

}  // namespace

Converter::Converter(const FormData_pg_attribute& target, const std::string& duck_type, const ReaderOptions& options)
    : target_(target),
      options_(options),
      encodings_agree_(GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII) {
  static const std::map<Oid, Kind> kKinds = {
      {INT2OID, Kind::kInt2},       {INT4OID, Kind::kInt4}, {INT8OID, Kind::kInt8},   {FLOAT4OID, Kind::kFloat4},
      {FLOAT8OID, Kind::kFloat8},   {BOOLOID, Kind::kBool}, {DATEOID, Kind::kDate},   {TIMESTAMPOID, Kind::kTimestamp},
      {NUMERICOID, Kind::kNumeric}, {TEXTOID, Kind::kText}, {VARCHAROID, Kind::kText}};
  const auto kind = kKinds.find(target.atttypid);
  if (kind != kKinds.end()) kind_ = kind->second;
  const bool rounds = target.atttypmod >= 0 && target.atttypmod < MAX_TIMESTAMP_PRECISION;
  if (kind_ == Kind::kTimestamp && rounds) kind_ = Kind::kOther;
  is_nested_ = is_json(target.atttypid) && duck_type != "VARCHAR";
  choose_native(duck_type);
  pg::guard([&] {
    Oid function;
    getTypeInputInfo(target_.atttypid, &function, &input_argument_);
    fmgr_info_cxt(function, &input_, CurTransactionContext);
  });
}

// The same value in both worlds, or the text.
void Converter::choose_native(const std::string& duck_type) {
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
  if (kind_ == Kind::kNumeric && duck_type.starts_with("DECIMAL(")) return choose_decimal(duck_type);
  const auto type = kTypes.find(duck_type);
  if (type == kTypes.end()) return;
  const bool zoned = duck_type.ends_with("ZONE");
  const Native native = type->second;
  bool same = false;
  switch (native) {
    case Native::kInt8Bit:
    case Native::kInt16:
      same = kind_ == Kind::kInt2 || kind_ == Kind::kInt4 || kind_ == Kind::kInt8 || kind_ == Kind::kNumeric;
      break;
    case Native::kInt32:
      same = kind_ == Kind::kInt4 || kind_ == Kind::kInt8 || kind_ == Kind::kNumeric;
      break;
    case Native::kInt64:
      same = kind_ == Kind::kInt8 || (kind_ == Kind::kNumeric && target_.atttypmod < 0);
      break;
    case Native::kFloat:
      same = kind_ == Kind::kFloat4;
      break;
    case Native::kDouble:
      same = kind_ == Kind::kFloat8;
      break;
    case Native::kBool:
      same = kind_ == Kind::kBool;
      break;
    case Native::kDate:
      same = kind_ == Kind::kDate;
      break;
    case Native::kTimestamp:
      same = zoned ? target_.atttypid == TIMESTAMPTZOID && target_.atttypmod < 0 : kind_ == Kind::kTimestamp;
      break;
    case Native::kNone:
      break;
  }
  if (kind_ == Kind::kNumeric && target_.atttypmod >= 0) same = false;
  if (!same) return;
  native_ = native;
  if (zoned) kind_ = Kind::kTimestamp;
}

// DECIMAL(12,2) is kept as an integer of 2, 4 or 8 bytes.
void Converter::choose_decimal(const std::string& duck_type) {
  int width = 0;
  int scale = 0;
  if (sscanf(duck_type.c_str(), "DECIMAL(%d,%d)", &width, &scale) != 2 || width > 18) return;
  const int wanted = scale_of(target_.atttypmod);
  if (wanted != kNoScale && (wanted != scale || precision_of(target_.atttypmod) < width)) return;
  native_ = width <= 4 ? Native::kInt16 : width <= 9 ? Native::kInt32 : Native::kInt64;
  native_scale_ = scale;
}

const char* Converter::json_type_for(Oid target) {
  return is_json(target) ? "JSON" : "VARCHAR";
}

std::string Converter::expression(const std::string& column) const {
  if (native_ == Native::kTimestamp && target_.atttypid == TIMESTAMPOID) return column + "::TIMESTAMP";
  if (native_ != Native::kNone) return column;
  if (is_nested_) return "to_json(" + column + ")::VARCHAR";
  const std::string text = column + "::VARCHAR";
  const bool is_date = target_.atttypid == DATEOID;
  const bool is_time = target_.atttypid == TIMESTAMPOID || target_.atttypid == TIMESTAMPTZOID;
  const auto& pattern = is_date ? options_.date_format : options_.timestamp_format;
  if ((is_date || is_time) && pattern) return date_expression(text, *pattern, is_date);
  const bool is_fraction = kind_ == Kind::kNumeric || kind_ == Kind::kFloat4 || kind_ == Kind::kFloat8;
  if (is_fraction && options_.decimal_separator && *options_.decimal_separator != ".")
    return "replace(" + text + ", " + quote_literal(*options_.decimal_separator) + ", '.')";
  return text;
}

// What does not fit is left to the input function, in words that it refuses: it would guess by DateStyle.
std::string Converter::date_expression(const std::string& text, const std::string& pattern, bool is_date) const {
  const std::string wanted = quote_literal(pattern);
  return "coalesce(strftime(try_strptime(" + text + ", " + wanted + "), '" +
         (is_date ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S.%f") + "'), " + text + " || ' (not ' || " + wanted + " || ')')";
}

bool Converter::parse(std::string_view text, int64_t* value, uint8_t* scale) const {
  switch (kind_) {
    case Kind::kInt2:
      return parse_integer(text, INT16_MIN, INT16_MAX, value);
    case Kind::kInt4:
      return parse_integer(text, INT32_MIN, INT32_MAX, value);
    case Kind::kInt8:
      return parse_integer(text, INT64_MIN, INT64_MAX, value);
    case Kind::kTimestamp:
      return parse_timestamp(text, value);
    case Kind::kFloat4: {
      float number;
      if (!parse_float(text, &number)) return false;
      *value = std::bit_cast<int32_t>(number);
      return true;
    }
    case Kind::kFloat8: {
      double number;
      if (!parse_double(text, &number)) return false;
      *value = std::bit_cast<int64_t>(number);
      return true;
    }
    case Kind::kBool: {
      bool truth;
      if (!parse_boolean(text, &truth)) return false;
      *value = truth ? 1 : 0;
      return true;
    }
    case Kind::kDate: {
      int32_t days;
      if (!parse_date(text, &days)) return false;
      *value = days;
      return true;
    }
    case Kind::kNumeric: {
      int digits;
      if (!parse_decimal(text, value, &digits) || !fit_decimal(target_.atttypmod, value, &digits)) return false;
      *scale = static_cast<uint8_t>(digits);
      return true;
    }
    case Kind::kText:
    case Kind::kOther:
      return false;
  }
  return false;
}

// False if the value has no counterpart.
bool Converter::take_native(const void* data, size_t row, int64_t* value) const {
  switch (native_) {
    case Native::kInt8Bit:
      *value = at<int8_t>(data, row);
      return true;
    case Native::kInt16:
      *value = at<int16_t>(data, row);
      return true;
    case Native::kInt32:
      *value = at<int32_t>(data, row);
      return true;
    case Native::kInt64:
      *value = at<int64_t>(data, row);
      return true;
    case Native::kFloat:
      *value = std::bit_cast<int32_t>(at<float>(data, row));
      return true;
    case Native::kDouble:
      *value = std::bit_cast<int64_t>(at<double>(data, row));
      return true;
    case Native::kBool:
      *value = at<uint8_t>(data, row) != 0 ? 1 : 0;
      return true;
    case Native::kDate: {
      const int32_t days = at<int32_t>(data, row);
      *value = days == INT32_MAX ? DATEVAL_NOEND : days == -INT32_MAX ? DATEVAL_NOBEGIN : days - kEpochDays;
      return *value == DATEVAL_NOEND || *value == DATEVAL_NOBEGIN || in_date_range(*value);
    }
    case Native::kTimestamp: {
      const int64_t micros = at<int64_t>(data, row);
      if (micros == INT64_MAX || micros == -INT64_MAX) {
        *value = micros == INT64_MAX ? DT_NOEND : DT_NOBEGIN;
        return true;
      }
      return !__builtin_sub_overflow(micros, kEpochMicroseconds, value) && IS_VALID_TIMESTAMP(*value);
    }
    case Native::kNone:
      return false;
  }
  return false;
}

void Converter::prepare(duckdb_vector vector, size_t rows, ParsedColumn* parsed) const {
  using State = ParsedColumn::State;
  if (native_ == Native::kNone && (kind_ == Kind::kText || kind_ == Kind::kOther)) return;
  parsed->states.assign(rows, State::kText);
  parsed->values.resize(rows);
  parsed->scales.assign(rows, static_cast<uint8_t>(native_scale_));
  const void* data = duckdb_vector_get_data(vector);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  for (size_t row = 0; row < rows; ++row) {
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
      parsed->states[row] = State::kNull;
      continue;
    }
    const bool done = native_ != Native::kNone ? take_native(data, row, &parsed->values[row])
                                               : parse(text_of(static_cast<const duckdb_string_t*>(data)[row]),
                                                       &parsed->values[row], &parsed->scales[row]);
    if (done) parsed->states[row] = State::kParsed;
  }
}

Datum Converter::from_bits(int64_t bits, int scale) const {
  switch (kind_) {
    case Kind::kInt2:
      return Int16GetDatum(static_cast<int16>(bits));
    case Kind::kInt4:
    case Kind::kDate:
      return Int32GetDatum(static_cast<int32>(bits));
    case Kind::kBool:
      return BoolGetDatum(bits != 0);
    case Kind::kFloat4:
      return Float4GetDatum(std::bit_cast<float>(static_cast<int32_t>(bits)));
    case Kind::kNumeric:
      return NumericGetDatum(scale == 0 ? int64_to_numeric(bits) : int64_div_fast_to_numeric(bits, scale));
    default:
      return Int64GetDatum(bits);
  }
}

// True if the type takes the text as it is.
bool Converter::is_plain_text(std::string_view text) const {
  if (kind_ != Kind::kText || !encodings_agree_) return false;
  if (target_.atttypmod >= 0 && text.size() > static_cast<size_t>(target_.atttypmod - VARHDRSZ)) return false;
  return memchr(text.data(), '\0', text.size()) == nullptr;
}

Datum Converter::from_text(std::string_view text) {
  if (memchr(text.data(), '\0', text.size()) != nullptr)
    ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
                    errmsg("invalid byte sequence for encoding \"UTF8\": 0x00")));
  char* copy = pnstrdup(text.data(), text.size());
  if (!encodings_agree_) copy = pg_any_to_server(copy, static_cast<int>(text.size()), PG_UTF8);
  return InputFunctionCall(&input_, copy, input_argument_, target_.atttypmod);
}

void Converter::convert(const Batch& batch, size_t column, size_t first, Datums* out) {
  using State = ParsedColumn::State;
  const size_t rows = batch.chunk.rows();
  const ParsedColumn& parsed = batch.parsed[column];
  duckdb_vector vector = batch.chunk.column(column);
  const void* data = duckdb_vector_get_data(vector);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  const bool is_parsed = !parsed.states.empty();
  for (row_ = first; row_ < rows; ++row_) {
    const bool null = validity != nullptr && !duckdb_validity_row_is_valid(validity, row_);
    out->nulls[row_] = null;
    if (null) {
      out->values[row_] = 0;
    } else if (is_parsed && parsed.states[row_] == State::kParsed) {
      out->values[row_] = from_bits(parsed.values[row_], parsed.scales[row_]);
    } else if (native_ != Native::kNone) {
      ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                      errmsg("%s out of range", format_type_be(target_.atttypid))));
    } else {
      const std::string_view text = text_of(static_cast<const duckdb_string_t*>(data)[row_]);
      out->values[row_] =
          is_plain_text(text) ? PointerGetDatum(cstring_to_text_with_len(text.data(), text.size())) : from_text(text);
    }
  }
}

std::optional<std::string_view> text_at(duckdb_vector vector, size_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return std::nullopt;
  duckdb_logical_type type = duckdb_vector_get_column_type(vector);
  const bool is_text = duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR;
  duckdb_destroy_logical_type(&type);
  if (!is_text) return std::nullopt;
  return text_of(static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector))[row]);
}

}  // namespace etl::files
