// Executions that were recorded on the real service, run again: status, output, error, and events.
//
// What is compared of events: their types and, where the recording has one, the names of their states, in order. Events
// that were recorded without a number happened at the same time as others, in branches of a Parallel; the recording has
// them in no order, and so they are compared as a set, at the place where they stand. It leaves out
// ParallelStateSucceeded, and so does the comparison. Causes are counted, not required.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "states_world.h"

namespace etl::states {
namespace {

std::optional<Json> load(const std::string& name) {
  std::vector<std::string> folders = {"../shared", "../../../shared"};
  if (const char* folder = std::getenv("SHARED_DIR")) folders.insert(folders.begin(), folder);
  for (const std::string& folder : folders) {
    std::ifstream file(folder + "/asl/" + name);
    if (file) return Json::parse(file);
  }
  return std::nullopt;
}

// A cause that is JSON was recorded as JSON.
std::optional<std::string> text_of(const Json& result, const char* field) {
  if (!result.contains(field) || result[field].is_null()) return std::nullopt;
  return result[field].is_string() ? result[field].get<std::string>() : compact(result[field]);
}

struct ReplayWorld : TestWorld {
  std::map<std::string, std::deque<Json>> recorded;  // by state

  explicit ReplayWorld(const Json& test) {
    for (const Json& result : test.value("task_results", Json::array())) recorded[result["state"]].push_back(result);
  }

