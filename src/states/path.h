// JSONPath as the service has it: the dialect of Jayway, not RFC 9535.
//
//   $.a.b  $['a']['b']  $.a[0]  $.a[-1]  $.a[0,2]  $.a[1:3]  $.a[*]  $.a.*  $..b  $.a[?(@.b > 1 && @.c)]
//   $.a.length() and the other functions of Jayway;  $$.State.Name: of the context;  $name.b: of a variable
//
// A definite path names one place: no match is an error. An indefinite one ([*], .., slices, filters, unions) gives an
// array of all its matches, which may be empty.
#pragma once

#include <memory>

#include "states/failure.h"
#include "states/scope.h"

namespace etl::states {

struct PathSyntax;

// Raised for a text that is no path; what() says what is wrong where (offset in bytes).
class PathSyntaxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Path {
 public:
  enum class Root { kInput, kContext, kVariable };

  // What a path leads to. An index beyond the end of an array is a place of its own: the service gives null for it in
  // a payload template, and takes it for missing everywhere else.
  struct Match {
    enum class Kind { kFound, kBeyondEnd, kMissing };
    Kind kind = Kind::kMissing;
    Json value;          // null but for kFound
    std::string reason;  // where not kFound: No results for path: $['a']
  };

  static constexpr size_t kLongestText = 32'768;                  // bytes
  static constexpr size_t kMostSteps = 10'000'000;                // of one evaluation: values looked at
  static constexpr size_t kLargestResult = 64 * kLargestPayload;  // bytes, of the matches of an indefinite path

  // PathSyntaxError. The depth of nested filters and the length of the text are bounded.
  static Path parse(std::string_view text);

  const std::string& text() const;
  Root root() const;
  const std::string& variable() const;  // the name, where root() is kVariable
  bool is_definite() const;
  bool is_reference() const;  // only names and indexes: may be written to (Reference Path of the specification)

  // Never kMissing where the path is indefinite. StateError (States.Runtime) where a function of the path fails, or
  // the evaluation needs more than kMostSteps or kLargestResult.
  Match match(const Scope& scope) const;

  // StateError (States.Runtime) where a definite path has no match: Invalid path '$.a' : No results for path: $['a'].
  Json evaluate(const Scope& scope) const;
  std::optional<Json> find(const Scope& scope) const;  // nullopt instead of that error

  // A copy of `target` in which the place is `value`; objects on the way are made. Needs is_reference() and kInput.
  // StateError (States.ResultPathMatchFailure) where the place cannot be: an index beyond an array, a field of a
  // number.
  Json put(Json target, Json value) const;

 private:
  explicit Path(std::shared_ptr<const PathSyntax> syntax) : syntax_(std::move(syntax)) {}

  std::shared_ptr<const PathSyntax> syntax_;
};

}  // namespace etl::states
