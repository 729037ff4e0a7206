// What the schedule makes of a run that another conductor had begun.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "plan/schedule.h"
#include "schedule_builder.h"

namespace etl::plan {
namespace {

using Restored = std::vector<std::pair<StepId, StepState>>;

Schedule recover(std::vector<StepSpec> steps, const Restored& restored, OnError on_error = OnError::kContinue) {
  Schedule schedule(std::vector<LayerSpec>(3), std::move(steps), on_error, 0);
  for (const auto& [step, state] : restored) schedule.restore(step, state);
  schedule.begin();
  return schedule;
}

std::vector<StepId> skipped(Schedule& schedule) {
  std::vector<StepId> steps;
  for (const Skip& skip : schedule.take_skipped()) steps.push_back(skip.step);
  return steps;
}

TEST(Recovery, DoesNotRunAgainWhatHadSucceeded) {
  Schedule schedule = recover({follower(), follower(), dependent(0, {0})}, {{0, StepState::kOk}});
  EXPECT_EQ(schedule.state(0), StepState::kOk);
  EXPECT_EQ(schedule.state(1), StepState::kReady);
  EXPECT_EQ(schedule.state(2), StepState::kReady);
}

TEST(Recovery, SkipsWhatFollowsFromAFailureAndTellsIt) {
  Schedule schedule = recover({follower(), dependent(0, {0}), dependent(1, {1})}, {{0, StepState::kFailed}});
  const std::vector<Skip> skips = schedule.take_skipped();
  ASSERT_EQ(skips.size(), 2u);
  EXPECT_EQ(skips[0].step, 1);
  EXPECT_EQ(skips[0].cause, SkipCause::kParent);
  EXPECT_EQ(skips[0].culprit, 0);
  EXPECT_EQ(skips[1].step, 2);
  EXPECT_EQ(skips[1].culprit, 1);
}

TEST(Recovery, SkipsWhatFollowsFromASkipAndDoesNotTellThatOneAgain) {
  Schedule schedule =
      recover({follower(), dependent(0, {0}), dependent(0, {1})}, {{0, StepState::kFailed}, {1, StepState::kSkipped}});
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{2});
}

TEST(Recovery, SkipsFollowersOfALayerThatHadNotGoneWell) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kCancelled}});
  EXPECT_EQ(schedule.layer_to_check(), 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
}

TEST(Recovery, AsksAgainForTheChecksOfCompleteLayers) {
  Schedule schedule = recover({follower(), follower(1), follower(1)}, {{0, StepState::kOk}, {1, StepState::kOk}});
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_EQ(schedule.layer_to_check(), 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 2);
}

TEST(Recovery, OfARunThatHadEndedOnlyNeedsTheChecks) {
  Schedule schedule = recover({follower(), follower(1)}, {{1, StepState::kOk}, {0, StepState::kOk}});
  EXPECT_FALSE(schedule.done());
  schedule.layer_checked(0, true);
  schedule.layer_checked(1, true);
  EXPECT_TRUE(schedule.all_ok());
}

