#include "files/stream.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>

#include "files/at_exit.h"
#include "files/signals.h"
#include "pg/guard.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kMostWaiting = 4;
constexpr std::chrono::milliseconds kInterruptAgain(5);

// A prepared statement and its result, freed in the right order.
class Execution {
 public:
  Execution(duckdb_connection connection, const std::string& sql) {
    if (duckdb_prepare(connection, sql.c_str(), &statement_) != DuckDBSuccess) {
      const QueryError error(duckdb_prepare_error(statement_), DUCKDB_ERROR_INVALID_INPUT);
      duckdb_destroy_prepare(&statement_);
      throw error;
    }
    if (duckdb_pending_prepared_streaming(statement_, &pending_) == DuckDBSuccess &&
        duckdb_execute_pending(pending_, &result_) == DuckDBSuccess)
      return;
    const char* message = duckdb_result_error(&result_);
    const QueryError error(message != nullptr ? message : duckdb_pending_error(pending_),
                           duckdb_result_error_type(&result_));
    free_all();
    throw error;
  }
  ~Execution() { free_all(); }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  Chunk fetch() {
    Chunk chunk(duckdb_fetch_chunk(result_));
    if (!chunk && duckdb_result_error(&result_) != nullptr)
      throw QueryError(duckdb_result_error(&result_), duckdb_result_error_type(&result_));
    return chunk;
  }

 private:
  void free_all() {
    duckdb_destroy_result(&result_);
    duckdb_destroy_pending(&pending_);
    duckdb_destroy_prepare(&statement_);
  }

  duckdb_prepared_statement statement_ = nullptr;
  duckdb_pending_result pending_ = nullptr;
  duckdb_result result_ = {};
};

std::string value_text(duckdb_vector vector, duckdb_type type, size_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return "";
  const void* data = duckdb_vector_get_data(vector);
  switch (type) {
    case DUCKDB_TYPE_VARCHAR:
      return std::string(text_of(static_cast<const duckdb_string_t*>(data)[row]));
    case DUCKDB_TYPE_BOOLEAN:
      return static_cast<const bool*>(data)[row] ? "true" : "false";
    case DUCKDB_TYPE_INTEGER:
      return std::to_string(static_cast<const int32_t*>(data)[row]);
    case DUCKDB_TYPE_UINTEGER:
      return std::to_string(static_cast<const uint32_t*>(data)[row]);
    case DUCKDB_TYPE_BIGINT:
      return std::to_string(static_cast<const int64_t*>(data)[row]);
    case DUCKDB_TYPE_UBIGINT:
      return std::to_string(static_cast<const uint64_t*>(data)[row]);
    default:
      throw QueryError("a query gives a type that is not expected", DUCKDB_ERROR_INTERNAL);
  }
}

void append_rows(const Chunk& chunk, std::vector<std::vector<std::string>>* rows) {
  const size_t first = rows->size();
  rows->resize(first + chunk.rows());
  for (size_t column = 0; column < duckdb_data_chunk_get_column_count(chunk.get()); ++column) {
    duckdb_vector vector = chunk.column(column);
    duckdb_logical_type type = duckdb_vector_get_column_type(vector);
    const duckdb_type kind = duckdb_get_type_id(type);
    duckdb_destroy_logical_type(&type);
    for (size_t row = 0; row < chunk.rows(); ++row) (*rows)[first + row].push_back(value_text(vector, kind, row));
  }
}

}  // namespace

Stream::Stream(const Database& database, const std::string& sql, Prepare prepare)
    : connection_(database.connection()),
      sql_(sql),
      prepare_(std::move(prepare)),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wakeup_ < 0)
    throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("could not create an eventfd: %s", strerror(errno)));
  at_exit::add(this, [](void* stream) { static_cast<Stream*>(stream)->stop(); });
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { read_ahead(); });
  } catch (...) {
    stop();
    throw;
  }
}

void Stream::stop() {
  if (wakeup_ < 0) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
  if (thread_.joinable()) {
    interrupt_until_finished();
    thread_.join();
  }
  at_exit::remove(this);
  queue_.clear();
  close(wakeup_);
  wakeup_ = -1;
}

// A query that is just about to start forgets that it was interrupted: so it is told again and again.
void Stream::interrupt_until_finished() {
  std::unique_lock lock(mutex_);
  do duckdb_interrupt(connection_);
  while (!end_.wait_for(lock, kInterruptAgain, [this] { return finished_; }));
}

void Stream::read_ahead() {
  try {
    read_all();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  end_.notify_all();
  tell();
}

void Stream::read_all() {
  Execution execution(connection_, sql_);
  for (;;) {
    Batch batch;
    batch.chunk = execution.fetch();
    if (!batch.chunk) return;
    prepare_(&batch);
    if (!add(std::move(batch))) return;
  }
}

bool Stream::add(Batch batch) {
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return stop_ || queue_.size() < kMostWaiting; });
    if (stop_) return false;
    queue_.push_back(std::move(batch));
  }
  tell();
  return true;
}

void Stream::tell() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof one);  // full means told already
}

// True if there is an answer: a batch, or none for the end.
bool Stream::take(std::optional<Batch>* batch) {
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) {
    *batch = std::move(queue_.front());
    queue_.pop_front();
    room_.notify_one();
    return true;
  }
  if (error_) std::rethrow_exception(error_);
  return finished_;
}

std::optional<Batch> Stream::next() {
  std::optional<Batch> batch;
  while (!take(&batch)) {
    pg::check_interrupts();
    pg::sleep_on_latch_or_socket(wakeup_, "EtlFileRead");
    uint64_t count;
    [[maybe_unused]] const ssize_t got = read(wakeup_, &count, sizeof count);
  }
  return batch;
}

std::vector<std::vector<std::string>> query(const Database& database, const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  Stream stream(database, sql, [](Batch*) {});
  while (const std::optional<Batch> batch = stream.next()) append_rows(batch->chunk, &rows);
  return rows;
}

}  // namespace etl::files
