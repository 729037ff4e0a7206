// Cycles of a graph, for the message that tells which jobs wait for each other.
#pragma once

#include <functional>
#include <vector>

#include "plan/graph.h"

namespace etl::plan {

// One cycle for each strongly connected component of more than one node: the shortest that goes through the
// component's first node. The cycle begins there and follows the edges; its last node has an edge back to the
// first, which is not repeated. `before` is a strict order of the nodes; cycles are sorted by their first
// node. An edge from a node to itself is no cycle here.
//
// Runs in O(nodes + edges) and keeps its own stack: a chain of any length cannot overflow the thread's.
std::vector<std::vector<int>> find_cycles(const Graph& graph, const std::function<bool(int, int)>& before);

}  // namespace etl::plan
