// JSON as state machines see it.
//
// Objects are sorted by their keys: what a user stores as jsonb has no order of its own. Numbers are 64-bit integers
// or doubles, and compare as numbers: 0 equals 0.0.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace etl::states {

using Json = nlohmann::json;

constexpr size_t kLargestPayload = 262'144;  // bytes of UTF-8, of an input, an output, a result and all variables
constexpr int kDeepestJson = 1'000;          // objects and arrays within each other

// nullopt where the text is no JSON (also where a string is not UTF-8 or has half a surrogate pair, or a number is no
// finite double), or is nested deeper than kDeepestJson. Never recursive. Of equal keys the last one counts.
std::optional<Json> parse_json(std::string_view text);

std::string compact(const Json& value);   // without blanks: {"a":1}
size_t size_in_bytes(const Json& value);  // of compact(), without making it
std::string shown(const Json& value);     // compact(), for a message: what is long is cut off

// Both in one walk. Copying and comparing are recursive in the library, so whoever keeps a value that was put together
// from others (a state's output) checks that it is not deeper than kDeepestJson.
struct Extent {
  size_t bytes = 0;
  int depth = 0;  // 0 for a number, 1 for []
};
Extent extent(const Json& value);

}  // namespace etl::states
