#include "plan/fence.h"

#include "plan/cycles.h"

#include <algorithm>
#include <cassert>

namespace etl::plan {
namespace {

constexpr int kNone = -1;

// Tarjan's algorithm with the call stack kept by hand.
class Components {
 public:
  explicit Components(const Graph& graph)
      : graph_(graph), index_(graph.size(), kNone), low_(graph.size()), component_(graph.size(), kNone) {
    for (int node = 0; node < graph.size(); ++node) {
      if (index_[node] == kNone) visit_from(node);
    }
  }

  const std::vector<std::vector<int>>& members() const { return members_; }
  bool in_same(int a, int b) const { return component_[a] == component_[b]; }

 private:
  struct Frame {
    int node;
    std::size_t edge;  // the next edge of `node` to follow
  };

  void enter(int node) {
    index_[node] = low_[node] = visited_++;
    open_.push_back(node);
    frames_.push_back({node, 0});
  }

  void visit_from(int root) {
    enter(root);
    while (!frames_.empty()) {
      const int node = frames_.back().node;
      const auto edges = graph_[node];
      if (frames_.back().edge < edges.size()) {
        const int to = edges[frames_.back().edge++];
        if (index_[to] == kNone) {
          enter(to);
        } else if (component_[to] == kNone) {  // still open: an edge back into the present path
          low_[node] = std::min(low_[node], index_[to]);
        }
        continue;
      }
      frames_.pop_back();
      if (!frames_.empty()) low_[frames_.back().node] = std::min(low_[frames_.back().node], low_[node]);
      if (low_[node] == index_[node]) close(node);
    }
  }

  // `root` is the first visited node of a component, whose nodes lie above it on the stack of open ones.
  void close(int root) {
    const auto begin = std::find(open_.rbegin(), open_.rend(), root).base() - 1;
    for (auto node = begin; node != open_.end(); ++node) component_[*node] = root;
    if (open_.end() - begin > 1) members_.emplace_back(begin, open_.end());
    open_.erase(begin, open_.end());
  }

  const Graph& graph_;
  int visited_ = 0;
  std::vector<int> index_;      // order of the first visit
  std::vector<int> low_;        // lowest index that is known to be reachable and open
  std::vector<int> component_;  // first visited node of the component, once that is closed
  std::vector<int> open_;
  std::vector<Frame> frames_;
  std::vector<std::vector<int>> members_;
};

}  // namespace

std::vector<std::vector<int>> find_cycles(const Graph& graph, const std::function<bool(int, int)>& before) {
  const Components components(graph);
  // Breadth first inside each component. A node belongs to one component, so one array serves all of them.
  std::vector<int> came_from(graph.size(), kNone);
  std::vector<std::vector<int>> cycles;
  for (const auto& members : components.members()) {
    const int start = *std::min_element(members.begin(), members.end(), before);
    std::vector<int> queue{start};
    int last = kNone;
    for (std::size_t i = 0; last == kNone; ++i) {
      assert(i < queue.size());  // strongly connected: a way back exists
      for (const int to : graph[queue[i]]) {
        if (to == start && queue[i] != start) {
          last = queue[i];
          break;
        }
        if (to == start || came_from[to] != kNone || !components.in_same(to, start)) continue;
        came_from[to] = queue[i];
        queue.push_back(to);
      }
    }
    std::vector<int> cycle;
    for (int node = last; node != start; node = came_from[node]) cycle.push_back(node);
    cycle.push_back(start);
    std::reverse(cycle.begin(), cycle.end());
    cycles.push_back(std::move(cycle));
  }
  std::sort(cycles.begin(), cycles.end(), [&](const auto& a, const auto& b) { return before(a.front(), b.front()); });
  return cycles;
}

}  // namespace etl::plan
