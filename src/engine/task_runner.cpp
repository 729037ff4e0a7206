#include "engine/task_runner.h"

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/activities.h"
#include "engine/deadline.h"
#include "engine/task_handlers.h"

namespace etl {

namespace {

using states::Resource;
using states::StateError;

constexpr std::string_view kTokenSuffix = ".waitForTaskToken";

const TaskAction* find_action(const Resource& resource) {
  static const TaskActions* const families[] = {&crawler_actions(), &execution_actions(),    &function_actions(),
                                                &job_actions(),     &notification_actions(), &pipeline_actions(),
                                                &query_actions(),   &statement_actions()};
  std::string action = resource.action;
  if (action.ends_with(kTokenSuffix)) action.resize(action.size() - kTokenSuffix.size());
  const std::string name = resource.service.empty() ? action : resource.service + ":" + action;
  for (const TaskActions* family : families)
    if (const auto found = family->find(name); found != family->end()) return &found->second;
  return nullptr;
}

// What users have registered for a resource, under its whole text or the name of the function that it is.
std::optional<std::string> find_handler(const std::string& text, const Resource& resource, Oid owner) {
  const std::string name = resource.kind == Resource::Kind::kFunction ? function_name(text) : "";
  if (auto found = task_handlers::find(text, name, owner)) return found;
  if (!text.ends_with(kTokenSuffix)) return std::nullopt;
  return task_handlers::find(text.substr(0, text.size() - kTokenSuffix.size()), name, owner);
}

void schedule_activity(const TaskCall& call) {
  const std::string name = last_part(call.task.resource);
  const std::string input = call.parameters().dump();
  const Oid owner = GetUserId();
  bool is_known = false;
  in_engine(call.block, [&] { is_known = activities::schedule(name, call.owner.token, input, owner); });
  if (!is_known)
    throw StateError("ActivityDoesNotExist", "no activity is called \"" + name + "\": see setup.create_activity()");
}

TaskResult dispatch(const TaskCall& call) {
  std::optional<std::string> handler;
  const Oid owner = GetUserId();
  in_engine(call.block, [&] { handler = find_handler(call.task.resource, call.resource, owner); });
  if (handler) {
    SqlResult result = call_handler(call.block, *handler, call.parameters());
    return {std::move(result.output), false, 0, result.rows};
  }
  if (call.resource.kind == Resource::Kind::kActivity) {
    schedule_activity(call);
    return {};
  }
  if (call.resource.kind == Resource::Kind::kFunction) {
    const std::string name = function_name(call.task.resource);
    throw StateError("Lambda.ResourceNotFoundException",
                     "no function is registered as \"" + name + "\": see setup.register_task_handler()");
  }
  if (const TaskAction* action = find_action(call.resource)) return action->run(call);
  throw StateError(states::errors::kRuntime, "nothing does the work of resource \"" + call.task.resource + "\"");
}

RunId read_awaited_run(const TaskOwner& owner) {
  static pg::Statement read{
      "SELECT awaited_run FROM setup.execution_branches WHERE run_id = $1 AND branch_id = $2 AND awaited_run IS NOT "
      "NULL",
      {INT8OID, INT4OID}};
  const pg::Rows row = read.run({pg::value(owner.run.id), pg::value(static_cast<int32_t>(owner.branch))});
  if (row.size() == 0) throw StateError(states::errors::kTaskFailed, "the task does not wait for a run any more");
  return row.int8(0, 0);
}

TaskCall call_of(pg::Block& block, const states::RunTask& task, const TaskOwner& owner) {
  return {block, task, owner, Resource::parse(task.resource)};
}

}  // namespace

TaskResult run_task(pg::Block& block, const states::RunTask& task, const TaskOwner& owner) {
  std::optional<Deadline> deadline;
  if (task.timeout_seconds)
    deadline.emplace(DeadlineOf::kTask, static_cast<int64_t>(std::min(*task.timeout_seconds, 2e6) * 1000));
  try {
    const TaskCall call = call_of(block, task, owner);
    TaskResult result = dispatch(call);
    result.waits_for_token = call.resource.needs_token;
    return result;
  } catch (const pg::Error& error) {
    if (error.sqlstate() != ERRCODE_QUERY_CANCELED || !deadline || !deadline->has_passed()) throw;
    QueryCancelPending = false;
    throw StateError(states::errors::kTimeout, "");
  }
}

TaskResult finish_task(pg::Block& block, const states::RunTask& task, const TaskOwner& owner) {
  const TaskCall call = call_of(block, task, owner);
  RunId ended = 0;
  in_engine(block, [&] { ended = read_awaited_run(owner); });
  const TaskAction* action = find_action(call.resource);
  if (action == nullptr || action->finish == nullptr)
    throw StateError(states::errors::kRuntime, "nothing does the work of resource \"" + task.resource + "\"");
  return action->finish(call, ended);
}

std::optional<std::string> resource_problem(const std::string& text, Oid owner) {
  const Resource resource = Resource::parse(text);
  if (resource.kind == Resource::Kind::kActivity || find_action(resource) != nullptr) return std::nullopt;
  try {
    if (find_handler(text, resource, owner)) return std::nullopt;
  } catch (const pg::Failure& failure) {
    return failure.what();
  }
  const bool is_function = resource.kind == Resource::Kind::kFunction;
  const std::string name = is_function ? function_name(text) : text;
  return (is_function ? "no function is registered as \"" : "nothing does the work of resource \"") + name +
         "\": register a function for it with SELECT setup.register_task_handler('" + name +
         "', 'schema.function(jsonb)')";
}

}  // namespace etl
