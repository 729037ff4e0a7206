// Branches as a worker has them: kept as JSON, told of one thing after the other, begun again.
#include "states/branch.h"

#include <gtest/gtest.h>

#include "states_world.h"

namespace etl::states {
namespace {

using Phase = Branch::Phase;

// A worker that forgets everything between two steps but the text of the branch.
struct Worker {
  Definition definition;
  ExecutionInfo info;
  RecordedHistory history;
  JsonataEngine jsonata;
  TestEntropy entropy;
  Time time = *parse_timestamp("2026-01-01T00:00:00Z");
  int tokens = 0;

  explicit Worker(const char* machine, Json input = Json::object())
      : definition(parse_definition(Json::parse(machine))) {
    info.input = std::move(input);
  }

  Interpreter interpreter() {
    return Interpreter(
        definition, info, jsonata, entropy, [this] { return time; },
        [this] { return "token" + std::to_string(++tokens); });
  }

  Next advance(Branch* branch, Event event) {
    Next next = interpreter().advance(branch, std::move(event), history);
    const std::string text = branch->to_json().dump();
    *branch = Branch::from_json(Json::parse(text), branch->outer);
    EXPECT_EQ(branch->to_json().dump(), text);
    return next;
  }

  Branch start() { return interpreter().start(); }
};

constexpr const char* kTask = R"({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:x", "Next": "U",
  "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]}, "U": {"Type": "Task", "Resource": "arn:y", "End": true}}})";

TEST(StatesBranch, IsNewUntilItBegins) {
  Worker worker(kTask, {{"a", 1}});
  Branch branch = worker.start();
  EXPECT_EQ(branch.phase, Phase::kNew);
  EXPECT_EQ(branch.state, "T");
  EXPECT_TRUE(branch.is_execution);
  EXPECT_EQ(branch.input, (Json{{"a", 1}}));
  EXPECT_EQ(Branch::from_json(branch.to_json()).to_json(), branch.to_json());
}

TEST(StatesBranch, NamesEachAttemptOnce) {
  Worker worker(kTask);
  Branch branch = worker.start();
  std::set<std::pair<int64_t, int64_t>> attempts;
  const auto advance = [&](Event event) {
    Next next = worker.advance(&branch, std::move(event));
    if (std::holds_alternative<RunTask>(next)) {
      EXPECT_EQ(branch.phase, Phase::kTask);
      EXPECT_TRUE(attempts.emplace(branch.visit, branch.attempt).second);
    }
    return next;
  };
  advance(Begin{});
  const Next retry = advance(TaskFailed{{"E", "C"}});
  EXPECT_EQ(branch.phase, Phase::kRetrying);
  EXPECT_EQ(std::get<Wait>(retry).until, worker.time + std::chrono::seconds(1));
  EXPECT_EQ(branch.due, std::get<Wait>(retry).until);
  advance(TimeReached{});
  EXPECT_EQ(branch.retry_count, 1);
  EXPECT_TRUE(std::holds_alternative<Broken>(advance(TaskFailed{{"E", "C"}})));
  EXPECT_EQ(branch.phase, Phase::kBroken);
  worker.interpreter().redrive(&branch);
  EXPECT_EQ(branch.phase, Phase::kRetrying);
  EXPECT_EQ(branch.retry_count, 0);
  advance(TimeReached{});
  advance(TaskSucceeded{5});
  EXPECT_EQ(branch.state, "U");
  const Next end = advance(TaskSucceeded{6});
  EXPECT_EQ(std::get<Ended>(end).output, 6);
  EXPECT_EQ(branch.phase, Phase::kEnded);
  EXPECT_EQ(attempts, (std::set<std::pair<int64_t, int64_t>>{{1, 1}, {1, 2}, {1, 3}, {2, 1}}));
}

TEST(StatesBranch, RefusesWhatDoesNotFitItsPhase) {
  Worker worker(kTask);
  Branch branch = worker.start();
  EXPECT_THROW(worker.advance(&branch, TaskSucceeded{1}), std::logic_error);
  EXPECT_THROW(worker.interpreter().redrive(&branch), std::logic_error);
  worker.advance(&branch, Begin{});
  EXPECT_THROW(worker.advance(&branch, Begin{}), std::logic_error);
  EXPECT_THROW(worker.advance(&branch, TimeReached{}), std::logic_error);
  EXPECT_THROW(worker.advance(&branch, ChildrenEnded{}), std::logic_error);
  EXPECT_THROW(worker.advance(&branch, ChildrenFailed{}), std::logic_error);
  EXPECT_TRUE(std::holds_alternative<RunTask>(worker.advance(&branch, TaskSucceeded{1})));
}

TEST(StatesBranch, RefusesTextThatIsNoBranch) {
  EXPECT_ANY_THROW(Branch::from_json(Json::object()));
  EXPECT_ANY_THROW(Branch::from_json({{"flow", ""}, {"state", "S"}, {"phase", "asleep"}, {"input", 1}}));
}

TEST(StatesBranch, WaitsUntilAMoment) {
  Worker worker(
      R"({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "OutputPath": "$.a", "End": true}}})",
      {{"a", 1}});
  Branch branch = worker.start();
  const Next wait = worker.advance(&branch, Begin{});
  EXPECT_EQ(branch.phase, Phase::kWaiting);
  EXPECT_EQ(std::get<Wait>(wait).until, worker.time + std::chrono::minutes(1));
  EXPECT_EQ(branch.due, worker.time + std::chrono::minutes(1));
  worker.time = branch.due;
  EXPECT_EQ(std::get<Ended>(worker.advance(&branch, TimeReached{})).output, 1);
}

TEST(StatesBranch, HasATokenWhereItsTaskWaitsForOne) {
  Worker worker(R"({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {"token.$": "$$.Task.Token"},
    "Retry": [{"ErrorEquals": ["States.ALL"]}]}}})");
  Branch branch = worker.start();
  const Next first = worker.advance(&branch, Begin{});
  EXPECT_EQ(branch.task_token, "token1");
  EXPECT_EQ(std::get<RunTask>(first).parameters, (Json{{"token", "token1"}}));
  worker.advance(&branch, TaskFailed{{"E", "C"}});
  worker.advance(&branch, TimeReached{});
  EXPECT_EQ(branch.task_token, "token2") << "an old token ends nothing";
  worker.advance(&branch, TaskSucceeded{1});
  EXPECT_EQ(branch.task_token, "");
}

