#include "files/converter.h"

#include <bit>
#include <map>

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

// Gives a decimal the scale of its column by adding zeros; false if that is not possible without a look at the rules.
bool fit_decimal(int32 typmod, int64_t* value, int* scale) {
  const std::optional<int> wanted = scale_of(typmod);
  if (!wanted) return true;
  if (*wanted < *scale) return false;
  for (; *scale < *wanted; ++*scale)
    if (__builtin_mul_overflow(*value, 10, value)) return false;
  int64_t limit = 1;
  for (int i = 0; i < precision_of(typmod); ++i)
    if (__builtin_mul_overflow(limit, 10, &limit)) return true;  // wider than any of ours
  return *value<limit&& * value> - limit;
}

}  // namespace

Converter::Kind Converter::kind_of(const FormData_pg_attribute& target) {
  static const std::map<Oid, Kind> kKinds = {
      {INT2OID, Kind::kInt2},       {INT4OID, Kind::kInt4}, {INT8OID, Kind::kInt8},   {FLOAT4OID, Kind::kFloat4},
      {FLOAT8OID, Kind::kFloat8},   {BOOLOID, Kind::kBool}, {DATEOID, Kind::kDate},   {TIMESTAMPOID, Kind::kTimestamp},
      {NUMERICOID, Kind::kNumeric}, {TEXTOID, Kind::kText}, {VARCHAROID, Kind::kText}};
  const auto kind = kKinds.find(target.atttypid);
  if (kind == kKinds.end()) return Kind::kOther;
  const bool rounds = target.atttypmod >= 0 && target.atttypmod < MAX_TIMESTAMP_PRECISION;
  return kind->second == Kind::kTimestamp && rounds ? Kind::kOther : kind->second;
}

Converter::Converter(const FormData_pg_attribute& target, const FileColumn& column, const ReaderOptions& options,
                     bool as_text, MemoryContext memory)
    : target_(target),
      column_(column),
      options_(options),
      kind_(kind_of(target)),
      native_(as_text ? NativeType{} : native_type_for(target, column.type)),
      encodings_agree_(GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII) {
  if (native_.kind == Native::kNone) {
    expression_ = text_expression(column, target.atttypid, options);
  } else {
    // Seconds and milliseconds become microseconds.
    expression_ = column.expression + (target.atttypid == TIMESTAMPOID ? "::TIMESTAMP" : "");
  }
  pg::guard([&] {
    Oid function;
    getTypeInputInfo(target_.atttypid, &function, &input_argument_);
    fmgr_info_cxt(function, &input_, memory);
  });
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

void Converter::prepare(duckdb_vector vector, size_t rows, ParsedColumn* parsed) const {
  using State = ParsedColumn::State;
  if (native_.kind == Native::kNone && (kind_ == Kind::kText || kind_ == Kind::kOther)) return;
  parsed->states.assign(rows, State::kText);
  parsed->values.resize(rows);
  parsed->scales.assign(rows, static_cast<uint8_t>(native_.scale));
  const void* data = duckdb_vector_get_data(vector);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  for (size_t row = 0; row < rows; ++row) {
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
      parsed->states[row] = State::kNull;
      continue;
    }
    const bool done = native_.kind != Native::kNone ? take_native(native_.kind, data, row, &parsed->values[row])
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

// A domain may refuse a null, or have a default for it: then the input function is not strict.
Datum Converter::from_null() {
  return input_.fn_strict ? 0 : InputFunctionCall(&input_, nullptr, input_argument_, target_.atttypmod);
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
      out->values[row_] = from_null();
    } else if (is_parsed && parsed.states[row_] == State::kParsed) {
      out->values[row_] = from_bits(parsed.values[row_], parsed.scales[row_]);
    } else if (native_.kind != Native::kNone) {
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
