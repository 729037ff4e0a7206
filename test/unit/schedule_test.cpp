#include "plan/schedule.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "schedule_builder.h"

namespace etl::plan {
namespace {

using Lanes = std::vector<int>;

Schedule begin_sequence(std::vector<StepSpec> steps) {
  Schedule schedule({{.sequence = true}}, std::move(steps), OnError::kContinue, 0);
  schedule.begin();
  return schedule;
}

// Runs whatever may start, in its order; every step and every check succeeds. The order of the steps.
std::vector<StepId> drain(Schedule& schedule) {
  std::vector<StepId> order;
  while (!schedule.done()) {
    if (const auto layer = schedule.layer_to_check()) {
      schedule.layer_checked(*layer, true);
      continue;
    }
    const Lanes lanes = schedule.lanes_with_work();
    if (lanes.empty()) {
      ADD_FAILURE() << "nothing may start";
      return order;
    }
    order.push_back(*schedule.next(lanes.front()));
    run(schedule, order.back());
  }
  return order;
}

TEST(StepState, HasTheEdgesOfTheDrawingAndNoOther) {
  const std::string names = "WRHrOFSC";  // waiting, Ready, held, running, ok, failed, skipped, cancelled
  std::string edges;
  for (int from = 0; from < 8; ++from) {
    for (int to = 0; to < 8; ++to) {
      if (is_legal(StepState(from), StepState(to))) edges += {names[from], names[to], ' '};
    }
  }
  EXPECT_EQ(edges, "WR WS RH Rr RS HR HS rR rH rO rF rC ");
}

TEST(StepState, HasEndedWhenNoEdgeLeavesIt) {
  for (int from = 0; from < 8; ++from) {
    bool leaves = false;
    for (int to = 0; to < 8; ++to) leaves = leaves || is_legal(StepState(from), StepState(to));
    EXPECT_EQ(has_ended(StepState(from)), !leaves) << from;
  }
}

TEST(Schedule, OfNothingIsDoneAndOkOnceItBegins) {
  Schedule schedule = prepare({});
  EXPECT_FALSE(schedule.done());
  schedule.begin();
  EXPECT_TRUE(schedule.done());
  EXPECT_TRUE(schedule.all_ok());
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
}

TEST(Schedule, OffersNothingBeforeItBegins) {
  Schedule schedule = prepare({follower()});
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{});
  EXPECT_EQ(schedule.state(0), StepState::kWaiting);
}

TEST(Schedule, NeverReleasesAStepBeforeAllItsParentsSucceeded) {
  Schedule schedule = begin({follower(), follower(), dependent(0, {0, 1})});
  run(schedule, 0);
  EXPECT_EQ(schedule.state(2), StepState::kWaiting);
  run(schedule, 1);
  EXPECT_EQ(schedule.state(2), StepState::kReady);
}

TEST(Schedule, CountsStepsByState) {
  Schedule schedule = begin({follower(), follower(), dependent(0, {0}), dependent(0, {1})});
  schedule.start(0);
  run(schedule, 1, StepState::kFailed);
  EXPECT_EQ(schedule.step_count(), 4);
  EXPECT_EQ(schedule.running_count(), 1);
  EXPECT_EQ(schedule.count(StepState::kFailed), 1);
  EXPECT_EQ(schedule.count(StepState::kSkipped), 1);
  EXPECT_EQ(schedule.count(StepState::kWaiting), 1);
  EXPECT_EQ(schedule.count(StepState::kReady), 0);
}

TEST(Schedule, NamesTheParentsThatAStepWaitsFor) {
  Schedule schedule = begin({follower(), follower(), follower(), dependent(0, {0, 1, 2})});
  run(schedule, 1);
  schedule.start(2);
  EXPECT_EQ(schedule.missing_parents(3), (std::vector<StepId>{0, 2}));
  EXPECT_EQ(schedule.missing_parents(0), std::vector<StepId>{});
}

TEST(Schedule, RunsAStepAgainThatIsPutBack) {
  Schedule schedule = begin({follower()});
  schedule.start(0);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  schedule.put_back(0);
  EXPECT_EQ(schedule.next(0), 0);
  run(schedule, 0);
  EXPECT_EQ(schedule.state(0), StepState::kOk);
}

TEST(Schedule, OfAHundredThousandStepsInAChainIsSkippedWithoutUsingTheStack) {
  const int count = 100'000;
  std::vector<StepSpec> steps{follower()};
  for (StepId id = 1; id < count; ++id) steps.push_back(dependent(0, {id - 1}));
  Schedule schedule = begin(std::move(steps));
  run(schedule, 0, StepState::kFailed);
  EXPECT_EQ(schedule.count(StepState::kSkipped), count - 1);
}

TEST(ScheduleUrgency, PrefersTheLongestRemainingPath) {
  // 0 and 1 -> 2: short, but with something behind it; the lone 0 is shorter than both together.
  std::vector<StepSpec> steps{follower(), follower(), dependent(0, {1})};
  steps[0].weight = 4;
  steps[1].weight = 2;
  steps[2].weight = 3;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{1, 0, 2}));
}

