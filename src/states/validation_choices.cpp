#include "states/jsonata.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

using Kind = Comparison::Kind;

const char* operand_of(const Comparison& comparison) {
  if (comparison.with_path) return "a path";
  switch (comparison.kind) {
    case Kind::kString:
      return "a string";
    case Kind::kNumeric:
      return "a number";
    case Kind::kBoolean:
    case Kind::kIs:
      return "true or false";
    case Kind::kTimestamp:
      break;
  }
  return "a time such as 2016-03-14T01:59:00Z";
}

void check_operand(Context& context, const Comparison& comparison, const Json& operand, const Place& place) {
  if (!accepts(comparison, operand)) {
    const bool is_moment = comparison.kind == Kind::kTimestamp && !comparison.with_path && operand.is_string();
    context.error(place, is_moment ? "INVALID_TIMESTAMP" : "WRONG_TYPE",
                  in_quotes(place.key()) + " must be " + operand_of(comparison));
  } else if (comparison.with_path) {
    check_path(context, operand, place, QueryLanguage::kJsonPath);
  } else if (comparison.kind == Kind::kString && operand.get_ref<const std::string&>().starts_with("$.")) {
    context.warn(
        place, "NO_PATH",
        "the value looks like a path, but is compared literally: use " + in_quotes(std::string(place.key()) + "Path"));
  }
}

void check_rule(Context& context, const Json& rule, const Place& place, bool is_top);

void check_parts(Context& context, const Json& value, const Place& place) {
  if (place.key() == "Not") return check_rule(context, value, place, false);
  if (!value.is_array() || value.empty()) {
    context.error(place, "WRONG_TYPE", in_quotes(place.key()) + " must be a list of at least one rule");
    return;
  }
  for (size_t i = 0; i < value.size(); ++i) check_rule(context, value[i], place / i, false);
}

// A field of a rule that is no operator.
void check_rule_field(Context& context, const std::string& name, const Json& value, const Place& place, bool is_top) {
  const auto language = QueryLanguage::kJsonPath;
  if (name == "Variable") return check_path(context, value, place, language);
  if (name == "Comment") return check_text(context, value, place, language);
  if (name == "Next" || name == "Assign") {
    if (!is_top) {
      context.error(place, "FIELD_NOT_SUPPORTED", "a rule within another rule does not support " + in_quotes(name));
    } else if (name == "Next") {
      check_text(context, value, place, language);
    } else {
      check_assign(context, value, place, language);
    }
    return;
  }
  if (name == "Condition" || name == "Output") {
    context.error(place, "FIELD_NOT_SUPPORTED",
                  "the field " + in_quotes(name) + " is of the query language JSONata, which is not used here");
  } else {
    context.error(place, "UNKNOWN_FIELD", "a choice rule has no field or operator " + in_quotes(name));
  }
}

// Recursive, but no deeper than JSON may be.
void check_rule(Context& context, const Json& rule, const Place& place, bool is_top) {
  if (!rule.is_object()) {
    context.error(place, "WRONG_TYPE", "a choice rule must be an object");
    return;
  }
  size_t operators = 0;
  bool compares = false;
  for (const auto& [name, value] : rule.items()) {
    const Place here = place / name;
    if (name == "And" || name == "Or" || name == "Not") {
      ++operators;
      check_parts(context, value, here);
    } else if (const auto comparison = find_comparison(name)) {
      ++operators;
      compares = true;
      check_operand(context, *comparison, value, here);
    } else {
      check_rule_field(context, name, value, here, is_top);
    }
  }
  if (operators == 0) {
    context.error(place, "MISSING_FIELD", "a choice rule must have an operator, such as \"StringEquals\" or \"And\"");
  } else if (operators > 1) {
    context.error(place, "CONFLICTING_FIELDS", "a choice rule can have one operator only; combine rules with \"And\"");
  }
  if (compares && !rule.contains("Variable")) {
    context.error(place, "MISSING_FIELD", "a choice rule that compares must have the field \"Variable\"");
  } else if (!compares && operators > 0 && rule.contains("Variable")) {
    context.error(place / "Variable", "FIELD_NOT_SUPPORTED",
                  "a rule that combines others does not support \"Variable\"");
  }
  if (is_top && !rule.contains("Next")) {
    context.error(place, "MISSING_TRANSITION", "a choice rule must have the field \"Next\"");
  }
}

void check_condition(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  const bool is_expression = value.is_string() && jsonata_expression(value.get_ref<const std::string&>());
  if (value.is_boolean() || is_expression) return check_expressions(context, value, place, language);
  context.error(place, "WRONG_TYPE", "\"Condition\" must be an expression, true or false");
}

constexpr Field kJsonataRule[] = {{"Condition", check_condition, Dialect::kAny, true},
                                  {"Next", check_text, Dialect::kAny, true},
                                  {"Output", check_expressions},
                                  {"Assign", check_assign},
                                  {"Comment", check_text}};

}  // namespace

void check_choices(Context& context, const Json& rules, const Place& place, QueryLanguage language) {
  if (!rules.is_array() || rules.empty()) {
    context.error(place, "WRONG_TYPE", "\"Choices\" must be a list of at least one rule");
    return;
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    if (language == QueryLanguage::kJsonPath) {
      check_rule(context, rules[i], place / i, true);
    } else {
      check_object(context, rules[i], place / i, language, "a choice rule", {kJsonataRule});
    }
  }
}

}  // namespace etl::states::validation