TEST(StatesBranch, TellsTheProgressOfATask) {
  Worker worker(kTask);
  Branch branch = worker.start();
  worker.advance(&branch, Begin{});
  worker.interpreter().note(&branch, TaskProgress::kStarted, Json::object(), worker.history);
  worker.interpreter().note(&branch, TaskProgress::kSubmitted, {{"output", 1}}, worker.history);
  EXPECT_EQ(worker.history.types(), (std::vector<std::string>{"ExecutionStarted", "TaskStateEntered", "TaskScheduled",
                                                              "TaskStarted", "TaskSubmitted"}));
  EXPECT_EQ(branch.last_event, 5);
  EXPECT_EQ(worker.history.events.back().previous, 4);
}

TEST(StatesBranch, KeepsATaskAsJson) {
  RunTask task{"arn:x", {{"a", 1}}, {{"RoleArn", "r"}}, 5, 3};
  EXPECT_EQ(RunTask::from_json(task.to_json()).to_json(), task.to_json());
  EXPECT_EQ(RunTask::from_json(RunTask{"arn:x", 1, {}, {}, {}}.to_json()).timeout_seconds, std::nullopt);
}

constexpr const char* kFork = R"({"StartAt": "V", "States": {
  "V": {"Type": "Pass", "Assign": {"x": 1}, "Next": "M"},
  "M": {"Type": "Map", "End": true, "MaxConcurrency": 2,
        "ItemProcessor": {"StartAt": "I", "States": {
          "I": {"Type": "Pass", "Assign": {"y": 2}, "Next": "P"},
          "P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:x", "End": true,
                                              "Parameters": {"x.$": "$x", "y.$": "$y"}}}}]}}}}}})";

Branch child_of(Worker* worker, const Branch& parent, int64_t index) {
  return std::get<Branch>(worker->interpreter().children(parent, {index}).at(0));
}

