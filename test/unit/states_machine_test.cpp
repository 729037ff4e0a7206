// Machines as a whole: input and output, choices, waits, variables, limits.
#include <gtest/gtest.h>

#include "states_world.h"

namespace etl::states {
namespace {

using std::chrono::seconds;

Execution run(const Json& machine, Json input = Json::object()) {
  TestWorld world;
  return Execution(machine, std::move(input), world);
}

Json pass(Json fields = Json::object()) {
  fields["Type"] = "Pass";
  if (!fields.contains("Next")) fields["End"] = true;
  return fields;
}

Json task(Json fields = Json::object()) {
  fields["Type"] = "Task";
  fields["Resource"] = "arn:aws:states:::etl:sql";
  if (!fields.contains("Next")) fields["End"] = true;
  return fields;
}

TEST(StatesMachine, FieldsAreAppliedInTheirOrder) {
  TestWorld world;
  world.gives("T", {{"id", 7}, {"noise", true}});
  const Execution execution(machine_of("T", {{"T", task({{"InputPath", "$.in"},
                                                         {"Parameters", {{"x.$", "$.a"}, {"y", 2}}},
                                                         {"ResultSelector", {{"n.$", "$.id"}}},
                                                         {"ResultPath", "$.out.result"},
                                                         {"OutputPath", "$.out"}})}}),
                            {{"in", {{"a", 1}}}, {"out", {{"kept", true}}}}, world);
  EXPECT_EQ(world.tasks.at(0).second.parameters, (Json{{"x", 1}, {"y", 2}}));
  EXPECT_EQ(execution.result.output, (Json{{"kept", true}, {"result", {{"n", 7}}}}));
}

TEST(StatesMachine, NullPathsAreEmptyOrDiscard) {
  TestWorld world;
  world.gives("T", 5);
  const Execution kept(machine_of("T", {{"T", task({{"InputPath", nullptr}, {"ResultPath", nullptr}})}}), {{"a", 1}},
                       world);
  EXPECT_EQ(world.tasks.at(0).second.parameters, Json::object());
  EXPECT_EQ(kept.result.output, (Json{{"a", 1}}));
  EXPECT_EQ(run(machine_of("P", {{"P", pass({{"OutputPath", nullptr}})}}), 3).result.output, Json::object());
}

TEST(StatesMachine, AResultPathThatDoesNotFitIsAnErrorOfItsOwn) {
  const Execution execution = run(machine_of("P", {{"P", pass({{"Result", 1}, {"ResultPath", "$.a.b"}})}}), {{"a", 3}});
  EXPECT_EQ(execution.error(), errors::kResultPathMatchFailure);
}

TEST(StatesMachine, WithoutAChoiceThatHoldsAnExecutionFails) {
  const Json machine = machine_of(
      "C",
      {{"C",
        {{"Type", "Choice"},
         {"Choices",
          {{{"And", {{{"Variable", "$.n"}, {"NumericGreaterThan", 1}}, {{"Variable", "$.n"}, {"NumericLessThan", 9}}}},
            {"Next", "In"}},
           {{"Or", {{{"Variable", "$.n"}, {"NumericEquals", 0}}, {{"Variable", "$.s"}, {"StringMatches", "a*z"}}}},
            {"Next", "Or"}},
           {{"Not", {{"Variable", "$.n"}, {"NumericEquals", 10}}}, {"Next", "Not"}}}}}},
       {"In", pass({{"Result", "in"}})},
       {"Or", pass({{"Result", "or"}})},
       {"Not", pass({{"Result", "not"}})}});
  EXPECT_EQ(run(machine, {{"n", 5}, {"s", ""}}).result.output, "in");
  EXPECT_EQ(run(machine, {{"n", 0}, {"s", ""}}).result.output, "or");
  EXPECT_EQ(run(machine, {{"n", 10}, {"s", "abcz"}}).result.output, "or");
  EXPECT_EQ(run(machine, {{"n", 11}, {"s", "abc"}}).result.output, "not");
  const Execution none = run(machine, {{"n", 10}, {"s", "abc"}});
  EXPECT_EQ(none.result.status, ExecutionStatus::kFailed);
  EXPECT_EQ(none.error(), errors::kNoChoiceMatched);
  EXPECT_EQ(none.history.types(),
            (std::vector<std::string>{"ExecutionStarted", "ChoiceStateEntered", "ExecutionFailed"}));
  EXPECT_EQ(run(machine, Json::object()).error(), errors::kRuntime) << "the variable is missing";
}

TEST(StatesMachine, RulesAndDefaultAssignOnTheirOwn) {
  const Json machine = machine_of(
      "C",
      {{"C",
        {{"Type", "Choice"},
         {"Assign", {{"by", "default"}}},
         {"Choices",
          {{{"Variable", "$.n"}, {"NumericEquals", 1}, {"Assign", {{"by", "rule"}, {"n.$", "$.n"}}}, {"Next", "P"}},
           {{"Variable", "$.n"}, {"NumericEquals", 2}, {"Next", "Plain"}}}},
         {"Default", "Plain"}}},
       {"P", pass({{"Parameters", {{"by.$", "$by"}, {"n.$", "$n"}}}})},
       {"Plain", pass({{"Parameters", {{"by.$", "$by"}}}})}});
  EXPECT_EQ(run(machine, {{"n", 1}}).result.output, (Json{{"by", "rule"}, {"n", 1}}));
  EXPECT_EQ(run(machine, {{"n", 3}}).result.output, (Json{{"by", "default"}}));
  EXPECT_EQ(run(machine, {{"n", 2}}).error(), errors::kRuntime) << "the rule assigns nothing";
}

TEST(StatesMachine, VariablesTakeTheirNewValuesInTheNextState) {
  const Json machine = machine_of(
      "A", {{"A", pass({{"Assign", {{"x", 1}, {"y", 2}}}, {"Next", "B"}})},
            {"B", pass({{"Assign", {{"x.$", "$y"}, {"y.$", "$x"}}}, {"Parameters", {{"x.$", "$x"}}}, {"Next", "C"}})},
            {"C", pass({{"Parameters", {{"before.$", "$.x"}, {"x.$", "$x"}, {"y.$", "$y"}}}})}});
  EXPECT_EQ(run(machine).result.output, (Json{{"before", 1}, {"x", 2}, {"y", 1}}));
}

TEST(StatesMachine, VariablesOfABranchEndWithIt) {
  const Json inner = machine_of("I", {{"I", pass({{"Assign", {{"inside.$", "$outside"}}}, {"Next", "J"}})},
                                      {"J", pass({{"Parameters", {{"both.$", "States.Array($inside, $outside)"}}}})}});
  const Json machine =
      machine_of("A", {{"A", pass({{"Assign", {{"outside", 1}}}, {"Next", "P"}})},
                       {"P", {{"Type", "Parallel"}, {"Branches", {inner}}, {"Next", "Q"}}},
                       {"Q", pass({{"Parameters", {{"branches.$", "$"}, {"outside.$", "$outside"}}}, {"Next", "R"}})},
                       {"R", pass({{"Parameters", {{"x.$", "$inside"}}}})}});
  const Execution execution = run(machine);
  EXPECT_EQ(execution.error(), errors::kRuntime);
  const Json& output = execution.history.events.at(execution.history.events.size() - 3).details["output"];
  EXPECT_EQ(output, (Json{{"branches", {{{"both", {1, 1}}}}}, {"outside", 1}}));
}

TEST(StatesMachine, AWaitEndsWhenItsTimeHasCome) {
  TestWorld world;
  const Time start = world.time;
  Execution seconds_path(machine_of("W", {{"W", {{"Type", "Wait"}, {"SecondsPath", "$.s"}, {"End", true}}}}),
                         {{"s", 90}}, world);
  EXPECT_EQ(seconds_path.result.output, (Json{{"s", 90}}));
  EXPECT_EQ(world.time, start + seconds(90));
  Execution until(machine_of("W", {{"W", {{"Type", "Wait"}, {"TimestampPath", "$.t"}, {"End", true}}}}),
                  {{"t", "2026-01-01T01:00:00Z"}}, world);
  EXPECT_EQ(world.time, start + std::chrono::hours(1));
  Execution past(machine_of("W", {{"W", {{"Type", "Wait"}, {"Timestamp", "2020-01-01T01:00:00Z"}, {"End", true}}}}), 1,
                 world);
  EXPECT_EQ(past.result.output, 1);
  EXPECT_EQ(world.time, start + std::chrono::hours(1));
}

TEST(StatesMachine, AWaitForNoTimeFails) {
  const auto wait = [](const char* field) {
    return machine_of("W", {{"W", {{"Type", "Wait"}, {field, "$.x"}, {"End", true}}}});
  };
  for (const Json& value : Json{-1, 1.5, "1", nullptr, 1e300, true}) {
    EXPECT_EQ(run(wait("SecondsPath"), {{"x", value}}).error(), errors::kRuntime) << value;
    EXPECT_EQ(run(wait("TimestampPath"), {{"x", value}}).error(), errors::kRuntime) << value;
  }
  EXPECT_EQ(run(wait("TimestampPath"), {{"x", "2016-12-05 21:29:29Z"}}).error(), errors::kRuntime);
  EXPECT_EQ(run(wait("TimestampPath"), Json::object()).error(), errors::kRuntime);
}

TEST(StatesMachine, ACycleWithoutAWaitEnds) {
  const Json machine = machine_of(
      "A", {{"A", pass({{"Next", "B"}})},
            {"B", {{"Type", "Choice"}, {"Choices", {{{"Variable", "$"}, {"IsPresent", true}, {"Next", "A"}}}}}}});
  const Execution execution = run(machine);
  EXPECT_EQ(execution.result.status, ExecutionStatus::kFailed);
  EXPECT_EQ(execution.error(), errors::kRuntime);
  EXPECT_EQ(execution.history.events.back().type, "ExecutionFailed");
  EXPECT_LE(execution.history.events.size(), static_cast<size_t>(Interpreter::kMostEvents) + 1);
}

TEST(StatesMachine, ACycleInABranchCannotBeCaught) {
  const Json inner = machine_of("A", {{"A", pass({{"Next", "B"}})}, {"B", pass({{"Next", "A"}})}});
  const Json machine = machine_of("P", {{"P",
                                         {{"Type", "Parallel"},
                                          {"Branches", {inner}},
                                          {"Retry", {{{"ErrorEquals", {"States.ALL"}}}}},
                                          {"Catch", {{{"ErrorEquals", {"States.ALL"}}, {"Next", "P"}}}},
                                          {"End", true}}}});
  EXPECT_EQ(run(machine).error(), errors::kRuntime);
}

TEST(StatesMachine, PayloadsAreLimitedByTheirBytes) {
  const auto of_size = [](size_t bytes) { return std::string(bytes - 2, 'x'); };  // and two quotes
  const Json machine = machine_of("P", {{"P", pass({{"Parameters", {{"a.$", "$"}}}, {"OutputPath", "$.a"}})}});
  EXPECT_EQ(run(machine, of_size(kLargestPayload)).result.status, ExecutionStatus::kSucceeded);
  const Json twice = machine_of("P", {{"P", pass({{"Parameters", {{"a.$", "$"}, {"b.$", "$"}}}})}});
  EXPECT_EQ(run(twice, of_size(kLargestPayload / 2 - 6)).result.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(run(twice, of_size(kLargestPayload / 2)).error(), errors::kDataLimitExceeded);
  std::string umlauts;
  while (umlauts.size() < kLargestPayload / 2) umlauts += "ü";
  EXPECT_EQ(run(twice, umlauts).error(), errors::kDataLimitExceeded) << "half as many characters";
}

TEST(StatesMachine, VariablesAreLimitedByTheirBytes) {
  const Json machine = machine_of("P", {{"P", pass({{"Assign", {{"a.$", "$"}, {"b.$", "$"}}}})}});
  EXPECT_EQ(run(machine, std::string(kLargestPayload / 2 - 20, 'x')).result.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(run(machine, std::string(kLargestPayload / 2, 'x')).error(), errors::kDataLimitExceeded);
}

TEST(StatesMachine, TheMachineMayTimeOut) {
  TestWorld world;
  const Time start = world.time;
  Json machine = machine_of("W", {{"W", {{"Type", "Wait"}, {"Seconds", 100}, {"End", true}}}});
  machine["TimeoutSeconds"] = 30;
  const Execution execution(machine, 1, world);
  EXPECT_EQ(execution.result.status, ExecutionStatus::kTimedOut);
  EXPECT_EQ(execution.error(), errors::kTimeout);
  EXPECT_EQ(world.time, start + seconds(30));
  EXPECT_EQ(execution.history.events.back().type, "ExecutionTimedOut");
  world.seconds["T"] = 31;
  machine["States"] = {{"W", task()}};
  machine["States"]["W"]["Catch"] = {{{"ErrorEquals", {"States.ALL"}}, {"Next", "W"}}};
  world.seconds["W"] = 31;
  EXPECT_EQ(Execution(machine, 1, world).result.status, ExecutionStatus::kTimedOut) << "nothing catches it";
}

TEST(StatesMachine, FailSaysWhatItIsTold) {
  EXPECT_EQ(run(machine_of("F", {{"F", {{"Type", "Fail"}}}})).result.failure, (Failure{std::nullopt, std::nullopt}));
  EXPECT_EQ(run(machine_of("F", {{"F", {{"Type", "Fail"}, {"Error", "E"}, {"CausePath", "$.c"}}}}), {{"c", "C"}})
                .result.failure,
            (Failure{"E", "C"}));
  EXPECT_EQ(run(machine_of("F", {{"F", {{"Type", "Fail"}, {"ErrorPath", "$.c"}}}}), {{"c", 1}}).error(),
            errors::kRuntime);
}

TEST(StatesMachine, TheContextIsThereInEveryState) {
  TestWorld world;
  world.fails("T", "E");
  Json machine = machine_of(
      "T",
      {{"T", task({{"Parameters", {{"context.$", "$$"}}},
                   {"Retry", {{{"ErrorEquals", {"E"}}}}},
                   {"ResultPath", "$.task"},
                   {"Next", "C"}})},
       {"C",
        {{"Type", "Choice"}, {"Choices", {{{"Variable", "$$.State.Name"}, {"StringEquals", "C"}, {"Next", "W"}}}}}},
       {"W", {{"Type", "Wait"}, {"SecondsPath", "$$.Execution.Input.wait"}, {"Next", "P"}}},
       {"P", pass({{"InputPath", "$$.Execution"}, {"ResultPath", "$.execution"}, {"Next", "S"}})},
       {"S", {{"Type", "Succeed"}}}});
  const Execution execution(machine, {{"wait", 5}}, world);
  const Json& context = execution.result.output["task"]["context"];
  EXPECT_EQ(context["State"], (Json{{"Name", "T"}, {"EnteredTime", "2026-01-01T00:00:00.000Z"}, {"RetryCount", 1}}));
  EXPECT_EQ(context["StateMachine"], (Json{{"Id", "arn:machine:m"}, {"Name", "m"}}));
  EXPECT_EQ(execution.result.output["execution"], (Json{{"Id", "arn:execution:1"},
                                                        {"Name", "one"},
                                                        {"RoleArn", "owner"},
                                                        {"StartTime", "2026-01-01T00:00:00.000Z"},
                                                        {"RedriveCount", 0},
                                                        {"Input", {{"wait", 5}}}}));
  EXPECT_FALSE(context.contains("Task"));
  EXPECT_FALSE(context.contains("Map"));
}

}  // namespace
}  // namespace etl::states