TEST(ScheduleUrgency, DoesNotCountWhatIsBehindInALaterLayer) {
  std::vector<StepSpec> steps{follower(), follower(), dependent(1, {1})};
  steps[0].weight = 4;
  steps[1].weight = 2;
  steps[2].weight = 3;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(schedule.next(0), 0);
}

TEST(ScheduleUrgency, BreaksTiesByLoadOrderAndThenById) {
  std::vector<StepSpec> steps(3, follower());
  steps[0].load_order = 2;
  steps[1].load_order = 1;
  steps[2].load_order = 1;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{1, 2, 0}));
}

TEST(ScheduleUrgency, PutsPriorityBeforeEverythingElse) {
  std::vector<StepSpec> steps(4, follower());
  steps[0].weight = 9;
  steps[1].load_order = 5;
  steps[1].priority = 1;
  steps[2].priority = -1;
  steps[2].load_order = -9;
  steps[3].priority = 1;
  steps[3].weight = 2;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{3, 1, 0, 2}));
}

TEST(ScheduleUrgency, StandsThePrioritiesAtBothEnds) {
  std::vector<StepSpec> steps(3, follower());
  steps[0].priority = std::numeric_limits<int>::min();
  steps[2].priority = std::numeric_limits<int>::max();
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{2, 1, 0}));
}

TEST(ScheduleUrgency, DoesNotPutAPriorityBeforeALayerOrADependency) {
  std::vector<StepSpec> steps{follower(), dependent(0, {0}), follower(1)};
  steps[1].priority = 1;
  steps[2].priority = 2;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{0, 1, 2}));
}

TEST(ScheduleLanes, KeepTheirStepsApartAndComeByTheirMostUrgent) {
  std::vector<StepSpec> steps(4, follower());
  steps[0].lane = 7;
  steps[1].lane = 3;
  steps[1].weight = 2;
  steps[2].lane = 3;
  steps[3].lane = 5;
  steps[3].weight = 3;
  Schedule schedule = begin(std::move(steps));
  EXPECT_EQ(schedule.lanes_with_work(), (Lanes{5, 3, 7}));
  EXPECT_EQ(schedule.next(7), 0);
  EXPECT_EQ(schedule.next(3), 1);
  EXPECT_EQ(schedule.next(4), std::nullopt);
  schedule.start(1);
  EXPECT_EQ(schedule.next(3), 2);
  EXPECT_EQ(schedule.lanes_with_work(), (Lanes{5, 7, 3}));
  schedule.start(2);
  EXPECT_EQ(schedule.lanes_with_work(), (Lanes{5, 7}));
}

TEST(ScheduleMaxParallel, IsNeverExceeded) {
  Schedule schedule = begin({follower(), follower(), follower()}, OnError::kContinue, 2);
  schedule.start(0);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{0});
  schedule.start(1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{});
  schedule.finish(0, StepState::kOk);
  EXPECT_EQ(schedule.next(0), 2);
}

