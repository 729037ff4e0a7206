#include "files/cells.h"

#include "pg/guard.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/uuid.h"
}

namespace etl::files {

namespace {

using Wide = __int128;

constexpr int64_t kEpochDays = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;  // from 1970 to 2000
constexpr int kMostDigits = 38;

CellKind kind_of(Oid type) {
  switch (type) {
    case BOOLOID:
      return CellKind::kBoolean;
    case INT2OID:
      return CellKind::kInt16;
    case INT4OID:
      return CellKind::kInt32;
    case INT8OID:
      return CellKind::kInt64;
    case FLOAT4OID:
      return CellKind::kFloat;
    case FLOAT8OID:
      return CellKind::kDouble;
    case DATEOID:
      return CellKind::kDate;
    case TIMEOID:
      return CellKind::kTime;
    case TIMESTAMPOID:
      return CellKind::kTimestamp;
    case TIMESTAMPTZOID:
      return CellKind::kTimestampTz;
    case UUIDOID:
      return CellKind::kUuid;
    case BYTEAOID:
      return CellKind::kBytes;
    case JSONOID:
    case JSONBOID:
      return CellKind::kJson;
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
      return CellKind::kText;
    default:
      return CellKind::kPrinted;
  }
}

// Precision and scale stand in the type modifier of a numeric; the scale is signed.
void read_decimal(int32 typmod, CellColumn* column) {
  if (typmod < static_cast<int32>(VARHDRSZ)) return;
  const int32 bits = typmod - static_cast<int32>(VARHDRSZ);
  const int precision = (bits >> 16) & 0xffff;
  const int scale = ((bits & 0x7ff) ^ 1024) - 1024;
  if (precision > kMostDigits || scale < 0 || scale > precision) return;
  column->kind = CellKind::kDecimal;
  column->precision = precision;
  column->scale = scale;
}

void find_output(Oid type, CellColumn* column) {
  Oid function;
  bool is_varlena;
  getTypeOutputInfo(type, &function, &is_varlena);
  fmgr_info(function, &column->output);
}

Cell of_bytes(const char* data, size_t size) {
  return {false, 0, 0, 0, data, size};
}

Cell of_whole(int64_t number) {
  return {false, number, 0, 0, nullptr, 0};
}

// Files hold UTF-8.
Cell of_text(char* text, int length) {
  if (GetDatabaseEncoding() == PG_SQL_ASCII) pg_verify_mbstr(PG_UTF8, text, length, false);
  const char* converted = pg_server_to_any(text, length, PG_UTF8);
  return of_bytes(converted, converted == text ? static_cast<size_t>(length) : strlen(converted));
}

Cell of_varlena(Datum value, bool is_text) {
  auto* data = reinterpret_cast<varlena*>(PG_DETOAST_DATUM_PACKED(value));
  const int size = static_cast<int>(VARSIZE_ANY_EXHDR(data));
  return is_text ? of_text(VARDATA_ANY(data), size) : of_bytes(VARDATA_ANY(data), static_cast<size_t>(size));
}

[[noreturn]] void refuse_decimal(const char* text, const CellColumn& column) {
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                  errmsg("value %s cannot be exported as decimal(%d,%d)", text, column.precision, column.scale),
                  errhint("Export a view that casts the column to text, or to numeric without precision.")));
}

Cell of_decimal(const CellColumn& column, Datum value) {
  const char* text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
  const bool negative = *text == '-';
  unsigned __int128 digits = 0;
  int count = 0;
  int fraction = -1;  // digits after the point; -1: there was none
  for (const char* at = text + (negative ? 1 : 0); *at != '\0'; ++at) {
    if (*at == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (*at < '0' || *at > '9') refuse_decimal(text, column);  // NaN, Infinity
    digits = digits * 10 + static_cast<unsigned>(*at - '0');
    if (digits != 0) ++count;
    if (fraction >= 0) ++fraction;
    if (count > column.precision || fraction > column.scale) refuse_decimal(text, column);
  }
  for (int missing = column.scale - std::max(fraction, 0); missing > 0; --missing) {
    digits *= 10;
    if (digits != 0 && ++count > column.precision) refuse_decimal(text, column);
  }
  const Wide number = negative ? -static_cast<Wide>(digits) : static_cast<Wide>(digits);
  return {false, static_cast<int64_t>(number), static_cast<int64_t>(number >> 64), 0, nullptr, 0};
}

// Infinity is the largest number there is, as DuckDB has it.
Cell of_date(DateADT date) {
  if (DATE_IS_NOBEGIN(date)) return of_whole(-INT32_MAX);
  if (DATE_IS_NOEND(date)) return of_whole(INT32_MAX);
  return of_whole(date + kEpochDays);
}

Cell of_timestamp(Timestamp timestamp) {
  if (TIMESTAMP_IS_NOBEGIN(timestamp)) return of_whole(-INT64_MAX);
  if (TIMESTAMP_IS_NOEND(timestamp)) return of_whole(INT64_MAX);
  int64_t since_1970;
  if (__builtin_add_overflow(timestamp, kEpochDays * USECS_PER_DAY, &since_1970) || since_1970 == INT64_MAX)
    ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("timestamp is too late to be exported"),
                    errdetail("The last year that Parquet can hold is 294246.")));
  return of_whole(since_1970);
}

