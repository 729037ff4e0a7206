// A call of an intrinsic function, parsed. Of use to the parser and the evaluation of intrinsics only.
#pragma once

#include <variant>
#include <vector>

#include "states/intrinsics.h"

namespace etl::states {

// A text in quotes: as it is meant, and as it was written, for States.Format: there \{\} is no place for an argument.
struct QuotedText {
  Json value;
  std::string written;
};

using IntrinsicArgument = std::variant<Json, QuotedText, Path, std::shared_ptr<const IntrinsicCall>>;

// What a function has to work with.
struct IntrinsicArguments {
  std::vector<Json> values;
  const std::string* written_format = nullptr;  // of States.Format, where its first argument is a text in quotes
  Entropy& entropy;
};

// Raised by a function; becomes a StateError that names the whole expression.
class IntrinsicProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using IntrinsicFunction = Json (*)(IntrinsicArguments& arguments);

struct IntrinsicCall {
  IntrinsicFunction function;
  std::vector<IntrinsicArgument> arguments;
};

struct IntrinsicSignature {
  std::string_view name;  // with States.
  size_t fewest;
  size_t most;
  IntrinsicFunction function;
};

const IntrinsicSignature* find_intrinsic(std::string_view name);  // null if there is none

// IntrinsicSyntaxError, PathSyntaxError.
std::shared_ptr<const IntrinsicCall> parse_intrinsic(std::string_view text);

// As Java writes values: {a=1, b=[x, null]}, 1.0E10; a text as it is.
std::string java_text(const Json& value);
// JSON without blanks, with numbers as Java writes them: {"a":1.0E10}
std::string java_json(const Json& value);

}  // namespace etl::states
