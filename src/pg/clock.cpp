#include "pg/clock.h"

#include "pg/guard.h"

namespace etl::pg {

int64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

int64_t monotonic_ms() {
  return monotonic_us() / 1000;
}

long milliseconds_until(int64_t due) {
  return static_cast<long>(std::max<int64_t>(due - monotonic_ms(), 0));
}

Moment now() {
  return {GetCurrentTimestamp(), monotonic_us()};
}

std::string timestamp_text(TimestampTz time) {
  return guard([&] { return timestamptz_to_str(time); });
}

Moment later(const Moment& moment, int64_t milliseconds) {
  return {moment.at + milliseconds * 1000, moment.us + milliseconds * 1000};
}

int64_t due_ms(const Moment& moment) {
  return (moment.us + 999) / 1000;
}

}  // namespace etl::pg
