#include "states/fence.h"

#include "states/execution.h"

#include <deque>
#include <set>
#include <stdexcept>

namespace etl::states {
namespace {

using NodeId = int64_t;
constexpr NodeId kMachine = 0;

// Of a child of a distributed Map: counted, for it may not be endless, and forgotten.
class ForgottenHistory : public History {
 public:
  EventId add(HistoryEvent) override { return ++count_; }

 private:
  EventId count_ = 0;
};

// An open branch.
struct Node {
  Branch branch;
  NodeId parent = kMachine;
  int64_t index = 0;  // among its siblings
  std::shared_ptr<History> history;
  std::optional<Time> due;

  // While it is forked.
  std::optional<Gathering> gathering;
  std::vector<Json> outputs;
  std::set<NodeId> children;
};

class Run {
 public:
  Run(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata, Entropy& entropy,
      History& history, World& world)
      : world_(world),
        history_(std::shared_ptr<void>(), &history),
        interpreter_(
            definition, info, jsonata, entropy, [&world] { return world.now(); },
            [&world] { return world.new_token(); }) {
    if (definition.timeout_seconds) {
      const double seconds = std::get<double>(definition.timeout_seconds->source);
      deadline_ = info.started + std::chrono::seconds(static_cast<int64_t>(seconds));
    }
  }

  ExecutionResult run() {
    nodes_[kMachine].branch = interpreter_.start();
    nodes_[kMachine].history = history_;
    ready_.emplace_back(kMachine, Begin{});
    while (!result_) {
      if (deadline_ && world_.now() >= *deadline_) {
        time_out();
      } else if (ready_.empty()) {
        sleep();
      } else {
        auto [id, event] = std::move(ready_.front());
        ready_.pop_front();
        if (nodes_.contains(id)) step(id, std::move(event));
      }
    }
    return std::move(*result_);
  }

 private:
  void time_out() {
    const Node& machine = nodes_.at(kMachine);
    history_->add({0, machine.branch.last_event, "ExecutionTimedOut", "", Json::object()});
    result_ = ExecutionResult{ExecutionStatus::kTimedOut, {}, {errors::kTimeout, std::nullopt}};
  }

  void sleep() {
    if (waiting_.empty()) throw std::logic_error("an execution in which nothing can happen");
    const auto [due, id] = *waiting_.begin();
    if (deadline_ && due > *deadline_) {
      world_.sleep_until(*deadline_);
      return;
    }
    world_.sleep_until(due);
    waiting_.erase(waiting_.begin());
    nodes_.at(id).due.reset();
    ready_.emplace_back(id, TimeReached{});
  }

  void step(NodeId id, Event event) {
    Node& node = nodes_.at(id);
    Next next = interpreter_.advance(&node.branch, std::move(event), *node.history);
    world_.stepped(&node.branch);
    if (const auto* task = std::get_if<RunTask>(&next)) {
      const auto note = [&](TaskProgress progress, Json details) {
        interpreter_.note(&node.branch, progress, std::move(details), *node.history);
      };
      ready_.emplace_front(id, world_.run_task(*task, node.branch, note));
    } else if (const auto* wait = std::get_if<Wait>(&next)) {
      node.due = wait->until;
      waiting_.emplace(wait->until, id);
    } else if (std::holds_alternative<Pause>(next)) {
      ready_.emplace_front(id, Resumed{});
    } else if (std::holds_alternative<Fork>(next)) {
      node.gathering.emplace(*node.branch.gathering);
      node.outputs.assign(node.branch.gathering->children, Json());
      begin_children(id);
    } else {
      ended(id, std::move(next));
    }
  }

  void begin_children(NodeId id) {
    Node& node = nodes_.at(id);
    while (true) {
      std::vector<int64_t> indexes;
      while (const auto index = node.gathering->begin_next()) indexes.push_back(*index);
      if (indexes.empty()) return;
      auto children = interpreter_.children(node.branch, indexes);
      for (size_t i = 0; i < indexes.size(); ++i) {
        if (auto* child = std::get_if<Branch>(&children[i])) {
          begin_child(id, indexes[i], std::move(*child));
        } else {
          gather(id, indexes[i], Broken{std::get<Failure>(children[i])}, 0);
        }
      }
    }
  }

  void begin_child(NodeId parent, int64_t index, Branch branch) {
    if (nodes_.at(parent).gathering->verdict() != Gathering::Verdict::kOpen) return;
    const NodeId id = ++last_id_;
    Node& child = nodes_[id];
    child.parent = parent;
    child.index = index;
    child.history = branch.is_execution ? std::make_shared<ForgottenHistory>() : nodes_.at(parent).history;
    child.branch = std::move(branch);
    nodes_.at(parent).children.insert(id);
    ready_.emplace_back(id, Begin{});
  }

  void ended(NodeId id, Next end) {
    const Node node = std::move(nodes_.at(id));
    nodes_.erase(id);
    if (id == kMachine) {
      finish(std::move(end));
      return;
    }
    nodes_.at(node.parent).children.erase(id);
    gather(node.parent, node.index, std::move(end), node.branch.is_execution ? 0 : node.branch.last_event);
    if (nodes_.at(node.parent).gathering->verdict() == Gathering::Verdict::kOpen) begin_children(node.parent);
  }

  // Takes in the end of a child.
  void gather(NodeId id, int64_t index, Next end, EventId last_event) {
    Node& node = nodes_.at(id);
    if (node.gathering->verdict() != Gathering::Verdict::kOpen) return;
    Failure failure;
    auto* output = std::get_if<Ended>(&end);
    if (!output) failure = std::get<Broken>(end).failure;
    node.outputs.at(index) = output ? std::move(output->output) : tolerated_output(failure);
    switch (node.gathering->end(index, output != nullptr)) {
      case Gathering::Verdict::kOpen:
        return;
      case Gathering::Verdict::kComplete:
        ready_.emplace_front(id, ChildrenEnded{std::move(node.outputs), last_event});
        return;
      case Gathering::Verdict::kThresholdExceeded:
        failure = threshold_exceeded();
        break;
      case Gathering::Verdict::kFailed:
        break;
    }
    stop_children(node);
    ready_.emplace_front(id, ChildrenFailed{std::move(failure), last_event});
  }

  void stop_children(Node& parent) {
    std::vector<NodeId> open(parent.children.begin(), parent.children.end());
    parent.children.clear();
    while (!open.empty()) {
      const auto found = nodes_.find(open.back());
      open.pop_back();
      const Node& node = found->second;
      if (node.due) waiting_.erase({*node.due, found->first});
      open.insert(open.end(), node.children.begin(), node.children.end());
      nodes_.erase(found);
    }
  }

  void finish(Next end) {
    if (auto* output = std::get_if<Ended>(&end)) {
      result_ = ExecutionResult{ExecutionStatus::kSucceeded, std::move(output->output), {}};
    } else {
      result_ = ExecutionResult{ExecutionStatus::kFailed, {}, std::move(std::get<Broken>(end).failure)};
    }
  }

  World& world_;
  std::shared_ptr<History> history_;  // the caller's
  Interpreter interpreter_;
  std::optional<Time> deadline_;
  std::map<NodeId, Node> nodes_;
  NodeId last_id_ = kMachine;
  std::deque<std::pair<NodeId, Event>> ready_;
  std::set<std::pair<Time, NodeId>> waiting_;
  std::optional<ExecutionResult> result_;
};

}  // namespace

ExecutionResult run_in_memory(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata,
                              Entropy& entropy, History& history, World& world) {
  return Run(definition, info, jsonata, entropy, history, world).run();
}

}  // namespace etl::states
