#include "states/fence.h"

#include <charconv>
#include <cmath>

#include "states/intrinsic_call.h"

namespace etl::states {
namespace {

// Double.toString(): between 0.001 and 10,000,000 with a point, else with an exponent; at least one digit behind the
// point.
std::string java_number(double value) {
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(written.ptr - buffer));  // -1.25e+03
  const size_t mark = text.find('e');
  const int exponent = std::stoi(std::string(text.substr(mark + 1)));
  std::string digits;
  for (const char c : text.substr(0, mark)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::string sign = value < 0 ? "-" : "";
  if (exponent < -3 || exponent >= 7) {
    return sign + digits.substr(0, 1) + "." + (digits.size() > 1 ? digits.substr(1) : "0") + "E" +
           std::to_string(exponent);
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent) - 1, '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

// The parts of an array or an object.
std::string joined(const Json& value, const char* comma, std::string (*named)(const std::string&),
                   std::string (*text)(const Json&)) {
  std::string result;
  for (const auto& [key, part] : value.items()) {
    if (!result.empty()) result += comma;
    result += (value.is_object() ? named(key) : "") + text(part);
  }
  return value.is_object() ? "{" + result + "}" : "[" + result + "]";
}

}  // namespace

// Both recursive as deep as the value is.

std::string java_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return java_number(value.get<double>());
  if (!value.is_structured()) return compact(value);
  return joined(
      value, ", ", [](const std::string& key) { return key + "="; }, java_text);
}

std::string java_json(const Json& value) {
  if (value.is_number_float()) return java_number(value.get<double>());
  if (!value.is_structured()) return compact(value);
  return joined(
      value, ",", [](const std::string& key) { return compact(key) + ":"; }, java_json);
}

}  // namespace etl::states
