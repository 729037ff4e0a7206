// The rows of a query go from the executor into chunks, and through a Feed into DuckDB's COPY.
//
// The executor calls receive_row() for each row: the backend's own thread, inside the user's query. An error on either
// side ends both: DuckDB's comes out of Feed::push() as an exception and leaves receive_row() as an error of the
// server; one of the server passes the destructor of the Export, which stops DuckDB.
//
// Files that are parted by columns are written one after the other, since the query sorts by these columns: however
// many there are, one is open.

#include "files/export.h"

#include <fcntl.h>
#include <unistd.h>

#include "files/cells.h"
#include "pg/boundary.h"
#include "pg/guard.h"

extern "C" {
#include "tcop/dest.h"
}

namespace etl::files {

namespace {

constexpr size_t kChunkBytes = 1 << 20;  // a chunk of wide rows is handed over before it has its 2048
constexpr int64_t kLargestRowGroup = 128 << 20;

// A descriptor of ours under one number: DuckDB may open that, whatever file it stands for just now.
class Place {
 public:
  Place() : number_(open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    if (number_ < 0) fail("could not open /dev/null");
  }
  ~Place() { close(number_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void take(int descriptor) const {
    if (dup3(descriptor, number_, O_CLOEXEC) < 0) fail("could not duplicate a file descriptor");
  }
  int number() const { return number_; }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("%s: %s", what, strerror(errno)));
  }

  int number_;
};

int64_t row_group_bytes(const Limits& limits) {
  return std::min(limits.memory_bytes / 6, kLargestRowGroup);
}

// What the server runs: first the columns by which the rows are parted, then those of the file.
std::string query_of(const ExportRequest& request) {
  std::string parts;
  for (const std::string& column : request.parted_by) parts += "t." + quote_identifier(column) + ", ";
  std::string columns;
  for (const std::string& column : request.columns)
    columns += (columns.empty() ? "t." : ", t.") + quote_identifier(column);
  std::string sql;
  if (request.format == Format::kJson) {
    // Values of type json may hold line breaks, between tokens only.
    sql = "SELECT " + parts +
          "pg_catalog.translate(pg_catalog.row_to_json(r)::pg_catalog.text, E'\\n\\r', '  ') FROM " + request.table +
          " t CROSS JOIN LATERAL (SELECT " + columns + ") r";
  } else {
    sql = "SELECT " + parts + columns + " FROM " + request.table + " t";
  }
  if (request.parted_by.empty()) return sql;
  return sql + " ORDER BY " + parts.substr(0, parts.size() - 2);
}

// What DuckDB runs.
std::string copy_of(const ExportRequest& request, int descriptor) {
  std::string columns;
  std::string options;
  if (request.format == Format::kJson) {
    // Each row is a line already; no JSON text has the byte 1 in it.
    columns = "c0";
    options = "FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE ''";
  } else {
    for (size_t i = 0; i < request.columns.size(); ++i)
      columns += (i == 0 ? "c" : ", c") + std::to_string(i) + " AS " + quote_identifier(utf8_of(request.columns[i]));
    options = request.format == Format::kCsv
                  ? "FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULL ''"
                  : "FORMAT parquet, ROW_GROUP_SIZE_BYTES " + std::to_string(row_group_bytes(request.limits));
  }
  if (request.format != Format::kParquet) options += request.compressed ? ", COMPRESSION gzip" : ", COMPRESSION none";
  return "COPY (SELECT " + columns + " FROM pg_rows()) TO " + quote_literal(path_of(descriptor)) + " (" + options +
         ", USE_TMP_FILE false)";
}

pg::Failure explain(const ExportRequest& request, const QueryError& error) {
  const std::string message = error.what();
  if (error.kind() == DUCKDB_ERROR_OUT_OF_MEMORY || message.find("Out of Memory") != std::string::npos)
    return pg::Failure(ERRCODE_OUT_OF_MEMORY,
                       pg::format("not enough memory to write file \"%s\"", request.name.c_str()), message,
                       "Increase etl_orchestrator.file_memory_limit, or decrease file_threads.");
  const bool full = message.find(strerror(ENOSPC)) != std::string::npos;
  return pg::Failure(full ? ERRCODE_DISK_FULL : ERRCODE_IO_ERROR,
                     pg::format("file \"%s\" cannot be written", request.name.c_str()), message);
}

class Export {
 public:
  Export(const ExportRequest& request, ExportTarget* target)
      : request_(request),
        target_(*target),
        database_(request.limits, {place_.number()}, {{"preserve_insertion_order", "false"}}),
        context_(pg::guard([] {
          return AllocSetContextCreate(CurrentMemoryContext, "etl_orchestrator export", ALLOCSET_SMALL_SIZES);
        })),
        row_context_(pg::guard([&] { return AllocSetContextCreate(context_, "row", ALLOCSET_DEFAULT_SIZES); })) {}

