#include "plan/fence.h"

#include "plan/limits.h"

#include <cassert>
#include <limits>

namespace etl::plan {

bool Limits::Place::operator<(const Place& other) const {
  if (waiter.priority != other.waiter.priority) return waiter.priority > other.waiter.priority;
  return arrival < other.arrival;
}

LimitId Limits::find(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  if (unused_.empty()) {
    unused_.push_back(static_cast<LimitId>(limits_.size()));
    limits_.emplace_back();
  }
  const LimitId id = unused_.back();
  unused_.pop_back();
  limits_[id] = {.name = std::string(name)};
  by_name_.emplace(name, id);
  return id;
}

void Limits::drop_if_unused(LimitId id) {
  const Limit& limit = limits_[id];
  if (limit.used > 0 || limit.called || !limit.line.empty()) return;
  if (by_name_.erase(limit.name) > 0) unused_.push_back(id);
}

void Limits::set_capacity(LimitId limit, std::optional<int> units) {
  assert(!units || *units >= 0);
  limits_[limit].capacity = units;
  settle(limit);
}

std::optional<LimitId> Limits::blocked_by(const Waiter& waiter, std::span<const Demand> demands) const {
  for (const Demand& demand : demands) {
    const Limit& limit = limits_[demand.limit];
    if (!limit.capacity) continue;
    if (!has_room(limit, demand.units)) return demand.limit;
    // Nobody is before himself.
    const Place place = place_of(waiter, demand.units);
    if (limit.called && *limit.called < place) return demand.limit;
    if (!limit.line.empty() && *limit.line.begin() < place) return demand.limit;
  }
  return std::nullopt;
}

void Limits::take(const Waiter& waiter, std::span<const Demand> demands) {
  for (const Demand& demand : demands) limits_[demand.limit].used += demand.units;
  forget(waiter.run, waiter.step);
}

void Limits::release(std::span<const Demand> demands) {
  for (const Demand& demand : demands) {
    limits_[demand.limit].used -= demand.units;
    assert(limits_[demand.limit].used >= 0);
    settle(demand.limit);
  }
}

void Limits::park(const Waiter& waiter, const Demand& demand) {
  const Place place = place_of(waiter, demand.units);
  const Key key(waiter.run, waiter.step);
  if (place.arrival == arrivals_) ++arrivals_;
  std::optional<LimitId> left;
  if (const auto found = waiting_.find(key); found != waiting_.end()) {
    left = found->second.limit;
    leave(found);
  }
  waiting_.insert({key, {demand.limit, place}});
  limits_[demand.limit].line.insert(place);
  // Only now: a limit that is left and parked at in one must not call the next in between.
  if (left) settle(*left);
  settle(demand.limit);
}

void Limits::forget(std::int64_t run, int step) {
  const auto found = waiting_.find(Key(run, step));
  if (found == waiting_.end()) return;
  const LimitId limit = found->second.limit;
  leave(found);
  settle(limit);
}

void Limits::forget_run(std::int64_t run) {
  constexpr int kFirstStep = std::numeric_limits<int>::min();
  for (;;) {
    const auto next = waiting_.lower_bound(Key(run, kFirstStep));
    if (next == waiting_.end() || next->first.first != run) return;
    forget(run, next->first.second);
  }
}

std::vector<Waiter> Limits::take_woken() {
  std::vector<Waiter> woken;
  for (const LimitId id : std::exchange(calling_, {})) {
    Limit& limit = limits_[id];
    if (!limit.called || limit.is_told) continue;
    limit.is_told = true;
    woken.push_back(limit.called->waiter);
  }
  return woken;
}

bool Limits::has_room(const Limit& limit, int units) {
  return !limit.capacity || limit.used == 0 || limit.used + units <= *limit.capacity;
}

// Where it stands, or would stand if it parked now.
Limits::Place Limits::place_of(const Waiter& waiter, int units) const {
  const auto found = waiting_.find(Key(waiter.run, waiter.step));
  return {waiter, found == waiting_.end() ? arrivals_ : found->second.place.arrival, units};
}

// The caller settles the limit.
void Limits::leave(std::map<Key, Waiting>::iterator waiting) {
  Limit& limit = limits_[waiting->second.limit];
  const Place& place = waiting->second.place;
  if (limit.called && limit.called->arrival == place.arrival) {
    limit.called.reset();
  } else {
    limit.line.erase(place);
  }
  waiting_.erase(waiting);
}

// Calls the first in line, if there is room for it and nobody is called.
void Limits::settle(LimitId id) {
  Limit& limit = limits_[id];
  if (limit.called || limit.line.empty() || !has_room(limit, limit.line.begin()->units)) return;
  limit.called = *limit.line.begin();
  limit.is_told = false;
  limit.line.erase(limit.line.begin());
  calling_.push_back(id);
}

}  // namespace etl::plan
