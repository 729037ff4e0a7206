#include "states/fence.h"

#include "states/advance.h"

namespace etl::states {

Advance::Step Advance::run_task() {
  const Resource resource = Resource::parse(state_->resource);
  branch_.task_token = resource.needs_token ? tools_.new_token() : std::string();
  tools_.show(branch_);
  RunTask task = make_task();
  ++branch_.attempt;
  branch_.phase = Branch::Phase::kTask;
  record(resource.event("Scheduled"), resource.scheduled_details(task));
  return task;
}

RunTask Advance::make_task() {
  Evaluation values = evaluation();
  const Json input = values.is_jsonata() ? branch_.input : values.effective_input();
  RunTask task;
  task.resource = state_->resource;
  task.parameters = input;
  if (values.is_jsonata()) {
    if (is_given(state_->arguments)) task.parameters = values.query(state_->arguments, "Arguments");
    if (is_given(state_->credentials)) task.credentials = values.query(state_->credentials, "Credentials");
  } else {
    if (state_->parameters) task.parameters = values.fill(*state_->parameters, input);
    if (is_given(state_->credentials)) task.credentials = values.fill(Template::parse(state_->credentials), input);
  }
  check_size(task.parameters, state_->name);
  const auto seconds = [&](const std::optional<Quantity>& quantity) -> std::optional<double> {
    if (!quantity) return std::nullopt;
    return static_cast<double>(values.whole_number(*quantity, input, {.least = 1}));
  };
  task.timeout_seconds = seconds(state_->timeout_seconds);
  task.heartbeat_seconds = seconds(state_->heartbeat_seconds);
  if (task.timeout_seconds && task.heartbeat_seconds && *task.heartbeat_seconds >= *task.timeout_seconds) {
    throw StateError(errors::kRuntime, "HeartbeatSeconds must be smaller than TimeoutSeconds.");
  }
  return task;
}

Advance::Step Advance::task_succeeded(TaskSucceeded result) {
  const Resource resource = Resource::parse(state_->resource);
  try {
    check_size(result.output, resource.short_name());
  } catch (const StateError& error) {
    return task_failed({error.failure()});
  }
  record(resource.event("Succeeded"), {{"output", result.output}});
  return guarded([&] { return leave(with_result(std::move(result.output))); });
}

Advance::Step Advance::task_failed(TaskFailed failed) {
  Problem problem{std::move(failed.failure)};
  auto& error = problem.failure.error;
  problem.is_heartbeat = error == errors::kHeartbeatTimeout;
  if (problem.is_heartbeat || (failed.timed_out && !error)) error = errors::kTimeout;
  Json details = Json::object();
  if (error) details["error"] = *error;
  if (problem.failure.cause) details["cause"] = *problem.failure.cause;
  record(Resource::parse(state_->resource).event(failed.timed_out ? "TimedOut" : "Failed"), std::move(details));
  return fail(problem);
}

}  // namespace etl::states
