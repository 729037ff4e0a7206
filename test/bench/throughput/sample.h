// Numbers of several rounds, and what to say about them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace bench {

class Sample {
 public:
  void add(double value) { values_.insert(std::upper_bound(values_.begin(), values_.end(), value), value); }

  bool empty() const { return values_.empty(); }
  double lowest() const { return values_.front(); }
  double highest() const { return values_.back(); }
  double median() const { return (values_[(values_.size() - 1) / 2] + values_[values_.size() / 2]) / 2; }
  double percentile(double part) const {
    return values_[static_cast<size_t>(std::lround(part * static_cast<double>(values_.size() - 1)))];
  }

 private:
  std::vector<double> values_;  // in order
};

// Jobs, and pgbench's answer to them in the same round. The ratio is taken round by round: what slows the disk down
// for some seconds then slows both down.
struct Comparison {
  Sample jobs;     // per second
  Sample commits;  // per second
  Sample ratio;

  void add(double jobs_per_second, double commits_per_second) {
    jobs.add(jobs_per_second);
    commits.add(commits_per_second);
    ratio.add(jobs_per_second / commits_per_second);
  }
};

}  // namespace bench
