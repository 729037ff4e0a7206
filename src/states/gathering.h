// Children of a Parallel or Map: which may begin, and what their ends mean for the state.
#pragma once

#include "states/branch.h"

namespace etl::states {

// Counts only; knows nothing of what the children carry, so that a conductor can keep one.
class Gathering {
 public:
  enum class Verdict { kOpen, kComplete, kFailed, kThresholdExceeded };

  Gathering(int64_t children, int64_t max_concurrency, std::optional<int64_t> tolerated_failures,
            std::optional<double> tolerated_percentage, std::vector<int64_t> weights);

  std::optional<int64_t> begin_next();  // the index of a child that may begin now
  Verdict end(int64_t child, bool succeeded);

 private:
  int64_t children_;
  int64_t max_concurrency_;
  std::optional<int64_t> tolerated_failures_;
  std::optional<double> tolerated_percentage_;
  std::vector<int64_t> weights_;
  int64_t begun_ = 0;
  int64_t ended_ = 0;
  int64_t failed_weight_ = 0;
  int64_t total_weight_ = 0;
  bool failed_ = false;
};

}  // namespace etl::states
