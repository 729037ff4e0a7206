// Follows a path through a document.
//
// A path is followed step by step: each step takes the values that the one before reached and gives those that it
// reaches, in order. There is no recursion but into filters, whose depth the parser bounds.
#pragma once

#include <deque>
#include <map>

#include "states/path_syntax.h"

namespace etl::states {

class PathEvaluator {
 public:
  PathEvaluator(const PathSyntax& path, const Json& document) : path_(path), document_(document) {}

  Path::Match match();

 private:
  using Nodes = std::vector<const Json*>;

  // Why there is nothing where a definite path leads.
  struct Missing {
    enum class Reason { kNoResult, kNoProperty, kNoObject, kNoArray, kNothing };
    Reason reason = Reason::kNoResult;
    size_t step = 0;              // that found nothing
    const Json* found = nullptr;  // instead
  };
  struct Reached {
    Nodes nodes;  // one, where the path is definite
    std::optional<Missing> missing;
  };
  // What an operand of a filter is: null where its path leads nowhere.
  struct Value {
    const Json* json = nullptr;
    const Regex* regex = nullptr;
  };
  class Stepper;
  class Mark;

  // path_evaluator.cpp
  Reached follow(const PathSyntax& path, const Json& from, bool require_properties);
  void scan(const Nodes& from, const PathStep& next, Nodes* to);
  Json gather(const Nodes& nodes);
  std::string explain(const Missing& missing) const;
  [[noreturn]] void fail(const std::string& reason) const;
  [[noreturn]] void fail_before_end(size_t step) const;
  void spend(size_t steps);
  const Json* keep(Json value);

  // filter_evaluator.cpp; nullopt where the comparison makes no sense, which fails the whole condition.
  std::optional<bool> holds(const Condition& condition, const Json& item);
  std::optional<bool> compare(const Condition& condition, const Json& item);
  std::optional<bool> compare_values(Comparator comparator, const Value& left, const Value& right);
  std::optional<bool> compare_lists(Comparator comparator, const Json* left, const Json* right);
  bool exists(const PathSyntax& path, const Json& item);
  Value value_of(const Operand& operand, const Json& item);
  const Json* value_at(const PathSyntax& path, const Json& from);
  bool regex_matches(const Value& left, const Value& right);
  bool text_matches(const Regex& regex, const Json& value);
  bool equal(const Json* left, const Json* right);
  bool same(const Json& left, const Json& right);
  bool contains(const Json& list, const Json* value);

  // path_functions.cpp; nullopt where an argument leads nowhere.
  std::optional<Json> call(const FunctionStep& function, const Json& value, const Json& item);
  std::optional<std::vector<Json>> arguments_of(const FunctionStep& function, const Json& item);
  Json aggregate(PathFunction function, const Json& value, const std::vector<Json>& arguments);
  Json element(const Json& value, int64_t index);
  Json concatenate(const Json& value, const std::vector<Json>& arguments);
  Json distinct(const Json& value);

  const PathSyntax& path_;
  const Json& document_;
  std::deque<Json> made_;                                         // values that are not in the document
  std::map<const PathSyntax*, std::optional<Json>> of_document_;  // of filters, by path
  size_t steps_left_ = Path::kMostSteps;
  size_t bytes_left_ = Path::kLargestResult;
};

}  // namespace etl::states
