#include "states/gathering.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace etl::states {
namespace {

using Verdict = Gathering::Verdict;

GatheringRules children(int64_t count, int64_t max_concurrency = 0) {
  GatheringRules rules;
  rules.children = count;
  rules.max_concurrency = max_concurrency;
  return rules;
}

TEST(StatesGathering, BeginsAllAtOnceWithoutALimit) {
  Gathering gathering(children(3));
  EXPECT_EQ(gathering.begin_next(), 0);
  EXPECT_EQ(gathering.begin_next(), 1);
  EXPECT_EQ(gathering.begin_next(), 2);
  EXPECT_EQ(gathering.begin_next(), std::nullopt);
}

TEST(StatesGathering, BeginsAnotherWhenOneEnds) {
  Gathering gathering(children(3, 1));
  EXPECT_EQ(gathering.begin_next(), 0);
  EXPECT_EQ(gathering.begin_next(), std::nullopt);
  EXPECT_EQ(gathering.end(0, true), Verdict::kOpen);
  EXPECT_EQ(gathering.begin_next(), 1);
  EXPECT_EQ(gathering.begin_next(), std::nullopt);
}

TEST(StatesGathering, IsCompleteWithoutChildren) {
  EXPECT_EQ(Gathering(children(0)).verdict(), Verdict::kComplete);
}

TEST(StatesGathering, FailsWithTheFirstChildThatFailsAndBeginsNoOther) {
  Gathering gathering(children(3, 2));
  gathering.begin_next();
  gathering.begin_next();
  EXPECT_EQ(gathering.end(1, false), Verdict::kFailed);
  EXPECT_EQ(gathering.begin_next(), std::nullopt);
  EXPECT_EQ(gathering.end(0, true), Verdict::kFailed);
}

// Of ten children, the first `failures` fail.
Verdict verdict_after(GatheringRules rules, int64_t failures) {
  Gathering gathering(std::move(rules));
  for (int64_t child = 0; child < 10; ++child) gathering.begin_next();
  for (int64_t child = 0; child < 10; ++child) gathering.end(child, child >= failures);
  return gathering.verdict();
}

TEST(StatesGathering, ToleratesAsManyFailuresAsItMay) {
  GatheringRules rules = children(10);
  rules.tolerated_failures = 2;
  EXPECT_EQ(verdict_after(rules, 2), Verdict::kComplete);
  EXPECT_EQ(verdict_after(rules, 3), Verdict::kThresholdExceeded);
  rules.tolerated_failures = 0;
  EXPECT_EQ(verdict_after(rules, 0), Verdict::kComplete);
  EXPECT_EQ(verdict_after(rules, 1), Verdict::kThresholdExceeded);
}

TEST(StatesGathering, ToleratesAPercentage) {
  GatheringRules rules = children(10);
  rules.tolerated_percentage = 30;
  EXPECT_EQ(verdict_after(rules, 3), Verdict::kComplete);
  EXPECT_EQ(verdict_after(rules, 4), Verdict::kThresholdExceeded);
  rules.tolerated_percentage = 29.9;
  EXPECT_EQ(verdict_after(rules, 3), Verdict::kThresholdExceeded);
  rules.tolerated_percentage = 100;
  EXPECT_EQ(verdict_after(rules, 10), Verdict::kComplete);
}

TEST(StatesGathering, FailsWhenEitherThresholdIsExceeded) {
  GatheringRules rules = children(10);
  rules.tolerated_failures = 5;
  rules.tolerated_percentage = 20;
  EXPECT_EQ(verdict_after(rules, 2), Verdict::kComplete);
  EXPECT_EQ(verdict_after(rules, 3), Verdict::kThresholdExceeded);
  rules.tolerated_failures = 1;
  rules.tolerated_percentage = 90;
  EXPECT_EQ(verdict_after(rules, 2), Verdict::kThresholdExceeded);
}

TEST(StatesGathering, CountsAllItemsOfABatchThatFailed) {
  GatheringRules rules = children(2);
  rules.weights = {9, 1};
  rules.tolerated_failures = 8;
  {
    Gathering gathering(rules);
    EXPECT_EQ(gathering.end(1, false), Verdict::kOpen);
  }
  Gathering gathering(rules);
  EXPECT_EQ(gathering.end(0, false), Verdict::kThresholdExceeded);
  rules.tolerated_failures.reset();
  rules.tolerated_percentage = 50;
  EXPECT_EQ(Gathering(rules).end(1, false), Verdict::kOpen);
  EXPECT_EQ(Gathering(rules).end(0, false), Verdict::kThresholdExceeded);
}

TEST(StatesGathering, KeepsItsRulesAsJson) {
  GatheringRules rules = children(2, 1);
  rules.weights = {9, 1};
  rules.tolerated_failures = 8;
  rules.tolerated_percentage = 12.5;
  const GatheringRules again = GatheringRules::from_json(Json::parse(rules.to_json().dump()));
  EXPECT_EQ(again.to_json(), rules.to_json());
  EXPECT_EQ(again.weights, rules.weights);
  EXPECT_FALSE(GatheringRules::from_json(children(3).to_json()).tolerated_failures);
}

// Whatever the order of ends: never more at once than allowed, each child once, and an end.
TEST(StatesGathering, AlwaysEnds) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    GatheringRules rules = children(random() % 20, random() % 4);
    if (random() % 2) rules.tolerated_failures = random() % 3;
    Gathering gathering(rules);
    std::set<int64_t> running;
    int64_t begun = 0;
    while (gathering.verdict() == Verdict::kOpen) {
      while (const auto child = gathering.begin_next()) {
        EXPECT_EQ(*child, begun++);
        running.insert(*child);
      }
      const auto most = rules.max_concurrency > 0 ? rules.max_concurrency : rules.children;
      EXPECT_LE(static_cast<int64_t>(running.size()), most);
      ASSERT_FALSE(running.empty());
      const auto ended = std::next(running.begin(), random() % running.size());
      gathering.end(*ended, random() % 8 != 0);
      running.erase(ended);
    }
    EXPECT_LE(begun, rules.children);
  }
}

}  // namespace
}  // namespace etl::states
