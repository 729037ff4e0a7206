#include "states/choice.h"

#include <stdexcept>

#include "states/timestamp.h"

namespace etl::states {
namespace {

using Kind = Comparison::Kind;
using Property = Comparison::Property;
using Relation = Comparison::Relation;

struct NamedRelation {
  std::string_view name;
  Relation relation;
};
constexpr NamedRelation kRelations[] = {{"Equals", Relation::kEquals},
                                        {"LessThan", Relation::kLess},
                                        {"GreaterThan", Relation::kGreater},
                                        {"LessThanEquals", Relation::kLessOrEqual},
                                        {"GreaterThanEquals", Relation::kGreaterOrEqual}};

struct NamedProperty {
  std::string_view name;
  Property property;
};
constexpr NamedProperty kProperties[] = {{"IsNull", Property::kNull},       {"IsPresent", Property::kPresent},
                                         {"IsNumeric", Property::kNumeric}, {"IsString", Property::kString},
                                         {"IsBoolean", Property::kBoolean}, {"IsTimestamp", Property::kTimestamp}};

struct NamedKind {
  std::string_view prefix;
  Kind kind;
};
constexpr NamedKind kKinds[] = {{"String", Kind::kString},
                                {"Numeric", Kind::kNumeric},
                                {"Boolean", Kind::kBoolean},
                                {"Timestamp", Kind::kTimestamp}};

bool holds_for(Relation relation, std::partial_ordering order) {
  switch (relation) {
    case Relation::kEquals:
      return order == 0;
    case Relation::kLess:
      return order < 0;
    case Relation::kGreater:
      return order > 0;
    case Relation::kLessOrEqual:
      return order <= 0;
    case Relation::kGreaterOrEqual:
      return order >= 0;
    case Relation::kMatches:
      break;
  }
  return false;
}

std::optional<Instant> instant_in(const Json& value) {
  return value.is_string() ? parse_instant(value.get_ref<const std::string&>()) : std::nullopt;
}

bool has(Property property, const Json& value) {
  switch (property) {
    case Property::kNull:
      return value.is_null();
    case Property::kPresent:
      return true;
    case Property::kNumeric:
      return value.is_number();
    case Property::kString:
      return value.is_string();
    case Property::kBoolean:
      return value.is_boolean();
    case Property::kTimestamp:
      return instant_in(value).has_value();
  }
  return false;
}

// Values of other types than the operator's are not in the relation, nor in its opposite.
bool compare(const Comparison& comparison, const Json& left, const Json& right) {
  switch (comparison.kind) {
    case Kind::kString: {
      if (!left.is_string() || !right.is_string()) return false;
      const auto& a = left.get_ref<const std::string&>();
      const auto& b = right.get_ref<const std::string&>();
      if (comparison.relation == Relation::kMatches) return matches(a, b);
      return holds_for(comparison.relation, compare_strings(a, b));
    }
    case Kind::kNumeric:
      if (!left.is_number() || !right.is_number()) return false;
      return holds_for(comparison.relation, compare_numbers(left, right));
    case Kind::kBoolean:
      return left.is_boolean() && right.is_boolean() && left == right;
    case Kind::kTimestamp: {
      const auto a = instant_in(left);
      const auto b = instant_in(right);
      return a && b && holds_for(comparison.relation, *a <=> *b);
    }
    case Kind::kIs:
      return has(comparison.property, left) == right.get<bool>();
  }
  return false;
}

Json value_of(const Path& path, const Scope& scope) {
  if (auto value = path.find(scope)) return *std::move(value);
  throw StateError(errors::kRuntime, "Invalid path '" + path.text() +
                                         "': The choice state's condition path references an invalid value.");
}

}  // namespace

// A comparison has a variable and no parts.
struct ChoiceRule::Test {
  enum class Connective { kNone, kAnd, kOr, kNot };

  Connective connective = Connective::kNone;
  std::vector<std::shared_ptr<const Test>> parts;

  Comparison comparison;
  std::optional<Path> variable;
  Json literal;
  std::optional<Path> right;  // instead of the literal

  bool holds(const Scope& scope) const;

