// A directed graph that is written once, node by node, and then read: two flat arrays, so that 100,000 nodes
// cost two allocations and no pointer is followed from one edge to the next.
#pragma once

#include <span>
#include <vector>

namespace etl::plan {

class Graph {
 public:
  Graph() = default;
  Graph(int nodes, int edges);  // room for that many; the graph is still empty

  // Appends node number size(); the edges that are added next leave from it.
  void add_node();

  // A target of -1 leads nowhere; it keeps the edges of a node in step with the list that they were read
  // from.
  void add_edge(int to);

  int size() const { return static_cast<int>(first_.size()); }
  int edge_count() const { return static_cast<int>(to_.size()); }
  std::span<const int> operator[](int node) const;

 private:
  std::vector<int> first_;  // by node: where its edges begin in to_
  std::vector<int> to_;
};

// The same nodes with every edge turned round, except those that lead nowhere. Edges of a node are in
// ascending order. All targets must be nodes of `graph`.
Graph reversed(const Graph& graph);

}  // namespace etl::plan
