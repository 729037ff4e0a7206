// The rows of a query, a batch at a time, read ahead by a thread.
//
// The thread runs the query and prepares each chunk; it never touches the server. The backend takes batches from a
// short queue; while it waits for one it hears its latch, so that a cancel or a shutdown ends the wait.
//
//   backend: next() <- queue (at most kMostWaiting) <- thread: fetch, prepare
//
// The queue, finished_ and stop_ are guarded by mutex_; wakeup_ (an eventfd) says to the backend that one has changed.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "files/duckdb_api.h"

namespace etl::files {

// A column of a batch whose text was read already, where it was of a plain form.
struct ParsedColumn {
  enum class State : uint8_t { kNull, kParsed, kText };  // kText: the input function is to be asked
  std::vector<State> states;
  std::vector<int64_t> values;  // the bits of the value
  std::vector<uint8_t> scales;  // of decimals
};

struct Batch {
  Chunk chunk;
  std::vector<ParsedColumn> parsed;  // one for each column; empty where nothing is to be parsed
  int64_t text_bytes = 0;            // of a text file, about: what its values and separators take
};

class Stream {
 public:
  using Prepare = std::function<void(Batch*)>;  // called by the thread

  Stream(const Database& database, const std::string& sql, Prepare prepare);
  ~Stream() { stop(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The next batch; none after the last. Throws QueryError, or what the server raises while it waits.
  std::optional<Batch> next();

  // Ends the query and the thread. May be called again.
  void stop();

 private:
  void interrupt_until_finished();
  void read_ahead();
  void read_all();
  bool add(Batch batch);  // false: stop
  bool take(std::optional<Batch>* batch);
  void tell() const;

  duckdb_connection connection_;
  std::string sql_;
  Prepare prepare_;
  int wakeup_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable end_;
  std::deque<Batch> queue_;
  bool finished_ = false;
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

// The whole result of a query that gives texts, whole numbers and booleans, as text; nulls are empty. Throws
// QueryError, or what the server raises meanwhile.
std::vector<std::vector<std::string>> query(const Database& database, const std::string& sql);

}  // namespace etl::files
