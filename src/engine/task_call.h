// One task, as the functions that do the work of resources have it: what it was given, and how it runs SQL.
#pragma once

#include "engine/task_runner.h"
#include "states/resource.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/engine_rights.h"
#include "pg/spi.h"

namespace etl {

using states::Json;

struct TaskCall {
  pg::Block& block;
  const states::RunTask& task;
  const TaskOwner& owner;
  const states::Resource resource;

  const Json& parameters() const { return task.parameters; }

  // Fields of the parameters. StateError (States.Runtime) where one is missing, or is of another type.
  const Json& required(const char* field) const;
  std::string required_text(const char* field) const;
  std::string optional_text(const char* field) const;  // empty where there is none
  std::optional<int64_t> optional_integer(const char* field, int64_t least, int64_t most) const;
  bool optional_flag(const char* field) const;
  Json optional_object(const char* field) const;  // {} where there is none
  std::vector<std::string> required_texts(const char* field) const;

  // The service's words for parameters that a task cannot begin with.
  [[noreturn]] void refuse(const std::string& why) const;
};

struct SqlResult {
  Json output;
  int64_t rows = 0;
};

// Runs one statement with the current user's rights and settings, with a jsonb as $1; the first column of its first row
// is the result, as JSON. It counts as a statement of the task: what watches sees it, statement_timeout ends it.
SqlResult call_sql(pg::Block& block, const std::string& sql, const Json& argument);
// The same for a function "schema.name", whose plan is kept for the next call.
SqlResult call_handler(pg::Block& block, const std::string& function, const Json& argument);

// Runs statements of ours, with an open Spi and the engine's rights.
template <typename F>
void in_engine(pg::Block& block, F&& body) {
  block.statement([&] {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    body();
  });
}

// JSON that a function or a row gave. StateError (States.Runtime) where it cannot be worked on.
Json parse_output(const std::string& text);

// Times as the services show them: integrations of Step Functions in milliseconds since 1970, those of the SDK as text.
Json shown_time(const TaskCall& call, TimestampTz at);

// The last part of an ARN, or the text itself.
std::string last_part(const std::string& arn);

}  // namespace etl
