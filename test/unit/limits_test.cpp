#include "plan/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace etl::plan {
namespace {

using Steps = std::vector<int>;

// Steps of one run that all want one unit of limit 0, unless it is said otherwise.
class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() {
    limits.find("table bronze.a");
    limits.find("table bronze.b");
  }

  static Waiter waiter(int step, int priority = 0) { return {priority, kRun, step}; }

  // Takes, or parks where it is blocked. Whether it runs now.
  bool attempt(const Waiter& who, std::vector<Demand> demands = {{0, 1}}) {
    const std::optional<LimitId> blocking = limits.blocked_by(who, demands);
    if (!blocking) {
      limits.take(who, demands);
      return true;
    }
    limits.park(who, *std::ranges::find(demands, *blocking, &Demand::limit));
    return false;
  }
  bool attempt(int step, std::vector<Demand> demands = {{0, 1}}) { return attempt(waiter(step), std::move(demands)); }

  void release(std::vector<Demand> demands = {{0, 1}}) { limits.release(demands); }

  Steps woken() {
    Steps steps;
    for (const Waiter& who : limits.take_woken()) steps.push_back(who.step);
    return steps;
  }

  static constexpr std::int64_t kRun = 1;
  Limits limits;
};

TEST_F(LimitsTest, AreDroppedOnlyWhileNobodyUsesOrAwaitsThem) {
  limits.set_capacity(0, 1);
  ASSERT_TRUE(attempt(1));
  ASSERT_FALSE(attempt(2));
  limits.drop_if_unused(0);
  EXPECT_EQ(limits.find("table bronze.a"), 0);  // used
  release();
  limits.drop_if_unused(0);
  EXPECT_EQ(woken(), Steps{2});  // awaited
  ASSERT_TRUE(attempt(2));
  release();
  limits.drop_if_unused(0);
  EXPECT_EQ(limits.find("table bronze.c"), 0);
  EXPECT_FALSE(limits.capacity(0).has_value());
  EXPECT_EQ(limits.find("table bronze.a"), 2);
}

TEST_F(LimitsTest, AreKnownByTheirNames) {
  EXPECT_EQ(limits.find("table bronze.b"), 1);
  EXPECT_EQ(limits.find("source crm"), 2);
  EXPECT_EQ(limits.find("table bronze.a"), 0);
  EXPECT_EQ(limits.name(2), "source crm");
}

TEST_F(LimitsTest, AreUnlimitedUntilTheyHaveACapacity) {
  EXPECT_EQ(limits.capacity(0), std::nullopt);
  for (int step = 0; step < 100; ++step) EXPECT_TRUE(attempt(step));
  EXPECT_EQ(limits.used(0), 100);
  limits.set_capacity(0, 3);
  EXPECT_EQ(limits.capacity(0), 3);
  EXPECT_FALSE(attempt(100));
}

TEST_F(LimitsTest, LetRunWhatFits) {
  limits.set_capacity(0, 3);
  EXPECT_TRUE(attempt(1, {{0, 2}}));
  EXPECT_FALSE(attempt(2, {{0, 2}}));
  EXPECT_EQ(limits.used(0), 2);
}

TEST_F(LimitsTest, AreTakenAllTogetherOrNotAtAll) {
  limits.set_capacity(1, 1);
  EXPECT_TRUE(attempt(1, {{1, 1}}));
  EXPECT_FALSE(attempt(2, {{0, 1}, {1, 1}}));
  EXPECT_EQ(limits.used(0), 0);
}

TEST_F(LimitsTest, NameTheFirstDemandThatDoesNotFit) {
  limits.set_capacity(0, 1);
  limits.set_capacity(1, 1);
  const std::vector<Demand> both{{0, 1}, {1, 1}};
  EXPECT_EQ(limits.blocked_by(waiter(1), both), std::nullopt);
  EXPECT_TRUE(attempt(2, {{1, 1}}));
  EXPECT_EQ(limits.blocked_by(waiter(1), both), 1);
  EXPECT_TRUE(attempt(3));
  EXPECT_EQ(limits.blocked_by(waiter(1), both), 0);
}

