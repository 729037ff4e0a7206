// What tests run state machines in: a world with a clock that only waiting moves.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "states/execution.h"
#include "states/jsonata.h"

namespace etl::states {

struct RecordedHistory : History {
  std::vector<HistoryEvent> events;

  EventId add(HistoryEvent event) override {
    event.id = static_cast<EventId>(events.size()) + 1;
    events.push_back(std::move(event));
    return events.back().id;
  }

  std::vector<std::string> types() const {
    std::vector<std::string> types;
    for (const HistoryEvent& event : events) types.push_back(event.type);
    return types;
  }
};

// Always the same numbers.
struct TestEntropy : Entropy {
  uint64_t state = 1;

  uint64_t next() override {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state ^ (state >> 29);
  }
};

struct TestWorld : World {
  Time time = *parse_timestamp("2026-01-01T00:00:00Z");
  std::map<std::string, std::deque<Event>> results;  // of tasks, by state, in order; those without give their input
  std::map<std::string, int64_t> seconds;            // that each task of a state takes
  std::vector<std::pair<std::string, RunTask>> tasks;
  std::vector<Time> task_times;
  std::vector<Branch> branches;  // as they were when their tasks began
  int tokens = 0;
  bool keep_as_text = false;  // each branch, after each step

  Time now() override { return time; }
  void sleep_until(Time until) override { time = std::max(time, until); }
  std::string new_token() override { return "token" + std::to_string(++tokens); }

  Event run_task(const RunTask& task, const Branch& branch, const Note& note) override {
    tasks.emplace_back(branch.state, task);
    task_times.push_back(time);
    branches.push_back(branch);
    note(TaskProgress::kStarted, Json::object());
    if (const auto taken = seconds.find(branch.state); taken != seconds.end()) {
      time += std::chrono::seconds(taken->second);
    }
    auto& waiting = results[branch.state];
    if (waiting.empty()) return TaskSucceeded{task.parameters};
    Event result = std::move(waiting.front());
    waiting.pop_front();
    return result;
  }

  void stepped(Branch* branch) override {
    if (!keep_as_text) return;
    const std::string text = branch->to_json().dump();
    *branch = Branch::from_json(Json::parse(text), branch->outer);
  }

  void fails(const std::string& state, const std::string& error, const std::string& cause = "because") {
    results[state].push_back(TaskFailed{{error, cause}});
  }
  void gives(const std::string& state, Json output) { results[state].push_back(TaskSucceeded{std::move(output)}); }
};

// A machine, run once.
struct Execution {
  ExecutionInfo info;
  RecordedHistory history;
  TestEntropy entropy;
  ExecutionResult result;

  Execution(const Json& machine, Json input, World& world) {
    const Definition definition = parse_definition(machine);
    JsonataEngine jsonata;
    info.execution_id = "arn:execution:1";
    info.execution_name = "one";
    info.machine_id = "arn:machine:m";
    info.machine_name = "m";
    info.role = "owner";
    info.started = world.now();
    info.input = std::move(input);
    result = run_in_memory(definition, info, jsonata, entropy, history, world);
  }

  std::string error() const { return result.failure.error.value_or("(none)"); }
  std::string cause() const { return result.failure.cause.value_or("(none)"); }
};

// A machine of some states, the first of which begins it.
inline Json machine_of(const std::string& first, Json states) {
  return {{"StartAt", first}, {"States", std::move(states)}};
}

}  // namespace etl::states
