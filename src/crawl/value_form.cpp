#include "crawl/fence.h"

#include "crawl/value_form.h"

#include <array>
#include <cctype>
#include <charconv>
#include <string>

namespace etl::crawl {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

// Reads a text from its beginning.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // The digits that come next, at least `least` and at most `most` of them; empty if there are fewer or more.
  std::string_view digits(size_t least, size_t most) {
    size_t end = at_;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    const size_t count = end - at_;
    if (count < least || count > most) return {};
    const std::string_view found = text_.substr(at_, count);
    at_ = end;
    return found;
  }
  int number(size_t least, size_t most) {  // -1: none
    const std::string_view found = digits(least, most);
    int value = -1;
    if (!found.empty()) std::from_chars(found.data(), found.data() + found.size(), value);
    return value;
  }
  std::string_view rest() const { return text_.substr(at_); }
  void skip(size_t count) { at_ += count; }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

IntegerRange range_of(std::string_view digits, bool negative) {
  // The most digits that fit for sure, and the largest number of one more.
  const auto fits = [&](std::string_view most) {
    return digits.size() < most.size() || (digits.size() == most.size() && digits <= most);
  };
  if (fits(negative ? "2147483648" : "2147483647")) return IntegerRange::kInteger;
  if (fits(negative ? "9223372036854775808" : "9223372036854775807")) return IntegerRange::kBigint;
  return IntegerRange::kNumeric;
}

// A number as its digits, without zeros at either end, and the place of the point before them.
struct Significant {
  std::string digits;
  int exponent = 0;

  bool operator==(const Significant&) const = default;
};

// Of a text such as "-0012.50", or "1.25e+01".
Significant significant(std::string_view text) {
  Significant result;
  const size_t mark = text.find_first_of("eE");
  if (mark != text.npos) {
    const char* begin = text.data() + mark + 1 + (text[mark + 1] == '+' ? 1 : 0);
    std::from_chars(begin, text.data() + text.size(), result.exponent);
  }
  bool is_fraction = false;
  for (const char c : text.substr(0, mark)) {
    if (!is_digit(c)) {
      is_fraction = is_fraction || c == '.' || c == ',';
      continue;
    }
    const bool leads = result.digits.empty() && c == '0';
    if (!leads) result.digits += c;
    result.exponent += (is_fraction ? 0 : 1) - (leads ? 1 : 0);
  }
  while (result.digits.ends_with('0')) result.digits.pop_back();
  if (result.digits.empty()) result.exponent = 0;
  return result;
}

// 15 digits are always held; up to 17 are where they were made from the same number.
bool is_held_by_double(std::string_view text) {
  const Significant wanted = significant(text);
  if (wanted.digits.size() <= 15) return true;
  if (wanted.digits.size() > 17) return false;
  double number = 0;
  const std::string plain = "0." + wanted.digits + "e" + std::to_string(wanted.exponent);
  std::from_chars(plain.data(), plain.data() + plain.size(), number);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  return significant({buffer.data(), static_cast<size_t>(end.ptr - buffer.data())}) == wanted;
}

constexpr size_t kMostDigits = 1000;  // beyond, it is no number that somebody computes with

ValueForm number_form(std::string_view text) {
  ValueForm form;
  Reader reader(text);
  const bool negative = reader.take('-');
  const std::string_view whole = reader.digits(1, kMostDigits);
  if (whole.size() > 1 && whole[0] == '0') return {};
  form.integer_digits = static_cast<int>(whole.size());
  if (!whole.empty() && reader.at_end()) {
    form.form = Form::kInteger;
    form.range = range_of(whole, negative);
    return form;
  }
  const bool comma = reader.peek() == ',' && !whole.empty();
  if (comma || reader.peek() == '.') {
    reader.skip(1);
    const std::string_view fraction = reader.digits(1, kMostDigits);
    if (fraction.empty()) return {};
    form.scale = static_cast<int>(fraction.size());
    if (reader.at_end()) {
      form.form = comma ? Form::kCommaDecimal : Form::kDecimal;
      form.is_double = is_held_by_double(text);
      return form;
    }
    if (comma) return {};
  } else if (whole.empty()) {
    return {};
  }
  if (!reader.take('e') && !reader.take('E')) return {};
  if (!reader.take('-')) reader.take('+');
  const int exponent = reader.number(1, 3);
  if (exponent < 0 || exponent > 300 || !reader.at_end()) return {};  // not surely within double precision
  form.form = Form::kFloat;
  form.is_double = is_held_by_double(text);
  return form;
}

bool is_date(int year, int month, int day) {
  static constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<size_t>(month)] + (month == 2 && leap ? 1 : 0);
}

int month_called(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
  for (size_t i = 0; i < kNames.size(); ++i)
    if (equals_ignoring_case(name, kNames[i])) return static_cast<int>(i) + 1;
  return 0;
}

// Year first: the digits of the year have been read.
DateStyles year_first(Reader& reader, int year) {
  const char mark = reader.peek();
  const DateStyles style = mark == '-'   ? date_style::kIso
                           : mark == '/' ? date_style::kYmdSlash
                           : mark == '.' ? date_style::kYmdDot
                                         : DateStyles{0};
  if (style == 0) return 0;
  reader.skip(1);
  const int month = reader.number(1, 2);
  if (month < 0 || !reader.take(mark)) return 0;
  return is_date(year, month, reader.number(1, 2)) ? style : 0;
}