TEST(ScheduleSequence, RunsOneStepAtATimeByLoadOrderWhateverTheirWeightsAndPriorities) {
  std::vector<StepSpec> steps(3, follower());
  steps[0].load_order = 2;
  steps[0].weight = 9;
  steps[0].priority = 9;
  steps[1].load_order = 1;
  steps[2].load_order = 1;
  Schedule schedule = begin_sequence(std::move(steps));
  schedule.start(1);
  EXPECT_EQ(schedule.next(0), std::nullopt);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{});
  schedule.finish(1, StepState::kOk);
  EXPECT_EQ(drain(schedule), (std::vector<StepId>{2, 0}));
}

TEST(ScheduleSequence, KeepsItsOrderAcrossLanes) {
  std::vector<StepSpec> steps(2, follower());
  steps[0].lane = 1;
  steps[1].lane = 2;
  Schedule schedule = begin_sequence(std::move(steps));
  EXPECT_EQ(schedule.next(2), std::nullopt);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{1});
  run(schedule, 0);
  EXPECT_EQ(schedule.lanes_with_work(), Lanes{2});
}

TEST(ScheduleSequence, GoesOnAfterAFailureBecauseAnOrderIsNoDependency) {
  Schedule schedule = begin_sequence({follower(), follower()});
  run(schedule, 0, StepState::kFailed);
  EXPECT_EQ(schedule.next(0), 1);
}

TEST(ScheduleLayers, OpenWhenThePreviousOneIsCompleteAndChecked) {
  Schedule schedule = begin({follower(), follower(), follower(1), dependent(1, {0})});
  run(schedule, 0);
  EXPECT_EQ(schedule.layer_to_check(), std::nullopt);
  run(schedule, 1);
  EXPECT_EQ(schedule.state(2), StepState::kWaiting);
  EXPECT_EQ(schedule.state(3), StepState::kWaiting);
  EXPECT_EQ(schedule.layer_to_check(), 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.state(2), StepState::kReady);
  EXPECT_EQ(schedule.state(3), StepState::kReady);
}

TEST(ScheduleLayers, WithoutStepsArePassedOver) {
  Schedule schedule = begin({follower(1), follower(3)});
  run(schedule, 0, StepState::kFailed);
  EXPECT_EQ(schedule.layer_to_check(), 1);
  schedule.layer_checked(1, true);
  EXPECT_EQ(schedule.take_skipped().at(0).culprit, 0);
  EXPECT_EQ(schedule.layer_to_check(), 3);
}

TEST(ScheduleLayers, AreOpenFromTheEndOfTheOneBeforeToTheirOwnCheck) {
  Schedule schedule = prepare({follower(1), follower(2)});
  EXPECT_EQ(schedule.open_layer(), std::nullopt);
  schedule.begin();
  EXPECT_EQ(schedule.open_layer(), 1);
  run(schedule, 0);
  EXPECT_EQ(schedule.open_layer(), 1);
  schedule.layer_checked(1, true);
  EXPECT_EQ(schedule.open_layer(), 2);
  schedule.start(1);
  schedule.cancel();
  EXPECT_EQ(schedule.open_layer(), 2);
}

TEST(ScheduleLayers, AreAllClosedInTheEnd) {
  Schedule schedule = begin({follower()});
  run(schedule, 0);
  schedule.layer_checked(0, true);
  EXPECT_EQ(schedule.open_layer(), std::nullopt);
}

TEST(ScheduleLayers, TellTheirSteps) {
  const Schedule schedule = prepare({follower(2), follower(), follower(2)});
  EXPECT_EQ(schedule.steps_of(0), std::vector<StepId>{1});
  EXPECT_EQ(schedule.steps_of(1), std::vector<StepId>{});
  EXPECT_EQ(schedule.steps_of(2), (std::vector<StepId>{0, 2}));
}

TEST(ScheduleLayers, AreDoneWhenTheLastIsChecked) {
  Schedule schedule = begin({follower()});
  run(schedule, 0);
  EXPECT_FALSE(schedule.done());
  schedule.layer_checked(0, true);
  EXPECT_TRUE(schedule.done());
  EXPECT_TRUE(schedule.all_ok());
}

TEST(ScheduleLayers, AreNotOkWhenACheckFailed) {
  Schedule schedule = begin({follower()});
  run(schedule, 0);
  schedule.layer_checked(0, false);
  EXPECT_TRUE(schedule.done());
  EXPECT_FALSE(schedule.all_ok());
}

}  // namespace
}  // namespace etl::plan
