// Random runs, held against the rules after every action: see run_checker.h.
//
// Each test prints the seed of its first run, and a failure the seed of the run that failed.
// PLAN_TEST_SEED=<seed> makes that run the first again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "run_checker.h"

namespace etl::plan {
namespace {

constexpr int kRuns = 5000;

// More than any run of random_world() needs, unless it does not get on.
constexpr int kEnough = 10'000;

unsigned first_seed() {
  const char* const given = std::getenv("PLAN_TEST_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "first seed: " << seed << std::endl;
  return seed;
}

// Calls `run` with the random numbers of one seed after the other, up to the first failure.
template <typename Run>
void for_many_seeds(Run run) {
  const unsigned first = first_seed();
  for (unsigned seed = first; seed != first + kRuns && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("PLAN_TEST_SEED=" + std::to_string(seed));
    Random random(seed);
    run(random);
  }
}

void expect_one_start_for_each_end(const CheckedRun& run) {
  const Schedule& schedule = run.schedule();
  for (StepId step = 0; step < schedule.step_count(); ++step) {
    const bool ran = schedule.state(step) != StepState::kSkipped;
    EXPECT_TRUE(has_ended(schedule.state(step))) << "step " << step;
    EXPECT_EQ(run.starts(step), run.put_backs(step) + ran) << "step " << step;
  }
}

TEST(ScheduleProperty, WithoutAnyFailureEveryStepRunsOnceAndTheRunIsOk) {
  for_many_seeds([](Random& random) {
    World world = random_world(random);
    world.tables_ok.assign(world.layers.size(), true);
    CheckedRun run(world, {}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    EXPECT_TRUE(run.schedule().all_ok());
    expect_one_start_for_each_end(run);
  });
}

TEST(ScheduleProperty, WithFailuresEveryStepRunsOnceOrIsSkippedForACause) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    CheckedRun run(world, {.failure = 0.2}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    expect_one_start_for_each_end(run);
  });
}

TEST(ScheduleProperty, AStepStartsAgainOnlyIfItWasPutBack) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    CheckedRun run(world, {.failure = 0.1, .put_back = 0.3}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    expect_one_start_for_each_end(run);
  });
}

TEST(ScheduleProperty, ACancelledRunStartsNothingMoreAndIsDoneWhenNothingRuns) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    CheckedRun run(world, {.failure = 0.1, .put_back = 0.1, .cancel = 0.05}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    expect_one_start_for_each_end(run);
  });
}

TEST(ScheduleProperty, AStepThatIsHeldRunsLaterOrIsGivenUp) {
  for_many_seeds([](Random& random) {
    World world = random_world(random);
    world.tables_ok.assign(world.layers.size(), true);
    CheckedRun run(world, {.hold = 0.3}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    EXPECT_TRUE(run.schedule().all_ok());
    expect_one_start_for_each_end(run);
  });
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    CheckedRun run(world, {.failure = 0.1, .put_back = 0.1, .cancel = 0.01, .hold = 0.3, .give_up = 0.2}, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    expect_one_start_for_each_end(run);
  });
}

TEST(ScheduleProperty, ALayerThatIsTimedOutStartsNothingMoreAndTheRunGoesOn) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    const Weather weather{.failure = 0.1, .put_back = 0.1, .hold = 0.2, .give_up = 0.1, .time_out = 0.05};
    CheckedRun run(world, weather, {});
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    expect_one_start_for_each_end(run);
  });
}

// A step may have been kOk in an earlier run whose other steps, its parents among them, are to run again.
TEST(ScheduleProperty, ARunWithStepsThatWereOkBeforeRunsAllOthersByTheSameRules) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    History history{std::vector(world.steps.size(), StepState::kWaiting)};
    for (StepState& state : history.states) {
      if (chance(random, 0.4)) state = StepState::kOk;
    }
    CheckedRun run(world, {.failure = 0.1, .put_back = 0.1, .hold = 0.1, .give_up = 0.1}, history);
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    for (StepId step = 0; step < run.schedule().step_count(); ++step) {
      EXPECT_TRUE(has_ended(run.schedule().state(step))) << "step " << step;
      EXPECT_FALSE(history.states[step] == StepState::kOk && run.starts(step) > 0) << "step " << step << " ran again";
    }
  });
}

TEST(ScheduleProperty, ARecoveredRunGoesOnByTheSameRulesAndRepeatsNothingThatHadEnded) {
  for_many_seeds([](Random& random) {
    const World world = random_world(random);
    const Weather weather{
        .failure = 0.15, .put_back = 0.15, .cancel = 0.01, .hold = 0.1, .give_up = 0.1, .time_out = 0.01};
    History history;
    for (int conductors = pick(random, 1, 3); conductors > 0; --conductors) {
      CheckedRun lost(world, weather, history);
      lost.go(random, pick(random, 0, 3 * static_cast<int>(world.steps.size())));
      history = lost.cut(random);
    }
    CheckedRun run(world, weather, history);
    ASSERT_TRUE(run.go(random, kEnough)) << "the run does not finish";
    for (StepId step = 0; step < run.schedule().step_count(); ++step) {
      if (!has_ended(history.states[step])) continue;
      EXPECT_EQ(run.schedule().state(step), history.states[step]) << "step " << step;
      EXPECT_EQ(run.starts(step), 0) << "step " << step << " ran again";
    }
  });
}

}  // namespace
}  // namespace etl::plan
