// Steps that their owner holds back: a retry that is not due, a limit, a pause.
#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "plan/schedule.h"
#include "schedule_builder.h"

namespace etl::plan {
namespace {

using Lanes = std::vector<int>;

Schedule begin_sequence(std::vector<StepSpec> steps) {
  Schedule schedule({{.sequence = true}}, std::move(steps), OnError::kContinue, 0);
  schedule.begin();
  return schedule;
}

TEST(ScheduleHold, KeepsAReadyStepFromStartingUntilItIsReleased) {
  Schedule schedule = begin({follower(), follower()});
  schedule.hold(0);
  EXPECT_EQ(schedule.state(0), StepState::kHeld);
  EXPECT_EQ(schedule.next(0), 1);
  schedule.start(1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{});
  schedule.release(0);
  EXPECT_EQ(schedule.state(0), StepState::kReady);
  EXPECT_EQ(schedule.next(0), 0);
}

TEST(ScheduleHold, OfARunningStepLetsItRunAgainLater) {
  Schedule schedule = begin({follower(), dependent(0, {0})});
  schedule.start(0);
  schedule.hold(0);
  EXPECT_EQ(schedule.running_count(), 0);
  EXPECT_EQ(schedule.count(StepState::kHeld), 1);
  schedule.release(0);
  run(schedule, 0);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleHold, FreesAPlaceForAnotherStep) {
  Schedule schedule = begin({follower(), follower()}, OnError::kContinue, 1);
  schedule.start(0);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.hold(0);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleHold, KeepsTheUrgencyOfTheStep) {
  std::vector<StepSpec> steps(2, follower());
  steps[1].weight = 2;
  Schedule schedule = begin(std::move(steps));
  schedule.hold(1);
  EXPECT_EQ(schedule.next(0), 0);
  schedule.release(1);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleHold, KeepsTheLayerFromCompletingAndTheRunFromBeingDone) {
  Schedule schedule = begin({follower(), follower(), follower(1)});
  schedule.hold(0);
  run(schedule, 1);
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
  EXPECT_FALSE(schedule.done());
  schedule.release(0);
  run(schedule, 0);
  EXPECT_EQ(schedule.layer_to_check(), 0);
}

TEST(ScheduleHold, LetsNobodyGoAheadWhoDependsOnTheStep) {
  Schedule schedule = begin({follower(), dependent(0, {0})});
  schedule.hold(0);
  EXPECT_EQ(schedule.state(1), StepState::kWaiting);
  EXPECT_EQ(schedule.missing_parents(1), std::vector<StepId>{0});
}

TEST(ScheduleHold, IsNotUndoneByTheReleaseOfAStepThatIsNotHeld) {
  Schedule schedule = begin({follower(), follower()});
  schedule.hold(0);
  schedule.release(1);
  EXPECT_EQ(schedule.state(0), StepState::kHeld);
  EXPECT_EQ(schedule.state(1), StepState::kReady);
  schedule.cancel();
  schedule.release(0);
  EXPECT_EQ(schedule.state(0), StepState::kSkipped);
}

TEST(ScheduleHold, SkipsARunningStepInsteadIfTheRunHasHalted) {
  Schedule schedule = begin({follower(), follower()}, OnError::kStop);
  schedule.start(0);
  run(schedule, 1, StepState::kFailed);
  schedule.hold(0);
  EXPECT_EQ(schedule.state(0), StepState::kSkipped);
  EXPECT_TRUE(schedule.done());
}

TEST(ScheduleHold, KeepsTheTurnOfAStepOfASequence) {
  std::vector<StepSpec> steps(2, follower());
  steps[1].lane = 1;
  Schedule schedule = begin_sequence(std::move(steps));
  schedule.hold(0);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{});
  EXPECT_EQ(schedule.next(1), std::nullopt);
  schedule.release(0);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{0});
  run(schedule, 0);
  EXPECT_EQ(schedule.next(1), 1);
}

TEST(ScheduleHold, KeepsTheTurnOfAStepOfASequenceBetweenTwoOfItsAttempts) {
  Schedule schedule = begin_sequence({follower(), follower()});
  schedule.start(0);
  schedule.hold(0);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.release(0);
  EXPECT_EQ(schedule.next(0), 0);
}

TEST(ScheduleHold, GivesTheTurnOnWhenTheStepIsGivenUp) {
  Schedule schedule = begin_sequence({follower(), follower()});
  schedule.hold(0);
  schedule.give_up(0);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleHold, OfManyStepsIsUndoneOneByOne) {
  Schedule schedule = begin({follower(), follower(), follower()});
  for (const StepId step : {2, 0, 1}) schedule.hold(step);
  EXPECT_EQ(schedule.count(StepState::kHeld), 3);
  for (const StepId step : {1, 2, 0}) {
    schedule.release(step);
    EXPECT_EQ(schedule.next(0), step);
    run(schedule, step);
  }
  schedule.layer_checked(0, true);
  EXPECT_TRUE(schedule.all_ok());
}

}  // namespace
}  // namespace etl::plan
