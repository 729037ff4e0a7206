// Retry and Catch, as machines use them.
#include <gtest/gtest.h>

#include "states_world.h"

namespace etl::states {
namespace {

using std::chrono::seconds;

// Begins with task T, which has the fields given; goes on to Done, or where it is caught, to Caught.
Json machine_with(const std::string& fields) {
  Json machine = Json::parse(R"({"StartAt": "T", "States": {
    "T": {"Type": "Task", "Resource": "arn:aws:states:::etl:sql", "Next": "Done"},
    "Done": {"Type": "Succeed"},
    "Caught": {"Type": "Pass", "End": true}}})");
  machine["States"]["T"].update(Json::parse(fields));
  return machine;
}

std::vector<int64_t> waits_of(const TestWorld& world) {
  std::vector<int64_t> waits;
  for (size_t i = 1; i < world.task_times.size(); ++i) {
    waits.push_back(std::chrono::duration_cast<seconds>(world.task_times[i] - world.task_times[i - 1]).count());
  }
  return waits;
}

// The example of the specification.
TEST(StatesCatch, EachRetrierCountsItsOwn) {
  TestWorld world;
  for (const char* error : {"ErrorA", "ErrorB", "ErrorC", "ErrorB"}) world.fails("T", error, error);
  const Execution execution(machine_with(R"({
    "Retry": [{"ErrorEquals": ["ErrorA", "ErrorB"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 2},
              {"ErrorEquals": ["ErrorC"], "IntervalSeconds": 5}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]})"),
                            1, world);
  EXPECT_EQ(waits_of(world), (std::vector<int64_t>{1, 2, 5}));
  EXPECT_EQ(execution.result.output, (Json{{"Error", "ErrorB"}, {"Cause", "ErrorB"}}));
}

TEST(StatesCatch, AnExhaustedRetrierAsksNoOther) {
  TestWorld world;
  for (int i = 0; i < 5; ++i) world.fails("T", "E");
  const Execution execution(machine_with(R"({
    "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}]})"),
                            1, world);
  EXPECT_EQ(execution.error(), "E");
  EXPECT_EQ(world.tasks.size(), 2u);
}

TEST(StatesCatch, MaxAttemptsAreRetries) {
  for (const auto& [attempts, tasks] : std::map<int, size_t>{{0, 1}, {2, 3}}) {
    TestWorld world;
    for (int i = 0; i < 5; ++i) world.fails("T", "E");
    Json machine = machine_with(R"({"Retry": [{"ErrorEquals": ["E"]}]})");
    machine["States"]["T"]["Retry"][0]["MaxAttempts"] = attempts;
    const Execution execution(machine, 1, world);
    EXPECT_EQ(world.tasks.size(), tasks);
  }
}

TEST(StatesCatch, RetriesBeginAnewWhenTheStateIsEnteredAgain) {
  TestWorld world;
  for (int i = 0; i < 4; ++i) world.fails("T", "E");
  Json machine = machine_with(R"({"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
                                  "Catch": [{"ErrorEquals": ["E"], "Next": "Again"}]})");
  machine["States"]["Again"] = Json::parse(R"({"Type": "Pass", "Next": "T"})");
  const Execution execution(machine, 1, world);
  EXPECT_EQ(execution.result.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(waits_of(world), (std::vector<int64_t>{1, 0, 1, 0}));
}

TEST(StatesCatch, DelaysAreLimitedAndJittered) {
  TestWorld world;
  for (int i = 0; i < 6; ++i) world.fails("T", "E");
  Execution limited(machine_with(R"({"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 3,
                                                "MaxDelaySeconds": 20, "MaxAttempts": 6}]})"),
                    1, world);
  EXPECT_EQ(waits_of(world), (std::vector<int64_t>{3, 9, 20, 20, 20, 20}));
  TestWorld jittered;
  for (int i = 0; i < 6; ++i) jittered.fails("T", "E");
  Execution random(machine_with(R"({"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 1000, "BackoffRate": 1,
                                               "JitterStrategy": "FULL", "MaxAttempts": 6}]})"),
                   1, jittered);
  std::set<int64_t> different;
  for (const int64_t wait : waits_of(jittered)) {
    EXPECT_LE(wait, 1000);
    different.insert(wait);
  }
  EXPECT_GT(different.size(), 3u);
}

