#include "files/table_load.h"

#include <sys/stat.h>

#include "files/batch_writer.h"
#include "files/copied_rows.h"
#include "files/gzip.h"
#include "files/lines.h"
#include "files/problems.h"

namespace etl::files {

namespace {

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
  Load(const Database& database, const LoadRequest& request, const PutPiece& put_piece, bool direct)
      : database_(database),
        request_(request),
        put_piece_(put_piece),
        direct_(direct),
        is_csv_(request.source.format == Format::kCsv),
        is_utf16_(request.options.encoding == "utf-16"),
        unpacked_quotes_(marks_of(request.options)),
        columns_(database, request, !direct),
        converter_(&columns_, request, request.put_aside && (direct || !has_before_triggers(request.table))) {
    struct stat status {};
    if (fstat(request.source.descriptor, &status) == 0) file_size_ = status.st_size;
    shows_bytes_ = is_csv_ && !request.source.compressed;
  }

  LoadResult run() {
    std::optional<GzipCheck> check;
    if (request_.source.compressed)
      check.emplace(request_.source.descriptor, [this](std::string_view bytes) { unpacked_quotes_.take(bytes); });
    const auto require_whole = [&] {
      const std::string problem = check ? check->wait() : "";
      if (!problem.empty()) throw unreadable(request_.source, problem);
    };
    Input input(database_, request_, how_to_read(), put_piece_,
                {[this](const auto&... how) { return columns_.query(how...); },
                 [this](Batch* batch) { prepare(batch); }, [&] { hand_over_rejects(input.piece()); }});
    LoadResult result;
    try {
      result.rows = direct_ ? write(&input) : copy(&input);
    } catch (const pg::Error& error) {
      if (!fault_) throw;
      input.stop();
      throw explain_value(request_, *fault_, error);
    } catch (const QueryError& error) {
      input.stop();
      require_whole();
      if (input.piece() != nullptr) throw explain(input.source(), error);
      throw explain_record(request_, error);
    }
    require_whole();
    if (is_csv_ && !request_.put_aside && (unpacked_quotes_.is_open() || is_utf16_)) require_ended_quotes(request_);
    result.rejected = rejected_;
    return result;
  }

 private:
  // Where lines end in quotes, DuckDB must not begin anywhere in the file. Otherwise it may: it keeps nothing of what
  // it has read, then, and notices a quote that does not end.
  CsvReading how_to_read() const {
    if (!is_csv_ || request_.put_aside || is_utf16_) return {};
    const locations::QuoteWalk walk = walk_quotes(request_.source, request_.options);
    if (!request_.source.compressed && walk.is_open()) require_ended_quotes(request_);
    return {.parallel = !walk.has_quoted_line_ends()};
  }

  // On the reading thread.
  void prepare(Batch* batch) const {
    const std::vector<LoadedColumn>& loaded = columns_.loaded();
    batch->parsed.resize(loaded.size());
    for (size_t i = 0; i < loaded.size(); ++i) {
      loaded[i].converter.prepare(batch->chunk.column(i), batch->chunk.rows(), &batch->parsed[i]);
      if (shows_bytes_) batch->text_bytes += text_bytes(batch->chunk.column(i), batch->chunk.rows());
    }
  }

  void hand_over_rejects(const Piece* piece) {
    if (!request_.put_aside) return;
    std::vector<BadValue> bad = converter_.take_put_aside();
    if (piece != nullptr)
      for (BadValue& value : bad) value.row -= rows_before_piece_;
    rows_before_piece_ = converter_.rows_before();
    const std::vector<Reject> rejects = list_rejects(database_, request_, bad, piece);
    if (rejects.empty()) return;
    rejected_ += static_cast<int64_t>(rejects.size());
    request_.put_aside(rejects);
  }

  int64_t write(Input* input) {
    BatchWriter writer(request_.table, request_.heap, columns_.attributes());
    int64_t bytes = 0;
    while (const std::optional<Batch> batch = input->next()) {
      bytes = std::min(bytes + batch->text_bytes, file_size_);
      BatchWriter::show_progress(bytes, file_size_);
      write_batch(&writer, *batch);
      converter_.end(*batch);
    }
    return writer.finish();
  }

  void write_batch(BatchWriter* writer, const Batch& batch) {
    const size_t rows = batch.chunk.rows();
    bool is_converted = false;
    try {
      const std::vector<bool> skipped = converter_.convert(batch);
      is_converted = true;
      converter_.fill_fixed(rows);
      writer->write(converter_.datums(), rows, skipped);
    } catch (const pg::Error& error) {
      fault_ = converter_.fault();
      const std::optional<size_t> row = writer->row_at_fault();
      if (is_converted && row && is_of_row(error)) fault_ = converter_.bad_row(error, *row);
      throw;
    }
  }

  int64_t copy(Input* input) {
    CopiedRows rows(&columns_, &converter_, request_, file_size_);
    try {
      return rows.copy(input);
    } catch (const pg::Error&) {
      fault_ = rows.fault();
      throw;
    }
  }

  const Database& database_;
  const LoadRequest& request_;
  const PutPiece& put_piece_;
  const bool direct_;
  const bool is_csv_;
  const bool is_utf16_;
  locations::QuoteWalk unpacked_quotes_;  // of a compressed file; the check works on it
  LoadedColumns columns_;
  BatchConverter converter_;
  int64_t file_size_ = 0;
  bool shows_bytes_ = false;       // how many of them were read
  int64_t rows_before_piece_ = 0;  // of the file, in earlier ones
  int64_t rejected_ = 0;
  std::optional<BadValue> fault_;  // what the load fails with
};

}  // namespace

LoadResult load_table(const Database& database, const LoadRequest& request, const PutPiece& put_piece) {
  const bool direct = request.heap != request.table || why_not_written_directly(request.table).empty();
  require_plain_escapes(request);
  return Load(database, request, put_piece, direct).run();
}

}  // namespace etl::files
