#include "states/fence.h"

#include "states/children.h"

#include <numeric>
#include <stdexcept>

#include "states/advance.h"
#include "states/map_items.h"

namespace etl::states {
namespace {

class ChildMaker {
 public:
  ChildMaker(Tools& tools, const State& state, const Branch& parent)
      : tools_(tools), state_(state), parent_(parent), values_(tools, state, parent) {
    // A child of a distributed Map sees no variables around it.
    if (!is_distributed()) outer_ = visible_variables(parent);
    if (!state.map) return;
    if (!values_.is_jsonata()) input_ = values_.effective_input();
    const auto& weights = parent.gathering->weights;
    first_items_.resize(weights.size());
    std::exclusive_scan(weights.begin(), weights.end(), first_items_.begin(), int64_t{0});
  }

  Branch make(int64_t index) {
    if (!state_.map) return make_branch(index);
    Branch child = in_flow(*state_.map->processor);
    child.is_execution = is_distributed();
    child.iteration_of = state_.name;
    if (first_items_.empty()) {
      child.item = MapItem{index, parent_.forked.at(index)};
      child.input = selected_item(state_, input_, *child.item, values_, tools_);
    } else {
      child.item.reset();
      child.input = batch(index);
    }
    check_size(child.input, state_.name);
    return child;
  }

 private:
  bool is_distributed() const { return state_.map && state_.map->distributed; }

  Branch make_branch(int64_t index) const {
    Branch child = in_flow(*state_.branches.at(index));
    child.input = parent_.forked;
    return child;
  }

  Branch in_flow(const Flow& flow) const {
    Branch child;
    child.flow = flow.pointer;
    child.state = flow.start_at;
    child.outer = outer_;
    child.item = parent_.item;
    if (!is_distributed()) child.last_event = parent_.last_event;
    return child;
  }

  Json batch(int64_t index) {
    Json items = Json::array();
    const int64_t first = first_items_.at(index);
    for (int64_t item = first; item < first + parent_.gathering->weights[index]; ++item) {
      items.push_back(selected_item(state_, input_, {item, parent_.forked.at(item)}, values_, tools_));
    }
    tools_.show_item(parent_.item);
    return batch_input(state_, input_, std::move(items), values_);
  }

  Tools& tools_;
  const State& state_;
  const Branch& parent_;
  Evaluation values_;
  std::shared_ptr<const Json> outer_;
  Json input_;
  std::vector<int64_t> first_items_;  // of each batch
};

}  // namespace

std::vector<Interpreter::Child> make_children(Tools& tools, const Branch& parent, const std::vector<int64_t>& indexes) {
  const Flow* flow = tools.definition.find_flow(parent.flow);
  if (!flow || !parent.gathering) throw std::logic_error("a branch that has no children");
  const State& state = flow->states.at(parent.state);
  tools.show(parent);
  std::vector<Interpreter::Child> children;
  children.reserve(indexes.size());
  try {
    ChildMaker maker(tools, state, parent);
    for (const int64_t index : indexes) {
      try {
        children.emplace_back(maker.make(index));
      } catch (const StateError& error) {
        children.emplace_back(in_state(parent, error));
      }
    }
  } catch (const StateError& error) {  // of what all have in common
    children.assign(indexes.size(), in_state(parent, error));
  }
  return children;
}

}  // namespace etl::states
