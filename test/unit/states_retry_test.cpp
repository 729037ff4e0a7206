#include "states/retry.h"

#include <gtest/gtest.h>

#include <limits>

namespace etl::states {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Problem problem(std::optional<std::string> error) {
  return {{std::move(error), "because"}};
}

TEST(StatesRetry, TakesErrorsByTheirExactNames) {
  EXPECT_TRUE(problem("Broken").is_one_of({"Other", "Broken"}));
  EXPECT_FALSE(problem("Broken").is_one_of({"broken", "Broke", "Broken "}));
  EXPECT_FALSE(problem("Broken").is_one_of({}));
}

TEST(StatesRetry, AllTakesEverythingButRuntime) {
  EXPECT_TRUE(problem("Broken").is_one_of({errors::kAll}));
  EXPECT_TRUE(problem(errors::kTimeout).is_one_of({errors::kAll}));
  EXPECT_TRUE(problem(errors::kDataLimitExceeded).is_one_of({errors::kAll}));
  EXPECT_TRUE(problem(std::nullopt).is_one_of({errors::kAll}));
  EXPECT_FALSE(problem("Broken").is_one_of({"State.ALL"}));
  EXPECT_FALSE(problem(errors::kRuntime).is_one_of({errors::kAll}));
}

TEST(StatesRetry, NothingTakesRuntime) {
  EXPECT_FALSE(problem(errors::kRuntime).is_one_of({errors::kRuntime, errors::kTaskFailed, errors::kAll}));
}

TEST(StatesRetry, TaskFailedTakesEverythingButTimeouts) {
  EXPECT_TRUE(problem("Exception").is_one_of({errors::kTaskFailed}));
  EXPECT_TRUE(problem(errors::kPermissions).is_one_of({errors::kTaskFailed}));
  EXPECT_FALSE(problem(errors::kTimeout).is_one_of({errors::kTaskFailed}));
}

TEST(StatesRetry, AMissedHeartbeatIsATimeoutOfTwoNames) {
  Problem heartbeat = problem(errors::kTimeout);
  EXPECT_FALSE(heartbeat.is_one_of({errors::kHeartbeatTimeout}));
  heartbeat.is_heartbeat = true;
  EXPECT_TRUE(heartbeat.is_one_of({errors::kHeartbeatTimeout}));
  EXPECT_TRUE(heartbeat.is_one_of({errors::kTimeout}));
  EXPECT_FALSE(heartbeat.is_one_of({errors::kTaskFailed}));
}

TEST(StatesRetry, ALimitOfTheInterpreterIsTakenByItsNameOnly) {
  Problem limit = problem(errors::kDataLimitExceeded);
  limit.only_by_name = true;
  EXPECT_FALSE(limit.is_one_of({errors::kAll}));
  EXPECT_FALSE(limit.is_one_of({errors::kTaskFailed}));
  EXPECT_TRUE(limit.is_one_of({errors::kDataLimitExceeded}));
}

TEST(StatesRetry, TheFirstThatTakesItIsChosen) {
  State state;
  for (const char* error : {"A", "B", errors::kAll}) {
    Retrier retrier;
    retrier.errors = {error};
    state.retriers.push_back(retrier);
    Catcher catcher;
    catcher.errors = {error};
    state.catchers.push_back(catcher);
  }
  EXPECT_EQ(retrier_for(state, problem("B")), &state.retriers[1]);
  EXPECT_EQ(retrier_for(state, problem("C")), &state.retriers[2]);
  EXPECT_EQ(retrier_for(state, problem(errors::kRuntime)), nullptr);
  EXPECT_EQ(catcher_for(state, problem("A")), &state.catchers[0]);
  EXPECT_EQ(catcher_for(state, problem(errors::kRuntime)), nullptr);
}

TEST(StatesRetry, DelaysDoubleByDefault) {
  const Retrier retrier;
  EXPECT_EQ(retry_delay(retrier, 1, 0.5), seconds(1));
  EXPECT_EQ(retry_delay(retrier, 2, 0.5), seconds(2));
  EXPECT_EQ(retry_delay(retrier, 3, 0.5), seconds(4));
}

TEST(StatesRetry, DelaysGrowByTheirRateUpToTheirLimit) {
  Retrier retrier;
  retrier.interval_seconds = 3;
  retrier.backoff_rate = 1.5;
  retrier.max_delay_seconds = 5;
  EXPECT_EQ(retry_delay(retrier, 1, 0), seconds(3));
  EXPECT_EQ(retry_delay(retrier, 2, 0), milliseconds(4500));
  EXPECT_EQ(retry_delay(retrier, 3, 0), seconds(5));
  EXPECT_EQ(retry_delay(retrier, 50, 0), seconds(5));
  retrier.backoff_rate = 1.0;
  EXPECT_EQ(retry_delay(retrier, 50, 0), seconds(3));
}

TEST(StatesRetry, JitterIsAPartOfTheDelay) {
  Retrier retrier;
  retrier.interval_seconds = 10;
  retrier.max_delay_seconds = 15;
  retrier.jitter = true;
  EXPECT_EQ(retry_delay(retrier, 1, 0), seconds(0));
  EXPECT_EQ(retry_delay(retrier, 1, 0.25), milliseconds(2500));
  EXPECT_EQ(retry_delay(retrier, 2, 0.5), milliseconds(7500));
}

TEST(StatesRetry, DelaysNeverOverflow) {
  Retrier retrier;
  retrier.interval_seconds = 99'999'999;
  retrier.backoff_rate = 1e308;
  EXPECT_EQ(retry_delay(retrier, 1, 0), kLongestDelay);
  EXPECT_EQ(retry_delay(retrier, 1'000'000, 0), kLongestDelay);
  retrier.interval_seconds = 0;
  EXPECT_LE(retry_delay(retrier, 1'000'000, 0), kLongestDelay);
  retrier.backoff_rate = std::numeric_limits<double>::quiet_NaN();
  EXPECT_LE(retry_delay(retrier, 3, 0), kLongestDelay);
}

}  // namespace
}  // namespace etl::states
