#include "states/fence.h"

#include "states/gathering.h"

#include <numeric>

namespace etl::states {

Json GatheringRules::to_json() const {
  Json json = {{"children", children}, {"max_concurrency", max_concurrency}};
  if (tolerated_failures) json["tolerated_failures"] = *tolerated_failures;
  if (tolerated_percentage) json["tolerated_percentage"] = *tolerated_percentage;
  if (!weights.empty()) json["weights"] = weights;
  return json;
}

GatheringRules GatheringRules::from_json(const Json& json) {
  GatheringRules rules;
  rules.children = json.at("children");
  rules.max_concurrency = json.at("max_concurrency");
  if (json.contains("tolerated_failures")) rules.tolerated_failures = json["tolerated_failures"].get<int64_t>();
  if (json.contains("tolerated_percentage")) rules.tolerated_percentage = json["tolerated_percentage"].get<double>();
  if (json.contains("weights")) rules.weights = json["weights"].get<std::vector<int64_t>>();
  return rules;
}

Gathering::Gathering(GatheringRules rules)
    : rules_(std::move(rules)),
      total_weight_(rules_.weights.empty()
                        ? rules_.children
                        : std::accumulate(rules_.weights.begin(), rules_.weights.end(), int64_t{0})) {
  if (rules_.children == 0) verdict_ = Verdict::kComplete;
}

Gathering::Gathering(GatheringRules rules, const Counts& counts) : Gathering(std::move(rules)) {
  counts_ = counts;
}

std::optional<int64_t> Gathering::begin_next() {
  if (verdict_ != Verdict::kOpen || counts_.begun == rules_.children) return std::nullopt;
  if (rules_.max_concurrency > 0 && counts_.begun - counts_.ended >= rules_.max_concurrency) return std::nullopt;
  return counts_.begun++;
}

Gathering::Verdict Gathering::end(int64_t child, bool succeeded) {
  if (verdict_ != Verdict::kOpen) return verdict_;
  ++counts_.ended;
  if (!succeeded) {
    if (!rules_.tolerated_failures && !rules_.tolerated_percentage) return verdict_ = Verdict::kFailed;
    counts_.failed_weight += rules_.weights.empty() ? 1 : rules_.weights.at(child);
    if (too_many_failures()) return verdict_ = Verdict::kThresholdExceeded;
  }
  if (counts_.ended == rules_.children) verdict_ = Verdict::kComplete;
  return verdict_;
}

bool Gathering::too_many_failures() const {
  if (rules_.tolerated_failures && counts_.failed_weight > *rules_.tolerated_failures) return true;
  if (!rules_.tolerated_percentage) return false;
  return static_cast<double>(counts_.failed_weight) * 100 >
         *rules_.tolerated_percentage * static_cast<double>(total_weight_);
}

Failure threshold_exceeded() {
  return {errors::kExceedToleratedFailureThreshold, "The specified tolerated failure threshold was exceeded"};
}

Json tolerated_output(const Failure& failure) {
  Json output = {{"Status", "FAILED"}};
  if (failure.error) output["Error"] = *failure.error;
  if (failure.cause) output["Cause"] = *failure.cause;
  return output;
}

}  // namespace etl::states
