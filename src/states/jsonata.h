// JSONata, the second query language: the reference implementation, run by Duktape.
//
// An engine keeps one interpreter with the library loaded, and a few parsed expressions. Every evaluation gets new
// bindings; nothing of one is left for the next. Time, memory, depth and steps of regular expressions are bounded; an
// expression that exceeds a bound fails by itself, and the engine goes on.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "states/failure.h"
#include "states/intrinsics.h"
#include "states/scope.h"

namespace etl::states {

struct JsonataLimits {
  std::chrono::milliseconds time{2'000};  // of one evaluation: the processor's; ten times that by the clock
  size_t memory = 64 << 20;               // bytes, of the whole interpreter
  size_t result = 8 << 20;                // bytes, of what one evaluation gives
};

// What an expression gave.
struct JsonataResult {
  enum class Kind { kValue, kUndefined, kUnsupported };  // kUnsupported: a function or a regular expression
  Kind kind = Kind::kUndefined;
  Json value;
};

// Raised where an expression cannot be parsed or fails: code as JSONata names it (S0201, T1006, ...), or empty.
class JsonataError : public std::runtime_error {
 public:
  JsonataError(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

class JsonataMachine;

class JsonataEngine {
 public:
  // `interrupt` is asked several times a millisecond; true ends the evaluation with an error: a query was cancelled.
  explicit JsonataEngine(JsonataLimits limits = {}, std::function<bool()> interrupt = nullptr);
  ~JsonataEngine();
  JsonataEngine(const JsonataEngine&) = delete;
  JsonataEngine& operator=(const JsonataEngine&) = delete;

  // Parses only. JsonataError.
  void check(const std::string& expression);

  // `states` is $states (input, result, errorOutput, context: those that there are), `variables` the others by name.
  // There is no $ and no $$. With the functions that the service adds: $partition, $range, $hash, $random, $uuid,
  // $parse; without $eval. JsonataError.
  JsonataResult evaluate(const std::string& expression, const Json& states, const Json& variables, Entropy& entropy);

 private:
  template <typename Work>
  auto with_machine(const Work& work);
  void tidy();

  const JsonataLimits limits_;
  const std::function<bool()> interrupt_;
  std::unique_ptr<JsonataMachine> machine_;  // made when it is needed, and again after a bound was exceeded
};

// The expression in a string "{% ... %}"; nullopt if it is another string.
std::optional<std::string> jsonata_expression(const std::string& text);

// `source` with each string that is an expression replaced by its value, at any depth. StateError
// (States.QueryEvaluationError) with the service's cause, which names the field, such as Output/result: `field` is its
// first part.
Json evaluate_jsonata(JsonataEngine& engine, const Json& source, const std::string& field, const Json& states,
                      const Json& variables, Entropy& entropy);

}  // namespace etl::states