  void start(TupleDesc rows) {
    read_columns(rows);
    std::vector<LogicalType> types;
    for (size_t i = parts(); i < columns_.size(); ++i) types.push_back(type_of(columns_[i]));
    feed_.emplace(database_, std::move(types));
    if (parts() == 0) open({});
  }

  void take(TupleTableSlot* row) {
    read_cells(row);
    if (!is_open_ || is_for_another_file()) next_file();
    for (size_t i = parts(); i < columns_.size(); ++i) {
      put(columns_[i], cells_[i], chunk_.column(i - parts()), chunk_rows_);
      chunk_bytes_ += cells_[i].size;
    }
    ++chunk_rows_;
    if (chunk_rows_ == duckdb_vector_size() || chunk_bytes_ >= kChunkBytes) hand_over();
  }

  void finish() {
    if (is_open_) close();
    feed_.reset();
    pg::guard([&] { MemoryContextDelete(context_); });
  }

 private:
  size_t parts() const { return request_.parted_by.size(); }

  void read_columns(TupleDesc rows) {
    columns_.resize(static_cast<size_t>(rows->natts));
    cells_.resize(columns_.size());
    values_.resize(columns_.size());
    pg::guard([&] {
      const MemoryContext before = MemoryContextSwitchTo(context_);
      for (int i = 0; i < rows->natts; ++i) {
        const Form_pg_attribute attribute = TupleDescAttr(rows, i);
        const auto at = static_cast<size_t>(i);
        const bool typed = request_.format == Format::kParquet && at >= parts();
        columns_[at] =
            typed ? typed_column(attribute->atttypid, attribute->atttypmod) : text_column(attribute->atttypid);
      }
      MemoryContextSwitchTo(before);
    });
  }

  void read_cells(TupleTableSlot* row) {
    pg::guard([&] {
      MemoryContextReset(row_context_);
      const MemoryContext before = MemoryContextSwitchTo(row_context_);
      slot_getallattrs(row);
      for (size_t i = 0; i < columns_.size(); ++i)
        cells_[i] = to_cell(columns_[i], row->tts_values[i], row->tts_isnull[i]);
      MemoryContextSwitchTo(before);
    });
  }

  bool is_for_another_file() const {
    for (size_t i = 0; i < parts(); ++i) {
      const Cell& cell = cells_[i];
      if (cell.null != !values_[i] || (!cell.null && *values_[i] != std::string_view(cell.data, cell.size)))
        return true;
    }
    return false;
  }

  void next_file() {
    if (is_open_) close();
    std::vector<std::optional<std::string>> values(parts());
    for (size_t i = 0; i < parts(); ++i)
      if (!cells_[i].null) values[i].emplace(cells_[i].data, cells_[i].size);
    open(values);
  }