TEST(StatesCatch, ACatcherMergesIntoTheRawInputOnly) {
  TestWorld world;
  world.fails("T", "E", "C");
  const Execution execution(machine_with(R"({"InputPath": "$.in", "ResultPath": null, "OutputPath": "$.nothing",
    "Catch": [{"ErrorEquals": ["E"], "ResultPath": "$.error", "Next": "Caught"}]})"),
                            {{"in", 1}}, world);
  EXPECT_EQ(execution.result.output, (Json{{"in", 1}, {"error", {{"Error", "E"}, {"Cause", "C"}}}}));
}

TEST(StatesCatch, ACatcherMayDiscardAndAssign) {
  TestWorld world;
  world.fails("T", "E", "C");
  Json machine = machine_with(R"({"Catch": [{"ErrorEquals": ["E"], "ResultPath": null, "Next": "Caught",
                                             "Assign": {"cause.$": "$.Cause"}}]})");
  machine["States"]["Caught"]["Parameters"] = {{"input.$", "$"}, {"cause.$", "$cause"}};
  EXPECT_EQ(Execution(machine, 1, world).result.output, (Json{{"input", 1}, {"cause", "C"}}));
}

TEST(StatesCatch, AFailureInACatcherIsNotCaught) {
  TestWorld world;
  world.fails("T", "E");
  const Execution execution(machine_with(R"({"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.a.b",
                                                        "Next": "Caught"}]})"),
                            {{"a", 1}}, world);
  EXPECT_EQ(execution.error(), errors::kResultPathMatchFailure);
}

TEST(StatesCatch, WhatGoesWrongInFieldsIsCaught) {
  TestWorld world;
  const Execution intrinsic(machine_with(R"json({"Parameters": {"x.$": "States.StringToJson($.text)"},
    "Catch": [{"ErrorEquals": ["States.IntrinsicFailure"], "ResultPath": "$.e", "Next": "Caught"}]})json"),
                            {{"text", "{"}}, world);
  EXPECT_EQ(intrinsic.result.output["e"]["Error"], errors::kIntrinsicFailure);
  EXPECT_TRUE(world.tasks.empty());
  const Execution mismatch(machine_with(R"({"ResultPath": "$.text.x",
    "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Caught"}]})"),
                           {{"text", "{"}}, world);
  EXPECT_EQ(mismatch.result.output["e"]["Error"], errors::kResultPathMatchFailure);
}

TEST(StatesCatch, ResultSelectorIsRetriedWithItsTask) {
  TestWorld world;
  world.gives("T", {{"text", "{"}});
  world.gives("T", {{"text", "5"}});
  const Execution execution(machine_with(R"json({"ResultSelector": {"x.$": "States.StringToJson($.text)"},
    "Retry": [{"ErrorEquals": ["States.ALL"]}]})json"),
                            1, world);
  EXPECT_EQ(execution.result.output, (Json{{"x", 5}}));
}

TEST(StatesCatch, RuntimeIsNeverCaught) {
  TestWorld world;
  const Json machine = machine_with(R"({"OutputPath": "$.missing", "Retry": [{"ErrorEquals": ["States.ALL"]}],
    "Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}]})");
  const Execution execution(machine, 1, world);
  EXPECT_EQ(execution.error(), errors::kRuntime);
  EXPECT_EQ(world.tasks.size(), 1u);
}

TEST(StatesCatch, ResultsThatAreTooLargeAreFailuresOfTheTask) {
  TestWorld world;
  world.gives("T", std::string(kLargestPayload, 'x'));
  const Execution caught(machine_with(R"({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]})"), 1, world);
  EXPECT_EQ(caught.result.output["Error"], errors::kDataLimitExceeded);
  EXPECT_EQ(caught.history.types().at(4), "TaskFailed");
}

TEST(StatesCatch, InputsThatAreTooLargeAreNotForAll) {
  const std::string half(kLargestPayload / 2, 'x');
  for (const auto& [name, error] : std::map<std::string, std::string>{{"States.ALL", errors::kDataLimitExceeded},
                                                                      {"States.DataLimitExceeded", "(none)"}}) {
    TestWorld world;
    Json machine = machine_with(R"({"Parameters": {"a.$": "$", "b.$": "$"},
                                    "Catch": [{"ErrorEquals": [], "Next": "Caught"}]})");
    machine["States"]["T"]["Catch"][0]["ErrorEquals"] = {name};
    EXPECT_EQ(Execution(machine, half, world).error(), error) << name;
  }
}

