// What tests of expressions are made of.
#pragma once

#include <stdexcept>

#include "states/intrinsics.h"

namespace etl::states {

// JSON as it is written, with single quotes also.
inline Json value_of(std::string text) {
  if (text.find('"') == std::string::npos) {
    for (char& c : text) c = c == '\'' ? '"' : c;
  }
  const std::optional<Json> value = parse_json(text);
  if (!value) throw std::invalid_argument("no JSON: " + text);
  return *value;
}

// Counts up.
class CountingEntropy : public Entropy {
 public:
  uint64_t next() override { return next_ += 0x0123456789ABCDEF; }

 private:
  uint64_t next_ = 0;
};

// What an expression of a state can see, with values of its own.
struct Sight {
  Json input = Json::object();
  Json context = Json::object();
  Json variables = Json::object();

  Scope scope() const { return {input, context, variables}; }
};

// The error and the cause, where `evaluate` fails; "" otherwise.
template <typename Evaluate>
std::string failure_of(Evaluate evaluate) {
  try {
    evaluate();
  } catch (const StateError& error) {
    return error.what();
  }
  return "";
}

}  // namespace etl::states
