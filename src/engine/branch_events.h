// What branches are told, and what is told of them, as JSON.
#pragma once

#include "states/branch.h"

namespace etl {

// The events of a branch in one transaction.
class BranchEvents : public states::History {
 public:
  explicit BranchEvents(states::EventId last) : last_(last) {}

  states::EventId add(states::HistoryEvent event) override;

  // What comes now has a higher number than this.
  void follow(states::EventId id) { last_ = std::max(last_, id); }
  std::string text() const { return text_.empty() ? "" : "[" + text_ + "]"; }
  bool wants_pause() const override { return text_.size() >= kMostBytes; }

 private:
  static constexpr size_t kMostBytes = 4 * 1024 * 1024;

  states::EventId last_;
  std::string text_;  // events, as the elements of an array
};

states::Json to_json(const states::Failure& failure);
states::Failure failure_from(const states::Json& json);

// What a child leaves for its parent: its output, or that of one whose failure is tolerated, and the failure.
std::string child_result(const states::Json& output, states::EventId last_event);
std::string child_result(const states::Failure& failure, states::EventId last_event);
struct ChildEnd {
  std::optional<states::Failure> failure;
  states::EventId last_event = 0;
};
ChildEnd child_end(const std::string& result);
states::ChildrenEnded children_ended(const std::vector<std::string>& results);

// Stored for a branch until it is advanced: execution_branches.event.
std::string children_failed_event(const states::Failure& failure, states::EventId last_event);
std::string task_succeeded_event(const states::Json& output);
std::string task_failed_event(const states::Failure& failure);

}  // namespace etl
