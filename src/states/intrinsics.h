// Intrinsic functions of the JSONPath dialect: States.Format('{}', $.a) and 17 others.
#pragma once

#include <functional>

#include "states/path.h"

namespace etl::states {

struct IntrinsicCall;

// Raised for a text that is no call of a known function with arguments that it can take; what() says what and where.
class IntrinsicSyntaxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What functions draw from: States.UUID, States.MathRandom.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual uint64_t next() = 0;  // 64 random bits
};

class Intrinsic {
 public:
  // IntrinsicSyntaxError, PathSyntaxError. Calls may be nested 10 deep.
  static Intrinsic parse(std::string_view text);
  static bool looks_like_one(std::string_view text);  // begins with "States."

  const std::string& text() const { return text_; }

  // StateError (States.IntrinsicFailure; States.Runtime for a path without match).
  Json evaluate(const Scope& scope, Entropy& entropy) const;

 private:
  Intrinsic(std::string text, std::shared_ptr<const IntrinsicCall> call)
      : text_(std::move(text)), call_(std::move(call)) {}

  std::string text_;
  std::shared_ptr<const IntrinsicCall> call_;
};

}  // namespace etl::states
