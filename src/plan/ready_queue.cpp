#include "plan/fence.h"

#include "plan/ready_queue.h"

#include <cassert>
#include <iterator>

namespace etl::plan {

void ReadyQueue::insert(int lane, int rank) {
  std::set<int>& ranks = lanes_[lane];
  const auto [place, is_new] = ranks.insert(rank);
  assert(is_new);
  if (place != ranks.begin()) return;
  if (ranks.size() > 1) heads_.erase(*std::next(place));
  heads_.emplace(rank, lane);
}

void ReadyQueue::erase(int lane, int rank) {
  std::set<int>& ranks = lanes_[lane];
  [[maybe_unused]] const auto erased = ranks.erase(rank);
  assert(erased == 1);
  if (heads_.erase(rank) == 1 && !ranks.empty()) heads_.emplace(*ranks.begin(), lane);
}

void ReadyQueue::clear() {
  lanes_.clear();
  heads_.clear();
}

std::optional<int> ReadyQueue::first(int lane) const {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end() || found->second.empty()) return std::nullopt;
  return *found->second.begin();
}

int ReadyQueue::size(int lane) const {
  const auto found = lanes_.find(lane);
  return found == lanes_.end() ? 0 : static_cast<int>(found->second.size());
}

}  // namespace etl::plan
