#include "files/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "files/at_exit.h"
#include "files/signals.h"
#include "pg/wait.h"

namespace etl::files {

namespace {

constexpr size_t kMostWaiting = 4;

}  // namespace

Feed::Feed(const Database& database, std::vector<LogicalType> types)
    : connection_(database.connection()), types_(std::move(types)), wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wakeup_ < 0)
    throw pg::Failure(ERRCODE_SYSTEM_ERROR, pg::format("could not create an eventfd: %s", strerror(errno)));
  at_exit::add(this, [](void* feed) { static_cast<Feed*>(feed)->stop(); });
  try {
    register_function();
  } catch (...) {
    stop();
    close(wakeup_);
    throw;
  }
}

Feed::~Feed() {
  stop();
  close(wakeup_);
}

void Feed::register_function() {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, "pg_rows");
  duckdb_table_function_set_extra_info(function, this, nullptr);
  duckdb_table_function_set_bind(function, bind);
  duckdb_table_function_set_init(function, init);
  duckdb_table_function_set_function(function, scan);
  const bool registered = duckdb_register_table_function(connection_, function) == DuckDBSuccess;
  duckdb_destroy_table_function(&function);
  if (!registered) throw QueryError("DuckDB refuses the function pg_rows", DUCKDB_ERROR_INTERNAL);
}

void Feed::bind(duckdb_bind_info info) {
  const auto* feed = static_cast<const Feed*>(duckdb_bind_get_extra_info(info));
  for (size_t i = 0; i < feed->types_.size(); ++i)
    duckdb_bind_add_result_column(info, ("c" + std::to_string(i)).c_str(), feed->types_[i].get());
}

// One thread takes the chunks, so that the rows stay in their order.
void Feed::init(duckdb_init_info info) {
  duckdb_init_set_max_threads(info, 1);
}

void Feed::scan(duckdb_function_info info, duckdb_data_chunk output) {
  auto* feed = static_cast<Feed*>(duckdb_function_get_extra_info(info));
  Chunk chunk;
  if (!feed->take(&chunk)) return duckdb_function_set_error(info, "stopped");
  if (!chunk) return duckdb_data_chunk_set_size(output, 0);  // the end
  for (size_t i = 0; i < feed->types_.size(); ++i)
    duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, i), chunk.column(i));
  duckdb_data_chunk_set_size(output, chunk.rows());
}

Chunk Feed::new_chunk() const {
  std::vector<duckdb_logical_type> types;
  for (const LogicalType& type : types_) types.push_back(type.get());
  return Chunk(duckdb_create_data_chunk(types.data(), types.size()));
}

void Feed::begin(const std::string& sql) {
  closed_ = false;
  running_ = true;
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this, sql] { run(sql); });
  } catch (...) {
    running_ = false;
    throw;
  }
}

void Feed::run(const std::string& sql) {
  std::exception_ptr error;
  try {
    execute(connection_, sql);
  } catch (...) {
    error = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    error_ = error;
    running_ = false;
  }
  tell();
}

bool Feed::take(Chunk* chunk) {
  {
    std::unique_lock lock(mutex_);
    arrival_.wait(lock, [this] { return stop_ || closed_ || !queue_.empty(); });
    if (stop_) return false;
    if (queue_.empty()) return true;
    *chunk = std::move(queue_.front());
    queue_.pop_front();
  }
  tell();
  return true;
}

bool Feed::add(Chunk* chunk) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) {
      if (error_) std::rethrow_exception(error_);
      throw QueryError("the query has ended before its rows", DUCKDB_ERROR_INTERNAL);
    }
    if (queue_.size() >= kMostWaiting) return false;
    queue_.push_back(std::move(*chunk));
  }
  arrival_.notify_one();
  return true;
}

void Feed::push(Chunk chunk) {
  while (!add(&chunk)) wait();
}

bool Feed::has_ended() {
  const std::lock_guard lock(mutex_);
  return !running_;
}

void Feed::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrival_.notify_one();
  while (!has_ended()) wait();
  if (thread_.joinable()) thread_.join();
  queue_.clear();
  if (const std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

void Feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  arrival_.notify_all();
  if (thread_.joinable()) {
    duckdb_interrupt(connection_);
    thread_.join();
  }
  at_exit::remove(this);
  queue_.clear();
}

void Feed::wait() {
  pg::check_interrupts();
  pg::sleep_on_latch_or_socket(wakeup_, "EtlFileWrite");
  uint64_t count;
  [[maybe_unused]] const ssize_t got = read(wakeup_, &count, sizeof count);
}

void Feed::tell() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof one);  // full means told already
}

}  // namespace etl::files
