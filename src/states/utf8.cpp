#include "states/fence.h"

#include "states/utf8.h"

namespace etl::states {
namespace {

struct Decoded {
  uint32_t character = kReplacementCharacter;
  size_t length = 1;
  bool valid = false;
};

Decoded decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1, true};
  const size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return {};
  uint32_t character = byte(0) & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    character = character << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kSmallest[length] || character > 0x10FFFF) return {};
  if (character >= 0xD800 && character <= 0xDFFF) return {};
  return {character, length, true};
}

}  // namespace

void append_utf8(std::string* text, uint32_t character) {
  const auto tail = [&](int shift) { *text += static_cast<char>(0x80 | (character >> shift & 0x3F)); };
  if (character < 0x80) {
    *text += static_cast<char>(character);
  } else if (character < 0x800) {
    *text += static_cast<char>(0xC0 | character >> 6);
    tail(0);
  } else if (character < 0x10000) {
    *text += static_cast<char>(0xE0 | character >> 12);
    tail(6);
    tail(0);
  } else {
    *text += static_cast<char>(0xF0 | character >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

uint32_t take_character(std::string_view* text) {
  const Decoded first = decode(*text);
  text->remove_prefix(first.length);
  return first.character;
}

size_t count_characters(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) take_character(&text);
  return count;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded first = decode(text);
    if (!first.valid) return false;
    text.remove_prefix(first.length);
  }
  return true;
}

}  // namespace etl::states
