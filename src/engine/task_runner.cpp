#include "engine/task_runner.h"

#include "engine/condition_names.h"
#include "engine/deadline.h"
#include "engine/executor.h"
#include "engine/notifications.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "states/resource.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/jsonb.h"
}

namespace etl {

namespace {

using states::Json;
using states::Resource;
using states::StateError;

Json parse_output(const std::string& text) {
  std::optional<Json> output = states::parse_json(text);
  if (!output) throw StateError(states::errors::kRuntime, "the result of the task is no JSON that can be worked on");
  return *std::move(output);
}

struct Called {
  Json output;
  int64_t rows = 0;
};

// One statement, with one jsonb as its argument, whose first column of its first row is the result.
Called call(pg::Block& block, const std::string& sql, const Json& argument) {
  Called called;
  const std::string input = argument.dump();
  block.look([&] {
    called.rows = run_calls_in_block(sql, [&] {
      const pg::Spi spi;
      std::string output;
      pg::guard([&] {
        Oid types[] = {JSONBOID};
        Datum values[] = {DirectFunctionCall1(jsonb_in, CStringGetDatum(input.c_str()))};
        const int result = SPI_execute_with_args(sql.c_str(), 1, types, values, nullptr, false, 0);
        if (result < 0) elog(ERROR, "could not run the task: %s", SPI_result_code_string(result));
      });
      const pg::Rows rows(SPI_tuptable, SPI_processed);
      if (rows.size() > 0 && !rows.null(0, 0)) output = rows.text(0, 0);
      called.output = output.empty() ? Json() : parse_output(output);
      return static_cast<int64_t>(0);
    });
  });
  return called;
}

// The function that is registered under a name for the machines of a role: its own, else a superuser's.
std::string handler_for(const std::string& name, Oid owner) {
  static pg::Statement find{
      "SELECT h.function FROM setup.task_handlers h JOIN pg_authid r ON r.oid = h.owner_oid "
      "WHERE h.name = $1 AND (h.owner_oid = $2 OR r.rolsuper) ORDER BY h.owner_oid <> $2 LIMIT 1",
      {TEXTOID, OIDOID}};
  const pg::Rows row = find.run({pg::value(std::string_view(name)), pg::value(owner)});
  return row.size() == 0 ? "" : row.text(0, 0);
}

// The name in an ARN of a function, without a version or alias; or the text itself.
std::string function_name(const std::string& text) {
  const std::string mark = ":function:";
  const size_t at = text.find(mark);
  if (at == std::string::npos) return text.substr(0, text.find(':'));
  const size_t begin = at + mark.size();
  return text.substr(begin, text.find(':', begin) - begin);
}

Called call_function(pg::Block& block, const std::string& name, const Json& input) {
  std::string function;
  const Oid owner = GetUserId();
  block.statement([&] {
    const pg::EngineRights rights;
    const pg::Spi spi;
    function = handler_for(name, owner);
  });
  if (function.empty())
    throw StateError("Lambda.ResourceNotFoundException",
                     "no function is registered as \"" + name + "\": see setup.register_task_handler()");
  return call(block, "SELECT " + function + "($1)", input);
}

const Json& required(const Json& parameters, const std::string& field) {
  if (!parameters.is_object() || !parameters.contains(field))
    throw StateError(states::errors::kRuntime, "the task needs a parameter \"" + field + "\"");
  return parameters.at(field);
}

std::string required_text(const Json& parameters, const std::string& field) {
  const Json& value = required(parameters, field);
  if (!value.is_string()) throw StateError(states::errors::kRuntime, "parameter \"" + field + "\" must be a text");
  return value.get<std::string>();
}

std::string optional_text(const Json& parameters, const std::string& field) {
  return parameters.is_object() && parameters.contains(field) ? required_text(parameters, field) : "";
}

// Of one task.
class Runner {
 public:
  Runner(pg::Block& block, const states::RunTask& task, const TaskOwner& owner)
      : block_(block), task_(task), owner_(owner), resource_(Resource::parse(task.resource)) {}

  TaskResult run() {
    TaskResult result = dispatch();
    result.waits_for_token = resource_.needs_token;
    return result;
  }

 private:
  using Handler = TaskResult (Runner::*)();

  TaskResult dispatch() {
    if (resource_.kind == Resource::Kind::kActivity) return {};
    if (resource_.kind == Resource::Kind::kFunction)
      return result_of(call_function(block_, function_name(task_.resource), task_.parameters));
    const Handler handler = handler_of(resource_);
    if (handler == nullptr)
      throw StateError(states::errors::kRuntime, "nothing does the work of resource \"" + task_.resource + "\"");
    return (this->*handler)();
  }

 public:
  static Handler handler_of(const Resource& resource) {
    static const std::map<std::string, Handler> handlers = {
        {"lambda:invoke", &Runner::invoke},
        {"sns:publish", &Runner::publish},
        {"sql:query", &Runner::query},
        {"sql:execute", &Runner::execute},
    };
    std::string action = resource.action;
    if (resource.needs_token) action.resize(action.size() - std::string_view(".waitForTaskToken").size());
    const auto found = handlers.find(resource.service.empty() ? action : resource.service + ":" + action);
    return found == handlers.end() ? nullptr : found->second;
  }

