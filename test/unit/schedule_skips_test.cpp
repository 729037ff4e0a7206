// Which steps are skipped, when and why: by parents, by layers, by a halt of the run.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <vector>

#include "plan/schedule.h"
#include "schedule_builder.h"

namespace etl::plan {

// For messages of failed tests, and to compare.
bool operator==(const Skip& a, const Skip& b) {
  return a.step == b.step && a.cause == b.cause && a.culprit == b.culprit && a.layer == b.layer;
}

void PrintTo(const Skip& skip, std::ostream* out) {
  *out << "step " << skip.step << " cause " << static_cast<int>(skip.cause) << " culprit " << skip.culprit << " layer "
       << skip.layer;
}

namespace {

using Skips = std::vector<Skip>;

Skip by_parent(StepId step, StepId parent) {
  return {step, SkipCause::kParent, parent, -1};
}
Skip by_layer(StepId step, StepId culprit) {
  return {step, SkipCause::kLayer, culprit, -1};
}
Skip by_check(StepId step, int layer) {
  return {step, SkipCause::kLayerCheck, -1, layer};
}
Skip by_stop(StepId step, StepId culprit) {
  return {step, SkipCause::kStopped, culprit, -1};
}
Skip by_cancel(StepId step) {
  return {step, SkipCause::kCancelled, -1, -1};
}
Skip by_time_out(StepId step) {
  return {step, SkipCause::kTimedOut, -1, -1};
}
Skip by_layer_time_out(StepId step, int layer) {
  return {step, SkipCause::kLayerTimedOut, -1, layer};
}
Skip by_owner(StepId step) {
  return {step, SkipCause::kHeldBack, -1, -1};
}

TEST(ScheduleSkips, WhateverHasAParentThatFailedAtOnceAndTransitively) {
  Schedule schedule = begin({follower(), follower(), dependent(0, {0, 1}), dependent(0, {2}), dependent(2, {3})});
  run(schedule, 0, StepState::kFailed);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_parent(2, 0), by_parent(3, 2), by_parent(4, 3)}));
  EXPECT_EQ(schedule.take_skipped(), Skips{});
  EXPECT_EQ(schedule.state(1), StepState::kReady);
}

TEST(ScheduleSkips, WhateverHasAParentThatWasCancelled) {
  Schedule schedule = begin({follower(), dependent(0, {0})});
  run(schedule, 0, StepState::kCancelled);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_parent(1, 0)});
}

TEST(ScheduleSkips, FollowersOfALayerThatDidNotGoWellNamingItsLowestStep) {
  Schedule schedule = begin({follower(), follower(), follower(), follower(1), dependent(1, {0}), dependent(1, {})});
  run(schedule, 2, StepState::kFailed);
  run(schedule, 1, StepState::kFailed);
  run(schedule, 0);
  EXPECT_EQ(schedule.take_skipped(), Skips{});
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer(3, 1)});
  EXPECT_EQ(schedule.state(4), StepState::kReady);
  EXPECT_EQ(schedule.state(5), StepState::kReady);
}

TEST(ScheduleSkips, FollowersOfALayerWhoseCheckFailed) {
  Schedule schedule = begin({follower(), follower(1), dependent(1, {0}), dependent(1, {1})});
  run(schedule, 0);
  schedule.layer_checked(0, false);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_check(1, 0), by_parent(3, 1)}));
  EXPECT_EQ(schedule.state(2), StepState::kReady);
}

TEST(ScheduleSkips, NameTheStepIfTheCheckFailedToo) {
  Schedule schedule = begin({follower(), follower(1)});
  run(schedule, 0, StepState::kFailed);
  schedule.layer_checked(0, false);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer(1, 0)});
}

TEST(ScheduleSkips, LookNoFurtherBackThanThePreviousLayer) {
  Schedule schedule = begin({follower(), dependent(1, {}), follower(2)});
  run(schedule, 0, StepState::kFailed);
  schedule.layer_checked(0, false);
  run(schedule, 1);
  schedule.layer_checked(1, true);
  EXPECT_EQ(schedule.state(2), StepState::kReady);
  EXPECT_EQ(schedule.take_skipped(), Skips{});
}

TEST(ScheduleSkips, LeaveALayerToBeCheckedEvenIfNothingOfItRan) {
  Schedule schedule = begin({follower(), follower(1), follower(2)});
  run(schedule, 0, StepState::kFailed);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.layer_to_check(), 1);
  schedule.layer_checked(1, true);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_layer(1, 0), by_layer(2, 1)}));
  EXPECT_EQ(schedule.layer_to_check(), 2);
  EXPECT_FALSE(schedule.done());
  schedule.layer_checked(2, true);
  EXPECT_TRUE(schedule.done());
  EXPECT_FALSE(schedule.all_ok());
}

