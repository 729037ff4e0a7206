// What is to happen when: one time for each key. Time is a number of any unit; nobody waits here, the owner asks for
// the next time, waits by its own means, and takes what is due.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace etl::plan {

using Time = std::int64_t;

// `Key` has an order. Every operation takes O(log n), for each key that it returns.
template <typename Key>
class Timers {
 public:
  // Replaces the time that the key has.
  void set(const Key& key, Time time) {
    clear(key);
    times_.emplace(key, time);
    order_.emplace(time, key);
  }

  // No effect on a key without a time.
  void clear(const Key& key) {
    const auto found = times_.find(key);
    if (found == times_.end()) return;
    order_.erase({found->second, key});
    times_.erase(found);
  }

  // The earliest time of all.
  std::optional<Time> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }

  // The keys whose time is `now` or before, by time, then by key; they have none any more.
  std::vector<Key> take_due(Time now) {
    std::vector<Key> due;
    while (!order_.empty() && order_.begin()->first <= now) {
      due.push_back(order_.begin()->second);
      times_.erase(due.back());
      order_.erase(order_.begin());
    }
    return due;
  }

 private:
  std::map<Key, Time> times_;
  std::set<std::pair<Time, Key>> order_;
};

}  // namespace etl::plan
