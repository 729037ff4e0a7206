#include "states/fence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "states/path_evaluator.h"

namespace etl::states {
namespace {

constexpr const char* kNoValues = "Aggregation function attempted to calculate value using empty array";

// What numbers there are: of the array itself, of the arguments, and of arrays among them.
std::vector<double> numbers_of(const Json& value, const std::vector<Json>& arguments) {
  std::vector<double> result;
  const auto add_all = [&](const Json& list) {
    for (const Json& element : list) {
      if (element.is_number()) result.push_back(element.get<double>());
    }
  };
  if (value.is_array()) add_all(value);
  for (const Json& argument : arguments) {
    if (argument.is_array()) {
      add_all(argument);
    } else if (argument.is_number()) {
      result.push_back(argument.get<double>());
    }
  }
  return result;
}

// A value that JSON has none for: what the functions give instead is nothing at all.
Json nothing() {
  return Json(Json::value_t::discarded);
}

}  // namespace

std::optional<Json> PathEvaluator::call(const FunctionStep& function, const Json& value, const Json& item) {
  const std::optional<std::vector<Json>> arguments = arguments_of(function, item);
  if (!arguments) return std::nullopt;
  spend(value.size());
  switch (function.function) {
    case PathFunction::kLength: {
      const Json& measured = arguments->empty() ? value : arguments->front();
      return measured.is_structured() ? Json(static_cast<int64_t>(measured.size())) : nothing();
    }
    case PathFunction::kKeys: {
      if (!value.is_object()) return nothing();
      Json keys = Json::array();
      for (const auto& member : value.items()) keys.push_back(member.key());
      return keys;
    }
    case PathFunction::kConcat:
      return concatenate(value, *arguments);
    case PathFunction::kAppend: {
      Json result = gather({&value})[0];
      for (const Json& argument : *arguments) {
        if (result.is_array()) result.push_back(argument);
      }
      return result;
    }
    case PathFunction::kFirst:
      return element(value, 0);
    case PathFunction::kLast:
      return element(value, -1);
    case PathFunction::kIndex:
      if (!arguments->front().is_number_integer()) fail("index() needs a whole number");
      return element(value, arguments->front().get<int64_t>());
    case PathFunction::kDistinct:
      return distinct(value);
    default:
      return aggregate(function.function, value, *arguments);
  }
}

std::optional<std::vector<Json>> PathEvaluator::arguments_of(const FunctionStep& function, const Json& item) {
  std::vector<Json> result;
  for (const auto& argument : function.arguments) {
    if (const auto* literal = std::get_if<Json>(&argument)) {
      result.push_back(*literal);
      continue;
    }
    const PathSyntax& path = *std::get<std::shared_ptr<const PathSyntax>>(argument);
    const Reached reached = follow(path, path.relative ? item : document_, false);
    if (reached.missing) return std::nullopt;
    Json matches = gather(reached.nodes);
    result.push_back(path.is_definite() ? std::move(matches[0]) : std::move(matches));
  }
  return result;
}

Json PathEvaluator::aggregate(PathFunction function, const Json& value, const std::vector<Json>& arguments) {
  const std::vector<double> numbers = numbers_of(value, arguments);
  if (numbers.empty()) fail(kNoValues);
  double sum = 0;
  double squares = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  for (const double number : numbers) {
    sum += number;
    squares += number * number;
    low = std::min(low, number);
    high = std::max(high, number);
  }
  const auto count = static_cast<double>(numbers.size());
  const double variance = squares / count - sum * sum / count / count;
  const double result = function == PathFunction::kMin   ? low
                        : function == PathFunction::kMax ? high
                        : function == PathFunction::kSum ? sum
                        : function == PathFunction::kAvg ? sum / count
                                                         : std::sqrt(std::max(0.0, variance));
  if (!std::isfinite(result)) fail("the result is no finite number");
  return result;
}

Json PathEvaluator::element(const Json& value, int64_t index) {
  if (!value.is_array() || value.empty()) fail(kNoValues);
  const auto size = static_cast<int64_t>(value.size());
  if (index < -size || index >= size)
    fail("Target index:" + std::to_string(index) + " larger than object count:" + std::to_string(size));
  return gather({&value[static_cast<size_t>(index < 0 ? size + index : index)]})[0];
}

Json PathEvaluator::concatenate(const Json& value, const std::vector<Json>& arguments) {
  std::string result;
  const auto add_all = [&](const Json& list, bool only_texts) {
    for (const Json& element : list) {
      if (element.is_string()) {
        result += element.get_ref<const std::string&>();
      } else if (!only_texts && !element.is_null()) {
        result += compact(element);
      }
    }
  };
  if (value.is_array()) {
    gather({&value});  // counts what is copied
    add_all(value, true);
  }
  for (const Json& argument : arguments) {
    if (argument.is_array()) {
      add_all(argument, false);
    } else if (argument.is_string()) {
      result += argument.get_ref<const std::string&>();
    }
  }
  return result;
}

Json PathEvaluator::distinct(const Json& value) {
  if (!value.is_array()) fail("distinct() needs an array");
  Json result = Json::array();
  for (const Json& element : value) {
    const auto is_same = [&](const Json& other) { return same(element, other); };
    if (std::none_of(result.begin(), result.end(), is_same)) result.push_back(gather({&element})[0]);
  }
  return result;
}

}  // namespace etl::states
