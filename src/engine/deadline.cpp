#include "engine/deadline.h"

#include "pg/guard.h"

extern "C" {
#include "utils/timeout.h"
}

namespace etl {

namespace {

std::array<TimeoutId, 2> timers;

TimeoutId timer(DeadlineOf kind) {
  return timers[static_cast<size_t>(kind)];
}

// A signal handler.
void cancel() {
  InterruptPending = true;
  QueryCancelPending = true;
  SetLatch(MyLatch);
}

}  // namespace

Deadline::Deadline(DeadlineOf kind, int64_t milliseconds) : kind_(kind) {
  pg::guard(
      [&] { enable_timeout_after(timer(kind), static_cast<int>(std::clamp<int64_t>(milliseconds, 1, INT_MAX))); });
}

Deadline::~Deadline() {
  if (get_timeout_active(timer(kind_))) disable_timeout(timer(kind_), true);
}

bool Deadline::has_passed() const {
  return get_timeout_indicator(timer(kind_), false);
}

void install_deadlines() {
  for (TimeoutId& each : timers) each = RegisterTimeout(USER_TIMEOUT, cancel);
}

}  // namespace etl