Cell of_uuid(const pg_uuid_t* uuid) {
  uint64_t halves[2];
  memcpy(halves, uuid->data, sizeof halves);
  const uint64_t high = __builtin_bswap64(halves[0]) ^ (uint64_t{1} << 63);  // so that DuckDB's sort as the UUIDs do
  return {false, static_cast<int64_t>(__builtin_bswap64(halves[1])), static_cast<int64_t>(high), 0, nullptr, 0};
}

template <typename T>
void store(duckdb_vector vector, idx_t row, T value) {
  static_cast<T*>(duckdb_vector_get_data(vector))[row] = value;
}

// As wide as its digits need.
void store_decimal(const CellColumn& column, const Cell& cell, duckdb_vector vector, idx_t row) {
  if (column.precision <= 4) return store(vector, row, static_cast<int16_t>(cell.low));
  if (column.precision <= 9) return store(vector, row, static_cast<int32_t>(cell.low));
  if (column.precision <= 18) return store(vector, row, cell.low);
  store(vector, row, duckdb_hugeint{static_cast<uint64_t>(cell.low), cell.high});
}

}  // namespace

CellColumn typed_column(Oid type, int32 typmod) {
  const Oid base = getBaseTypeAndTypmod(type, &typmod);
  CellColumn column{kind_of(base)};
  if (base == NUMERICOID) read_decimal(typmod, &column);
  find_output(base, &column);
  return column;
}

CellColumn text_column(Oid type) {
  const Oid base = getBaseType(type);
  CellColumn column{kind_of(base) == CellKind::kText ? CellKind::kText : CellKind::kPrinted};
  find_output(base, &column);
  return column;
}

LogicalType type_of(const CellColumn& column) {
  switch (column.kind) {
    case CellKind::kBoolean:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN));
    case CellKind::kInt16:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_SMALLINT));
    case CellKind::kInt32:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
    case CellKind::kInt64:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    case CellKind::kFloat:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_FLOAT));
    case CellKind::kDouble:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case CellKind::kDecimal:
      return LogicalType(
          duckdb_create_decimal_type(static_cast<uint8_t>(column.precision), static_cast<uint8_t>(column.scale)));
    case CellKind::kDate:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
    case CellKind::kTime:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIME));
    case CellKind::kTimestamp:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP));
    case CellKind::kTimestampTz:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ));
    case CellKind::kUuid:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_UUID));
    case CellKind::kBytes:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BLOB));
    case CellKind::kText:
    case CellKind::kPrinted:
      return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
    case CellKind::kJson: {
      LogicalType type(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
      duckdb_logical_type_set_alias(type.get(), "JSON");
      return type;
    }
  }
  return LogicalType(nullptr);
}

Cell to_cell(CellColumn& column, Datum value, bool null) {
  if (null) return {true, 0, 0, 0, nullptr, 0};
  switch (column.kind) {
    case CellKind::kBoolean:
      return of_whole(DatumGetBool(value));
    case CellKind::kInt16:
      return of_whole(DatumGetInt16(value));
    case CellKind::kInt32:
      return of_whole(DatumGetInt32(value));
    case CellKind::kInt64:
      return of_whole(DatumGetInt64(value));
    case CellKind::kFloat:
      return {false, 0, 0, static_cast<double>(DatumGetFloat4(value)), nullptr, 0};
    case CellKind::kDouble:
      return {false, 0, 0, DatumGetFloat8(value), nullptr, 0};
    case CellKind::kDecimal:
      return of_decimal(column, value);
    case CellKind::kDate:
      return of_date(DatumGetDateADT(value));
    case CellKind::kTime:
      return of_whole(DatumGetTimeADT(value));
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      return of_timestamp(DatumGetTimestamp(value));
    case CellKind::kUuid:
      return of_uuid(DatumGetUUIDP(value));
    case CellKind::kBytes:
      return of_varlena(value, false);
    case CellKind::kText:
      return of_varlena(value, true);
    case CellKind::kPrinted:
    case CellKind::kJson:
      char* text = OutputFunctionCall(&column.output, value);
      return of_text(text, static_cast<int>(strlen(text)));
  }
  return {true, 0, 0, 0, nullptr, 0};
}

void put(const CellColumn& column, const Cell& cell, duckdb_vector vector, idx_t row) {
  if (cell.null) {
    duckdb_vector_ensure_validity_writable(vector);
    return duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
  }
  switch (column.kind) {
    case CellKind::kBoolean:
      return store(vector, row, cell.low != 0);
    case CellKind::kInt16:
      return store(vector, row, static_cast<int16_t>(cell.low));
    case CellKind::kInt32:
    case CellKind::kDate:
      return store(vector, row, static_cast<int32_t>(cell.low));
    case CellKind::kInt64:
    case CellKind::kTime:
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      return store(vector, row, cell.low);
    case CellKind::kFloat:
      return store(vector, row, static_cast<float>(cell.real));
    case CellKind::kDouble:
      return store(vector, row, cell.real);
    case CellKind::kDecimal:
      return store_decimal(column, cell, vector, row);
    case CellKind::kUuid:
      return store(vector, row, duckdb_hugeint{static_cast<uint64_t>(cell.low), cell.high});
    case CellKind::kBytes:
    case CellKind::kText:
    case CellKind::kPrinted:
    case CellKind::kJson:
      return duckdb_vector_assign_string_element_len(vector, row, cell.data, cell.size);
  }
}

std::string utf8_of(const std::string& name) {
  return pg::guard([&] { return of_text(pstrdup(name.c_str()), static_cast<int>(name.size())).data; });
}

}  // namespace etl::files
