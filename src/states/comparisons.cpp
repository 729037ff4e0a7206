// How two values compare: the parts of choice.h that know nothing of rules.
#include <cmath>

#include "states/choice.h"

namespace etl::states {
namespace {

std::strong_ordering compare_integers(const Json& left, const Json& right) {
  const bool left_is_negative = !left.is_number_unsigned() && left.get<int64_t>() < 0;
  const bool right_is_negative = !right.is_number_unsigned() && right.get<int64_t>() < 0;
  if (left_is_negative != right_is_negative) return right_is_negative <=> left_is_negative;
  if (left_is_negative) return left.get<int64_t>() <=> right.get<int64_t>();
  return left.get<uint64_t>() <=> right.get<uint64_t>();
}

// An integer and a double; the double is not rounded to compare them.
std::partial_ordering compare_mixed(const Json& integer, double number) {
  if (std::isnan(number)) return std::partial_ordering::unordered;
  if (number >= 0x1p64) return std::partial_ordering::less;
  if (number < -0x1p63) return std::partial_ordering::greater;
  const double whole = std::trunc(number);
  const Json whole_as_integer = whole < 0 ? Json(static_cast<int64_t>(whole)) : Json(static_cast<uint64_t>(whole));
  const auto order = compare_integers(integer, whole_as_integer);
  return order != 0 ? order : 0.0 <=> number - whole;
}

// Where each of the parts of a text begins within another; the table of Knuth, Morris and Pratt for it.
std::vector<size_t> borders_of(std::string_view part) {
  std::vector<size_t> borders(part.size(), 0);
  for (size_t i = 1, length = 0; i < part.size(); ++i) {
    while (length > 0 && part[i] != part[length]) length = borders[length - 1];
    if (part[i] == part[length]) ++length;
    borders[i] = length;
  }
  return borders;
}

// Behind the first occurrence of `part` in `text`; npos where there is none. Linear, which string_view::find is not.
size_t find_end(std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  const auto borders = borders_of(part);
  for (size_t i = 0, length = 0; i < text.size(); ++i) {
    while (length > 0 && text[i] != part[length]) length = borders[length - 1];
    if (text[i] == part[length]) ++length;
    if (length == part.size()) return i + 1;
  }
  return std::string_view::npos;
}

// The texts between the wildcards of a pattern, without its escapes: one more than there are wildcards.
std::vector<std::string> parts_of(std::string_view pattern) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool escapes =
        pattern[i] == '\\' && i + 1 < pattern.size() && (pattern[i + 1] == '*' || pattern[i + 1] == '\\');
    if (escapes) {
      parts.back() += pattern[++i];
    } else if (pattern[i] == '*') {
      parts.emplace_back();
    } else {
      parts.back() += pattern[i];
    }
  }
  return parts;
}

}  // namespace

std::partial_ordering compare_numbers(const Json& left, const Json& right) {
  if (left.is_number_float() && right.is_number_float()) return left.get<double>() <=> right.get<double>();
  if (right.is_number_float()) return compare_mixed(left, right.get<double>());
  if (left.is_number_float()) return 0 <=> compare_mixed(right, left.get<double>());
  return compare_integers(left, right);
}

std::strong_ordering compare_strings(std::string_view left, std::string_view right) {
  const size_t common = std::min(left.size(), right.size());
  size_t i = 0;
  while (i < common && left[i] == right[i]) ++i;
  if (i == common) return left.size() <=> right.size();

  // The order of bytes is that of code points. It differs from that of code units in one place: a surrogate is less
  // than U+E000 to U+FFFF, which begin with the bytes EE and EF; what needs surrogates begins with F0 to F4.
  const auto a = static_cast<unsigned char>(left[i]);
  const auto b = static_cast<unsigned char>(right[i]);
  if (a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0)) return b <=> a;
  return a <=> b;
}

bool matches(std::string_view text, std::string_view pattern) {
  const auto parts = parts_of(pattern);
  if (parts.size() == 1) return text == parts.front();
  if (!text.starts_with(parts.front())) return false;
  text.remove_prefix(parts.front().size());
  // The first place for a part is as good as any: what follows has the most room then.
  for (size_t i = 1; i + 1 < parts.size(); ++i) {
    const size_t end = find_end(text, parts[i]);
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end);
  }
  return text.ends_with(parts.back());
}

}  // namespace etl::states
