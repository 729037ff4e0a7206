// From the values of a file's column to those of a table's.
//
// In three steps: expression() lets DuckDB hand over the value as text, or as the type itself where both mean the same;
// prepare() reads plain values on the reading thread, without the server; convert() makes datums of them in the
// backend, and asks the type's input function for whatever is left. So a text is accepted exactly when the input
// function accepts it, and means what that says.
#pragma once

#include "files/expressions.h"
#include "files/native_values.h"
#include "files/stream.h"

namespace etl::files {

// The datums of one column of a batch; what they point to lives in the batch's memory context.
struct Datums {
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls;  // as the server wants them

  void resize(size_t rows) {
    values.resize(rows);
    if (rows > capacity) nulls = std::make_unique<bool[]>(capacity = rows);
  }
  size_t capacity = 0;
};

// A value that DuckDB hands over as text; none: null, or it is no text.
std::optional<std::string_view> text_at(duckdb_vector vector, size_t row);

class Converter {
 public:
  // `as_text`: nothing but text is handed over. What the converter needs of the server lives in `memory`.
  Converter(const FormData_pg_attribute& target, const FileColumn& column, const ReaderOptions& options, bool as_text,
            MemoryContext memory);

  // What to SELECT for the column of the file.
  const std::string& expression() const { return expression_; }

  // What a text that was handed over is in the file.
  std::string in_file(std::string text) const {
    return text_in_file(column_, target_.atttypid, options_, std::move(text));
  }

  // On the reading thread.
  void prepare(duckdb_vector vector, size_t rows, ParsedColumn* parsed) const;

  // Converts rows from `first` on. Inside pg::guard(), in the memory context of the batch. If the server raises an
  // error, row_at_fault() caused it.
  void convert(const Batch& batch, size_t column, size_t first, Datums* out);
  size_t row_at_fault() const { return row_; }

 private:
  enum class Kind { kInt2, kInt4, kInt8, kFloat4, kFloat8, kBool, kDate, kTimestamp, kNumeric, kText, kOther };

  static Kind kind_of(const FormData_pg_attribute& target);
  bool parse(std::string_view text, int64_t* value, uint8_t* scale) const;
  Datum from_bits(int64_t bits, int scale) const;
  Datum from_text(std::string_view text);
  Datum from_null();
  bool is_plain_text(std::string_view text) const;

  FormData_pg_attribute target_;
  FileColumn column_;
  ReaderOptions options_;
  Kind kind_;
  NativeType native_;
  std::string expression_;
  bool encodings_agree_;
  FmgrInfo input_;
  Oid input_argument_;
  size_t row_ = 0;
};

}  // namespace etl::files
