// The two kinds of errors that cross the boundary between C++ and the server.
#pragma once

#include "pg/server.h"

namespace etl::pg {

// An error that the server raised and guard() caught, whole. Cheap to copy; the data lives in a memory context
// of its own until the last copy is gone.
class Error : public std::exception {
 public:
  // Takes `home`, a context that holds nothing but `data`.
  Error(MemoryContext home, ErrorData* data);

  const char* what() const noexcept override;
  const ErrorData& data() const;
  int sqlstate() const;

  // Gives the data to the current memory context and returns it, for raising it again.
  ErrorData* hand_over() const;

 private:
  struct Home;
  std::shared_ptr<Home> home_;
};

struct ErrorHelp {
  std::string detail;
  std::string hint;
  std::string context;
  std::string message = "";  // empty: as it was
};

// The same error with other help; an empty text is none.
Error with_help(const Error& error, const ErrorHelp& help);

// An error that our own code found: what, where, and what to do. Texts in PostgreSQL's style; detail and hint
// may be empty.
class Failure : public std::runtime_error {
 public:
  Failure(int sqlstate, const std::string& message, std::string detail = "", std::string hint = "");

  int sqlstate() const { return sqlstate_; }
  const std::string& detail() const { return detail_; }
  const std::string& hint() const { return hint_; }

 private:
  int sqlstate_;
  std::string detail_;
  std::string hint_;
};

// Formats like sprintf.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// "1 file", "3 files".
std::string count_of(int64_t count, const char* one, const char* many);

}  // namespace etl::pg
