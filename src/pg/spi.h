// SQL from C++: prepared statements of ours and the rows they return.
//
// Every statement here is fully qualified and touches only schema setup and the catalogs. Whoever runs one in a
// session that belongs to a user does it under EngineRights (engine_rights.h), which also pins the search_path.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// A connection to SPI for the life of this object. If an exception ends that life, the connection is left to the
// abort that must follow (see guard.h).
class Spi {
 public:
  enum class Mode { kAtomic, kNonatomic };

  explicit Spi(Mode mode = Mode::kAtomic);
  ~Spi();
  Spi(const Spi&) = delete;
  Spi& operator=(const Spi&) = delete;

  // Commits and begins anew. Only in kNonatomic; rows of before are gone.
  void commit();

 private:
  int exceptions_;
};

// While it lives, values that were read stay readable, also those that the server stores out of line. The latest
// snapshot, whatever the isolation level of the transaction.
class LatestSnapshot {
 public:
  LatestSnapshot();
  ~LatestSnapshot();
  LatestSnapshot(const LatestSnapshot&) = delete;
  LatestSnapshot& operator=(const LatestSnapshot&) = delete;

 private:
  int exceptions_;
};

// One argument of a statement.
struct Value {
  Datum datum = 0;
  bool null = true;

  Value() = default;
  explicit Value(Datum datum) : datum(datum), null(false) {}
};

Value value(int64_t number);
Value value(int32_t number);
Value value(Oid oid);
Value value(bool truth);
Value value(double number);
Value value(std::string_view text);           // copied into the current memory context
Value value(const std::string& text);         // likewise
Value value(const char* text);                // null pointer: null
Value text_or_null(const std::string& text);  // empty: null
Value text_array(const std::vector<std::string>& texts);
Value int4_array(const std::vector<int>& numbers);
Value oid_array(const std::vector<Oid>& oids);
Value int8_array(const std::vector<int64_t>& numbers, int64_t null);  // elements equal to `null` are null
Value timestamp_array(const std::vector<TimestampTz>& times, TimestampTz null);
Value timestamp_value(TimestampTz time);
inline Value null_value() {
  return Value();
}

// The elements of a text[]. Failure (null_value_not_allowed) naming `what` where one is null.
std::vector<std::string> texts_of(Datum array, const char* what);

// What a statement returned. Valid until its Spi ends or commits.
class Rows {
 public:
  Rows() = default;
  Rows(SPITupleTable* table, uint64 processed) : table_(table), processed_(processed) {}

  int size() const { return table_ == nullptr ? 0 : static_cast<int>(processed_); }
  uint64 processed() const { return processed_; }

  // Columns count from 0. The typed readers give 0 (also for a time), false or "" for null.
  bool null(int row, int column) const;
  int64_t int8(int row, int column) const;
  int32_t int4(int row, int column) const;
  Oid oid(int row, int column) const;
  double float8(int row, int column) const;
  TimestampTz timestamp(int row, int column) const;
  bool boolean(int row, int column) const;
  std::string text(int row, int column) const;                // any type, through its output function
  std::vector<std::string> texts(int row, int column) const;  // text[]; null: empty

 private:
  Datum datum(int row, int column, bool* null) const;

  SPITupleTable* table_ = nullptr;
  uint64 processed_ = 0;
};

// A statement of ours, planned at its first use in a process and kept. Make it a static constant:
//   static Statement find{"SELECT ... WHERE run_id = $1", {INT8OID}};
class Statement {
 public:
  static constexpr int kMostArguments = 24;

  constexpr Statement(const char* sql, std::initializer_list<Oid> types) : sql_(sql) {
    for (const Oid type : types) types_[static_cast<size_t>(count_++)] = type;
  }

  // Runs with a new snapshot of the transaction's kind. Needs an open Spi.
  Rows run(std::initializer_list<Value> arguments = {});

  // Reads with the snapshot of the query that is running; works in parallel mode, too.
  Rows read(std::initializer_list<Value> arguments = {});

  // Runs with the latest snapshot, whatever the isolation level of the transaction. Reads only.
  Rows read_latest(std::initializer_list<Value> arguments = {});

 private:
  enum class View { kNew, kPresent, kLatest };
  Rows execute(std::initializer_list<Value> arguments, View view);

  const char* sql_;
  std::array<Oid, kMostArguments> types_{};
  int count_ = 0;
  SPIPlanPtr plan_ = nullptr;
};

}  // namespace etl::pg
