// Base64 as RFC 4648, section 4, has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace etl::states {

std::string encode_base64(std::string_view data);

// The padding may be missing. nullopt where `text` is none.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace etl::states
