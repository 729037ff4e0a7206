#include "files/table_load.h"

#include <sys/stat.h>

#include "files/batch_writer.h"

#include "files/gzip.h"
#include "files/problems.h"
#include "files/reader.h"
#include "files/rejects.h"
#include "pg/copy_rows.h"
#include "pg/guard.h"
#include "pg/transaction.h"

extern "C" {
#include "access/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::files {

namespace {

struct LoadedColumn {
  std::string name;        // the file's
  std::string expression;  // that reads it
  int attribute;
  Converter converter;
};

// A column that has the same value in each row of the file, or its number.
struct FixedColumn {
  int attribute;
  std::optional<std::string> text;
  bool is_row_number;
  Datum datum;
};

// What a value that the type's input function reads from a text is, for as long as the load takes.
Datum constant_datum(const FormData_pg_attribute& target, const std::optional<std::string>& text) {
  if (!text) return 0;
  return pg::guard([&] {
    Oid function, argument;
    getTypeInputInfo(target.atttypid, &function, &argument);
    return OidInputFunctionCall(function, const_cast<char*>(text->c_str()), argument, target.atttypmod);
  });
}

// What the values of a column and the separators behind them take in a text file.
int64_t text_bytes(duckdb_vector vector, size_t rows) {
  duckdb_logical_type type = duckdb_vector_get_column_type(vector);
  const bool is_text = duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR;
  duckdb_destroy_logical_type(&type);
  if (!is_text) return 0;
  const auto* texts = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector));
  int64_t bytes = 0;
  uint64_t* validity = duckdb_vector_get_validity(vector);
  for (size_t row = 0; row < rows; ++row) {
    const bool null = validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
    bytes += 1 + (null ? 0 : duckdb_string_t_length(texts[row]));
  }
  return bytes;
}

class Load {
 public:
  Load(const Database& database, const LoadRequest& request, bool direct)
      : database_(database), request_(request), direct_(direct) {
    look_at_table();
    const std::map<std::string, std::string> types = duck_types();
    for (const Match& match : request.columns) add_column(match, types);
    if (request.rescue_attribute != 0) add_rescue();
    for (const Constant& constant : request.constants) add_fixed(constant.attribute, constant.text);
    if (request.provenance.file != 0) add_fixed(request.provenance.file, request.source.name);
    if (request.provenance.loaded_at != 0) add_fixed(request.provenance.loaded_at, request.loaded_at);
    if (request.provenance.row != 0) fixed_.push_back({request.provenance.row, std::nullopt, true, 0});
    for (const LoadedColumn& column : loaded_) attributes_.push_back(column.attribute);
    for (const FixedColumn& column : fixed_) attributes_.push_back(column.attribute);
    datums_.resize(attributes_.size());
    struct stat status {};
    if (fstat(request.source.descriptor, &status) == 0) file_size_ = status.st_size;
    shows_bytes_ = request.source.format == Format::kCsv && !request.source.compressed;
  }

  LoadResult run() {
    std::optional<GzipCheck> check;
    if (request_.source.compressed) check.emplace(request_.source.descriptor);
    const auto require_whole = [&] {
      const std::string problem = check ? check->wait() : "";
      if (!problem.empty()) throw unreadable(request_.source, problem);
    };
    Stream stream(database_, query_text(), [this](Batch* batch) { prepare(batch); });
    LoadResult result;
    try {
      result.rows = direct_ ? write(&stream) : copy(&stream);
    } catch (const pg::Error& error) {
      if (!fault_) throw;
      stream.stop();
      const char* detail = error.data().detail;
      throw explain_value(request_, *fault_, detail == nullptr ? "" : detail);
    } catch (const QueryError& error) {
      stream.stop();
      require_whole();
      throw explain_record(request_, error);
    }
    stream.stop();
    require_whole();
    result.rejects = list_rejects(database_, request_, bad_);
    return result;
  }