TEST_F(LimitsTest, BlockNothingThatDemandsNothing) {
  EXPECT_TRUE(attempt(1, {}));
}

TEST_F(LimitsTest, LetADemandAboveTheCapacityRunAlone) {
  limits.set_capacity(0, 2);
  EXPECT_TRUE(attempt(1));
  EXPECT_FALSE(attempt(2, {{0, 5}}));
  release();
  EXPECT_EQ(woken(), Steps{2});
  EXPECT_TRUE(attempt(2, {{0, 5}}));
  EXPECT_FALSE(attempt(3));
  release({{0, 5}});
  EXPECT_EQ(woken(), Steps{3});
}

TEST_F(LimitsTest, WithoutAnyCapacityLetOneRunAtATime) {
  limits.set_capacity(0, 0);
  EXPECT_TRUE(attempt(1));
  EXPECT_FALSE(attempt(2));
}

TEST_F(LimitsTest, CountWhatRecoveryFindsRunningEvenAboveTheCapacity) {
  limits.set_capacity(0, 1);
  const std::vector<Demand> one{{0, 1}};
  limits.take(waiter(1), one);
  limits.take(waiter(2), one);
  EXPECT_EQ(limits.used(0), 2);
  EXPECT_FALSE(attempt(3));
  release();
  EXPECT_EQ(woken(), Steps{});
  release();
  EXPECT_EQ(woken(), Steps{3});
}

TEST_F(LimitsTest, CallByPriorityThenByArrival) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(waiter(1));
  attempt(waiter(2, -1));
  attempt(waiter(3, 5));
  attempt(waiter(4));
  for (const int next : {3, 1, 4, 2}) {
    release();
    EXPECT_EQ(woken(), Steps{next});
    EXPECT_TRUE(attempt(waiter(next, next == 3 ? 5 : next == 2 ? -1 : 0)));
  }
}

TEST_F(LimitsTest, CallEachOnce) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(1);
  release();
  EXPECT_EQ(woken(), Steps{1});
  EXPECT_EQ(woken(), Steps{});
}

TEST_F(LimitsTest, CallTheNextWhenTheFirstHasTakenItsUnitsAndRoomIsLeft) {
  limits.set_capacity(0, 3);
  attempt(0, {{0, 3}});
  for (const int step : {1, 2, 3, 4}) attempt(step);
  release({{0, 3}});
  for (const int next : {1, 2, 3}) {
    EXPECT_EQ(woken(), Steps{next});
    EXPECT_TRUE(attempt(next));
  }
  EXPECT_EQ(woken(), Steps{});
}

TEST_F(LimitsTest, CallTheNextWhenTheFirstParksElsewhere) {
  limits.set_capacity(0, 1);
  limits.set_capacity(1, 1);
  attempt(0);
  attempt(1, {{0, 1}, {1, 1}});
  attempt(2);
  attempt(3, {{1, 1}});
  release();
  EXPECT_EQ(woken(), Steps{1});
  EXPECT_FALSE(attempt(1, {{0, 1}, {1, 1}}));  // now it is the other one that is missing
  EXPECT_EQ(woken(), Steps{2});
}

TEST_F(LimitsTest, CallTheNextWhenTheFirstIsForgotten) {
  limits.set_capacity(0, 1);
  attempt(0);
  for (const int step : {1, 2, 3}) attempt(step);
  release();
  EXPECT_EQ(woken(), Steps{1});
  limits.forget(kRun, 1);
  EXPECT_EQ(woken(), Steps{2});
  limits.forget(kRun, 3);
  limits.forget(kRun, 2);
  EXPECT_EQ(woken(), Steps{});
  EXPECT_TRUE(attempt(4));
}

TEST_F(LimitsTest, DoNotNameOneWhoIsForgottenBeforeItIsTold) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(1);
  attempt(2);
  release();
  limits.forget(kRun, 1);
  EXPECT_EQ(woken(), Steps{2});
}

