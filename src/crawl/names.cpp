#include "crawl/fence.h"

#include "crawl/names.h"

#include <algorithm>
#include <array>

#include "locations/text.h"

namespace etl::crawl {

namespace {

constexpr size_t kMostBytes = 63;
constexpr std::array<std::string_view, 6> kSystemColumns = {"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"};

char32_t decoded(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  switch (sequence.size()) {
    case 2:
      return static_cast<char32_t>((byte(0) & 0x1f) << 6 | (byte(1) & 0x3f));
    case 3:
      return static_cast<char32_t>((byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f));
    case 4:
      return static_cast<char32_t>((byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
                                   (byte(3) & 0x3f));
    default:
      return byte(0);
  }
}

void append(std::string* text, char32_t c) {
  const auto tail = [&](int shift) { text->push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3f))); };
  if (c < 0x80) {
    text->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    text->push_back(static_cast<char>(0xc0 | c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | c >> 12));
    tail(6);
    tail(0);
  } else {
    text->push_back(static_cast<char>(0xf0 | c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool in(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

char32_t lower(char32_t c) {
  if (in(c, 'A', 'Z') || (in(c, 0xc0, 0xde) && c != 0xd7)) return c + 32;
  if (in(c, 0x139, 0x148) || in(c, 0x179, 0x17e)) return c % 2 == 1 ? c + 1 : c;  // Latin Extended-A, pairs
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xff;
  if (in(c, 0x100, 0x177) && c != 0x131 && c != 0x138 && c != 0x149) return c | 1;
  if (c == 0x386) return 0x3ac;  // Greek with accents
  if (in(c, 0x388, 0x38a)) return c + 37;
  if (c == 0x38c) return 0x3cc;
  if (c == 0x38e || c == 0x38f) return c + 63;
  if (in(c, 0x391, 0x3ab) && c != 0x3a2) return c + 32;
  if (in(c, 0x410, 0x42f)) return c + 32;  // Cyrillic
  if (in(c, 0x400, 0x40f)) return c + 80;
  if (in(c, 0x460, 0x481) || in(c, 0x48a, 0x4bf) || in(c, 0x4d0, 0x52f)) return c | 1;
  return c;
}

// Letters and digits; beyond ASCII all but what is known to be a sign, a blank or nothing at all.
bool stays(char32_t c) {
  if (c < 0x80) return in(c, 'a', 'z') || in(c, '0', '9');
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  if (c == 0xd7 || c == 0xf7) return false;
  return !(in(c, 0x2000, 0x206f) || in(c, 0x20a0, 0x20cf) || in(c, 0x2190, 0x2bff) || in(c, 0x2e00, 0x2e7f) ||
           in(c, 0x3000, 0x3004) || in(c, 0x3008, 0x3020) || in(c, 0xe000, 0xf8ff) || in(c, 0xfe00, 0xfe6f) ||
           in(c, 0xff00, 0xff0f) || in(c, 0xfff0, 0xffff) || in(c, 0x1f000, 0x1faff) || c >= 0xe0000 || c == 0xfeff ||
           c == 0x1680 || c == 0x37e || c == 0x387);
}

// At most so many bytes of a text, cut between characters.
std::string cut(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string folded;
  bool gap = false;
  while (!name.empty()) {
    const size_t length = locations::character_length(name);
    const std::string_view character = name.substr(0, length);
    name.remove_prefix(length);
    const bool valid = length > 1 || static_cast<unsigned char>(character[0]) < 0x80;
    const char32_t c = valid ? lower(decoded(character)) : 0;
    if (c == '_') {
      if (gap && !folded.empty() && !folded.ends_with('_')) folded += '_';
      gap = false;
      folded += '_';
    } else if (!stays(c)) {
      gap = true;
    } else {
      if (gap && !folded.empty() && !folded.ends_with('_')) folded += '_';
      gap = false;
      append(&folded, c);
    }
  }
  if (!folded.empty() && folded[0] >= '0' && folded[0] <= '9') folded.insert(0, 1, '_');
  if (folded.find_first_not_of('_') == folded.npos) folded.clear();
  return cut(folded, kMostBytes);
}

std::string UniqueNames::take(const std::string& name) {
  std::string result = name;
  for (int number = 2; !taken_.insert(result).second; ++number) {
    const std::string suffix = "_" + std::to_string(number);
    result = cut(name, kMostBytes - suffix.size()) + suffix;
  }
  return result;
}

std::vector<std::string> column_names_for(const std::vector<std::string>& file_columns,
                                          const std::vector<std::string>& reserved) {
  UniqueNames names;
  for (const std::string& name : reserved) names.reserve(name);
  std::vector<std::string> columns;
  for (size_t i = 0; i < file_columns.size(); ++i) {
    std::string name = folded_name(file_columns[i]);
    if (name.empty()) name = "column" + std::to_string(i);
    if (std::ranges::find(kSystemColumns, name) != kSystemColumns.end()) name += '_';
    columns.push_back(names.take(name));
  }
  return columns;
}

}  // namespace etl::crawl