 private:
  void look_at_table() {
    columns_ = pg::guard([&] {
      Relation table = table_open(request_.table, RowExclusiveLock);
      TupleDesc columns = CreateTupleDescCopyConstr(RelationGetDescr(table));
      table_close(table, NoLock);
      return columns;
    });
    batch_memory_ = pg::guard(
        [] { return AllocSetContextCreate(CurrentMemoryContext, "etl_files batch", ALLOCSET_DEFAULT_SIZES); });
  }

  const FormData_pg_attribute& target(int attribute) const { return *TupleDescAttr(columns_, attribute - 1); }

  // How a JSON file's columns are to be read; empty for other files.
  std::vector<std::string> json_types() const {
    if (request_.source.format != Format::kJson) return {};
    std::vector<std::string> types(request_.file_columns.size(), "VARCHAR");
    for (const Match& match : request_.columns)
      types[match.file_column] = Converter::json_type_for(target(match.attribute).atttypid);
    return types;
  }

  // Types of the columns of a Parquet or JSON file, as far as they matter. All else is read as text.
  std::map<std::string, std::string> duck_types() const {
    std::map<std::string, std::string> types;
    const std::vector<std::string> read_as = json_types();
    for (size_t i = 0; i < read_as.size(); ++i) types[request_.file_columns[i]] = read_as[i];
    if (request_.source.format != Format::kParquet || !direct_) return types;
    const std::string reader = reader_of(request_.source, request_.options, request_.file_columns, false);
    for (const auto& row : query(database_, "DESCRIBE SELECT * FROM " + reader)) types[row[0]] = row[1];
    return types;
  }

  void add_column(const Match& match, const std::map<std::string, std::string>& types) {
    const std::string& name = request_.file_columns[match.file_column];
    const auto type = types.find(name);
    Converter converter(target(match.attribute), type == types.end() ? "VARCHAR" : type->second, request_.options);
    std::string expression = converter.expression(column_of(request_.source, request_.file_columns, match.file_column));
    loaded_.push_back({name, std::move(expression), match.attribute, std::move(converter)});
  }

  // What no column of the table takes, as one JSON object.
  void add_rescue() {
    std::vector<bool> taken(request_.file_columns.size());
    for (const Match& match : request_.columns) taken[match.file_column] = true;
    std::string fields;
    for (size_t i = 0; i < taken.size(); ++i)
      if (!taken[i])
        fields += (fields.empty() ? "" : ", ") + quote_literal(request_.file_columns[i]) + ", " +
                  column_of(request_.source, request_.file_columns, i);
    loaded_.push_back({"", fields.empty() ? "NULL::VARCHAR" : "json_object(" + fields + ")::VARCHAR",
                       request_.rescue_attribute, Converter(target(request_.rescue_attribute), "VARCHAR", {})});
  }

  void add_fixed(int attribute, const std::optional<std::string>& text) {
    fixed_.push_back({attribute, text, false, constant_datum(target(attribute), text)});
  }

  std::string query_text() const {
    std::string text;
    for (const LoadedColumn& column : loaded_) text += (text.empty() ? "" : ", ") + column.expression;
    return "SELECT " + (text.empty() ? "NULL" : text) + " FROM " +
           reader_of(request_.source, request_.options, request_.file_columns, request_.puts_rows_aside, json_types());
  }

  // On the reading thread.
  void prepare(Batch* batch) const {
    batch->parsed.resize(loaded_.size());
    for (size_t i = 0; i < loaded_.size(); ++i) {
      loaded_[i].converter.prepare(batch->chunk.column(i), batch->chunk.rows(), &batch->parsed[i]);
      if (shows_bytes_) batch->text_bytes += text_bytes(batch->chunk.column(i), batch->chunk.rows());
    }
  }

