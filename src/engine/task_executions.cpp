// Executions of other state machines, as tasks start them and wait for them. Each runs as the owner of its machine,
// whom the task's owner must be, or be a member of.

#include "engine/active_execution.h"
#include "engine/execution_requests.h"
#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/task_runs.h"

namespace etl {

namespace {

using states::StateError;

constexpr const char* kNoMachine = "StateMachineDoesNotExistException";
constexpr const char* kNoExecution = "ExecutionDoesNotExistException";
constexpr const char* kSameName = "ExecutionAlreadyExistsException";

// The errors are called after the service: StepFunctions, and Sfn where the SDK is meant.
std::string error_name(const TaskCall& call, const char* name) {
  return (call.resource.service.starts_with("aws-sdk:") ? "Sfn." : "StepFunctions.") + std::string(name);
}

std::string input_of(const TaskCall& call) {
  if (!call.parameters().contains("Input")) return "{}";
  const Json& input = call.required("Input");
  if (!input.is_string()) return input.dump();
  // As the API has it: JSON in a text.
  const std::string text = call.required_text("Input");
  if (!states::parse_json(text))
    throw StateError(error_name(call, "InvalidExecutionInputException"), "Input is no JSON");
  return text;
}

// arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, with or without a version or alias; or NAME. The present version
// runs.
std::string machine_name(const std::string& arn) {
  constexpr std::string_view kMark = ":stateMachine:";
  const size_t at = arn.find(kMark);
  if (at == std::string::npos) return last_part(arn);
  const size_t begin = at + kMark.size();
  return arn.substr(begin, arn.find(':', begin) - begin);
}

RunId start(const TaskCall& call) {
  const std::string machine = machine_name(call.required_text("StateMachineArn"));
  const std::string name = call.optional_text("Name");
  const std::string input = input_of(call);
  RunId run_id = 0;
  try {
    call.block.statement(
        [&] { run_id = start_execution(machine, input, name.empty() ? std::nullopt : std::optional(name)).run_id; });
  } catch (const pg::Failure& failure) {
    if (failure.sqlstate() == ERRCODE_UNDEFINED_OBJECT) throw StateError(error_name(call, kNoMachine), failure.what());
    if (failure.sqlstate() == ERRCODE_DUPLICATE_OBJECT) throw StateError(error_name(call, kSameName), failure.what());
    throw;
  }
  return run_id;
}

struct Described {
  std::string machine;
  std::string name;
  std::string status;
  std::string input;
  std::string output;  // empty: none
  std::optional<std::string> error;
  std::optional<std::string> cause;
  TimestampTz started_at = 0;
  TimestampTz stopped_at = 0;  // 0: not yet
};

// One that the role may see, with the engine's rights.
std::optional<Described> read_execution(RunId run_id, Oid role) {
  static pg::Statement read{
      "SELECT state_machine, name, status, input, output, error, cause, started_at, stopped_at FROM setup.executions "
      "WHERE run_id = $1 AND pg_has_role($2, owner_oid, 'MEMBER')",
      {INT8OID, OIDOID}};
  const pg::Rows row = read.run({pg::value(run_id), pg::value(role)});
  if (row.size() == 0) return std::nullopt;
  Described it;
  it.machine = row.text(0, 0);
  it.name = row.text(0, 1);
  it.status = row.text(0, 2);
  it.input = row.text(0, 3);
  it.output = row.text(0, 4);
  if (!row.null(0, 5)) it.error = row.text(0, 5);
  if (!row.null(0, 6)) it.cause = row.text(0, 6);
  it.started_at = row.timestamp(0, 7);
  it.stopped_at = row.timestamp(0, 8);
  return it;
}

// `as_json`: input and output as JSON, and not as a text that holds it.
Json shown(const TaskCall& call, RunId run_id, const Described& it, bool as_json) {
  const auto payload = [&](const std::string& text) { return as_json ? parse_output(text) : Json(text); };
  Json json = {{"ExecutionArn", std::to_string(run_id)},
               {"StateMachineArn", it.machine},
               {"Name", it.name},
               {"Status", it.status},
               {"StartDate", shown_time(call, it.started_at)},
               {"Input", payload(it.input)},
               {"InputDetails", {{"Included", true}}}};
  if (it.stopped_at != 0) json["StopDate"] = shown_time(call, it.stopped_at);
  if (!it.output.empty()) {
    json["Output"] = payload(it.output);
    json["OutputDetails"] = {{"Included", true}};
  }
  if (it.error) json["Error"] = *it.error;
  if (it.cause) json["Cause"] = *it.cause;
  return json;
}

TaskResult start_only(const TaskCall& call) {
  const RunId run_id = start(call);
  return {{{"ExecutionArn", std::to_string(run_id)}, {"StartDate", shown_time(call, GetCurrentTimestamp())}},
          false,
          0,
          std::nullopt};
}

TaskResult finish(const TaskCall& call, RunId run_id) {
  std::optional<Described> it;
  const Oid role = GetUserId();
  in_engine(call.block, [&] { it = read_execution(run_id, role); });
  if (!it) throw StateError(states::errors::kTaskFailed, "the execution is not there any more");
  Json json = shown(call, run_id, *it, call.resource.action.ends_with(":2"));
  if (it->status != "SUCCEEDED") throw StateError(states::errors::kTaskFailed, states::compact(json));
  return {std::move(json), false, 0, std::nullopt};
}

TaskResult start_and_wait(const TaskCall& call) {
  const RunId run_id = start(call);
  if (run_id == call.owner.run.id)
    throw StateError(states::errors::kTaskFailed, "an execution cannot wait for its own end");
  if (has_run_ended(call, run_id)) return finish(call, run_id);
  return {{{"ExecutionArn", std::to_string(run_id)}, {"StartDate", shown_time(call, GetCurrentTimestamp())}},
          false,
          run_id,
          std::nullopt};
}

// The number of a run; 0 where the text cannot be one.
RunId parse_execution(const std::string& arn) {
  const std::string digits = last_part(arn);
  const bool is_number =
      !digits.empty() && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::stoll(digits) : 0;
}

Described find_execution(const TaskCall& call, RunId run_id) {
  std::optional<Described> it;
  const Oid role = GetUserId();
  in_engine(call.block, [&] { it = read_execution(run_id, role); });
  if (!it)
    throw StateError(error_name(call, kNoExecution),
                     "Execution Does Not Exist: '" + call.required_text("ExecutionArn") + "'");
  return *it;
}

TaskResult describe(const TaskCall& call) {
  const RunId run_id = parse_execution(call.required_text("ExecutionArn"));
  return {shown(call, run_id, find_execution(call, run_id), false), false, 0, std::nullopt};
}

TaskResult stop(const TaskCall& call) {
  const RunId run_id = parse_execution(call.required_text("ExecutionArn"));
  find_execution(call, run_id);
  const auto text = [&](const char* field) {
    return call.parameters().contains(field) ? std::optional(call.required_text(field)) : std::nullopt;
  };
  call.block.statement([&] { stop_execution(run_id, text("Error"), text("Cause")); });
  return {{{"StopDate", shown_time(call, GetCurrentTimestamp())}}, false, 0, std::nullopt};
}

}  // namespace

const TaskActions& execution_actions() {
  static const TaskActions actions = {
      {"states:startExecution", {start_only}},
      {"states:startExecution.sync", {start_and_wait, finish}},
      {"states:startExecution.sync:2", {start_and_wait, finish}},
      {"aws-sdk:sfn:startExecution", {start_only}},
      {"aws-sdk:sfn:describeExecution", {describe}},
      {"aws-sdk:sfn:stopExecution", {stop}},
  };
  return actions;
}

}  // namespace etl
