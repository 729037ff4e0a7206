#include "files/duckdb_api.h"

#include "files/at_exit.h"
#include "files/signals.h"

namespace etl::files {

namespace {

class Config {
 public:
  Config() { duckdb_create_config(&config_); }
  ~Config() { duckdb_destroy_config(&config_); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  void set(const char* name, const std::string& value) {
    if (duckdb_set_config(config_, name, value.c_str()) != DuckDBSuccess)
      throw QueryError(std::string("DuckDB refuses the setting ") + name + " = " + value, DUCKDB_ERROR_INVALID_INPUT);
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

std::string doubled(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

}  // namespace

std::string path_of(int descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

std::string quote_literal(const std::string& text) {
  return doubled(text, '\'');
}

std::string quote_identifier(const std::string& name) {
  return doubled(name, '"');
}

Database::Database(const Limits& limits, const std::vector<int>& descriptors,
                   const std::vector<std::pair<std::string, std::string>>& settings)
    : threads_(limits.threads) {
  Config config;
  config.set("threads", std::to_string(limits.threads));
  config.set("memory_limit", std::to_string(limits.memory_bytes) + "B");
  config.set("temp_directory", limits.temp_directory);
  config.set("autoinstall_known_extensions", "false");
  config.set("autoload_known_extensions", "false");
  config.set("enable_external_file_cache", "false");  // one path stands for many files
  const SignalsBlocked blocked;
  char* problem = nullptr;
  if (duckdb_open_ext(nullptr, &database_, config.get(), &problem) != DuckDBSuccess) {
    const std::string message = problem == nullptr ? "DuckDB does not start" : problem;
    duckdb_free(problem);
    throw QueryError(message, DUCKDB_ERROR_INTERNAL);
  }
  at_exit::add(this, [](void* database) { static_cast<Database*>(database)->close(); });
  try {
    set_up(descriptors, settings);
  } catch (...) {
    close();
    throw;
  }
}

void Database::set_up(const std::vector<int>& descriptors,
                      const std::vector<std::pair<std::string, std::string>>& settings) {
  if (duckdb_connect(database_, &connection_) != DuckDBSuccess)
    throw QueryError("DuckDB gives no connection", DUCKDB_ERROR_INTERNAL);
  std::string allowed;
  for (const int descriptor : descriptors)
    allowed += (allowed.empty() ? "" : ", ") + quote_literal(path_of(descriptor));
  execute(connection_, "SET allowed_paths = [" + allowed + "]");
  for (const auto& [name, value] : settings) execute(connection_, "SET " + name + " = " + value);
  execute(connection_, "SET enable_external_access = false");
  execute(connection_, "SET lock_configuration = true");
}

void Database::close() {
  if (database_ == nullptr) return;
  at_exit::remove(this);
  if (connection_ != nullptr) duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void execute(duckdb_connection connection, const std::string& sql) {
  duckdb_result result;
  const bool ok = duckdb_query(connection, sql.c_str(), &result) == DuckDBSuccess;
  const QueryError error(ok ? "" : duckdb_result_error(&result), duckdb_result_error_type(&result));
  duckdb_destroy_result(&result);
  if (!ok) throw error;
}

}  // namespace etl::files