  int64_t write(Stream* stream) {
    BatchWriter writer(request_.table, request_.heap, attributes_);
    int64_t bytes = 0;
    while (const std::optional<Batch> batch = stream->next()) {
      bytes = std::min(bytes + batch->text_bytes, file_size_);
      BatchWriter::show_progress(bytes, file_size_);
      const std::vector<bool> skipped = convert(*batch);
      fill_fixed(batch->chunk.rows());
      try {
        writer.write(datums_, batch->chunk.rows(), skipped);
      } catch (const pg::Error& error) {
        const bool is_of_row = ERRCODE_TO_CATEGORY(error.sqlstate()) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
                               error.sqlstate() != ERRCODE_UNIQUE_VIOLATION;
        if (is_of_row) fault_ = bad_value(error, "", "", writer.row_at_fault());
        throw;
      }
      end_batch(*batch);
    }
    return writer.finish();
  }

  int64_t copy(Stream* stream) {
    std::vector<std::string> names;
    for (const int attribute : attributes_) names.emplace_back(NameStr(target(attribute).attname));
    pg::CopyDialect dialect;
    dialect.csv = false;
    std::string text;
    size_t used = 0;
    return pg::copy_rows(request_.table, request_.heap, names, dialect, file_size_, [&](char* buffer, size_t most) {
      if (used == text.size()) {
        used = 0;
        if (!next_text(stream, &text)) return size_t{0};
      }
      const size_t count = std::min(most, text.size() - used);
      memcpy(buffer, text.data() + used, count);
      used += count;
      return count;
    });
  }

  // The next rows in COPY's text format; false after the last.
  bool next_text(Stream* stream, std::string* text) {
    text->clear();
    while (text->empty()) {
      const std::optional<Batch> batch = explained(request_.source, [&] { return stream->next(); });
      if (!batch) return false;
      const std::vector<bool> skipped = request_.puts_rows_aside ? convert(*batch) : std::vector<bool>();
      for (size_t row = 0; row < batch->chunk.rows(); ++row)
        if (skipped.empty() || !skipped[row]) append_row(*batch, row, text);
      end_batch(*batch);
    }
    return true;
  }

  void append_row(const Batch& batch, size_t row, std::string* buffer) const {
    bool first = true;
    const auto append = [&](const std::optional<std::string_view>& text) {
      if (!first) *buffer += '\t';
      first = false;
      text ? pg::append_copy_text(buffer, *text) : pg::append_copy_null(buffer);
    };
    for (size_t i = 0; i < loaded_.size(); ++i) append(text_at(batch.chunk.column(i), row));
    for (const FixedColumn& column : fixed_)
      column.is_row_number ? append(std::to_string(number_of(row)))
                           : append(column.text ? std::optional<std::string_view>(*column.text) : std::nullopt);
    *buffer += '\n';
  }

  int64_t number_of(size_t row) const { return request_.first_row + rows_read_ + static_cast<int64_t>(row); }

  void end_batch(const Batch& batch) {
    rows_read_ += static_cast<int64_t>(batch.chunk.rows());
    pg::guard([&] { MemoryContextReset(batch_memory_); });
  }

  BadValue bad_value(const pg::Error& error, const std::string& column, const std::string& text, size_t row) const {
    return {rows_read_ + static_cast<int64_t>(row), column, text, unpack_sql_state(error.sqlstate()), error.what()};
  }

  // Makes datums of a batch. The rows that do not fit are marked, where they are put aside.
  std::vector<bool> convert(const Batch& batch) {
    std::vector<bool> skipped;
    for (size_t i = 0; i < loaded_.size(); ++i) {
      datums_[i].resize(batch.chunk.rows());
      if (request_.puts_rows_aside) {
        if (skipped.empty()) skipped.resize(batch.chunk.rows());
        convert_putting_aside(batch, i, &skipped);
      } else {
        convert_or_fail(batch, i);
      }
    }
    return skipped;
  }

