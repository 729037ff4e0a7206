// Map: items, selection, batches, concurrency, tolerated failures.
#include <gtest/gtest.h>

#include "states_world.h"

namespace etl::states {
namespace {

using std::chrono::seconds;

// Begins with Map M over a single state I.
Json map_with(const std::string& fields, const std::string& inner = R"({"Type": "Task", "Resource": "arn:x"})") {
  Json machine =
      Json::parse(R"({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "I"}}}})");
  Json& map = machine["States"]["M"];
  map.update(Json::parse(fields));
  if (!map.contains("Next")) map["End"] = true;
  Json& state = map["ItemProcessor"]["States"]["I"];
  state = Json::parse(inner);
  if (!state.contains("Next")) state["End"] = true;
  return machine;
}

// Distributed.
Json tolerant(const std::string& fields, const std::string& inner = R"({"Type": "Task", "Resource": "arn:x"})") {
  Json machine = map_with("{" + fields + "}", inner);
  machine["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = {{"Mode", "DISTRIBUTED"}, {"ExecutionType", "STANDARD"}};
  return machine;
}

size_t count(const Execution& execution, const std::string& type) {
  const auto types = execution.history.types();
  return std::count(types.begin(), types.end(), type);
}

TEST(StatesMap, GivesResultsInTheOrderOfItems) {
  TestWorld world;
  const Execution execution(map_with("{}"), {3, 1, 2}, world);
  EXPECT_EQ(execution.result.output, (Json{3, 1, 2}));
  EXPECT_EQ(count(execution, "MapIterationSucceeded"), 3u);
}

TEST(StatesMap, AnEmptyMapSucceeds) {
  TestWorld world;
  const Execution execution(map_with("{}"), Json::array(), world);
  EXPECT_EQ(execution.result.output, Json::array());
  EXPECT_EQ(execution.history.types(),
            (std::vector<std::string>{"ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapStateSucceeded",
                                      "MapStateExited", "ExecutionSucceeded"}));
}

TEST(StatesMap, ItemsMustBeAnArray) {
  TestWorld world;
  for (const Json& input : {Json(1), Json::object(), Json(), Json("x")}) {
    const Execution execution(map_with("{}"), input, world);
    EXPECT_EQ(execution.error(), errors::kRuntime) << input;
  }
}

TEST(StatesMap, ItemSelectorSeesTheInputAndTheItem) {
  TestWorld world;
  const Execution execution(map_with(R"({"InputPath": "$.in", "ItemsPath": "$.items", "ResultPath": "$.out",
    "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "all.$": "$.n"}})"),
                            {{"in", {{"items", {"a", "b"}}, {"n", 9}}}}, world);
  EXPECT_EQ(execution.result.output["out"],
            Json::parse(R"([{"v": "a", "i": 0, "all": 9}, {"v": "b", "i": 1, "all": 9}])"));
}

TEST(StatesMap, InnerMapsHaveItemsOfTheirOwn) {
  TestWorld world;
  const Json machine = Json::parse(R"({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
    "StartAt": "N", "States": {"N": {"Type": "Map", "Next": "O", "ItemProcessor": {
      "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true, "Parameters": {"i.$": "$$.Map.Item.Index"}}}}},
      "O": {"Type": "Pass", "End": true,
            "Parameters": {"outer.$": "$$.Map.Item.Index", "inner.$": "$[*].i"}}}}}}})");
  const Execution execution(machine, Json::parse("[[1, 2], [3]]"), world);
  EXPECT_EQ(execution.result.output, Json::parse(R"([{"outer": 0, "inner": [0, 1]}, {"outer": 1, "inner": [0]}])"));
}

TEST(StatesMap, AParallelInAMapSeesTheItem) {
  TestWorld world;
  const Json machine = Json::parse(R"({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
    "StartAt": "N", "States": {"N": {"Type": "Parallel", "End": true, "Branches": [{
      "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true, "InputPath": "$$.Map.Item.Index"}}}]}}}}}})");
  const Execution execution(machine, {"a", "b"}, world);
  EXPECT_EQ(execution.result.output, Json::parse("[[0], [1]]"));
  EXPECT_EQ(count(execution, "MapIterationStarted"), 2u);
}

TEST(StatesMap, IterationsRunAsManyAtATimeAsTheyMay) {
  const auto duration = [](const std::string& fields, const Json& input) {
    TestWorld world;
    const Time start = world.time;
    const Execution execution(map_with(fields, R"({"Type": "Wait", "Seconds": 10})"), input, world);
    EXPECT_EQ(execution.result.status, ExecutionStatus::kSucceeded) << execution.cause();
    return std::chrono::duration_cast<seconds>(world.time - start).count();
  };
  EXPECT_EQ(duration("{}", {1, 2, 3, 4, 5}), 10);
  EXPECT_EQ(duration(R"({"MaxConcurrency": 0})", {1, 2, 3, 4, 5}), 10);
  EXPECT_EQ(duration(R"({"MaxConcurrency": 1})", {1, 2, 3, 4, 5}), 50);
  EXPECT_EQ(duration(R"({"MaxConcurrency": 2})", {1, 2, 3, 4, 5}), 30);
  EXPECT_EQ(duration(R"({"MaxConcurrencyPath": "$.n", "ItemsPath": "$.items"})", {{"n", "2"}, {"items", {1, 2, 3}}}),
            20);
}

TEST(StatesMap, MaxConcurrencyMustBeACount) {
  for (const Json& value : Json{-1, 1.5, "many", nullptr, true}) {
    TestWorld world;
    const Execution execution(map_with(R"({"MaxConcurrencyPath": "$.n", "ItemsPath": "$.items"})"),
                              {{"n", value}, {"items", {1}}}, world);
    EXPECT_EQ(execution.error(), errors::kRuntime) << value;
  }
}

TEST(StatesMap, TheFirstFailureOfAnIterationIsThatOfTheMap) {
  TestWorld world;
  world.gives("I", 1);
  world.fails("I", "E", "C");
  const Execution execution(map_with(R"({"MaxConcurrency": 1})"), {1, 2, 3}, world);
  EXPECT_EQ(execution.result.failure, (Failure{"E", "C"}));
  EXPECT_EQ(world.tasks.size(), 2u);
  EXPECT_EQ(count(execution, "MapIterationFailed"), 1u);
  EXPECT_EQ(count(execution, "MapStateFailed"), 1u);
}

TEST(StatesMap, IsRetriedWithAllItsItemsAndCaught) {
  TestWorld world;
  for (int i = 0; i < 2; ++i) {
    world.gives("I", 1);
    world.fails("I", "E", "C");
  }
  Json machine = map_with(R"({"MaxConcurrency": 1, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
    "Catch": [{"ErrorEquals": ["E"], "ResultPath": null, "Next": "Caught"}]})");
  machine["States"]["Caught"] = Json::parse(R"({"Type": "Succeed"})");
  const Execution execution(machine, {1, 2, 3}, world);
  EXPECT_EQ(execution.result.output, (Json{1, 2, 3}));
  EXPECT_EQ(world.tasks.size(), 4u);
  EXPECT_EQ(count(execution, "MapStateStarted"), 2u);
  EXPECT_EQ(count(execution, "MapStateFailed"), 1u);
  EXPECT_EQ(count(execution, "MapStateExited"), 1u);
}

TEST(StatesMap, ADistributedMapTellsNothingOfItsChildren) {
  TestWorld world;
  const Execution execution(tolerant(""), {1, 2}, world);
  EXPECT_EQ(execution.result.output, (Json{1, 2}));
  EXPECT_EQ(execution.history.types(),
            (std::vector<std::string>{"ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted",
                                      "MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"}));
}

TEST(StatesMap, ADistributedMapToleratesNothingByDefault) {
  TestWorld world;
  world.fails("I", "E");
  const Execution execution(tolerant(""), {1, 2, 3}, world);
  EXPECT_EQ(execution.error(), errors::kExceedToleratedFailureThreshold);
  EXPECT_EQ(count(execution, "MapRunFailed"), 1u);
}

TEST(StatesMap, ADistributedMapToleratesSomeFailures) {
  for (const char* fields : {R"("ToleratedFailureCount": 1)", R"("ToleratedFailurePercentage": 34)"}) {
    TestWorld world;
    world.fails("I", "E", "C");
    const Execution one(tolerant(fields), {1, 2, 3}, world);
    EXPECT_EQ(one.result.output, Json::parse(R"([{"Status": "FAILED", "Error": "E", "Cause": "C"}, 2, 3])"));
    world.fails("I", "E", "C");
    world.fails("I", "E", "C");
    EXPECT_EQ(Execution(tolerant(fields), {1, 2, 3}, world).error(), errors::kExceedToleratedFailureThreshold);
  }
}

TEST(StatesMap, AnExceededThresholdCanBeCaught) {
  TestWorld world;
  world.fails("I", "E");
  Json machine =
      tolerant(R"("Catch": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "Caught"}])");
  machine["States"]["Caught"] = Json::parse(R"({"Type": "Pass", "OutputPath": "$.Error", "End": true})");
  EXPECT_EQ(Execution(machine, {1}, world).result.output, errors::kExceedToleratedFailureThreshold);
}

TEST(StatesMap, RuntimeErrorsOfDistributedChildrenAreFailuresOfTheirs) {
  TestWorld world;
  Json machine = tolerant(R"("ToleratedFailurePercentage": 100)");
  machine["States"]["M"]["ItemProcessor"]["States"]["I"]["OutputPath"] = "$.missing";
  const Execution execution(machine, {1}, world);
  EXPECT_EQ(execution.result.output[0]["Error"], errors::kRuntime);
}

TEST(StatesMap, BatchesHaveAtMostSomeItems) {
  TestWorld world;
  const Execution execution(tolerant(R"("ItemsPath": "$.items", "ItemBatcher": {"MaxItemsPerBatch": 2,
    "BatchInput": {"x.$": "$.x"}}, "ItemSelector": {"v.$": "$$.Map.Item.Value"})"),
                            {{"items", {1, 2, 3}}, {"x", 9}}, world);
  EXPECT_EQ(execution.result.output, Json::parse(R"([{"BatchInput": {"x": 9}, "Items": [{"v": 1}, {"v": 2}]},
                                                     {"BatchInput": {"x": 9}, "Items": [{"v": 3}]}])"));
}

TEST(StatesMap, BatchesHaveAtMostSomeBytes) {
  TestWorld world;
  // {"Items":["a","b"]} has 19 bytes.
  const std::string fields = R"("ItemBatcher": {"MaxInputBytesPerBatch": )";
  EXPECT_EQ(Execution(tolerant(fields + "19}"), {"a", "b", "c"}, world).result.output,
            Json::parse(R"([{"Items": ["a", "b"]}, {"Items": ["c"]}])"));
  EXPECT_EQ(Execution(tolerant(fields + "18}"), {"a", "b", "c"}, world).result.output.size(), 3u);
  EXPECT_EQ(Execution(tolerant(fields + "1}"), {"a", "b", "c"}, world).result.output.size(), 3u);
  EXPECT_EQ(Execution(tolerant(fields + "1000}"), {"a", "b", "c"}, world).result.output.size(), 1u);
}

TEST(StatesMap, AFailedBatchCountsAllItsItems) {
  for (const auto& [tolerated, error] :
       std::map<std::string, std::string>{{"1", errors::kExceedToleratedFailureThreshold}, {"2", "(none)"}}) {
    TestWorld world;
    world.fails("I", "E");
    const Execution execution(
        tolerant(R"("ItemBatcher": {"MaxItemsPerBatch": 2}, "ToleratedFailureCount": )" + tolerated), {1, 2, 3}, world);
    EXPECT_EQ(execution.error(), error);
  }
}

TEST(StatesMap, ResultsMayBeFlattened) {
  TestWorld world;
  const Execution execution(tolerant(R"("ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN"}})"),
                            Json::parse("[[1, 2], 3, [], [[4]]]"), world);
  EXPECT_EQ(execution.result.output, Json::parse("[1, 2, 3, [4]]"));
}

TEST(StatesMap, VariablesReachInlineIterationsOnly) {
  Json machine =
      map_with(R"({"Next": "After"})", R"json({"Type": "Pass", "Assign": {"mine.$": "$"}, "Next": "J"})json");
  Json& inner = machine["States"]["M"]["ItemProcessor"]["States"];
  inner["J"] =
      Json::parse(R"json({"Type": "Pass", "End": true, "Parameters": {"sum.$": "States.MathAdd($mine, $x)"}})json");
  machine["States"]["After"] = Json::parse(R"({"Type": "Pass", "End": true, "Parameters": {"m.$": "$", "x.$": "$x"}})");
  machine["States"]["Before"] = Json::parse(R"({"Type": "Pass", "Assign": {"x": 10}, "Next": "M"})");
  machine["StartAt"] = "Before";
  TestWorld world;
  EXPECT_EQ(Execution(machine, {1, 2}, world).result.output,
            Json::parse(R"({"x": 10, "m": [{"sum": 11}, {"sum": 12}]})"));
  machine["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = {{"Mode", "DISTRIBUTED"}};
  EXPECT_EQ(Execution(machine, {1, 2}, world).error(), errors::kExceedToleratedFailureThreshold);
}

TEST(StatesMap, AnItemThatCannotBeMadeFailsTheMap) {
  TestWorld world;
  const Execution execution(map_with(R"json({"ItemSelector": {"x.$": "States.StringToJson($$.Map.Item.Value)"}})json"),
                            {"1", "{"}, world);
  EXPECT_EQ(execution.error(), errors::kIntrinsicFailure);
}

TEST(StatesMap, JsonataSelectsAndLimits) {
  TestWorld world;
  Json machine = map_with(R"({"Items": "{% $states.input.items %}", "MaxConcurrency": "{% $states.input.n %}",
    "ItemSelector": {"v": "{% $states.context.Map.Item.Value * 2 %}", "n": "{% $states.input.n %}"}})");
  machine["QueryLanguage"] = "JSONata";
  EXPECT_EQ(Execution(machine, {{"items", {1, 2}}, {"n", 1}}, world).result.output,
            Json::parse(R"([{"v": 2, "n": 1}, {"v": 4, "n": 1}])"));
  EXPECT_EQ(Execution(machine, {{"items", {1, 2}}, {"n", "x"}}, world).error(), errors::kQueryEvaluationError);
  EXPECT_EQ(Execution(machine, {{"items", 5}, {"n", 1}}, world).error(), errors::kQueryEvaluationError);
}

// Thousands of large items are made one after the other, not at once.
TEST(StatesMap, ManyLargeItemsNeedLittleMemory) {
  TestWorld world;
  Json items = Json::array();
  for (int i = 0; i < 4000; ++i) items.push_back(i);
  const Execution execution(tolerant(R"json("ItemsPath": "$.items", "MaxConcurrency": 10,
    "ResultSelector": {"n.$": "States.ArrayLength($)"}, "ItemSelector": {"all.$": "$"})json",
                                     R"({"Type": "Pass", "Result": 1})"),
                            {{"items", items}, {"text", std::string(200'000, 'x')}}, world);
  EXPECT_EQ(execution.result.output, (Json{{"n", 4000}}));
}

}  // namespace
}  // namespace etl::states
