// Payload templates: Parameters, ResultSelector, ItemSelector, BatchInput and Assign of the JSONPath dialect. A field
// whose name ends in .$ gets the value of its path or intrinsic function, at any depth, and loses the ending.
#pragma once

#include "states/intrinsics.h"

namespace etl::states {

class Template {
 public:
  // PathSyntaxError, IntrinsicSyntaxError with the JSON pointer of the field in front; where a .$ field is no string,
  // or its name is taken without the ending.
  static Template parse(const Json& source);

  // StateError, as the first field that fails.
  Json evaluate(const Scope& scope, Entropy& entropy) const;

 private:
  struct Node;
  class Parser;
  class Evaluation;

  std::shared_ptr<const Node> node_;
};

// A text that is a path or an intrinsic function, as ErrorPath, CausePath and the fields of a template are.
class Expression {
 public:
  static Expression parse(std::string_view text);  // PathSyntaxError, IntrinsicSyntaxError
  // An index beyond the end of an array gives null. StateError, which names the field that has it.
  Json evaluate(const std::string& field, const Scope& scope, Entropy& entropy) const;

 private:
  std::optional<Path> path_;
  std::optional<Intrinsic> intrinsic_;
};

}  // namespace etl::states
