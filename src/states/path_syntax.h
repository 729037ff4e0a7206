// A path, parsed. Of use to path_parser, path_evaluator and their parts only.
#pragma once

#include <variant>
#include <vector>

#include "states/path.h"
#include "states/regex.h"

namespace etl::states {

struct Condition;

// $.a, $['a'], $['a','b']
struct NameStep {
  std::vector<std::string> names;
};
// $[0], $[-1], $[0,2]
struct IndexStep {
  std::vector<int64_t> indexes;
};
// $[1:], $[:2], $[1:2]: at least one of them is there
struct SliceStep {
  std::optional<int64_t> from;
  std::optional<int64_t> to;
};
// $.*, $[*]
struct WildcardStep {};
// $.. : the value and all that is in it; a step for those follows
struct ScanStep {};
// $[?(...)]
struct FilterStep {
  std::shared_ptr<const Condition> condition;
};

enum class PathFunction {
  kMin,
  kMax,
  kAvg,
  kStddev,
  kSum,
  kLength,
  kKeys,
  kConcat,
  kAppend,
  kFirst,
  kLast,
  kIndex,
  kDistinct
};

// $.a.sum(1, $.b). After a scan ($..a.sum()) it takes all matches as one array.
struct FunctionStep {
  PathFunction function;
  std::vector<std::variant<Json, std::shared_ptr<const PathSyntax>>> arguments;
  bool of_all_matches = false;
};

using PathStep = std::variant<NameStep, IndexStep, SliceStep, WildcardStep, ScanStep, FilterStep, FunctionStep>;

struct PathSyntax {
  std::string text;
  Path::Root root = Path::Root::kInput;
  std::string variable;
  bool relative = false;  // begins with @: in a filter
  std::vector<PathStep> steps;

  // Whether the first `count` steps name one place.
  bool is_definite(size_t count) const;
  bool is_definite() const { return is_definite(steps.size()); }
};

enum class Comparator {
  kEqual,
  kSameTypeEqual,
  kNotEqual,
  kNotSameTypeEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kMatches,
  kIn,
  kNotIn,
  kContains,
  kAll,
  kSubsetOf,
  kAnyOf,
  kNoneOf,
  kSize,
  kEmpty,
};

using Operand = std::variant<Json, std::shared_ptr<const PathSyntax>, std::shared_ptr<const Regex>>;

// What is in a filter's parentheses.
struct Condition {
  enum class Kind { kAnd, kOr, kNot, kExists, kComparison };
  Kind kind = Kind::kExists;
  std::vector<Condition> parts;  // kAnd, kOr: two or more; kNot: one
  Comparator comparator = Comparator::kEqual;
  Operand left;  // kExists: a path
  Operand right;
};

// PathSyntaxError.
std::shared_ptr<const PathSyntax> parse_path(std::string_view text);

// Of the path that `text` begins with: it goes on behind it, with a blank or one of `ends`. PathSyntaxError.
size_t length_of_path(std::string_view text, std::string_view ends);

// ['a']['b'][0], as messages have it; the first `count` steps.
std::string describe_steps(const PathSyntax& path, size_t first, size_t count);

}  // namespace etl::states
