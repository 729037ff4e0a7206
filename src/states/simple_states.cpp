// Pass, Choice, Wait and Fail.
#include "states/fence.h"

#include "states/advance.h"

namespace etl::states {
namespace {

// Of the Choice field, JSONata: true, or an expression for it.
bool is_true(const Json& condition, size_t index, Evaluation& values) {
  const std::string field = "Choices[" + std::to_string(index) + "]/Condition";
  const Json value = values.query(condition, field);
  if (!value.is_boolean()) throw unexpected_type(condition, field, "boolean", value);
  return value.get<bool>();
}

}  // namespace

Advance::Step Advance::pass() {
  Evaluation values = evaluation();
  if (values.is_jsonata()) return leave(jsonata_exit(values, branch_.input));
  Json result = values.effective_input();
  if (is_given(state_->result)) {
    result = state_->result;
  } else if (state_->parameters) {
    result = values.fill(*state_->parameters, result);
  }
  Json assigned = state_->assign ? values.fill(*state_->assign, result) : Json::object();
  return leave({values.select(state_->output_path, merged(state_->result_path, std::move(result))), std::move(assigned),
                state_->next});
}

Advance::Step Advance::choose() {
  Evaluation values = evaluation();
  const Json input = values.is_jsonata() ? Json() : values.effective_input();
  for (size_t index = 0; index < state_->choices.size(); ++index) {
    const ChoiceRule& rule = state_->choices[index];
    const bool holds = values.is_jsonata() ? is_true(rule.condition, index, values) : rule.holds(values.scope(input));
    if (holds) return leave(chosen(rule, index, values));
  }
  if (state_->default_next.empty()) {
    throw StateError(errors::kNoChoiceMatched,
                     "Failed to transition out of the state. The state does not point to a next state.");
  }
  Exit exit = plain_exit();
  exit.next = state_->default_next;
  return leave(std::move(exit));
}

// A rule that is chosen has an Assign and an Output of its own; those of the state are for its Default.
Advance::Exit Advance::chosen(const ChoiceRule& rule, size_t index, Evaluation& values) {
  if (values.is_jsonata()) {
    const std::string field = "Choices[" + std::to_string(index) + "]/";
    return {is_given(rule.output) ? values.query(rule.output, field + "Output") : branch_.input,
            is_given(rule.jsonata_assign) ? values.query(rule.jsonata_assign, field + "Assign") : Json::object(),
            rule.next};
  }
  const Json input = values.effective_input();
  return {values.select(state_->output_path, input), rule.assign ? values.fill(*rule.assign, input) : Json::object(),
          rule.next};
}

Advance::Step Advance::wait() {
  const Time until = wait_until();
  if (until <= branch_.entered) return leave(plain_exit());
  branch_.phase = Branch::Phase::kWaiting;
  branch_.due = until;
  return Wait{until};
}

Time Advance::wait_until() {
  Evaluation values = evaluation();
  const Json input = values.is_jsonata() ? Json() : values.effective_input();
  if (state_->seconds) {
    if (const auto* path = std::get_if<Path>(&state_->seconds->source)) {
      const auto value = path->find(values.scope(input));
      if (!value) {
        throw StateError(errors::kRuntime,
                         "The SecondsPath parameter does not reference an input value: " + path->text());
      }
      if (value->is_number() && *value < 0) {
        throw StateError(errors::kRuntime, "The SecondsPath parameter references a negative value: " + path->text() +
                                               " == " + compact(*value));
      }
    }
    return branch_.entered + std::chrono::seconds(values.whole_number(*state_->seconds, input, {}));
  }
  if (state_->timestamp_path) {
    const Json value = state_->timestamp_path->evaluate(values.scope(input));
    const auto time = value.is_string() ? parse_timestamp(value.get_ref<const std::string&>()) : std::nullopt;
    if (time) return *time;
    throw StateError(errors::kRuntime,
                     "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
                     "string: " +
                         state_->timestamp_path->text() + " == " + compact(value));
  }
  const Json value = values.is_jsonata() ? values.query(*state_->timestamp, "Timestamp") : Json(*state_->timestamp);
  const auto time = value.is_string() ? parse_timestamp(value.get_ref<const std::string&>()) : std::nullopt;
  if (time) return *time;
  if (!values.is_jsonata()) throw StateError(errors::kRuntime, "Timestamp is no date and time: " + compact(value));
  throw unexpected_type(*state_->timestamp, "Timestamp", "timestamp", value);
}

Advance::Step Advance::fail_state() {
  Evaluation values = evaluation();
  const auto text = [&](const Json& literal, const std::optional<Expression>& path,
                        const std::string& field) -> std::optional<std::string> {
    if (!path && !is_given(literal)) return std::nullopt;
    const Json value = path ? path->evaluate(field + "Path", values.scope(branch_.input), tools_.entropy)
                       : values.is_jsonata() ? values.query(literal, field)
                                             : literal;
    if (value.is_string()) return value.get<std::string>();
    if (values.is_jsonata()) throw unexpected_type(literal, field, "string", value);
    throw StateError(errors::kRuntime,
                     "The " + field + "Path field refers to value " + compact(value) + " which is not a valid string");
  };
  Failure failure;
  failure.error = text(state_->error, state_->error_path, "Error");
  failure.cause = text(state_->cause, state_->cause_path, "Cause");
  return break_with(std::move(failure));
}

}  // namespace etl::states
