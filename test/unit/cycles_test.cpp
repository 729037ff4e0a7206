#include "plan/cycles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

namespace etl::plan {
namespace {

Graph make_graph(const std::vector<std::vector<int>>& edges) {
  Graph graph;
  for (const auto& targets : edges) {
    graph.add_node();
    for (const int to : targets) graph.add_edge(to);
  }
  return graph;
}

using Cycles = std::vector<std::vector<int>>;

Cycles cycles_of(const std::vector<std::vector<int>>& edges) {
  return find_cycles(make_graph(edges), std::less<>());
}

TEST(Cycles, AreNoneInADiamond) {
  EXPECT_EQ(cycles_of({{1, 2}, {3}, {3}, {}}), Cycles{});
}

TEST(Cycles, DoNotIncludeANodeThatPointsToItself) {
  EXPECT_EQ(cycles_of({{0}, {0, 1}}), Cycles{});
}

TEST(Cycles, DoNotIncludeANodeThatPointsToItselfInsideAComponent) {
  EXPECT_EQ(cycles_of({{0, 1}, {0}}), (Cycles{{0, 1}}));
}

TEST(Cycles, BeginWithTheFirstNodeByTheGivenOrder) {
  const Graph graph = make_graph({{1}, {2}, {0}});
  EXPECT_EQ(find_cycles(graph, std::less<>()), (Cycles{{0, 1, 2}}));
  EXPECT_EQ(find_cycles(graph, std::greater<>()), (Cycles{{2, 0, 1}}));
}

TEST(Cycles, TakeTheShortestWayThroughAComponent) {
  EXPECT_EQ(cycles_of({{1}, {2, 3}, {3}, {4, 0}, {0}}), (Cycles{{0, 1, 3}}));
}

TEST(Cycles, AreOneForEachComponentSortedByTheirFirstNode) {
  EXPECT_EQ(cycles_of({{3, 1}, {2}, {1}, {0}}), (Cycles{{0, 3}, {1, 2}}));
}

TEST(Cycles, AreFoundBehindALongWayWithoutUsingTheStack) {
  const int length = 200'000;
  std::vector<std::vector<int>> edges(length);
  for (int i = 0; i + 1 < length; ++i) edges[i] = {i + 1};
  edges[length - 1] = {length - 2};
  EXPECT_EQ(cycles_of(edges), (Cycles{{length - 2, length - 1}}));
}

// Whether `to` can be reached from each node, by the plainest method.
std::vector<std::vector<char>> reachability(const std::vector<std::vector<int>>& edges) {
  const std::size_t size = edges.size();
  std::vector<std::vector<char>> reach(size, std::vector<char>(size, false));
  for (std::size_t from = 0; from < size; ++from) {
    for (const int to : edges[from]) reach[from][to] = true;
  }
  for (std::size_t via = 0; via < size; ++via) {
    for (std::size_t from = 0; from < size; ++from) {
      for (std::size_t to = 0; to < size; ++to) reach[from][to] |= reach[from][via] && reach[via][to];
    }
  }
  return reach;
}

TEST(Cycles, AgreeWithReachabilityOnRandomGraphs) {
  std::mt19937 random(20240607);
  for (int round = 0; round < 3000; ++round) {
    const int size = std::uniform_int_distribution(1, 12)(random);
    std::vector<std::vector<int>> edges(size);
    std::uniform_int_distribution node(0, size - 1);
    for (int i = std::uniform_int_distribution(0, 2 * size)(random); i > 0; --i) {
      edges[node(random)].push_back(node(random));
    }
    SCOPED_TRACE("round " + std::to_string(round));
    const auto reach = reachability(edges);
    // The first node of each component of several nodes, in order.
    std::vector<int> expected;
    for (int a = 0; a < size; ++a) {
      bool has_other = false, is_first = true;
      for (int b = 0; b < size; ++b) {
        if (b == a || !reach[a][b] || !reach[b][a]) continue;
        has_other = true;
        is_first = is_first && a < b;
      }
      if (has_other && is_first) expected.push_back(a);
    }
    std::vector<int> found;
    for (const auto& cycle : cycles_of(edges)) {
      found.push_back(cycle.front());
      EXPECT_EQ(std::set(cycle.begin(), cycle.end()).size(), cycle.size());
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        const auto& targets = edges[cycle[i]];
        EXPECT_TRUE(std::count(targets.begin(), targets.end(), cycle[(i + 1) % cycle.size()]));
      }
    }
    ASSERT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace etl::plan
