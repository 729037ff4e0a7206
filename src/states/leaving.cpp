// How a state ends: with an output, in a Catcher, or with the branch.
#include "states/fence.h"

#include "states/advance.h"

namespace etl::states {
namespace {

constexpr size_t kLargestVariables = 10 << 20;  // bytes of UTF-8, of all that a branch can see

Json error_output(const Failure& failure) {
  return {{"Error", failure.error.value_or("")}, {"Cause", failure.cause.value_or("")}};
}

Json details_of(const Failure& failure) {
  Json details = Json::object();
  if (failure.error) details["error"] = *failure.error;
  if (failure.cause) details["cause"] = *failure.cause;
  return details;
}

// A number of [0, 1): 53 bits, as many as a double holds.
double draw(Entropy& entropy) {
  return static_cast<double>(entropy.next() >> 11) * 0x1.0p-53;
}

}  // namespace

void check_size(const Json& value, const std::string& what) {
  const Extent size = extent(value);
  if (size.depth > kDeepestJson)
    throw StateError(errors::kRuntime, "the value of '" + what + "' is nested more than " + std::to_string(kDeepestJson) +
                                           " levels deep");
  if (size.bytes <= kLargestPayload) return;
  throw StateError(errors::kDataLimitExceeded, "The state/task '" + what +
                                                   "' returned a result with a size exceeding the maximum number of "
                                                   "bytes service limit.");
}

Failure in_state(const Branch& branch, const StateError& error) {
  Failure failure = error.failure();
  if (failure.error == errors::kDataLimitExceeded) return failure;
  failure.cause = "An error occurred while executing the state '" + branch.state + "' (entered at the event id #" +
                  std::to_string(branch.entered_event) + "). " + failure.cause.value_or("");
  return failure;
}

Advance::Step Advance::leave(Exit exit) {
  check_size(exit.output, state_->name);
  assign(exit.assigned);
  forget_children();
  branch_.task_token.clear();
  Json details = {{"output", exit.output}};
  if (!exit.assigned.empty()) details["assignedVariables"] = std::move(exit.assigned);
  record(event_of_state("Exited"), std::move(details));
  if (exit.next.empty()) return end(std::move(exit.output));
  branch_.state = std::move(exit.next);
  branch_.input = std::move(exit.output);
  return std::nullopt;
}

void Advance::assign(const Json& values) {
  if (values.empty()) return;
  check_size(values, state_->name);
  Json variables = branch_.variables;
  variables.update(values);
  if (size_in_bytes(variables) + (branch_.outer ? size_in_bytes(*branch_.outer) : 0) > kLargestVariables) {
    throw StateError(errors::kDataLimitExceeded, "The variables exceed the maximum number of bytes service limit.");
  }
  branch_.variables = std::move(variables);
}

Next Advance::end(Json output) {
  branch_.phase = Branch::Phase::kEnded;
  if (branch_.is_execution) {
    record("ExecutionSucceeded", {{"output", output}});
  } else if (!branch_.iteration_of.empty()) {
    record_iteration("Succeeded");
  }
  branch_.input = output;
  return Ended{std::move(output)};
}

Next Advance::break_with(Failure failure) {
  branch_.phase = Branch::Phase::kBroken;
  if (branch_.is_execution) {
    record("ExecutionFailed", details_of(failure));
  } else if (!branch_.iteration_of.empty() && Problem{failure}.can_be_caught()) {
    record_iteration("Failed");
  }
  return Broken{std::move(failure)};
}

// The first Retrier that takes the error decides: where it has no retry left, the others are not asked.
Advance::Step Advance::fail(const Problem& problem) {
  const Retrier* retrier = retrier_for(*state_, problem);
  if (!retrier) return give_up(problem);
  int64_t& retries = branch_.retries.at(retrier - state_->retriers.data());
  if (retries >= retrier->max_attempts) return give_up(problem);
  ++retries;
  ++branch_.retry_count;
  forget_children();
  branch_.phase = Branch::Phase::kRetrying;
  branch_.due = tools_.now() + retry_delay(*retrier, retries, retrier->jitter ? draw(tools_.entropy) : 0);
  return Wait{branch_.due};
}

Advance::Step Advance::give_up(const Problem& problem) {
  const bool can_fork = state_->type == StateType::kParallel || state_->type == StateType::kMap;
  // Of what nothing can catch the service says only that the execution has failed, however deep it happened.
  if (can_fork && !has_result_ && problem.can_be_caught()) record(event_of_state("Failed"));
  const Catcher* catcher = catcher_for(*state_, problem);
  if (!catcher) return break_with(problem.failure);
  try {
    return leave(caught(*catcher, problem.failure));
  } catch (const StateError& error) {  // nothing catches what goes wrong in a Catcher
    return break_with(failure_of(error));
  }
}

Advance::Step Advance::fail_in_state(const StateError& error) {
  return fail({failure_of(error), error.failure().error == errors::kDataLimitExceeded});
}

// As in_state(); tells the history, too.
Failure Advance::failure_of(const StateError& error) {
  Failure failure = in_state(branch_, error);
  if (failure.error == errors::kQueryEvaluationError) {
    Json details = details_of(failure);
    details["state"] = state_->name;
    if (!error.location().empty()) details["location"] = error.location();
    record("EvaluationFailed", std::move(details));
  }
  return failure;
}

Advance::Exit Advance::caught(const Catcher& catcher, const Failure& failure) {
  const Json output = error_output(failure);
  Evaluation values = evaluation();
  if (values.is_jsonata()) {
    const std::string field = "Catch[" + std::to_string(&catcher - state_->catchers.data()) + "]/";
    values.add("errorOutput", output);
    return {is_given(catcher.output) ? values.query(catcher.output, field + "Output") : output,
            is_given(catcher.jsonata_assign) ? values.query(catcher.jsonata_assign, field + "Assign") : Json::object(),
            catcher.next};
  }
  return {merged(catcher.result_path, output), catcher.assign ? values.fill(*catcher.assign, output) : Json::object(),
          catcher.next};
}

Advance::Exit Advance::with_result(Json result) {
  Evaluation values = evaluation();
  if (values.is_jsonata()) {
    values.add("result", result);
    return jsonata_exit(values, std::move(result));
  }
  Json assigned = state_->assign ? values.fill(*state_->assign, result) : Json::object();
  if (state_->result_selector) result = values.fill(*state_->result_selector, result);
  return {values.select(state_->output_path, merged(state_->result_path, std::move(result))), std::move(assigned),
          state_->next};
}

Advance::Exit Advance::plain_exit() {
  Evaluation values = evaluation();
  if (values.is_jsonata()) return jsonata_exit(values, branch_.input);
  const Json input = values.effective_input();
  return {values.select(state_->output_path, input),
          state_->assign ? values.fill(*state_->assign, input) : Json::object(), state_->next};
}

Advance::Exit Advance::jsonata_exit(Evaluation& values, Json otherwise) {
  return {is_given(state_->output) ? values.query(state_->output, "Output") : std::move(otherwise),
          is_given(state_->jsonata_assign) ? values.query(state_->jsonata_assign, "Assign") : Json::object(),
          state_->next};
}

// The result where ResultPath says, in the raw input.
Json Advance::merged(const OptionalPath& result_path, Json result) const {
  if (result_path.is_null) return branch_.input;
  return result_path.path ? result_path.path->put(branch_.input, std::move(result)) : result;
}

}  // namespace etl::states
