// Hash functions of texts, as lower-case hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace etl::states {

// `algorithm` is MD5, SHA-1, SHA-256, SHA-384 or SHA-512; nullopt if it is another.
std::optional<std::string> digest(std::string_view algorithm, std::string_view data);

}  // namespace etl::states
