// How the history speaks of a task: that follows from what kind its resource is.
#pragma once

#include "states/branch.h"
#include "states/interpreter.h"

namespace etl::states {

struct Resource {
  enum class Kind {
    kFunction,  // arn:aws:lambda:...:function:NAME
    kActivity,  // arn:aws:states:...:activity:NAME
    kService,   // arn:aws:states:::SERVICE:ACTION and whatever else there is
  };

  Kind kind = Kind::kService;
  std::string service;  // "lambda", "aws-sdk:glue"; of a function or an activity, and where there is none: empty
  std::string action;   // "invoke", "sendMessage.waitForTaskToken"; else the whole text
  bool needs_token = false;

  static Resource parse(const std::string& text);

  std::string event(const std::string& what) const;  // "Scheduled" -> LambdaFunctionScheduled
  Json scheduled_details(const RunTask& task) const;
  // Whether the task ends when a run or an execution does.
  bool is_sync() const { return kind == Kind::kService && (action.ends_with(".sync") || action.ends_with(".sync:2")); }
  // What a failed task is called in the cause of States.DataLimitExceeded.
  const std::string& short_name() const { return service.empty() ? action : service; }
};

}  // namespace etl::states
