#include "states/document.h"

#include <cmath>
#include <utility>

namespace etl::states {

std::string pointer_to(const std::string& parent, std::string_view key) {
  std::string result = parent + '/';
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

std::string pointer_to(const std::string& parent, size_t index) {
  return parent + '/' + std::to_string(index);
}

std::optional<int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    return std::in_range<int64_t>(number) ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  const bool is_whole = number >= -0x1p63 && number < 0x1p63 && std::trunc(number) == number;
  return is_whole ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
}

}  // namespace etl::states
