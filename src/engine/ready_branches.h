// Branches of one role's executions that can be advanced. Executions take turns, so that none waits for a large one.
#pragma once

#include "engine/branch_store.h"

namespace etl {

class ReadyBranches {
 public:
  bool empty() const { return lines_.empty(); }

  void add(const branch_store::BranchKey& key) {
    Line& line = lines_[key.run.id];
    line.run = key.run;
    line.branches.push_back(key.branch);
  }

  // The branches of the execution whose turn it is that have waited longest: not more than each of so many workers
  // would get if all took part. Only where there are any.
  std::vector<branch_store::BranchKey> take(int workers) {
    auto turn = lines_.upper_bound(served_last_);
    if (turn == lines_.end()) turn = lines_.begin();
    served_last_ = turn->first;
    Line& line = turn->second;
    const auto share = (line.branches.size() - 1) / static_cast<size_t>(workers) + 1;
    std::vector<branch_store::BranchKey> taken;
    for (size_t left = std::min<size_t>(share, kMostTogether); left > 0; --left) {
      taken.push_back({line.run, line.branches.front()});
      line.branches.pop_front();
    }
    if (line.branches.empty()) lines_.erase(turn);
    return taken;
  }

 private:
  struct Line {
    RunKey run{};
    std::deque<int> branches;  // never empty
  };

  std::map<RunId, Line> lines_;
  RunId served_last_ = 0;
};

}  // namespace etl
