// Choice rules of the JSONPath dialect, and what all dialects have of them.
#pragma once

#include <memory>
#include <vector>

#include "states/template.h"

namespace etl::states {

// One rule: a comparison, or And, Or, Not of others; at the top with what follows if it holds.
struct ChoiceRule {
  std::string next;
  std::optional<Template> assign;                                       // JSONPath
  Json jsonata_assign = Json(Json::value_t::discarded);                 // JSONata
  Json output = Json(Json::value_t::discarded);                         // JSONata
  Json condition = Json(Json::value_t::discarded);                      // JSONata: a boolean, or an expression with its marks
  struct Test;
  std::shared_ptr<const Test> test;                                     // JSONPath

  // Of the JSONPath dialect. StateError (States.Runtime) where a variable is missing, but for IsPresent.
  bool holds(const Scope& scope) const;
};

// std::invalid_argument, PathSyntaxError.
std::shared_ptr<const ChoiceRule::Test> parse_test(const Json& rule);

// The comparison operators that there are: "StringEquals", "NumericLessThanPath", ...
bool is_comparison(std::string_view name);

// `*` stands for any characters; \* and \\ for themselves. Linear time.
bool matches(std::string_view text, std::string_view pattern);

}  // namespace etl::states
