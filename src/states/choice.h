// Choice rules of the JSONPath dialect, and what all dialects have of them.
#pragma once

#include <memory>
#include <vector>

#include "states/template.h"

namespace etl::states {

// One rule: a comparison, or And, Or, Not of others; at the top with what follows if it holds.
struct ChoiceRule {
  std::string next;
  std::optional<Template> assign;                        // JSONPath
  Json jsonata_assign = Json(Json::value_t::discarded);  // JSONata
  Json output = Json(Json::value_t::discarded);          // JSONata
  Json condition = Json(Json::value_t::discarded);       // JSONata: a boolean, or an expression with its marks
  struct Test;
  std::shared_ptr<const Test> test;  // JSONPath

  // Of the JSONPath dialect. StateError (States.Runtime) where a variable is missing, but for IsPresent.
  bool holds(const Scope& scope) const;
};

// What an operator of a rule compares, and how: StringLessThanEqualsPath, IsNull.
struct Comparison {
  enum class Kind { kString, kNumeric, kBoolean, kTimestamp, kIs };
  enum class Relation { kEquals, kLess, kGreater, kLessOrEqual, kGreaterOrEqual, kMatches };
  enum class Property { kNull, kPresent, kNumeric, kString, kBoolean, kTimestamp };

  Kind kind = Kind::kString;
  Relation relation = Relation::kEquals;
  Property property = Property::kNull;  // of kIs
  bool with_path = false;               // the right side is a path, not a literal
};

// The operator of that name; nullopt if there is none.
std::optional<Comparison> find_comparison(std::string_view name);

// Whether a literal can be its right side: a number for NumericEquals, a boolean for IsNull, ...
bool accepts(const Comparison& comparison, const Json& literal);

// std::invalid_argument, PathSyntaxError. Its recursion is as deep as the rule.
std::shared_ptr<const ChoiceRule::Test> parse_test(const Json& rule);

// `*` stands for any characters; \* and \\ for themselves. Linear time.
bool matches(std::string_view text, std::string_view pattern);

// The order of strings: by UTF-16 code units, as Java has it. Both are UTF-8.
std::strong_ordering compare_strings(std::string_view left, std::string_view right);

// The order of numbers, exact also between integers and doubles.
std::partial_ordering compare_numbers(const Json& left, const Json& right);

}  // namespace etl::states