TEST(ScheduleStop, SkipsWhatIsReadyOrWaitingAndLetsTheRestFinish) {
  Schedule schedule = begin({follower(), follower(), follower(), dependent(0, {0}), follower(1)}, OnError::kStop);
  schedule.start(0);
  schedule.start(1);
  schedule.finish(0, StepState::kFailed);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_stop(2, 0), by_stop(3, 0), by_stop(4, 0)}));
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_FALSE(schedule.done());
  schedule.finish(1, StepState::kOk);
  EXPECT_TRUE(schedule.done());
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
  EXPECT_FALSE(schedule.all_ok());
}

TEST(ScheduleStop, ComesFromACancelledStepToo) {
  Schedule schedule = begin({follower(), follower()}, OnError::kStop);
  run(schedule, 0, StepState::kCancelled);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_stop(1, 0)});
}

TEST(ScheduleStop, DoesNotComeFromAFailedCheck) {
  Schedule schedule = begin({follower(), dependent(1, {0})}, OnError::kStop);
  run(schedule, 0);
  schedule.layer_checked(0, false);
  EXPECT_EQ(schedule.state(1), StepState::kReady);
}

TEST(ScheduleStop, NamesTheFirstFailureOnly) {
  Schedule schedule = begin({follower(), follower(), follower()}, OnError::kStop);
  schedule.start(0);
  schedule.start(1);
  schedule.start(2);
  schedule.finish(1, StepState::kFailed);
  schedule.finish(0, StepState::kFailed);
  schedule.put_back(2);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_stop(2, 1)});
  EXPECT_EQ(schedule.state(2), StepState::kSkipped);
  EXPECT_TRUE(schedule.done());
}

TEST(ScheduleCancel, SkipsWhatIsReadyOrWaitingAndLetsTheRestFinish) {
  Schedule schedule = begin({follower(), follower(), dependent(0, {0}), follower(1)});
  schedule.start(0);
  schedule.cancel();
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_cancel(1), by_cancel(2), by_cancel(3)}));
  EXPECT_FALSE(schedule.done());
  schedule.finish(0, StepState::kOk);
  EXPECT_TRUE(schedule.done());
  EXPECT_FALSE(schedule.all_ok());
}

TEST(ScheduleCancel, SkipsAStepThatIsPutBackLater) {
  Schedule schedule = begin({follower()});
  schedule.start(0);
  schedule.cancel();
  schedule.put_back(0);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_cancel(0)});
  EXPECT_TRUE(schedule.done());
}

TEST(ScheduleCancel, DuringTheLastCheckEndsTheRunWithoutIt) {
  Schedule schedule = begin({follower()});
  run(schedule, 0);
  schedule.cancel();
  EXPECT_TRUE(schedule.done());
  schedule.layer_checked(0, true);
  EXPECT_FALSE(schedule.all_ok());
}

TEST(ScheduleCancel, OfARunThatIsDoneChangesNothing) {
  Schedule schedule = begin({follower()});
  run(schedule, 0);
  schedule.layer_checked(0, true);
  schedule.cancel();
  EXPECT_TRUE(schedule.all_ok());
}

TEST(ScheduleCancel, SkipsWhatIsHeldOrHeldLater) {
  Schedule schedule = begin({follower(), follower()});
  schedule.hold(0);
  schedule.start(1);
  schedule.cancel();
  EXPECT_EQ(schedule.take_skipped(), Skips{by_cancel(0)});
  schedule.hold(1);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_cancel(1)});
  EXPECT_TRUE(schedule.done());
}

TEST(ScheduleCancel, BeforeTheBeginningSkipsEverything) {
  Schedule schedule = prepare({follower(), follower(1)});
  schedule.cancel();
  schedule.begin();
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_cancel(0), by_cancel(1)}));
  EXPECT_TRUE(schedule.done());
}

TEST(ScheduleTimeOut, HaltsTheRunAsACancelDoes) {
  Schedule schedule = begin({follower(), follower(), follower(), dependent(0, {0}), follower(1)});
  schedule.start(0);
  schedule.hold(1);
  schedule.time_out();
  schedule.cancel();
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_time_out(1), by_time_out(2), by_time_out(3), by_time_out(4)}));
  EXPECT_FALSE(schedule.done());
  schedule.put_back(0);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_time_out(0)});
  EXPECT_TRUE(schedule.done());
  EXPECT_FALSE(schedule.all_ok());
}

