#include <algorithm>
#include <unordered_map>

#include "states/validation.h"

namespace etl::states::validation {
namespace {

struct Node {
  std::string_view name;
  const Json* state = nullptr;
  std::vector<size_t> targets;
  bool is_end = false;
  bool is_reachable = false;
  bool can_end = false;
};

// The transitions of one flow.
class Graph {
 public:
  Graph(Context& context, const FlowSource& flow);

  void check();

 private:
  void add_targets(Node* node);
  void add_target(Node* node, const Json& name, const Place& place);
  std::optional<size_t> find(const Json& name, const Place& place);
  void check_transition(const Node& node, const Place& place);
  void reach_from(size_t start);
  void find_ways_to_end();
  void check_ends();

  Context& context_;
  const FlowSource& flow_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, size_t> by_name_;
  bool is_broken_ = false;  // some transition leads nowhere
};

Graph::Graph(Context& context, const FlowSource& flow) : context_(context), flow_(flow) {
  for (const auto& [name, state] : (*flow.source)["States"].items()) {
    by_name_.emplace(name, nodes_.size());
    Node& node = nodes_.emplace_back();
    node.name = name;
    node.state = &state;
  }
}

std::optional<size_t> Graph::find(const Json& name, const Place& place) {
  if (!name.is_string()) {  // which was found already
    is_broken_ = true;
    return std::nullopt;
  }
  const auto& text = name.get_ref<const std::string&>();
  const auto found = by_name_.find(text);
  if (found != by_name_.end()) return found->second;
  is_broken_ = true;
  const bool is_elsewhere = context_.owners.contains(text);
  context_.error(place, "MISSING_TRANSITION_TARGET",
                 is_elsewhere ? "the state " + in_quotes(text) + " is not in the same branch"
                              : "there is no state " + in_quotes(text));
  return std::nullopt;
}

void Graph::add_target(Node* node, const Json& name, const Place& place) {
  if (const auto target = find(name, place)) node->targets.push_back(*target);
}

// Transitions of rules and catchers that lack their Next were found with their other fields.
void Graph::add_targets(Node* node) {
  const Json& state = *node->state;
  const Place place = flow_.states / node->name;
  for (const char* field : {"Next", "Default"}) {
    if (state.contains(field)) add_target(node, state[field], place / field);
  }
  for (const char* field : {"Choices", "Catch"}) {
    if (!state.contains(field) || !state[field].is_array()) continue;
    const Place list = place / field;
    for (size_t i = 0; i < state[field].size(); ++i) {
      const Json& entry = state[field][i];
      const Place here = list / i;
      if (!entry.is_object() || !entry.contains("Next")) {
        is_broken_ = true;
      } else {
        add_target(node, entry["Next"], here / "Next");
      }
    }
  }
}

// Task, Pass, Wait, Parallel and Map have Next or End; the others have neither, which their fields say.
void Graph::check_transition(const Node& node, const Place& place) {
  const auto type = find_state_type(text_of(*node.state, "Type"));
  if (!type) {
    is_broken_ = true;
    return;
  }
  if (*type == StateType::kChoice || *type == StateType::kSucceed || *type == StateType::kFail) return;
  const bool has_next = node.state->contains("Next");
  if (has_next && node.is_end) {
    context_.error(place, "CONFLICTING_FIELDS", "only one of the fields \"Next\" and \"End\" can be given");
  } else if (!has_next && !node.is_end) {
    is_broken_ = true;
    context_.error(place, "MISSING_TRANSITION", "a state must have the field \"Next\", or \"End\": true");
  }
}

void Graph::reach_from(size_t start) {
  std::vector<size_t> open = {start};
  nodes_[start].is_reachable = true;
  while (!open.empty()) {
    const size_t next = open.back();
    open.pop_back();
    for (const size_t target : nodes_[next].targets) {
      if (nodes_[target].is_reachable) continue;
      nodes_[target].is_reachable = true;
      open.push_back(target);
    }
  }
}

void Graph::find_ways_to_end() {
  std::vector<std::vector<size_t>> sources(nodes_.size());
  std::vector<size_t> open;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (const size_t target : nodes_[i].targets) sources[target].push_back(i);
    if (!nodes_[i].is_end) continue;
    nodes_[i].can_end = true;
    open.push_back(i);
  }
  while (!open.empty()) {
    const size_t next = open.back();
    open.pop_back();
    for (const size_t source : sources[next]) {
      if (nodes_[source].can_end) continue;
      nodes_[source].can_end = true;
      open.push_back(source);
    }
  }
}

void Graph::check_ends() {
  const auto ends = [](const Node& node) { return node.is_reachable && node.is_end; };
  if (std::none_of(nodes_.begin(), nodes_.end(), ends)) {
    context_.error(flow_.place, "MISSING_END_STATE",
                   "no state that ends the flow can be reached: none has \"End\": true, or is a Succeed or Fail state");
    return;
  }
  find_ways_to_end();
  // A loop that waits, or does work that may fail, may be meant. One of Pass and Choice only turns.
  std::vector<const Node*> loop;
  for (const Node& node : nodes_) {
    if (!node.is_reachable || node.can_end) continue;
    const auto type = find_state_type(text_of(*node.state, "Type"));
    if (type != StateType::kPass && type != StateType::kChoice) return;
    loop.push_back(&node);
  }
  if (loop.empty()) return;
  context_.warn(
      flow_.states / loop.front()->name, "ENDLESS_LOOP",
      "from the state " + in_quotes(loop.front()->name) + " no end can be reached, and nothing is done or waited for");
}

void Graph::check() {
  for (Node& node : nodes_) {
    if (!node.state->is_object()) {
      is_broken_ = true;
      continue;
    }
    const std::string_view type = text_of(*node.state, "Type");
    const auto end = node.state->find("End");
    node.is_end = type == "Succeed" || type == "Fail" || (end != node.state->end() && *end == true);
    check_transition(node, flow_.states / node.name);
    add_targets(&node);
  }
  if (!flow_.source->contains("StartAt")) return;
  const auto start = find((*flow_.source)["StartAt"], flow_.place / "StartAt");
  if (!start) return;
  reach_from(*start);
  for (const Node& node : nodes_) {
    if (node.is_reachable) continue;
    context_.error(flow_.states / node.name, "UNREACHABLE_STATE",
                   "no transition leads to the state " + in_quotes(node.name));
  }
  if (!is_broken_) check_ends();
}

}  // namespace

void check_transitions(Context& context, const FlowSource& flow) {
  Graph(context, flow).check();
}

}  // namespace etl::states::validation
