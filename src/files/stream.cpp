#include "files/stream.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "files/at_exit.h"
#include "files/signals.h"
#include "pg/guard.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kMostWaiting = 4;

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
  duckdb_interrupt(connection_);
  if (thread_.joinable()) thread_.join();
  at_exit::remove(this);
  queue_.clear();
  close(wakeup_);
  wakeup_ = -1;
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

}  // namespace etl::files
