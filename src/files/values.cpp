#include "files/values.h"

#include <charconv>

#include "plan/fence.h"

namespace etl::files {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads exactly so many digits.
bool take_digits(std::string_view text, size_t at, size_t count, int* value) {
  if (text.size() < at + count) return false;
  *value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return false;
    *value = *value * 10 + (text[i] - '0');
  }
  return true;
}

constexpr int kDaysOfMonth[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Days since 2000-01-01 of a date of the Gregorian calendar, counted from a March, after which leap days come last.
int32_t days_since_2000(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int m = month <= 2 ? month + 9 : month - 3;
  const int32_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
  return days - 730425;  // of 2000-01-01
}

// Both from_chars() and the input functions round to the nearest; the latter take more forms, such as " 1", "+1",
// "inf".
template <typename T>
bool parse_floating(std::string_view text, T* value) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits.front())) return false;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

bool parse_integer(std::string_view text, int64_t least, int64_t most, int64_t* value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && *value >= least && *value <= most;
}

bool parse_decimal(std::string_view text, int64_t* value, int* scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 19 || !is_digit(text.front()) || !is_digit(text.back())) return false;
  int64_t digits = 0;
  size_t point = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      digits = digits * 10 + (text[i] - '0');
    } else if (text[i] == '.' && point == text.size()) {
      point = i;
    } else {
      return false;
    }
  }
  if (point == text.size() && text.size() > 18) return false;
  *scale = point == text.size() ? 0 : static_cast<int>(text.size() - point - 1);
  *value = negative ? -digits : digits;
  return true;
}

bool parse_double(std::string_view text, double* value) {
  return parse_floating(text, value);
}

bool parse_float(std::string_view text, float* value) {
  return parse_floating(text, value);
}

bool parse_date(std::string_view text, int32_t* days) {
  int year, month, day;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!take_digits(text, 0, 4, &year) || !take_digits(text, 5, 2, &month) || !take_digits(text, 8, 2, &day))
    return false;
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day > kDaysOfMonth[month - 1] && !(month == 2 && day == 29 && is_leap(year))) return false;
  *days = days_since_2000(year, month, day);
  return true;
}

bool parse_timestamp(std::string_view text, int64_t* microseconds) {
  int32_t days;
  int hour, minute, second;
  if (text.size() < 19 || text.size() == 20 || text.size() > 26 || !parse_date(text.substr(0, 10), &days)) return false;
  if ((text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') return false;
  if (!take_digits(text, 11, 2, &hour) || !take_digits(text, 14, 2, &minute) || !take_digits(text, 17, 2, &second))
    return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  int fraction = 0;
  if (text.size() > 20) {
    if (text[19] != '.' || !take_digits(text, 20, text.size() - 20, &fraction)) return false;
    for (size_t digits = text.size() - 20; digits < 6; ++digits) fraction *= 10;
  }
  *microseconds = ((static_cast<int64_t>(days) * 24 + hour) * 60 + minute) * 60'000'000 + second * 1'000'000 + fraction;
  return true;
}

bool parse_boolean(std::string_view text, bool* value) {
  for (const std::string_view yes : {"true", "t", "yes", "y", "on", "1"})
    if (text == yes) return *value = true;
  for (const std::string_view no : {"false", "f", "no", "n", "off", "0"})
    if (text == no) return !(*value = false);
  return false;
}

}  // namespace etl::files
