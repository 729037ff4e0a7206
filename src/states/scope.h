// What an expression of a state can see.
#pragma once

#include "states/json.h"

namespace etl::states {

struct Scope {
  const Json& input;      // $ of JSONPath: the effective input, or what the field at hand speaks of
  const Json& context;    // $$ of JSONPath, $states.context of JSONata
  const Json& variables;  // an object: $name
};

}  // namespace etl::states
