#include "plan/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace etl::plan {
namespace {

using Keys = std::vector<std::string>;

TEST(Timers, HaveNoNextTimeWhileNothingIsSet) {
  Timers<int> timers;
  EXPECT_EQ(timers.next(), std::nullopt);
  EXPECT_TRUE(timers.take_due(std::numeric_limits<Time>::max()).empty());
}

TEST(Timers, AreDueAtTheirTimeAndNotBefore) {
  Timers<std::string> timers;
  timers.set("a", 10);
  EXPECT_EQ(timers.take_due(9), Keys{});
  EXPECT_EQ(timers.take_due(10), Keys{"a"});
}

TEST(Timers, AreTakenOnce) {
  Timers<std::string> timers;
  timers.set("a", 10);
  timers.take_due(10);
  EXPECT_EQ(timers.take_due(10), Keys{});
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(Timers, ComeInTheOrderOfTheirTimesAndThenOfTheirKeys) {
  Timers<std::string> timers;
  timers.set("late", 30);
  timers.set("b", 20);
  timers.set("a", 20);
  timers.set("early", -5);
  EXPECT_EQ(timers.next(), -5);
  EXPECT_EQ(timers.take_due(25), (Keys{"early", "a", "b"}));
  EXPECT_EQ(timers.next(), 30);
}

TEST(Timers, SetAgainHaveTheLastTimeOnly) {
  Timers<std::string> timers;
  timers.set("a", 10);
  timers.set("a", 20);
  EXPECT_EQ(timers.next(), 20);
  timers.set("a", 5);
  EXPECT_EQ(timers.take_due(100), Keys{"a"});
}

TEST(Timers, ClearedAreNeverDue) {
  Timers<std::string> timers;
  timers.set("a", 10);
  timers.set("b", 10);
  timers.clear("a");
  timers.clear("nobody");
  EXPECT_EQ(timers.take_due(10), Keys{"b"});
}

TEST(TimersProperty, AgreeWithAListThatIsSearched) {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  Timers<int> timers;
  std::map<int, Time> naive;
  for (int round = 0; round < 20'000; ++round) {
    const int key = pick(0, 30);
    switch (pick(0, 3)) {
      case 0:
        timers.clear(key);
        naive.erase(key);
        break;
      case 1: {
        const Time now = pick(0, 100);
        std::vector<int> due;
        for (const auto& [other, time] : naive) {
          if (time <= now) due.push_back(other);
        }
        std::ranges::stable_sort(due, {}, [&](int other) { return naive[other]; });
        for (const int other : due) naive.erase(other);
        ASSERT_EQ(timers.take_due(now), due);
        break;
      }
      default:
        naive[key] = pick(0, 200);
        timers.set(key, naive[key]);
    }
    std::optional<Time> first;
    for (const auto& [other, time] : naive) first = std::min(first.value_or(time), time);
    ASSERT_EQ(timers.next(), first);
  }
}

}  // namespace
}  // namespace etl::plan
