// What is wrong with a definition, before it runs: everything at once.
#pragma once

#include <vector>

#include "states/json.h"

namespace etl::states {

class JsonataEngine;

enum class Severity { kError, kWarning };

struct Finding {
  Severity severity = Severity::kError;
  std::string code;     // such as MISSING_TRANSITION; in upper case, kept over versions
  std::string pointer;  // JSON pointer into the definition: /States/Load/Next
  std::string message;  // in PostgreSQL's style
};

// Whether there is something to do the work of a resource. nullopt if there is; otherwise how to register it.
class Resources {
 public:
  virtual ~Resources() = default;
  virtual std::optional<std::string> problem(const std::string& resource) const = 0;
};

struct ValidationLimits {
  size_t definition_bytes = 1'048'576;
  size_t name_length = 80;      // of states and variables, in characters
  size_t most_states = 10'000;  // in all flows together
  size_t most_findings = 100;   // the rest is summed up in one more
};

// All findings, in the order of the definition's pointers. `jsonata` parses expressions; `resources` may be null: then
// no resource is asked about. What it accepts (no error), parse_definition() can parse.
std::vector<Finding> validate(const Json& definition, JsonataEngine& jsonata, const Resources* resources = nullptr,
                              const ValidationLimits& limits = {});

}  // namespace etl::states