TEST_F(LimitsTest, ForgetAllThatARunHasInLineAndNothingElse) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(1);
  attempt(Waiter{0, 2, 7});
  attempt(-3);
  limits.forget_run(kRun);
  EXPECT_EQ(limits.used(0), 1);
  release();
  const std::vector<Waiter> next = limits.take_woken();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].run, 2);
  EXPECT_EQ(next[0].step, 7);
}

TEST_F(LimitsTest, LetNobodyOvertakeWhoWaitsForMore) {
  limits.set_capacity(0, 3);
  attempt(0, {{0, 2}});
  EXPECT_FALSE(attempt(1, {{0, 2}}));
  EXPECT_FALSE(attempt(2)) << "there is room for it, but 1 is before it";
  EXPECT_TRUE(attempt(waiter(3, 1))) << "a higher priority is before 1";
  release({{0, 2}});
  EXPECT_EQ(woken(), Steps{1});
}

TEST_F(LimitsTest, LetNobodyOvertakeWhoIsCalled) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(1);
  release();
  EXPECT_FALSE(attempt(2));
  EXPECT_EQ(woken(), Steps{1});
  EXPECT_TRUE(attempt(1));
}

TEST_F(LimitsTest, CallOneAgainWhoseRoomAHigherPriorityTook) {
  limits.set_capacity(0, 1);
  attempt(0);
  attempt(1);
  attempt(2);
  release();
  EXPECT_TRUE(attempt(waiter(3, 1)));
  EXPECT_EQ(woken(), Steps{1});
  EXPECT_FALSE(attempt(1));
  EXPECT_EQ(woken(), Steps{});
  release();
  EXPECT_EQ(woken(), Steps{1}) << "it has kept its place";
}

TEST_F(LimitsTest, CallAtOnceWhoParksWhereThereIsRoomByNow) {
  limits.set_capacity(0, 1);
  attempt(0);
  EXPECT_TRUE(limits.blocked_by(waiter(1), std::vector<Demand>{{0, 1}}));
  release();
  limits.park(waiter(1), {0, 1});
  EXPECT_EQ(woken(), Steps{1});
}

TEST_F(LimitsTest, LetGoOnWhatRunsWhenTheCapacityShrinks) {
  limits.set_capacity(0, 3);
  for (const int step : {0, 1, 2}) attempt(step);
  limits.set_capacity(0, 1);
  EXPECT_EQ(limits.used(0), 3);
  attempt(3);
  release();
  release();
  EXPECT_EQ(woken(), Steps{});
  release();
  EXPECT_EQ(woken(), Steps{3});
}

TEST_F(LimitsTest, CallWhenTheCapacityGrowsOrIsLifted) {
  limits.set_capacity(0, 1);
  for (const int step : {0, 1, 2, 3}) attempt(step);
  limits.set_capacity(0, 2);
  EXPECT_EQ(woken(), Steps{1});
  attempt(1);
  EXPECT_EQ(woken(), Steps{});
  limits.set_capacity(0, std::nullopt);
  for (const int next : {2, 3}) {
    EXPECT_EQ(woken(), Steps{next});
    EXPECT_TRUE(attempt(next));
  }
}

TEST_F(LimitsTest, StandHugeDemandsWithoutOverflow) {
  constexpr int kHuge = std::numeric_limits<int>::max();
  limits.set_capacity(0, kHuge);
  EXPECT_TRUE(attempt(1, {{0, kHuge}}));
  EXPECT_FALSE(attempt(2, {{0, kHuge}}));
  limits.set_capacity(0, std::nullopt);
  EXPECT_EQ(woken(), Steps{2});
  EXPECT_TRUE(attempt(2, {{0, kHuge}}));
  EXPECT_EQ(limits.used(0), 2LL * kHuge);
}

TEST_F(LimitsTest, CallEachOfAHundredThousandWaitersExactlyOnce) {
  const int count = 100'000;
  limits.set_capacity(0, 1);
  attempt(0);
  for (int step = 1; step < count; ++step) attempt(step);
  for (int step = 1; step < count; ++step) {
    release();
    ASSERT_EQ(woken(), Steps{step});
    ASSERT_TRUE(attempt(step));
  }
  release();
  EXPECT_EQ(woken(), Steps{});
}

}  // namespace
}  // namespace etl::plan
