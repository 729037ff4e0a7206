// Rows of the server on their way into a query of DuckDB: the opposite of a Stream.
//
// A thread runs the query, whose table function pg_rows() takes chunks from a short queue; it never touches the server.
// The backend fills the queue; while there is no room it hears its latch, so that a cancel or a shutdown ends the wait.
//
//   backend: push() -> queue (at most kMostWaiting) -> thread: pg_rows() -> COPY
//
// The queue, closed_, stop_, running_ and error_ are guarded by mutex_; wakeup_ (an eventfd) says to the backend that
// one has changed.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "files/duckdb_api.h"

namespace etl::files {

// Owns a type of DuckDB.
class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  ~LogicalType() {
    if (type_ != nullptr) duckdb_destroy_logical_type(&type_);
  }
  LogicalType(LogicalType&& other) noexcept : type_(other.type_) { other.type_ = nullptr; }
  LogicalType& operator=(LogicalType&&) = delete;

  duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

class Feed {
 public:
  // Gives the database the function pg_rows(), with columns c0, c1 and so on of these types.
  Feed(const Database& database, std::vector<LogicalType> types);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // A chunk to be filled.
  Chunk new_chunk() const;

  // Starts a query on pg_rows(). The one of before has ended.
  void begin(const std::string& sql);

  // Hands rows over. Throws QueryError where the query has failed, or what the server raises while it waits.
  void push(Chunk chunk);

  // There are no more rows: waits for the end of the query. Throws as push() does.
  void finish();

  // Ends the query and the thread, whatever they are at. May be called again.
  void stop();

 private:
  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void scan(duckdb_function_info info, duckdb_data_chunk output);

  void register_function();
  void run(const std::string& sql);
  bool take(Chunk* chunk);  // false: stop
  bool add(Chunk* chunk);   // false: no room
  bool has_ended();
  void wait();
  void tell() const;

  duckdb_connection connection_;
  std::vector<LogicalType> types_;
  int wakeup_;
  std::mutex mutex_;
  std::condition_variable arrival_;
  std::deque<Chunk> queue_;
  bool closed_ = false;
  bool stop_ = false;
  bool running_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace etl::files