TEST(Recovery, TakesOverWhatIsRunning) {
  Schedule schedule = recover({follower(), dependent(0, {0})}, {{0, StepState::kRunning}});
  EXPECT_EQ(schedule.running_count(), 1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.finish(0, StepState::kOk);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, RunsAgainWhatWasRunningAndIsPutBack) {
  Schedule schedule = recover({follower(), dependent(0, {0})}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.put_back(1);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, HoldsBackAStepThatIsPutBackBeforeItsLayerOpensAgain) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.put_back(1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, SkipsAStepThatIsPutBackIfTheLayerItFollowsNowFailsItsCheck) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.put_back(1);
  schedule.layer_checked(0, false);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
}

TEST(Recovery, StopsIfAStepHadFailedAndErrorsStopTheRun) {
  Schedule schedule = recover({follower(), follower(), follower(), follower(1)},
                              {{1, StepState::kFailed}, {2, StepState::kRunning}}, OnError::kStop);
  EXPECT_EQ(skipped(schedule), (std::vector<StepId>{0, 3}));
  EXPECT_FALSE(schedule.done());
  schedule.finish(2, StepState::kOk);
  EXPECT_TRUE(schedule.done());
}

TEST(Recovery, DoesNotStopForASkipAlone) {
  Schedule schedule = recover({follower(), follower()}, {{0, StepState::kSkipped}}, OnError::kStop);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, OfACancelledRunIsCancelledByItsOwner) {
  Schedule schedule({{}}, {follower(), follower()}, OnError::kContinue, 0);
  schedule.restore(0, StepState::kOk);
  schedule.cancel();
  schedule.begin();
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
  EXPECT_TRUE(schedule.done());
}

TEST(Recovery, HoldsAStepThatWasRunningEvenBeforeItsLayerOpensAgain) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.hold(1);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.release(1);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, OffersAStepThatIsReleasedBeforeItsLayerOpensOnlyThen) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.hold(1);
  schedule.release(1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(Recovery, HoldsAndGivesUpAStepThatWasPutBackBeforeItsLayerOpens) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.put_back(1);
  schedule.hold(1);
  EXPECT_EQ(schedule.state(1), StepState::kHeld);
  schedule.give_up(1);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
}

TEST(Recovery, SkipsAHeldStepIfTheLayerItFollowsNowFailsItsCheck) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.hold(1);
  schedule.layer_checked(0, false);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
}

TEST(Recovery, TimesOutALayerOfWhichAStepWasPutBackBeforeItOpens) {
  Schedule schedule = recover({follower(), follower(1)}, {{0, StepState::kOk}, {1, StepState::kRunning}});
  schedule.put_back(1);
  schedule.time_out_layer(1);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{1});
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.layer_to_check(), 1);
}

// 0 -> 1 -> 2, then 3 in the next layer: 0 alone is to run again.
std::vector<StepSpec> chain_over_two_layers() {
  return {follower(), dependent(0, {0}), dependent(0, {1}), dependent(1, {1})};
}

TEST(Rerun, OfAParentLeavesItsChildrenAsTheyWere) {
  Schedule schedule = recover(chain_over_two_layers(), {{1, StepState::kOk}, {2, StepState::kOk}, {3, StepState::kOk}});
  EXPECT_EQ(schedule.next(0), 0);
  EXPECT_EQ(schedule.missing_parents(1), std::vector<StepId>{0});
  schedule.start(0);
  schedule.finish(0, StepState::kOk);
  schedule.layer_checked(0, true);
  schedule.layer_checked(1, true);
  EXPECT_TRUE(schedule.all_ok());
}

TEST(Rerun, DoesNotSkipWhatWasOkIfTheParentNowFails) {
  Schedule schedule = recover(chain_over_two_layers(), {{1, StepState::kOk}});
  schedule.start(0);
  schedule.finish(0, StepState::kFailed);
  EXPECT_EQ(skipped(schedule), std::vector<StepId>{});
  EXPECT_EQ(schedule.next(0), 2);
  schedule.start(2);
  schedule.finish(2, StepState::kOk);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 3) << "its parent was OK";
}

TEST(Rerun, LetsStartAtOnceWhoDependsOnWhatWasOk) {
  Schedule schedule = recover(chain_over_two_layers(), {{1, StepState::kOk}});
  EXPECT_EQ(schedule.state(0), StepState::kReady);
  EXPECT_EQ(schedule.state(2), StepState::kReady);
  EXPECT_EQ(schedule.state(3), StepState::kWaiting) << "its layer is not open";
}

TEST(Rerun, OfAnEarlierLayerKeepsLaterLayersFromBeingCheckedBeforeIt) {
  Schedule schedule = recover(chain_over_two_layers(), {{1, StepState::kOk}, {2, StepState::kOk}, {3, StepState::kOk}});
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
  EXPECT_EQ(schedule.open_layer(), 0);
  EXPECT_FALSE(schedule.done());
}

}  // namespace
}  // namespace etl::plan
