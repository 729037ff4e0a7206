// A definition as a JSON document: where things are in it, and what numbers are in it.
#pragma once

#include "states/json.h"

namespace etl::states {

// The JSON pointer (RFC 6901) of what `key` or `index` names within the thing at `parent`.
std::string pointer_to(const std::string& parent, std::string_view key);
std::string pointer_to(const std::string& parent, size_t index);

// The value of a number without fraction: 3, 3.0, 3e0. nullopt for another value, or one beyond 64 bits.
std::optional<int64_t> whole_number(const Json& value);

}  // namespace etl::states