TEST(StatesBranch, ChildrenAreMadeFromTheirParentWhenTheyMayBegin) {
  Worker worker(kFork, {"a", "b", "c"});
  Branch machine = worker.start();
  EXPECT_TRUE(std::holds_alternative<Fork>(worker.advance(&machine, Begin{})));
  EXPECT_EQ(machine.phase, Phase::kForked);
  ASSERT_TRUE(machine.gathering);
  EXPECT_EQ(machine.gathering->children, 3);
  EXPECT_EQ(machine.gathering->max_concurrency, 2);

  Branch item = child_of(&worker, machine, 1);
  EXPECT_EQ(item.iteration_of, "M");
  EXPECT_EQ(item.input, "b");
  EXPECT_EQ(*item.outer, (Json{{"x", 1}}));
  EXPECT_FALSE(item.to_json().contains("outer"));
  EXPECT_TRUE(std::holds_alternative<Fork>(worker.advance(&item, Begin{})));

  Branch branch = child_of(&worker, item, 0);
  EXPECT_EQ(branch.iteration_of, "");
  EXPECT_EQ(branch.item->value, "b");
  EXPECT_EQ(*branch.outer, (Json{{"x", 1}, {"y", 2}}));
  const Next task = worker.advance(&branch, Begin{});
  EXPECT_EQ(std::get<RunTask>(task).parameters, (Json{{"x", 1}, {"y", 2}}));

  EXPECT_EQ(std::get<Ended>(worker.advance(&branch, TaskSucceeded{7})).output, 7);
  const Next iteration = worker.advance(&item, ChildrenEnded{{7}, branch.last_event});
  EXPECT_EQ(std::get<Ended>(iteration).output, Json::array({7}));
  EXPECT_FALSE(item.gathering);
  const Next end = worker.advance(&machine, ChildrenEnded{{1, 2, 3}, item.last_event});
  EXPECT_EQ(std::get<Ended>(end).output, (Json{1, 2, 3}));
}

TEST(StatesBranch, IsRedrivenWithTheChildrenThatBrokeIt) {
  Worker worker(kFork, {"a"});
  Branch machine = worker.start();
  worker.advance(&machine, Begin{});
  const int64_t attempt = machine.attempt;
  Branch item = child_of(&worker, machine, 0);
  worker.advance(&item, Begin{});
  Branch branch = child_of(&worker, item, 0);
  worker.advance(&branch, Begin{});
  const Next failed = worker.advance(&branch, TaskFailed{{"E", "C"}});
  ASSERT_TRUE(std::holds_alternative<Broken>(failed));
  worker.advance(&item, ChildrenFailed{std::get<Broken>(failed).failure});
  worker.advance(&machine, ChildrenFailed{std::get<Broken>(failed).failure});
  for (Branch* broken : {&machine, &item, &branch}) {
    EXPECT_EQ(broken->phase, Phase::kBroken);
    worker.interpreter().redrive(broken);
  }
  EXPECT_EQ(machine.phase, Phase::kForked);
  EXPECT_EQ(machine.attempt, attempt) << "its children are the same";
  EXPECT_EQ(item.phase, Phase::kForked);
  EXPECT_EQ(branch.phase, Phase::kRetrying);
  worker.advance(&branch, TimeReached{});
  worker.advance(&branch, TaskSucceeded{1});
  worker.advance(&item, ChildrenEnded{{1}});
  EXPECT_TRUE(std::holds_alternative<Ended>(worker.advance(&machine, ChildrenEnded{{Json::array({1})}})));
}

TEST(StatesBranch, ForgetsItsChildrenWhenItIsTriedAgain) {
  Worker worker(R"({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
    "Retry": [{"ErrorEquals": ["E"]}], "Branches": [
      {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:x", "End": true}}}]}}})");
  Branch machine = worker.start();
  worker.advance(&machine, Begin{});
  EXPECT_EQ(machine.attempt, 1);
  worker.advance(&machine, ChildrenFailed{{"E", "C"}});
  EXPECT_FALSE(machine.gathering);
  worker.advance(&machine, TimeReached{});
  EXPECT_TRUE(machine.gathering);
  EXPECT_EQ(machine.attempt, 2) << "other children, with other names";
}

TEST(StatesBranch, RedriveCountIsInTheContext) {
  Worker worker(
      R"({"StartAt": "P", "States": {"P": {"Type": "Pass", "InputPath": "$$.Execution.RedriveCount", "End": true}}})");
  worker.info.redrive_count = 2;
  Branch branch = worker.start();
  EXPECT_EQ(std::get<Ended>(worker.advance(&branch, Begin{})).output, 2);
}

TEST(StatesBranch, VisibleVariablesAreSharedWhereThereAreNone) {
  Branch branch;
  EXPECT_EQ(visible_variables(branch), nullptr);
  branch.outer = std::make_shared<Json>(Json{{"a", 1}});
  EXPECT_EQ(visible_variables(branch), branch.outer);
  branch.variables = {{"b", 2}};
  EXPECT_EQ(*visible_variables(branch), (Json{{"a", 1}, {"b", 2}}));
}

}  // namespace
}  // namespace etl::states
