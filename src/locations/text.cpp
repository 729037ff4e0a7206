#include "locations/fence.h"

#include "locations/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace etl::locations {
namespace {

// How many bytes a sequence has that begins with this one; 0: none begins so.
size_t expected_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

// May `second` follow `first`? Overlong forms, surrogates and what lies above U+10FFFF are not UTF-8.
bool may_follow(unsigned char first, unsigned char second) {
  if (first == 0xE0) return second >= 0xA0 && second <= 0xBF;
  if (first == 0xED) return second >= 0x80 && second <= 0x9F;
  if (first == 0xF0) return second >= 0x90 && second <= 0xBF;
  if (first == 0xF4) return second >= 0x80 && second <= 0x8F;
  return second >= 0x80 && second <= 0xBF;
}

enum class Sequence { kValid, kInvalid, kCutOff };

// What the text begins with; `length` is that of a valid one.
Sequence read_sequence(std::string_view text, size_t& length) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  length = expected_length(byte(0));
  if (length == 0) return Sequence::kInvalid;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return Sequence::kCutOff;
    if (i == 1 ? !may_follow(byte(0), byte(1)) : (byte(i) & 0xC0) != 0x80) return Sequence::kInvalid;
  }
  return Sequence::kValid;
}

// The length of the leading part of a text that is ASCII, in whole words: most of most files.
size_t leading_ascii(std::string_view text) {
  size_t i = 0;
  for (uint64_t word; i + sizeof(word) <= text.size(); i += sizeof(word)) {
    std::memcpy(&word, text.data() + i, sizeof(word));
    if (word & 0x8080808080808080U) break;
  }
  return i;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

size_t character_length(std::string_view text) {
  if (text.empty()) return 0;
  size_t length;
  return read_sequence(text, length) == Sequence::kValid ? length : 1;
}

bool is_valid_utf8(std::string_view text) {
  Utf8Check check;
  check.read(text);
  check.end();
  return !check.first_invalid();
}

std::string printable(std::string_view text, size_t most) {
  if (most < text.size()) {
    while (most > 0 && (text[most] & 0xC0) == 0x80) --most;
    text = text.substr(0, most);
  }
  std::string result;
  while (!text.empty()) {
    size_t length;
    if (text[0] != '\0' && read_sequence(text, length) == Sequence::kValid) {
      result += text.substr(0, length);
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(text[0]);
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
      length = 1;
    }
    text.remove_prefix(length);
  }
  return result;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      result.push_back(text[i]);
    } else {
      result.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return result;
}

void Utf8Check::read(std::string_view piece) {
  if (!first_nul_) {
    const size_t nul = piece.find('\0');
    if (nul != std::string_view::npos) first_nul_ = seen_ + static_cast<int64_t>(nul);
  }
  seen_ += static_cast<int64_t>(piece.size());
  if (!open_.empty()) {
    const size_t missing = expected_length(static_cast<unsigned char>(open_[0])) - open_.size();
    const std::string joined = std::exchange(open_, {}) + std::string(piece.substr(0, missing));
    piece.remove_prefix(std::min(missing, piece.size()));
    look_at(joined);
  }
  look_at(piece);
}

void Utf8Check::look_at(std::string_view text) {
  while (!first_invalid_ && !text.empty()) {
    size_t length = leading_ascii(text);
    if (length == 0) {
      const Sequence found = read_sequence(text, length);
      if (found == Sequence::kCutOff) {
        open_ = text;
        return;
      }
      if (found == Sequence::kInvalid) {
        first_invalid_ = valid_;
        return;
      }
    }
    text.remove_prefix(length);
    valid_ += static_cast<int64_t>(length);
  }
}

void Utf8Check::end() {
  if (!open_.empty() && !first_invalid_) first_invalid_ = valid_;
}

}  // namespace etl::locations
