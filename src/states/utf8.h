// Characters (code points) of texts in UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace etl::states {

constexpr uint32_t kReplacementCharacter = 0xFFFD;

void append_utf8(std::string* text, uint32_t character);

// The first character of `*text`, which must not be empty, and takes it off; kReplacementCharacter for a byte that
// begins none.
uint32_t take_character(std::string_view* text);

size_t count_characters(std::string_view text);

// Whether `text` is UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace etl::states