TEST(ScheduleTimeOut, OfARunThatIsDoneOrHasHaltedChangesNothing) {
  Schedule stopped = begin({follower(), follower()});
  stopped.cancel();
  stopped.time_out();
  EXPECT_EQ(stopped.take_skipped(), (Skips{by_cancel(0), by_cancel(1)}));
  Schedule ended = begin({follower()});
  run(ended, 0);
  ended.layer_checked(0, true);
  ended.time_out();
  EXPECT_TRUE(ended.all_ok());
}

TEST(ScheduleLayerTimeOut, SkipsWhatIsPendingOfTheLayerAndThenItsChildrenElsewhere) {
  // 0 runs, 1 is held, 2 is ready, 3 waits for 2 and 4 for 0; 5 and 6 are of the next layer.
  Schedule schedule = begin(
      {follower(), follower(), follower(), dependent(0, {2}), dependent(0, {0}), dependent(1, {3}), dependent(1, {0})});
  schedule.start(0);
  schedule.hold(1);
  schedule.time_out_layer(0);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_layer_time_out(1, 0), by_layer_time_out(2, 0), by_layer_time_out(3, 0),
                                            by_layer_time_out(4, 0), by_parent(5, 3)}));
  EXPECT_EQ(schedule.lanes_with_work(), std::vector<int>{});
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
  schedule.finish(0, StepState::kOk);
  EXPECT_EQ(schedule.layer_to_check(), 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 6);
}

TEST(ScheduleLayerTimeOut, SkipsWhatIsPutBackOrHeldLater) {
  Schedule schedule = begin({follower(), follower()});
  schedule.start(0);
  schedule.start(1);
  schedule.time_out_layer(0);
  schedule.put_back(0);
  schedule.hold(1);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_layer_time_out(0, 0), by_layer_time_out(1, 0)}));
  EXPECT_EQ(schedule.layer_to_check(), 0);
}

TEST(ScheduleLayerTimeOut, LeavesOtherLayersAloneButForWhatFollows) {
  Schedule schedule = begin({follower(), follower(1), dependent(1, {})});
  schedule.time_out_layer(0);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer_time_out(0, 0)});
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer(1, 0)});
  EXPECT_EQ(schedule.next(0), 2);
}

TEST(ScheduleLayerTimeOut, OfALayerThatIsNotYetOpenLeavesItToBeCheckedInItsTurn) {
  Schedule schedule = begin({follower(), follower(1)});
  schedule.time_out_layer(1);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer_time_out(1, 1)});
  run(schedule, 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.layer_to_check(), 1);
}

TEST(ScheduleLayerTimeOut, DoesNotStopARunThatStopsOnErrors) {
  Schedule schedule = begin({follower(), dependent(1, {})}, OnError::kStop);
  schedule.time_out_layer(0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleLayerTimeOut, OfALayerThatIsCompleteOrHasNoStepsOrOfAHaltedRunChangesNothing) {
  Schedule schedule = begin({follower(), follower(2)});
  run(schedule, 0);
  schedule.time_out_layer(0);
  schedule.time_out_layer(1);
  EXPECT_EQ(schedule.take_skipped(), Skips{});
  schedule.layer_checked(0, true);
  schedule.start(1);
  schedule.cancel();
  schedule.time_out_layer(2);
  schedule.put_back(1);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_cancel(1)});
}

TEST(ScheduleGiveUp, SkipsAHeldStepAndWhatDependsOnIt) {
  Schedule schedule = begin({follower(), follower(), dependent(0, {0}), follower(1)});
  schedule.hold(0);
  schedule.give_up(0);
  EXPECT_EQ(schedule.take_skipped(), (Skips{by_owner(0), by_parent(2, 0)}));
  run(schedule, 1);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.take_skipped(), Skips{by_layer(3, 0)});
}

TEST(ScheduleGiveUp, DoesNotStopARunThatStopsOnErrors) {
  Schedule schedule = begin({follower(), follower()}, OnError::kStop);
  schedule.hold(0);
  schedule.give_up(0);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleGiveUp, OfAStepThatIsNotHeldChangesNothing) {
  Schedule schedule = begin({follower()});
  schedule.give_up(0);
  EXPECT_EQ(schedule.next(0), 0);
  EXPECT_EQ(schedule.take_skipped(), Skips{});
}

}  // namespace
}  // namespace etl::plan
