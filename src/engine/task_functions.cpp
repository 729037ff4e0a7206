// Functions that users register by name: what is a Lambda function elsewhere.

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/task_handlers.h"

namespace etl {

namespace {

using states::StateError;

TaskResult result_of(SqlResult called) {
  return {std::move(called.output), false, 0, called.rows};
}

// With the envelope that the service puts around what a function returns.
TaskResult invoke(const TaskCall& call) {
  const std::string name = function_name(call.required_text("FunctionName"));
  const bool has_payload = call.parameters().contains("Payload");
  TaskResult result =
      result_of(call_function(call.block, name, has_payload ? call.required("Payload") : Json::object()));
  result.output = {{"ExecutedVersion", "$LATEST"}, {"Payload", std::move(result.output)}, {"StatusCode", 200}};
  return result;
}

}  // namespace

// arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION, ACCOUNT:function:NAME or NAME:VERSION
std::string function_name(const std::string& text) {
  constexpr std::string_view kMark = "function:";
  const size_t at = text.find(kMark);
  const bool is_arn = at == 0 || (at != std::string::npos && text[at - 1] == ':');
  const size_t begin = is_arn ? at + kMark.size() : 0;
  return text.substr(begin, text.find(':', begin) - begin);
}

SqlResult call_function(pg::Block& block, const std::string& name, const Json& input) {
  std::optional<std::string> function;
  const Oid owner = GetUserId();
  in_engine(block, [&] { function = task_handlers::find(name, name, owner); });
  if (!function)
    throw StateError("Lambda.ResourceNotFoundException",
                     "no function is registered as \"" + name + "\": see setup.register_task_handler()");
  return call_handler(block, *function, input);
}

const TaskActions& function_actions() {
  static const TaskActions actions = {
      {"lambda:invoke", {invoke}},
      {"aws-sdk:lambda:invoke", {invoke}},
  };
  return actions;
}

}  // namespace etl
