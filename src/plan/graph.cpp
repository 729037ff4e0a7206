#include "plan/fence.h"

#include "plan/graph.h"

#include <cassert>

namespace etl::plan {

Graph::Graph(int nodes, int edges) {
  first_.reserve(nodes);
  to_.reserve(edges);
}

void Graph::add_node() {
  first_.push_back(edge_count());
}

void Graph::add_edge(int to) {
  assert(!first_.empty() && to >= -1);
  to_.push_back(to);
}

std::span<const int> Graph::operator[](int node) const {
  assert(node >= 0 && node < size());
  const int begin = first_[node];
  const int end = node + 1 < size() ? first_[node + 1] : edge_count();
  return {to_.data() + begin, to_.data() + end};
}

Graph reversed(const Graph& graph) {
  // Counting sort by target. `next` is where the following edge of each node goes.
  std::vector<int> degree(graph.size(), 0);
  int edges = 0;
  for (int node = 0; node < graph.size(); ++node) {
    for (const int to : graph[node]) {
      if (to < 0) continue;
      ++degree[to];
      ++edges;
    }
  }
  std::vector<int> next(graph.size());
  for (int node = 0, begin = 0; node < graph.size(); begin += degree[node++]) next[node] = begin;
  std::vector<int> sources(edges);
  for (int node = 0; node < graph.size(); ++node) {
    for (const int to : graph[node]) {
      if (to >= 0) sources[next[to]++] = node;
    }
  }
  Graph result(graph.size(), edges);
  for (int node = 0, edge = 0; node < graph.size(); ++node) {
    result.add_node();
    for (int i = 0; i < degree[node]; ++i) result.add_edge(sources[edge++]);
  }
  return result;
}

}  // namespace etl::plan
