// Children of a Parallel or Map: which may begin, and what their ends mean for the state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "states/failure.h"
#include "states/json.h"

namespace etl::states {

// What the state says of its children, all that a Gathering needs to know.
struct GatheringRules {
  int64_t children = 0;
  int64_t max_concurrency = 0;  // 0: no limit
  // Of a distributed Map, which has at least one of them: more failures than either are too many. Where neither is
  // given, the first failure ends all.
  std::optional<int64_t> tolerated_failures;
  std::optional<double> tolerated_percentage;
  std::vector<int64_t> weights;  // items in each child, where they are batched; else empty: one in each

  Json to_json() const;
  static GatheringRules from_json(const Json& json);
};

// Counts only; knows nothing of what the children carry. It can be kept as its counts, and made again from them.
class Gathering {
 public:
  struct Counts {
    int64_t begun = 0;
    int64_t ended = 0;
    int64_t failed_weight = 0;
  };

  enum class Verdict {
    kOpen,               // wait for more
    kComplete,           // all have ended, and the state goes on
    kFailed,             // with the failure of the child that ended last
    kThresholdExceeded,  // with threshold_exceeded()
  };

  explicit Gathering(GatheringRules rules);
  Gathering(GatheringRules rules, const Counts& counts);  // without a verdict so far

  // The index of a child that may begin now: they begin in their order. None after a verdict.
  std::optional<int64_t> begin_next();

  // Each child ends once. After a verdict other than kOpen nothing changes it: the rest are to be stopped.
  Verdict end(int64_t child, bool succeeded);

  Verdict verdict() const { return verdict_; }
  const Counts& counts() const { return counts_; }

 private:
  bool too_many_failures() const;

  GatheringRules rules_;
  Counts counts_;
  int64_t total_weight_ = 0;
  Verdict verdict_ = Verdict::kOpen;
};

Failure threshold_exceeded();

// What stands in the Map's result for a child whose failure was tolerated.
Json tolerated_output(const Failure& failure);

}  // namespace etl::states