  void open(const std::vector<std::optional<std::string>>& values) {
    values_ = values;
    place_.take(target_.open(values));
    rows_ = 0;
    feed_->begin(copy_of(request_, place_.number()));
    is_open_ = true;
    new_chunk();
    if (request_.format == Format::kCsv) put_header();
  }

  // DuckDB would rename columns that differ by case only.
  void put_header() {
    for (size_t i = 0; i < request_.columns.size(); ++i) {
      const std::string name = utf8_of(request_.columns[i]);
      put(columns_[i + parts()], {false, 0, 0, 0, name.data(), name.size()}, chunk_.column(i), 0);
    }
    chunk_rows_ = 1;
    rows_ = -1;
  }

  void close() {
    if (chunk_rows_ > 0) hand_over();
    feed_->finish();
    is_open_ = false;
    target_.close(rows_);
  }

  void hand_over() {
    duckdb_data_chunk_set_size(chunk_.get(), chunk_rows_);
    rows_ += static_cast<int64_t>(chunk_rows_);
    feed_->push(std::move(chunk_));
    new_chunk();
  }

  void new_chunk() {
    chunk_ = feed_->new_chunk();
    chunk_rows_ = 0;
    chunk_bytes_ = 0;
  }

  const ExportRequest& request_;
  ExportTarget& target_;
  Place place_;
  Database database_;
  MemoryContext context_;      // goes with its parent if an error ends this
  MemoryContext row_context_;  // reset for each row
  std::vector<CellColumn> columns_;
  std::vector<Cell> cells_;                         // of the present row
  std::vector<std::optional<std::string>> values_;  // that the open file is for
  std::optional<Feed> feed_;
  bool is_open_ = false;
  Chunk chunk_;
  idx_t chunk_rows_ = 0;
  size_t chunk_bytes_ = 0;
  int64_t rows_ = 0;  // handed over for the open file
};

struct Receiver {
  DestReceiver head;
  Export* to;
  const ExportRequest* request;
};

template <typename F>
void explained(const ExportRequest& request, F&& body) {
  try {
    body();
  } catch (const QueryError& error) {
    throw explain(request, error);
  }
}

void receive_start(DestReceiver* self, int, TupleDesc rows) {
  pg::boundary([&] {
    auto* receiver = reinterpret_cast<Receiver*>(self);
    explained(*receiver->request, [&] { receiver->to->start(rows); });
  });
}

bool receive_row(TupleTableSlot* row, DestReceiver* self) {
  pg::boundary([&] {
    auto* receiver = reinterpret_cast<Receiver*>(self);
    explained(*receiver->request, [&] { receiver->to->take(row); });
  });
  return true;
}

void receive_end(DestReceiver*) {}

// Until the end of the settings' level output functions write what everybody can read, whatever the session has set:
// dates as ISO 8601, numbers with all their digits, bytes in hexadecimal. Also those that the query calls.
void set_portable_output() {
  const std::pair<const char*, const char*> settings[] = {
      {"datestyle", "ISO"}, {"intervalstyle", "postgres"}, {"extra_float_digits", "1"}, {"bytea_output", "hex"}};
  for (const auto& [name, value] : settings)
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void run_query(const std::string& sql, Receiver* receiver) {
  pg::guard([&] {
    const int level = NewGUCNestLevel();
    set_portable_output();
    SPI_connect();
    SPIExecuteOptions options = {};
    options.dest = &receiver->head;
    SPI_execute_extended(sql.c_str(), &options);
    SPI_finish();
    AtEOXact_GUC(true, level);
  });
}

}  // namespace

void export_rows(const ExportRequest& request, ExportTarget* target) {
  explained(request, [&] {
    Export rows(request, target);
    // The kind of destination matters only to SPI, which looks into rows that it keeps itself.
    Receiver receiver{{receive_row, receive_start, receive_end, receive_end, DestTuplestore}, &rows, &request};
    run_query(query_of(request), &receiver);
    rows.finish();
  });
}

}  // namespace etl::files
