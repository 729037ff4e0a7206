#include "states/fence.h"

#include "states/evaluation.h"

#include <charconv>
#include <cmath>

namespace etl::states {
namespace {

std::optional<double> number_of(const Json& value, bool text_too) {
  if (value.is_number()) return value.get<double>();
  if (!text_too || !value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string name_without_path(const std::string& field) {
  return field.ends_with("Path") ? field.substr(0, field.size() - 4) : field;
}

std::string plain(double number) {
  return Json(static_cast<int64_t>(number)).dump();
}

}  // namespace

void Tools::show(const Branch& branch) {
  context["State"] = {
      {"Name", branch.state}, {"EnteredTime", format_timestamp(branch.entered)}, {"RetryCount", branch.retry_count}};
  if (branch.task_token.empty()) {
    context.erase("Task");
  } else {
    context["Task"] = {{"Token", branch.task_token}};
  }
  show_item(branch.item);
}

void Tools::show_item(const std::optional<MapItem>& item) {
  if (!item) {
    context.erase("Map");
    return;
  }
  context["Map"]["Item"] = {{"Index", item->index}, {"Value", item->value}};
}

Evaluation::Evaluation(Tools& tools, const State& state, const Branch& branch)
    : tools_(tools), state_(state), branch_(branch) {
  if (branch.outer && !branch.variables.empty()) {
    variables_ = visible_variables(branch);
  } else if (branch.outer) {
    variables_ = branch.outer;
  } else {
    variables_ = std::shared_ptr<const Json>(std::shared_ptr<void>(), &branch.variables);  // owned by the branch
  }
}

Json Evaluation::select(const OptionalPath& path, const Json& value) const {
  if (path.is_null) return Json::object();
  return path.path ? path.path->evaluate(scope(value)) : value;
}

Json Evaluation::fill(const Template& source, const Json& input) const {
  return source.evaluate(scope(input), tools_.entropy);
}

Json Evaluation::effective_input() const {
  return select(state_.input_path, branch_.input);
}

Json& Evaluation::states() {
  if (!states_) states_ = Json{{"input", branch_.input}};
  return *states_;
}

void Evaluation::add(const std::string& name, Json value) {
  states()[name] = std::move(value);
}

// The context is the present one: that of an item, where ItemSelector is evaluated.
Json Evaluation::query(const Json& source, const std::string& field) {
  states()["context"] = tools_.context;
  return evaluate_jsonata(tools_.jsonata, source, field, states(), *variables_, tools_.entropy);
}

Json Evaluation::value_of(const Quantity& quantity, const Json& input) {
  if (const auto* literal = std::get_if<double>(&quantity.source)) return *literal;
  if (const auto* path = std::get_if<Path>(&quantity.source)) return path->evaluate(scope(input));
  return query("{% " + std::get<std::string>(quantity.source) + " %}", quantity.field);
}

int64_t Evaluation::whole_number(const Quantity& quantity, const Json& input, Range range, bool text_too) {
  const Json value = value_of(quantity, input);
  const auto number = number_of(value, text_too);
  if (!number || std::trunc(*number) != *number) refuse(quantity, value, "integer");
  if (*number < range.least || *number > range.most) refuse_range(quantity, range);
  return static_cast<int64_t>(*number);
}

double Evaluation::number(const Quantity& quantity, const Json& input, Range range) {
  const Json value = value_of(quantity, input);
  const auto number = number_of(value, true);
  if (!number) refuse(quantity, value, "number");
  if (!(*number >= range.least && *number <= range.most)) refuse_range(quantity, range);
  return *number;
}

void Evaluation::refuse(const Quantity& quantity, const Json& value, const std::string& expected) const {
  if (const auto* expression = std::get_if<std::string>(&quantity.source)) {
    throw unexpected_type("{% " + *expression + " %}", quantity.field, expected, value);
  }
  std::string cause =
      "The " + quantity.field + " field refers to value " + compact(value) + " which is not a valid " + expected;
  if (const auto* path = std::get_if<Path>(&quantity.source)) cause += ": " + path->text();
  throw StateError(errors::kRuntime, cause);
}

void Evaluation::refuse_range(const Quantity& quantity, const Range& range) const {
  const std::string cause =
      name_without_path(quantity.field) + " must be between " + plain(range.least) + " and " + plain(range.most) + ".";
  if (std::holds_alternative<std::string>(quantity.source)) {
    throw StateError(errors::kQueryEvaluationError, cause, quantity.field);
  }
  throw StateError(errors::kRuntime, cause);
}

StateError unexpected_type(const Json& source, const std::string& field, const std::string& expected,
                           const Json& value) {
  const std::string text = source.is_string() ? source.get<std::string>() : compact(source);
  return StateError(errors::kQueryEvaluationError,
                    "The JSONata expression '" + jsonata_expression(text).value_or(text) +
                        "' specified for the field '" + field + "' returned an unexpected result type. Expected '" +
                        expected + "', but was '" + value.type_name() + "' for value: " + compact(value),
                    field);
}

bool is_given(const Json& field) {
  return !field.is_discarded();
}

}  // namespace etl::states
