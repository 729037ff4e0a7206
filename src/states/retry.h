// Which errors a Retrier or Catcher takes, and how long to wait before a state is tried again.
#pragma once

#include "states/definition.h"

namespace etl::states {

// An error as Retry and Catch see it.
struct Problem {
  Failure failure;
  // States.DataLimitExceeded that is found by the interpreter, not told by a task: only its own name takes it.
  bool only_by_name = false;
  bool is_heartbeat = false;  // reported as States.Timeout, taken by States.HeartbeatTimeout, too

  bool can_be_caught() const;  // States.Runtime never
  bool is_one_of(const std::vector<std::string>& names) const;
};

// The first retrier or catcher that takes it; null if none does.
const Retrier* retrier_for(const State& state, const Problem& problem);
const Catcher* catcher_for(const State& state, const Problem& problem);

// Before retry number `retry`, 1 for the first. `draw`, a random number of [0, 1), makes the jitter. At most
// kLongestDelay, whatever the fields say.
constexpr std::chrono::seconds kLongestDelay{31'622'400};  // the largest MaxDelaySeconds of the service
std::chrono::nanoseconds retry_delay(const Retrier& retrier, int64_t retry, double draw);

}  // namespace etl::states
