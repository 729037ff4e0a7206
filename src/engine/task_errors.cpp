// What the errors of the server and of ours are called in state machines.

#include "engine/task_runner.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/condition_names.h"

namespace etl {

namespace {

// setup.raise_error(): the name of the error is where a constraint's would be.
constexpr const char* kNamedError = "OR006";

// As the service's functions tell it.
std::string cause_of(const std::string& name, const char* message, const std::string& sqlstate,
                     const std::string& detail, const std::string& hint) {
  states::Json cause = {{"errorType", name}, {"errorMessage", message}, {"sqlstate", sqlstate}};
  if (!detail.empty()) cause["detail"] = detail;
  if (!hint.empty()) cause["hint"] = hint;
  // Text of a database in another encoding than UTF-8.
  return cause.dump(-1, ' ', false, states::Json::error_handler_t::replace);
}

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

states::Failure task_failure(const pg::Error& error) {
  const std::string sqlstate = unpack_sql_state(error.sqlstate());
  const ErrorData& data = error.data();
  if (sqlstate == kNamedError && data.constraint_name != nullptr) return {data.constraint_name, error.what()};
  const std::string name = condition_name(sqlstate);
  return {name, cause_of(name, error.what(), sqlstate, text_of(data.detail), text_of(data.hint))};
}

states::Failure task_failure(const pg::Failure& failure) {
  const std::string sqlstate = unpack_sql_state(failure.sqlstate());
  const std::string name = condition_name(sqlstate);
  return {name, cause_of(name, failure.what(), sqlstate, failure.detail(), failure.hint())};
}

}  // namespace etl
