// Times as definitions write them: RFC 3339, with T and Z in upper case.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace etl::states {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

// A moment of the years 0000 to 9999; Time knows only 1677 to 2262.
struct Instant {
  int64_t seconds = 0;  // since 1970
  int32_t nanoseconds = 0;

  auto operator<=>(const Instant&) const = default;
};

// nullopt where it is none: 2016-03-14T01:59:00Z, 2016-03-14T01:59:00.123456789+01:00. A fraction has at most nine
// digits; a leap second is the first second after it.
std::optional<Instant> parse_instant(std::string_view text);

// The same; a moment that Time does not know is its first or last.
std::optional<Time> parse_timestamp(std::string_view text);

std::string format_timestamp(Time time);  // with milliseconds: 2016-03-14T01:59:00.000Z

}  // namespace etl::states