  Event run_task(const RunTask& task, const Branch& branch, const Note& note) override {
    note(TaskProgress::kStarted, Json::object());
    auto& results = recorded[branch.state];
    while (!results.empty()) {
      const Json result = results.front();
      results.pop_front();
      const std::string event = result["event"];
      if (event.ends_with("Succeeded")) return TaskSucceeded{result["output"]};
      if (!event.ends_with("Submitted")) {
        return TaskFailed{{text_of(result, "error"), text_of(result, "cause")}, event.ends_with("TimedOut")};
      }
      note(TaskProgress::kSubmitted, {{"output", result["output"]}});
    }
    return TaskSucceeded{task.parameters};  // of a child of a distributed Map: not recorded
  }
};

// Names of resources are not in the recordings: what the events tell of their kind.
void name_resources(Json* definition, const std::string& kind) {
  for (auto& [name, state] : definition->at("States").items()) {
    if (state.value("Resource", "") == "__OPAQUE__") {
      state["Resource"] = kind == "Activity" ? "arn:aws:states:us-east-1:123456789012:activity:one"
                                             : "arn:aws:lambda:us-east-1:123456789012:function:one";
    }
    for (const char* field : {"Iterator", "ItemProcessor"}) {
      if (state.contains(field)) name_resources(&state[field], kind);
    }
    if (!state.contains("Branches")) continue;
    for (Json& branch : state["Branches"]) name_resources(&branch, kind);
  }
}

Json definition_of(const Json& test) {
  Json definition = test["definition"];
  const std::string first = test.contains("task_results") && !test["task_results"].empty()
                                ? test["task_results"][0]["event"].get<std::string>()
                                : std::string();
  name_resources(&definition, first.starts_with("Activity") ? "Activity" : "Function");
  return definition;
}

using Line = std::pair<std::string, std::string>;  // type and name

// Sorts what happened at the same time. `expected` says where.
void sort_concurrent(const Json& expected, std::vector<Line>* lines) {
  for (size_t from = 0; from < expected.size();) {
    size_t to = from;
    while (to < expected.size() && expected[to]["id"].is_array()) ++to;
    if (to > from && to <= lines->size()) std::sort(lines->begin() + from, lines->begin() + to);
    from = to + 1;
  }
}

std::string compare_events(const Json& expected, const std::vector<HistoryEvent>& events) {
  std::vector<Line> wanted;
  std::vector<Line> found;
  for (const Json& event : expected) wanted.emplace_back(event["type"], event.value("name", ""));
  for (const HistoryEvent& event : events) {
    if (event.type == "ParallelStateSucceeded") continue;
    const size_t place = found.size();
    const bool has_name = place < wanted.size() && (!wanted[place].second.empty() || expected[place]["id"].is_array());
    found.emplace_back(event.type, has_name ? event.state : "");
  }
  sort_concurrent(expected, &wanted);
  sort_concurrent(expected, &found);
  if (wanted == found) return "";
  std::ostringstream difference;
  for (size_t i = 0; i < std::max(wanted.size(), found.size()); ++i) {
    const Line none;
    const Line& left = i < wanted.size() ? wanted[i] : none;
    const Line& right = i < found.size() ? found[i] : none;
    difference << (left == right ? "\n    " : "\n  ! ") << left.first << " " << left.second << " | " << right.first
               << " " << right.second;
  }
  return difference.str();
}

std::string status_of(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::kSucceeded:
      return "SUCCEEDED";
    case ExecutionStatus::kFailed:
      return "FAILED";
    case ExecutionStatus::kTimedOut:
      return "TIMED_OUT";
    case ExecutionStatus::kAborted:
      break;
  }
  return "ABORTED";
}

// What is not as recorded; empty if all is.
std::string differences(const Json& test, const Execution& execution) {
  std::ostringstream text;
  const std::string status = status_of(execution.result.status);
  if (status != text_of(test, "expected_status")) {
    text << "status " << status << " (" << execution.error() << ": " << execution.cause() << ")";
  } else if (status == "SUCCEEDED" && execution.result.output != test["expected_output"]) {
    text << "output " << execution.result.output << "\n  expected " << test["expected_output"];
  } else if (execution.result.failure.error != text_of(test, "expected_error")) {
    text << "error " << execution.error() << ": " << execution.cause();
  } else if (test.contains("expected_events")) {
    const std::string events = compare_events(test["expected_events"], execution.history.events);
    if (!events.empty()) text << "events (recorded | found)" << events;
  }
  return text.str();
}

struct Tally {
  int agree = 0;
  int with_cause = 0;
  int causes_agree = 0;
};

Tally run_all(const Json& tests, bool keep_as_text) {
  Tally tally;
  for (const Json& test : tests) {
    const std::string name = test["name"];
    try {
      ReplayWorld world(test);
      world.keep_as_text = keep_as_text;
      const Execution execution(definition_of(test), test.value("input", Json::object()), world);
      const std::string text = differences(test, execution);
      EXPECT_EQ(text, "") << name;
      tally.agree += text.empty();
      if (!test.contains("expected_cause")) continue;
      ++tally.with_cause;
      tally.causes_agree += execution.result.failure.cause == text_of(test, "expected_cause");
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ": " << error.what();
    }
  }
  return tally;
}

void check_file(const std::string& file, const std::string& what, bool keep_as_text) {
  const auto tests = load(file);
  if (!tests) GTEST_SKIP() << file << " is not there";
  const Tally tally = run_all(*tests, keep_as_text);
  std::cout << tally.agree << " of " << tests->size() << " " << what << " agree; " << tally.causes_agree << " of "
            << tally.with_cause << " causes do\n";
  EXPECT_EQ(tally.agree, static_cast<int>(tests->size()));
}

TEST(StatesCases, RecordedExecutionsEndAsOnTheService) {
  check_file("cases.json", "recorded executions", false);
}

TEST(StatesCases, RecordedTasksAreReplayed) {
  check_file("replay_cases.json", "recorded executions with tasks", false);
}

// A branch may be kept as text between any two steps, and taken up by another process.
TEST(StatesCases, BranchesCanBeKeptAsTextAfterEachStep) {
  check_file("cases.json", "recorded executions, with branches kept as text,", true);
}

TEST(StatesCases, BranchesOfReplaysCanBeKeptAsTextAfterEachStep) {
  check_file("replay_cases.json", "recorded executions with tasks, with branches kept as text,", true);
}

}  // namespace
}  // namespace etl::states
