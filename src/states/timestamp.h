// Times as definitions write them: RFC 3339, with T and Z in upper case.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace etl::states {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

// nullopt where it is none: 2016-03-14T01:59:00Z, 2016-03-14T01:59:00.123456789+01:00.
std::optional<Time> parse_timestamp(std::string_view text);

std::string format_timestamp(Time time);  // with milliseconds: 2016-03-14T01:59:00.000Z

}  // namespace etl::states