  void convert_rows(const Batch& batch, size_t column, size_t first) {
    pg::guard([&] {
      const MemoryContext before = MemoryContextSwitchTo(batch_memory_);
      loaded_[column].converter.convert(batch, column, first, &datums_[column]);
      MemoryContextSwitchTo(before);
    });
  }

  void convert_or_fail(const Batch& batch, size_t column) try {
    convert_rows(batch, column, 0);
  } catch (const pg::Error& error) {
    fault_ = fault_of(error, batch, column);
    throw;
  }

  // None where the error is not about a value, such as a cancel.
  std::optional<BadValue> fault_of(const pg::Error& error, const Batch& batch, size_t column) const {
    const int category = ERRCODE_TO_CATEGORY(error.sqlstate());
    if (category == ERRCODE_TO_CATEGORY(ERRCODE_QUERY_CANCELED) ||
        category == ERRCODE_TO_CATEGORY(ERRCODE_OUT_OF_MEMORY))
      return std::nullopt;
    const size_t row = loaded_[column].converter.row_at_fault();
    const std::optional<std::string_view> text = text_at(batch.chunk.column(column), row);
    return bad_value(error, loaded_[column].name, std::string(text.value_or("")), row);
  }

  void convert_putting_aside(const Batch& batch, size_t column, std::vector<bool>* skipped) {
    const FormData_pg_attribute& attribute = target(loaded_[column].attribute);
    for (size_t first = 0; first < batch.chunk.rows();) {
      try {
        pg::Subtransaction subtransaction;
        convert_rows(batch, column, first);
        subtransaction.release();
        break;
      } catch (const pg::Error& error) {
        const std::optional<BadValue> fault = fault_of(error, batch, column);
        if (!fault) throw;
        const size_t row = loaded_[column].converter.row_at_fault();
        put_aside(*fault, row, skipped);
        first = row + 1;
      }
    }
    if (!attribute.attnotnull) return;
    for (size_t row = 0; row < batch.chunk.rows(); ++row)
      if (!(*skipped)[row] && datums_[column].nulls[row])
        put_aside({rows_read_ + static_cast<int64_t>(row), loaded_[column].name, "", "23502",
                   pg::format("null value in column \"%s\" violates not-null constraint", NameStr(attribute.attname))},
                  row, skipped);
  }

  void put_aside(const BadValue& value, size_t row, std::vector<bool>* skipped) {
    if (!(*skipped)[row]) bad_.push_back(value);
    (*skipped)[row] = true;
  }

  void fill_fixed(size_t rows) {
    for (size_t i = 0; i < fixed_.size(); ++i) {
      Datums& column = datums_[loaded_.size() + i];
      column.resize(rows);
      const bool null = !fixed_[i].is_row_number && !fixed_[i].text;
      for (size_t row = 0; row < rows; ++row) {
        column.nulls[row] = null;
        column.values[row] = fixed_[i].is_row_number ? Int64GetDatum(number_of(row)) : fixed_[i].datum;
      }
    }
  }

  const Database& database_;
  const LoadRequest& request_;
  const bool direct_;
  TupleDesc columns_ = nullptr;
  MemoryContext batch_memory_ = nullptr;
  std::vector<LoadedColumn> loaded_;
  std::vector<FixedColumn> fixed_;
  std::vector<int> attributes_;  // of the loaded and the fixed ones
  std::vector<Datums> datums_;   // likewise
  int64_t rows_read_ = 0;
  int64_t file_size_ = 0;
  bool shows_bytes_ = false;       // how many of them were read
  std::vector<BadValue> bad_;      // put aside
  std::optional<BadValue> fault_;  // what the load fails with
};

}  // namespace

LoadResult load_table(const Database& database, const LoadRequest& request) {
  const bool direct = request.heap != request.table || why_not_written_directly(request.table).empty();
  forget_rejects(database);
  return Load(database, request, direct).run();
}

}  // namespace etl::files