DateStyles year_last(Reader& reader, int first) {
  const char mark = reader.peek();
  if (mark != '-' && mark != '/' && mark != '.') return 0;
  reader.skip(1);
  if (mark == '-' && !is_digit(reader.peek())) {
    const int month = month_called(reader.rest().substr(0, 3));
    reader.skip(month == 0 ? 0 : 3);
    if (month == 0 || !reader.take('-')) return 0;
    return is_date(reader.number(4, 4), month, first) ? date_style::kDayName : 0;
  }
  const int second = reader.number(1, 2);
  if (second < 0 || !reader.take(mark)) return 0;
  const int year = reader.number(4, 4);
  const DateStyles day_first = mark == '.'   ? date_style::kDmyDot
                               : mark == '/' ? date_style::kDmySlash
                                             : date_style::kDmyDash;
  const DateStyles month_first = mark == '/'   ? date_style::kMdySlash
                                 : mark == '-' ? date_style::kMdyDash
                                               : DateStyles{0};
  return static_cast<DateStyles>((is_date(year, second, first) ? day_first : 0) |
                                 (is_date(year, first, second) ? month_first : 0));
}

DateStyles take_date(Reader& reader) {
  Reader look = reader;
  const int year = look.number(4, 4);
  if (year >= 0) {
    const DateStyles styles = year_first(look, year);
    if (styles != 0) reader = look;
    return styles;
  }
  const int first = reader.number(1, 2);
  return first < 0 ? DateStyles{0} : year_last(reader, first);
}

constexpr size_t kFractionDigits = 6;  // of a second, that PostgreSQL keeps

// "23:59", "23:59:59", "23:59:59.999"; 0 if there is none, or something of it would be lost.
TimeShapes take_time(Reader& reader) {
  const int hour = reader.number(2, 2);
  if (hour < 0 || hour > 23 || !reader.take(':')) return 0;
  const int minute = reader.number(2, 2);
  if (minute < 0 || minute > 59) return 0;
  if (!reader.take(':')) return time_shape::kMinutes;
  const int second = reader.number(2, 2);
  if (second < 0 || second > 59) return 0;
  if (!reader.take('.')) return time_shape::kSeconds;
  const std::string_view fraction = reader.digits(1, 9);
  const bool is_held = fraction.find_first_not_of('0', kFractionDigits) == fraction.npos;
  return fraction.empty() || !is_held ? TimeShapes{0} : time_shape::kFraction;
}

bool take_zone(Reader& reader) {
  reader.take(' ');
  if (reader.take('Z') || reader.take('z')) return reader.at_end();
  if (equals_ignoring_case(reader.rest(), "utc") || equals_ignoring_case(reader.rest(), "gmt")) return true;
  if (!reader.take('+') && !reader.take('-')) return false;
  const int hours = reader.number(2, 4);
  if (hours >= 100) return hours <= 1559 && hours % 100 < 60 && reader.at_end();
  if (hours < 0 || hours > 15) return false;
  if (!reader.take(':')) return reader.at_end();
  const int minutes = reader.number(2, 2);
  return minutes >= 0 && minutes < 60 && reader.at_end();
}

ValueForm date_form(std::string_view text) {
  ValueForm form;
  Reader reader(text);
  form.date_styles = take_date(reader);
  if (form.date_styles == 0) return {};
  if (reader.at_end()) {
    form.form = Form::kDate;
    return form;
  }
  const bool letter = reader.take('T');
  if (!letter && !reader.take(' ')) return {};
  form.time_shapes = take_time(reader);
  if (form.time_shapes == 0) return {};
  if (letter) form.time_shapes |= time_shape::kLetterT;
  if (reader.at_end()) {
    form.time_shapes |= time_shape::kNoZone;
  } else if (take_zone(reader)) {
    form.time_shapes |= time_shape::kZone;
  } else {
    return {};
  }
  form.form = Form::kTimestamp;
  return form;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

bool is_not_finite(std::string_view text) {
  if (equals_ignoring_case(text, "nan")) return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity");
}

ValueForm plain(Form form) {
  ValueForm result;
  result.form = form;
  return result;
}

}  // namespace

ValueForm form_of(std::string_view text) {
  if (is_uuid(text)) return plain(Form::kUuid);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return {};
  if (is_digit(text[0]) || text[0] == '-' || text[0] == '.') {
    const ValueForm number = number_form(text);
    if (number.form != Form::kText) return number;
  }
  if (is_digit(text[0])) {
    const ValueForm date = date_form(text);
    if (date.form != Form::kText) return date;
    Reader reader(text);
    return take_time(reader) != 0 && reader.at_end() ? plain(Form::kTime) : ValueForm{};
  }
  if (equals_ignoring_case(text, "true") || equals_ignoring_case(text, "false")) return plain(Form::kTrueFalse);
  if (text == "t" || text == "f") return plain(Form::kTF);
  return is_not_finite(text) ? plain(Form::kNotFinite) : ValueForm{};
}

}  // namespace etl::crawl
