#include "states/fence.h"

#include "states/retry.h"

#include <algorithm>
#include <cmath>

namespace etl::states {

bool Problem::can_be_caught() const {
  return failure.error != errors::kRuntime;
}

bool Problem::is_one_of(const std::vector<std::string>& names) const {
  if (!can_be_caught()) return false;
  return std::ranges::any_of(names, [&](const std::string& name) {
    if (failure.error == name) return true;
    if (is_heartbeat && name == errors::kHeartbeatTimeout) return true;
    if (only_by_name) return false;
    return name == errors::kAll || (name == errors::kTaskFailed && failure.error != errors::kTimeout);
  });
}

const Retrier* retrier_for(const State& state, const Problem& problem) {
  const auto found =
      std::ranges::find_if(state.retriers, [&](const Retrier& retrier) { return problem.is_one_of(retrier.errors); });
  return found == state.retriers.end() ? nullptr : &*found;
}

const Catcher* catcher_for(const State& state, const Problem& problem) {
  const auto found =
      std::ranges::find_if(state.catchers, [&](const Catcher& catcher) { return problem.is_one_of(catcher.errors); });
  return found == state.catchers.end() ? nullptr : &*found;
}

std::chrono::nanoseconds retry_delay(const Retrier& retrier, int64_t retry, double draw) {
  const double limit =
      std::min<double>(retrier.max_delay_seconds.value_or(kLongestDelay.count()), kLongestDelay.count());
  const double wanted = static_cast<double>(retrier.interval_seconds) *
                        std::pow(retrier.backoff_rate, static_cast<double>(std::max<int64_t>(retry, 1) - 1));
  double seconds = wanted < limit ? wanted : limit;  // also where it is infinite or undefined
  if (retrier.jitter) seconds *= draw;
  return std::chrono::nanoseconds(static_cast<int64_t>(std::max(seconds, 0.0) * 1e9));
}

}  // namespace etl::states