 private:
  bool compares(const Scope& scope) const;
};

bool ChoiceRule::Test::holds(const Scope& scope) const {
  switch (connective) {
    case Connective::kNone:
      return compares(scope);
    case Connective::kAnd:
      for (const auto& part : parts) {
        if (!part->holds(scope)) return false;
      }
      return true;
    case Connective::kOr:
      for (const auto& part : parts) {
        if (part->holds(scope)) return true;
      }
      return false;
    case Connective::kNot:
      return !parts.front()->holds(scope);
  }
  return false;
}

bool ChoiceRule::Test::compares(const Scope& scope) const {
  if (comparison.kind == Kind::kIs && comparison.property == Property::kPresent) {
    return variable->find(scope).has_value() == literal.get<bool>();
  }
  const Json left = value_of(*variable, scope);
  return compare(comparison, left, right ? value_of(*right, scope) : literal);
}

bool ChoiceRule::holds(const Scope& scope) const {
  return test->holds(scope);
}

std::optional<Comparison> find_comparison(std::string_view name) {
  Comparison result;
  for (const auto& [known, property] : kProperties) {
    if (name != known) continue;
    result.kind = Kind::kIs;
    result.property = property;
    return result;
  }
  if (name == "StringMatches") {
    result.relation = Relation::kMatches;
    return result;
  }
  if (name.ends_with("Path")) {
    result.with_path = true;
    name.remove_suffix(4);
  }
  for (const auto& [prefix, kind] : kKinds) {
    if (!name.starts_with(prefix)) continue;
    result.kind = kind;
    name.remove_prefix(prefix.size());
    for (const auto& [known, relation] : kRelations) {
      if (name != known || (kind == Kind::kBoolean && relation != Relation::kEquals)) continue;
      result.relation = relation;
      return result;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

bool accepts(const Comparison& comparison, const Json& literal) {
  if (comparison.with_path) return literal.is_string();
  switch (comparison.kind) {
    case Kind::kString:
      return literal.is_string();
    case Kind::kNumeric:
      return literal.is_number();
    case Kind::kBoolean:
    case Kind::kIs:
      return literal.is_boolean();
    case Kind::kTimestamp:
      return instant_in(literal).has_value();
  }
  return false;
}

namespace {

using Test = ChoiceRule::Test;

std::shared_ptr<const Test> parse_comparison(const Json& rule) {
  auto test = std::make_shared<Test>();
  const auto variable = rule.find("Variable");
  if (variable == rule.end() || !variable->is_string()) throw std::invalid_argument("a choice rule has no Variable");
  test->variable = Path::parse(variable->get_ref<const std::string&>());
  bool found = false;
  for (const auto& [name, operand] : rule.items()) {
    const auto comparison = find_comparison(name);
    if (!comparison) continue;
    if (found) throw std::invalid_argument("a choice rule has more than one comparison operator");
    if (!accepts(*comparison, operand)) throw std::invalid_argument(name + " cannot compare with such a value");
    found = true;
    test->comparison = *comparison;
    if (comparison->with_path) {
      test->right = Path::parse(operand.get_ref<const std::string&>());
    } else {
      test->literal = operand;
    }
  }
  if (!found) throw std::invalid_argument("a choice rule has no comparison operator");
  return test;
}

std::shared_ptr<const Test> parse_all(const Json& rules, Test::Connective connective) {
  if (!rules.is_array() || rules.empty()) throw std::invalid_argument("And and Or need a list of rules");
  auto test = std::make_shared<Test>();
  test->connective = connective;
  for (const Json& rule : rules) test->parts.push_back(parse_test(rule));
  return test;
}

}  // namespace

std::shared_ptr<const ChoiceRule::Test> parse_test(const Json& rule) {
  if (!rule.is_object()) throw std::invalid_argument("a choice rule is no object");
  if (rule.contains("And")) return parse_all(rule["And"], Test::Connective::kAnd);
  if (rule.contains("Or")) return parse_all(rule["Or"], Test::Connective::kOr);
  if (!rule.contains("Not")) return parse_comparison(rule);
  auto test = std::make_shared<Test>();
  test->connective = Test::Connective::kNot;
  test->parts.push_back(parse_test(rule["Not"]));
  return test;
}

}  // namespace etl::states