 private:
  static TaskResult result_of(Called called) { return {std::move(called.output), false, 0, called.rows}; }

  // With the envelope that the service puts around what a function returns.
  TaskResult invoke() {
    const Json payload = task_.parameters.is_object() && task_.parameters.contains("Payload")
                             ? task_.parameters.at("Payload")
                             : Json::object();
    Called called = call_function(block_, function_name(required_text(task_.parameters, "FunctionName")), payload);
    return {{{"ExecutedVersion", "$LATEST"}, {"Payload", std::move(called.output)}, {"StatusCode", 200}},
            false,
            0,
            called.rows};
  }

  TaskResult publish() {
    const Json& message = required(task_.parameters, "Message");
    const std::string text = message.is_string() ? message.get<std::string>() : states::compact(message);
    std::string topic = optional_text(task_.parameters, "TopicArn");
    if (const size_t colon = topic.rfind(':'); colon != std::string::npos) topic.erase(0, colon + 1);
    if (topic.empty()) throw StateError("SNS.InvalidParameterException", "the task needs a parameter \"TopicArn\"");
    const std::string subject = optional_text(task_.parameters, "Subject");
    int64_t id = 0;
    const Oid role = GetUserId();
    block_.statement([&] {
      const pg::EngineRights rights;
      const pg::Spi spi;
      id = notifications::publish(topic, subject, text, owner_.run.id, owner_.machine, owner_.state, role);
    });
    return {{{"MessageId", std::to_string(id)}}, false, 0, std::nullopt};
  }

  // {"Query": "SELECT ..."} -> {"Rows": [{...}], "RowCount": n}. $1 in the query is field "Arguments", a jsonb.
  TaskResult query() {
    const std::string sql =
        "SELECT jsonb_build_object('Rows', coalesce(jsonb_agg(to_jsonb(q)), '[]'), 'RowCount', count(*)) FROM (" +
        required_text(task_.parameters, "Query") + "\n) q WHERE $1 IS NOT NULL OR $1 IS NULL";
    const Json arguments = task_.parameters.contains("Arguments") ? task_.parameters.at("Arguments") : Json::object();
    Called called = call(block_, sql, arguments);
    const int64_t rows = called.output.at("RowCount").get<int64_t>();
    return {std::move(called.output), false, 0, rows};
  }

  // {"Command": "INSERT ...; ..."} -> {"RowsAffected": n}. As a job runs it, in one transaction.
  TaskResult execute() {
    const int64_t rows = run_in_block(required_text(task_.parameters, "Command"));
    return {{{"RowsAffected", rows}}, false, 0, rows};
  }

  pg::Block& block_;
  const states::RunTask& task_;
  const TaskOwner& owner_;
  const Resource resource_;
};

Json error_details(const std::string& name, const char* message, const std::string& sqlstate) {
  return {{"errorType", name}, {"errorMessage", message}, {"sqlstate", sqlstate}};
}

}  // namespace

TaskResult run_task(pg::Block& block, const states::RunTask& task, const TaskOwner& owner) {
  std::optional<Deadline> deadline;
  if (task.timeout_seconds)
    deadline.emplace(DeadlineOf::kTask, static_cast<int64_t>(std::min(*task.timeout_seconds, 2e6) * 1000));
  try {
    return Runner(block, task, owner).run();
  } catch (const pg::Error& error) {
    if (error.sqlstate() != ERRCODE_QUERY_CANCELED || !deadline || !deadline->has_passed()) throw;
    QueryCancelPending = false;
    throw StateError(states::errors::kTimeout, "");
  }
}

TaskResult finish_task(pg::Block&, const states::RunTask&, const TaskOwner&) {
  return {};
}

states::Failure task_failure(const pg::Error& error) {
  const std::string sqlstate = unpack_sql_state(error.sqlstate());
  const ErrorData& data = error.data();
  const bool is_named = sqlstate == "OR006" && data.constraint_name != nullptr;
  if (is_named) return {data.constraint_name, error.what()};
  const std::string name = condition_name(sqlstate);
  return {name, states::compact(error_details(name, error.what(), sqlstate))};
}

states::Failure task_failure(const pg::Failure& failure) {
  const std::string sqlstate = unpack_sql_state(failure.sqlstate());
  const std::string name = condition_name(sqlstate);
  return {name, states::compact(error_details(name, failure.what(), sqlstate))};
}

std::optional<std::string> resource_problem(const std::string& text, Oid owner) {
  const Resource resource = Resource::parse(text);
  if (resource.kind == Resource::Kind::kActivity) return std::nullopt;
  if (resource.kind == Resource::Kind::kFunction) {
    const std::string name = function_name(text);
    if (!handler_for(name, owner).empty()) return std::nullopt;
    return "register one with SELECT setup.register_task_handler('" + name + "', 'schema.function(jsonb)')";
  }
  if (Runner::handler_of(resource) != nullptr) return std::nullopt;
  return "call a function instead: SELECT setup.register_task_handler('name', 'schema.function(jsonb)'), and resource "
         "arn:aws:states:::lambda:invoke";
}

}  // namespace etl
