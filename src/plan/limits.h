// What bounds how much runs at the same time, across all runs of a database: so many steps on a table, so many units
// of a source, and who is next when something becomes free.
//
// Whoever wants to start a step asks blocked_by(). If nothing blocks it, the step takes all its units at once; else it
// parks at the limit that blocks it, holding nothing, and is told by take_woken() when it may try again. One who waits
// does so at one limit at a time: in line for all of them, it would keep others from what it cannot use itself yet.
//
//              park           room for it, and first          take
//   (unknown) -----> in line ------------------------> called -----> (unknown)
//                     ^   ^                              |
//                     |    \_____________ park __________/      at the same limit, or at another
//                     \ park: at another
//
// A limit calls one waiter at a time: the first in line, and only when there is room for that one. Nobody overtakes,
// smaller demands neither: to blocked_by(), a limit also blocks whoever is behind one who waits for it. A waiter keeps
// the time of its arrival wherever it parks, until it takes its units or is forgotten: one who needs several limits may
// find another of them taken when it is called, but stands there before all of its priority that came later.
//
// No wake-up is lost: a limit with somebody in line has no room for the first of them, or has called somebody who has
// not answered yet. Every change that could break this ends with settle(). It needs an answer to every call, and soon,
// for until then the limit calls nobody else: take(), park(), or forget() where the step is not to start after all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etl::plan {

using LimitId = int;

struct Demand {
  LimitId limit;
  int units;  // at least 1
};

// A step that waits; a run and a step make it the same one.
struct Waiter {
  int priority;  // higher first, then by arrival; stays as it is while the step waits
  std::int64_t run;
  int step;
};

// Demands of one step name a limit once at most. Every change takes O(log n) for each limit that it concerns.
class Limits {
 public:
  // The limit of that name, such as 'table bronze.x'; a new one is unlimited.
  LimitId find(std::string_view name);
  const std::string& name(LimitId limit) const { return limits_[limit].name; }

  // Forgets a limit that nobody uses or waits for; its number may come to mean another one.
  void drop_if_unused(LimitId limit);

  // None for unlimited. May change at any time; what runs goes on. 0 lets one step through at a time, as 1 does.
  void set_capacity(LimitId limit, std::optional<int> units);
  std::optional<int> capacity(LimitId limit) const { return limits_[limit].capacity; }
  std::int64_t used(LimitId limit) const { return limits_[limit].used; }

  // The first limit of `demands` at which the waiter has to wait: there is no room, or somebody is before it. A demand
  // above the capacity has room when nothing of the limit is used, so that it cannot wait for ever.
  std::optional<LimitId> blocked_by(const Waiter& waiter, std::span<const Demand> demands) const;

  // The waiter runs, and waits no more. Also where it is blocked: recovery takes what is running.
  void take(const Waiter& waiter, std::span<const Demand> demands);
  void release(std::span<const Demand> demands);

  // The waiter waits for that limit, and for no other; it tries again when it is called.
  void park(const Waiter& waiter, const Demand& demand);

  // It waits no more. What it has taken stays taken. No effect on one who does not wait.
  void forget(std::int64_t run, int step);
  void forget_run(std::int64_t run);

  // Who may try again, and was not told so by an earlier call. An answer may call the next: ask until it is empty.
  std::vector<Waiter> take_woken();

 private:
  // One who waits, as its limit sees it. Ordered by turn.
  struct Place {
    Waiter waiter;
    std::int64_t arrival;  // unique
    int units;
    bool operator<(const Place& other) const;
  };

  struct Limit {
    std::string name;
    std::optional<int> capacity = {};
    std::int64_t used = 0;
    std::set<Place> line = {};
    std::optional<Place> called = {};
    bool is_told = false;  // take_woken() has named the one who is called
  };

  using Key = std::pair<std::int64_t, int>;  // run, step

  struct Waiting {
    LimitId limit;
    Place place;
  };

  static bool has_room(const Limit& limit, int units);
  Place place_of(const Waiter& waiter, int units) const;
  void leave(std::map<Key, Waiting>::iterator waiting);
  void settle(LimitId id);

  std::vector<Limit> limits_;
  std::vector<LimitId> unused_;  // numbers of limits that were dropped
  std::map<std::string, LimitId, std::less<>> by_name_;
  std::map<Key, Waiting> waiting_;  // everybody in line or called
  std::int64_t arrivals_ = 0;
  std::vector<LimitId> calling_;  // limits that have called somebody since take_woken(), perhaps in vain
};

}  // namespace etl::plan
