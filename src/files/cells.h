// Values of the server as DuckDB holds them.
//
// A value takes two steps: to_cell() asks the server, and may raise; put() writes into a chunk, and leaves the server
// alone. In between it is a Cell, whose bytes live in the memory context in which it was made.
#pragma once

#include "files/feed.h"
#include "pg/error.h"

namespace etl::files {

enum class CellKind {
  kBoolean,
  kInt16,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kDecimal,  // numeric(p,s) of at most 38 digits
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kUuid,
  kBytes,
  kText,     // the value's bytes are its text
  kPrinted,  // as the type's output function writes it
  kJson      // likewise, marked as JSON
};

struct CellColumn {
  CellKind kind;
  int precision = 0;  // of kDecimal
  int scale = 0;
  FmgrInfo output = {};
};

struct Cell {
  bool null;
  int64_t low;   // whole numbers, dates, times; the lower half of what has 128 bits
  int64_t high;  // the upper half
  double real;
  const char* data;
  size_t size;
};

// How columns of a type are written: to a file that knows types (Parquet), or to one of text. Inside guard().
CellColumn typed_column(Oid type, int32 typmod);
CellColumn text_column(Oid type);

LogicalType type_of(const CellColumn& column);

// Inside guard(). An error for a value that has no form in the file: numeric_value_out_of_range for NaN in a decimal,
// datetime_field_overflow for a timestamp after the year 294246.
Cell to_cell(CellColumn& column, Datum value, bool null);

// Writes a cell into a chunk.
void put(const CellColumn& column, const Cell& cell, duckdb_vector vector, idx_t row);

// A name of the server's as files hold it.
std::string utf8_of(const std::string& name);

}  // namespace etl::files
