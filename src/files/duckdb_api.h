// DuckDB's C API, with owners for what it allocates.
#pragma once

#include <duckdb.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "files/module.h"

namespace etl::files {

// A DuckDB of our own in memory, which lives as long as one call of the module. It reaches no file but the
// descriptors that it was given, and no network; its threads see no signal.
class Database {
 public:
  // `descriptors` may be read or written, under the names that path_of() gives. `settings` are name and value, as SQL
  // writes it.
  Database(const Limits& limits, const std::vector<int>& descriptors,
           const std::vector<std::pair<std::string, std::string>>& settings = {});
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  duckdb_connection connection() const { return connection_; }
  int threads() const { return threads_; }

 private:
  void set_up(const std::vector<int>& descriptors, const std::vector<std::pair<std::string, std::string>>& settings);
  void close();

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  const int threads_;
};

// The name under which DuckDB opens a descriptor of this process.
std::string path_of(int descriptor);

// A text as DuckDB's SQL writes it, and a name.
std::string quote_literal(const std::string& text);
std::string quote_identifier(const std::string& name);

class Chunk {
 public:
  explicit Chunk(duckdb_data_chunk chunk = nullptr) : chunk_(chunk) {}
  ~Chunk() {
    if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  }
  Chunk(Chunk&& other) noexcept : chunk_(other.chunk_) { other.chunk_ = nullptr; }
  Chunk& operator=(Chunk&& other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }

  explicit operator bool() const { return chunk_ != nullptr; }
  duckdb_data_chunk get() const { return chunk_; }
  size_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  duckdb_vector column(size_t number) const { return duckdb_data_chunk_get_vector(chunk_, number); }

 private:
  duckdb_data_chunk chunk_;
};

inline std::string_view text_of(const duckdb_string_t& text) {
  return {duckdb_string_t_data(const_cast<duckdb_string_t*>(&text)), duckdb_string_t_length(text)};
}

// Runs a query for its effect. Throws QueryError.
void execute(duckdb_connection connection, const std::string& sql);

// What DuckDB says is wrong, with its kind.
class QueryError : public std::runtime_error {
 public:
  QueryError(const std::string& message, duckdb_error_type kind) : std::runtime_error(message), kind_(kind) {}
  duckdb_error_type kind() const { return kind_; }

 private:
  duckdb_error_type kind_;
};

}  // namespace etl::files
