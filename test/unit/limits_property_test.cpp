// Random crowds at random limits, held after every action against the rules in their plainest form.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plan/limits.h"

namespace etl::plan {
namespace {

enum class Stage { kNew, kParked, kCalled, kRunning, kEnded, kForgotten };

struct Person {
  Waiter waiter;
  std::vector<Demand> demands;
  Stage stage = Stage::kNew;
  Demand parked_for = {-1, 0};  // while kParked or kCalled
  int arrival = -1;             // once it has parked
};

class Crowd {
 public:
  explicit Crowd(unsigned seed) : random_(seed) {
    for (int i = pick(1, 4); i > 0; --i) {
      const LimitId id = limits_.find("limit " + std::to_string(i));
      capacities_.push_back(random_capacity());
      limits_.set_capacity(id, capacities_[id]);
    }
    for (int i = pick(1, 40); i > 0; --i) {
      Person person{{pick(0, 2), pick(1, 4), i}, {}};
      for (LimitId limit = 0; limit < std::ssize(capacities_); ++limit) {
        if (pick(0, 1)) person.demands.push_back({limit, pick(1, 4)});
      }
      std::ranges::shuffle(person.demands, random_);
      people_.push_back(std::move(person));
    }
  }

  // Everything goes on at random for a while, then to its end.
  void live() {
    for (int action = pick(0, 200); action > 0 && !::testing::Test::HasFailure(); --action) {
      act();
      check();
    }
    while (!::testing::Test::HasFailure() && (answer_all() || start_one() || end_one())) check();
    for (const Person& person : people_) {
      EXPECT_TRUE(person.stage == Stage::kEnded || person.stage == Stage::kForgotten)
          << "step " << person.waiter.step << " never ran";
    }
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
  std::optional<int> random_capacity() { return pick(0, 4) ? std::optional(pick(0, 5)) : std::nullopt; }

  void act() {
    switch (pick(0, 19)) {
      case 0:
        forget_run(pick(1, 4));
        return;
      case 1:
        forget_one();
        return;
      case 2:
      case 3: {
        const LimitId limit = pick(0, static_cast<int>(capacities_.size()) - 1);
        capacities_[limit] = random_capacity();
        limits_.set_capacity(limit, capacities_[limit]);
        return;
      }
      case 4:
        recover_one();
        return;
    }
    if (pick(0, 1)) hear();
    switch (pick(0, 2)) {
      case 0:
        start_one();
        break;
      case 1:
        end_one();
        break;
      default:
        answer_one();
    }
  }

  Person* any(Stage stage) {
    std::vector<Person*> found;
    for (Person& person : people_) {
      if (person.stage == stage) found.push_back(&person);
    }
    return found.empty() ? nullptr : found[pick(0, static_cast<int>(found.size()) - 1)];
  }

  // Those who are called: each has to be waiting, and to be the only one of its limit.
  void hear() {
    for (const Waiter& waiter : limits_.take_woken()) {
      Person& person = *std::ranges::find(people_, waiter.step, [](const Person& p) { return p.waiter.step; });
      EXPECT_EQ(person.stage, Stage::kParked) << "step " << waiter.step << " is called, but does not wait";
      EXPECT_EQ(called_at(person.parked_for.limit), nullptr) << "a second one is called";
      person.stage = Stage::kCalled;
    }
  }

  bool answer_one() {
    Person* person = any(Stage::kCalled);
    if (person) attempt(*person);
    return person;
  }

  bool answer_all() {
    hear();
    bool any_answer = false;
    while (answer_one()) any_answer = true;
    return any_answer;
  }

  bool start_one() {
    Person* person = any(Stage::kNew);
    if (person) attempt(*person);
    return person;
  }

  bool end_one() {
    Person* person = any(Stage::kRunning);
    if (!person) return false;
    limits_.release(person->demands);
    // Some run again: their next wait has nothing to do with the one before.
    person->stage = pick(0, 9) ? Stage::kEnded : Stage::kNew;
    person->arrival = -1;
    return true;
  }

  void recover_one() {
    Person* person = any(Stage::kNew);
    if (!person) return;
    limits_.take(person->waiter, person->demands);
    person->stage = Stage::kRunning;
  }

  void forget_one() {
    Person* person = any(pick(0, 1) ? Stage::kParked : Stage::kCalled);
    if (!person) return;
    limits_.forget(person->waiter.run, person->waiter.step);
    person->stage = Stage::kForgotten;
  }

  void forget_run(std::int64_t run) {
    limits_.forget_run(run);
    for (Person& person : people_) {
      const bool waits = person.stage == Stage::kParked || person.stage == Stage::kCalled;
      if (person.waiter.run == run && (waits || person.stage == Stage::kNew)) person.stage = Stage::kForgotten;
    }
  }

  void attempt(Person& person) {
    const Demand* blocking = nullptr;
    for (const Demand& demand : person.demands) {
      if (!blocking && is_blocked(person, demand)) blocking = &demand;
    }
    const std::optional<LimitId> told = limits_.blocked_by(person.waiter, person.demands);
    EXPECT_EQ(told, blocking ? std::optional(blocking->limit) : std::nullopt) << "step " << person.waiter.step;
    if (!blocking) {
      limits_.take(person.waiter, person.demands);
      person.stage = Stage::kRunning;
      return;
    }
    limits_.park(person.waiter, *blocking);
    person.stage = Stage::kParked;
    person.parked_for = *blocking;
    if (person.arrival < 0) person.arrival = arrivals_++;
  }

  // The rules.

  int used(LimitId limit) const {
    int units = 0;
    for (const Person& person : people_) {
      if (person.stage != Stage::kRunning) continue;
      for (const Demand& demand : person.demands) units += demand.limit == limit ? demand.units : 0;
    }
    return units;
  }

  bool has_room(const Demand& demand) const {
    const std::optional<int> capacity = capacities_[demand.limit];
    return !capacity || used(demand.limit) == 0 || used(demand.limit) + demand.units <= *capacity;
  }

  bool is_before(const Person& a, const Person& b) const {
    if (a.waiter.priority != b.waiter.priority) return a.waiter.priority > b.waiter.priority;
    const auto arrival = [&](const Person& person) { return person.arrival < 0 ? arrivals_ : person.arrival; };
    return arrival(a) < arrival(b);
  }

  bool is_blocked(const Person& person, const Demand& demand) const {
    if (!capacities_[demand.limit]) return false;
    const auto blocks = [&](const Person& other) {
      const bool waits = other.stage == Stage::kParked || other.stage == Stage::kCalled;
      return waits && other.parked_for.limit == demand.limit && is_before(other, person);
    };
    return !has_room(demand) || std::ranges::any_of(people_, blocks);
  }

  const Person* called_at(LimitId limit) const {
    for (const Person& person : people_) {
      if (person.stage == Stage::kCalled && person.parked_for.limit == limit) return &person;
    }
    return nullptr;
  }

  const Person* first_in_line(LimitId limit) const {
    const Person* first = nullptr;
    for (const Person& person : people_) {
      if (person.stage != Stage::kParked || person.parked_for.limit != limit) continue;
      if (!first || is_before(person, *first)) first = &person;
    }
    return first;
  }

  // Once all calls are heard, a limit with somebody in line has called somebody or has no room for the first.
  void check() {
    for (LimitId limit = 0; limit < std::ssize(capacities_); ++limit) {
      EXPECT_EQ(limits_.used(limit), used(limit));
      EXPECT_EQ(limits_.capacity(limit), capacities_[limit]);
    }
    if (pick(0, 1)) return;  // or they would never be heard late
    hear();
    for (LimitId limit = 0; limit < std::ssize(capacities_); ++limit) {
      const Person* first = first_in_line(limit);
      if (!first || called_at(limit)) continue;
      EXPECT_FALSE(has_room(first->parked_for)) << "step " << first->waiter.step << " should have been called";
    }
  }

  std::mt19937 random_;
  Limits limits_;
  std::vector<std::optional<int>> capacities_;
  std::vector<Person> people_;
  int arrivals_ = 0;
};

TEST(LimitsProperty, EverybodyRunsWhoIsNotForgottenAndNobodyAboveTheCapacityOrOutOfTurn) {
  for (unsigned seed = 1; seed <= 5000 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Crowd(seed).live();
  }
}

// Small demands keep coming while a large one waits: it has its turn as soon as those before it have ended.
TEST(LimitsProperty, NobodyStarvesHoweverManyCome) {
  Limits limits;
  const LimitId limit = limits.find("source");
  limits.set_capacity(limit, 4);
  const std::vector<Demand> one{{limit, 1}}, four{{limit, 4}};
  const Waiter large{0, 1, 0};
  for (int step = 1; step <= 4; ++step) limits.take({0, 1, step}, one);
  limits.park(large, four.front());
  for (int step = 5; step <= 8; ++step) {
    limits.release(one);
    ASSERT_TRUE(limits.blocked_by({0, 1, step}, one)) << "step " << step << " would overtake";
    limits.park({0, 1, step}, one.front());
  }
  const std::vector<Waiter> woken = limits.take_woken();
  ASSERT_EQ(woken.size(), 1u);
  EXPECT_EQ(woken[0].step, large.step);
  EXPECT_FALSE(limits.blocked_by(large, four));
}

}  // namespace
}  // namespace etl::plan
