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

  // The execution whose turn it is. Only where there is one.
  const RunKey& next() const {
    const auto after = lines_.upper_bound(served_last_);
    return (after == lines_.end() ? lines_.begin() : after)->second.run;
  }

  // Takes out all that there is of an execution.
  std::vector<branch_store::BranchKey> drop(RunId run_id) {
    std::vector<branch_store::BranchKey> dropped;
    const auto line = lines_.find(run_id);
    if (line == lines_.end()) return dropped;
    for (const int branch : line->second.branches) dropped.push_back({line->second.run, branch});
    lines_.erase(line);
    return dropped;
  }

  // The branches of the execution whose turn it is that have waited longest: not more than each of so many workers
  // would get if all took part. Only where there are any.
  std::vector<branch_store::BranchKey> take(int workers) {
    const auto turn = lines_.find(next().id);
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
