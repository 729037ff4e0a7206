// What built-in resources do: each family has a file of its own, and gives a table of its actions.
#pragma once

#include "engine/task_call.h"

namespace etl {

// A task that is not ended by `run` has its result from `finish`, when the run that it waits for has ended.
struct TaskAction {
  TaskResult (*run)(const TaskCall& call);
  TaskResult (*finish)(const TaskCall& call, RunId ended) = nullptr;
};

// By "service:action", without .waitForTaskToken: lambda:invoke, glue:startJobRun.sync.
using TaskActions = std::map<std::string, TaskAction>;

const TaskActions& function_actions();      // task_functions.cpp: lambda
const TaskActions& crawler_actions();       // task_crawlers.cpp: glue, crawlers
const TaskActions& execution_actions();     // task_executions.cpp: states
const TaskActions& job_actions();           // task_jobs.cpp: glue, jobs
const TaskActions& notification_actions();  // task_notifications.cpp: sns
const TaskActions& pipeline_actions();      // task_pipelines.cpp: etl
const TaskActions& query_actions();         // task_queries.cpp: athena
const TaskActions& statement_actions();     // task_statements.cpp: sql

// Calls the function that is registered under a name for the machines of the current user. StateError
// (Lambda.ResourceNotFoundException) where there is none.
SqlResult call_function(pg::Block& block, const std::string& name, const Json& input);

// The name in an ARN of a function, without a version or alias; or the text itself.
std::string function_name(const std::string& text);

}  // namespace etl
