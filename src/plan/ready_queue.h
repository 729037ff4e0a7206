// The steps that may start now, by lane, and which lane has the most urgent one.
//
// A step is known here by its rank alone: the lower, the more urgent. Ranks are unique.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace etl::plan {

class ReadyQueue {
 public:
  void insert(int lane, int rank);
  void erase(int lane, int rank);
  void clear();

  // The lowest rank of a lane, or none.
  std::optional<int> first(int lane) const;

  int size(int lane) const;

  // The lowest rank of each lane that has one, and that lane.
  const std::map<int, int>& heads() const { return heads_; }

 private:
  std::unordered_map<int, std::set<int>> lanes_;
  std::map<int, int> heads_;  // rank -> lane
};

}  // namespace etl::plan
