#include "states/timestamp.h"

#include <cstdio>
#include <limits>

namespace etl::states {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int64_t kSecondsOfMinute = 60;
constexpr int64_t kSecondsOfHour = 3'600;
constexpr int64_t kSecondsOfDay = 86'400;

// Reads a text from left to right; after the first thing that is not as expected it stays failed.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }

  void expect(char c) {
    if (!next_is(c)) failed_ = true;
    if (!failed_) rest_.remove_prefix(1);
  }

  // A number of exactly `digits` digits, from `least` to `most`.
  int number(int digits, int least, int most) {
    int value = 0;
    for (int i = 0; i < digits; ++i) value = value * 10 + digit();
    if (value < least || value > most) failed_ = true;
    return value;
  }

  // The digits after the point, as nanoseconds.
  int32_t fraction() {
    int32_t value = 0;
    int count = 0;
    for (; is_digit() && count < 9; ++count) value = value * 10 + digit();
    if (count == 0 || is_digit()) failed_ = true;
    for (; count < 9; ++count) value *= 10;
    return value;
  }

 private:
  bool is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  int digit() {
    if (!is_digit()) {
      failed_ = true;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// Z, or the distance from it: seconds to the east.
int64_t read_offset(Reader* reader) {
  if (reader->next_is('Z')) {
    reader->expect('Z');
    return 0;
  }
  const bool west = reader->next_is('-');
  reader->expect(west ? '-' : '+');
  const int hours = reader->number(2, 0, 23);
  reader->expect(':');
  const int64_t distance = hours * kSecondsOfHour + reader->number(2, 0, 59) * kSecondsOfMinute;
  return west ? -distance : distance;
}

}  // namespace

std::optional<Instant> parse_instant(std::string_view text) {
  Reader reader(text);
  const std::chrono::year year(reader.number(4, 0, 9'999));
  reader.expect('-');
  const std::chrono::month month(static_cast<unsigned>(reader.number(2, 1, 12)));
  reader.expect('-');
  const std::chrono::day day(static_cast<unsigned>(reader.number(2, 1, 31)));
  reader.expect('T');
  const int hour = reader.number(2, 0, 23);
  reader.expect(':');
  const int minute = reader.number(2, 0, 59);
  reader.expect(':');
  const int second = reader.number(2, 0, 60);
  Instant result;
  if (reader.next_is('.')) {
    reader.expect('.');
    result.nanoseconds = reader.fraction();
  }
  const int64_t offset = read_offset(&reader);
  const std::chrono::year_month_day date(year, month, day);
  if (reader.failed() || !reader.at_end() || !date.ok()) return std::nullopt;

  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  result.seconds = days * kSecondsOfDay + hour * kSecondsOfHour + minute * kSecondsOfMinute + second - offset;
  // Leap seconds come at the end of a day of UTC only.
  if (second == 60 && result.seconds % kSecondsOfDay != 0) return std::nullopt;
  return result;
}

std::optional<Time> parse_timestamp(std::string_view text) {
  const auto instant = parse_instant(text);
  if (!instant) return std::nullopt;
  constexpr int64_t kFarthest = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 1;
  if (instant->seconds > kFarthest) return Time::max();
  if (instant->seconds < -kFarthest) return Time::min();
  return Time(seconds(instant->seconds) + nanoseconds(instant->nanoseconds));
}

std::string format_timestamp(Time time) {
  // Not in nanoseconds: the first day that Time knows does not begin in it.
  const auto moment = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(moment - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace etl::states