TEST(StatesCatch, TimeoutsHaveNoCause) {
  TestWorld world;
  world.results["T"].push_back(TaskFailed{{}, true});
  const Execution execution(
      machine_with(R"({"TimeoutSeconds": 5, "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Done"},
                                                      {"ErrorEquals": ["States.Timeout"], "Next": "Caught"}]})"),
      1, world);
  EXPECT_EQ(world.tasks.at(0).second.timeout_seconds, 5);
  EXPECT_EQ(execution.result.output, (Json{{"Error", "States.Timeout"}, {"Cause", ""}}));
}

TEST(StatesCatch, AMissedHeartbeatIsATimeout) {
  TestWorld world;
  for (int i = 0; i < 2; ++i) world.results["T"].push_back(TaskFailed{{errors::kHeartbeatTimeout, {}}, true});
  const Execution uncaught(machine_with(R"({"HeartbeatSecondsPath": "$.h"})"), {{"h", 3}}, world);
  EXPECT_EQ(world.tasks.at(0).second.heartbeat_seconds, 3);
  EXPECT_EQ(uncaught.error(), errors::kTimeout);
  const Execution caught(machine_with(R"({"Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]})"),
                         1, world);
  EXPECT_EQ(caught.result.output["Error"], errors::kTimeout);
}

TEST(StatesCatch, LimitsOfTimeAreWholeAndPositive) {
  for (const Json& limit : Json{0, -1, 1.5, "x", nullptr, 1e12}) {
    TestWorld world;
    const Execution execution(machine_with(R"({"TimeoutSecondsPath": "$.t"})"), {{"t", limit}}, world);
    EXPECT_EQ(execution.error(), errors::kRuntime) << limit;
    EXPECT_TRUE(world.tasks.empty());
  }
  TestWorld world;
  EXPECT_EQ(
      Execution(machine_with(R"({"TimeoutSecondsPath": "$.t", "HeartbeatSeconds": 9})"), {{"t", 9}}, world).error(),
      errors::kRuntime);
}

TEST(StatesCatch, ParallelIsRetriedWithAllItsBranches) {
  TestWorld world;
  world.fails("B", "E");
  const Json machine = Json::parse(R"({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
    "Retry": [{"ErrorEquals": ["E"]}],
    "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:x", "End": true}}},
                 {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "arn:x", "End": true}}}]}}})");
  const Execution execution(machine, 1, world);
  EXPECT_EQ(execution.result.output, (Json{1, 1}));
  EXPECT_EQ(world.tasks.size(), 4u);
  EXPECT_EQ(waits_of(world), (std::vector<int64_t>{0, 1, 0}));
}

TEST(StatesCatch, AFailedBranchStopsTheOthers) {
  TestWorld world;
  const Time start = world.time;
  const Json machine = Json::parse(R"({"StartAt": "P", "States": {
    "P": {"Type": "Parallel", "Next": "Q", "Catch": [{"ErrorEquals": ["E"], "ResultPath": "$.e", "Next": "Q"}],
      "Branches": [{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "End": true}}},
                   {"StartAt": "N", "States": {
                      "N": {"Type": "Parallel", "End": true, "Branches": [
                        {"StartAt": "X", "States": {"X": {"Type": "Wait", "Seconds": 50, "End": true}}}]}}},
                   {"StartAt": "V", "States": {"V": {"Type": "Wait", "Seconds": 10, "Next": "F"},
                                               "F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}]},
    "Q": {"Type": "Wait", "Seconds": 200, "End": true}}})");
  const Execution execution(machine, Json::object(), world);
  EXPECT_EQ(execution.result.output, (Json{{"e", {{"Error", "E"}, {"Cause", "C"}}}}));
  EXPECT_EQ(world.time, start + seconds(210));
}

TEST(StatesCatch, JsonataCatchersSeeTheError) {
  TestWorld world;
  world.fails("T", "E", "C");
  Json machine = machine_with(R"({"Arguments": {"a": "{% $states.input.n + 1 %}"},
    "Catch": [{"ErrorEquals": ["E"], "Next": "Caught", "Assign": {"error": "{% $states.errorOutput.Error %}"},
               "Output": {"n": "{% $states.input.n %}", "cause": "{% $states.errorOutput.Cause %}"}}]})");
  machine["QueryLanguage"] = "JSONata";
  machine["States"]["Caught"]["Output"] = Json::parse(R"({"in": "{% $states.input %}", "error": "{% $error %}"})");
  const Execution execution(machine, {{"n", 4}}, world);
  EXPECT_EQ(world.tasks.at(0).second.parameters, (Json{{"a", 5}}));
  EXPECT_EQ(execution.result.output, (Json{{"in", {{"n", 4}, {"cause", "C"}}}, {"error", "E"}}));
}

}  // namespace
}  // namespace etl::states
