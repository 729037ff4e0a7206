#include "states/fence.h"

#include "states/advance.h"
#include "states/map_items.h"

namespace etl::states {
namespace {

constexpr double kMostItems = 1e9;  // more than any input can have

}  // namespace

// The service reads MaxConcurrency before the state is started, and what it tolerates after that.
Advance::Step Advance::map_items() {
  const MapFields& map = *state_->map;
  if (map.item_reader) throw StateError(errors::kItemReaderFailed, "ItemReader is not supported here.");
  Evaluation values = evaluation();
  const Json input = values.is_jsonata() ? Json() : values.effective_input();
  GatheringRules rules;
  rules.max_concurrency = Interpreter::kMostConcurrency;
  if (map.max_concurrency) {
    const int64_t most = values.whole_number(*map.max_concurrency, input, {0, kMostItems}, true);
    if (most > 0) rules.max_concurrency = std::min(most, rules.max_concurrency);
  }
  Json items = items_of(*state_, branch_, input, values);
  record(event_of_state("Started"), {{"length", items.size()}});
  if (map.tolerated_failure_count) {
    rules.tolerated_failures = values.whole_number(*map.tolerated_failure_count, input, {0, kMostItems}, true);
  }
  if (map.tolerated_failure_percentage) {
    rules.tolerated_percentage = values.number(*map.tolerated_failure_percentage, input, {0, 100});
  }
  if (!map.distributed) {  // only a distributed Map tolerates failures
    rules.tolerated_failures.reset();
    rules.tolerated_percentage.reset();
  } else if (!rules.tolerated_failures && !rules.tolerated_percentage) {
    rules.tolerated_failures = 0;
  }
  rules.children = static_cast<int64_t>(items.size());
  if (map.item_batcher) {
    rules.weights = batch_sizes(*state_, input, items, values, tools_);
    rules.children = static_cast<int64_t>(rules.weights.size());
  }
  if (map.distributed) record("MapRunStarted");
  return fork(std::move(rules), std::move(items));
}

}  // namespace etl::states
