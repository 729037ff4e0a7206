// Parallel, and what it has in common with Map: the beginning and the end of children.
#include "states/fence.h"

#include "states/advance.h"

namespace etl::states {
namespace {

bool is_flattened(const MapFields& map) {
  if (!map.result_writer || !map.result_writer->contains("WriterConfig")) return false;
  return map.result_writer->at("WriterConfig").value("Transformation", "") == "FLATTEN";
}

// Arrays among the values are replaced by what they hold.
Json flattened(const std::vector<Json>& values) {
  Json all = Json::array();
  for (const Json& value : values) {
    if (value.is_array()) {
      all.insert(all.end(), value.begin(), value.end());
    } else {
      all.push_back(value);
    }
  }
  return all;
}

}  // namespace

Advance::Step Advance::fork_branches() {
  Evaluation values = evaluation();
  Json input = values.is_jsonata() ? branch_.input : values.effective_input();
  if (values.is_jsonata() && is_given(state_->arguments)) input = values.query(state_->arguments, "Arguments");
  if (!values.is_jsonata() && state_->parameters) input = values.fill(*state_->parameters, input);
  check_size(input, state_->name);
  record(event_of_state("Started"));
  GatheringRules rules;
  rules.children = static_cast<int64_t>(state_->branches.size());
  rules.max_concurrency = Interpreter::kMostConcurrency;
  return fork(std::move(rules), std::move(input));
}

Advance::Step Advance::fork(GatheringRules rules, Json forked) {
  const bool has_none = rules.children == 0;
  ++branch_.attempt;
  branch_.phase = Branch::Phase::kForked;
  branch_.gathering = std::move(rules);
  branch_.forked = std::move(forked);
  if (has_none) return children_ended({});
  return Fork{};
}

Advance::Step Advance::children_ended(ChildrenEnded ended) {
  if (ended.last_event > 0) branch_.last_event = ended.last_event;
  if (is_distributed_map()) record("MapRunSucceeded");
  record(event_of_state("Succeeded"));
  has_result_ = true;
  return guarded([&] {
    Json result = state_->map && is_flattened(*state_->map) ? flattened(ended.outputs) : Json(std::move(ended.outputs));
    check_size(result, state_->name);
    return leave(with_result(std::move(result)));
  });
}

Advance::Step Advance::children_failed(ChildrenFailed failed) {
  if (failed.last_event > 0) branch_.last_event = failed.last_event;
  if (is_distributed_map()) record("MapRunFailed");
  return fail({std::move(failed.failure)});
}

void Advance::forget_children() {
  branch_.gathering.reset();
  branch_.forked = Json();
}

bool Advance::is_distributed_map() const {
  return state_->map && state_->map->distributed;
}

}  // namespace etl::states
