// Load jobs, by the names and in the shapes of the service that runs jobs elsewhere.

#include "engine/job_runs.h"
#include "engine/task_actions.h"
#include "engine/task_runs.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/watch.h"

namespace etl {

namespace {

using states::StateError;

constexpr int64_t kMostJobRuns = 200;  // of one answer

NamedJob named_job(const TaskCall& call) {
  NamedJob job;
  const std::string name = call.required_text("JobName");
  const Oid role = GetUserId();
  in_engine(call.block, [&] { job = find_job(name, role); });
  return job;
}

// Arguments are called --NAME there; setup.param() knows them without the dashes.
std::string params_of(const TaskCall& call) {
  const Json arguments = call.optional_object("Arguments");
  Json params = Json::object();
  for (const auto& [name, value] : arguments.items()) params[name.starts_with("--") ? name.substr(2) : name] = value;
  return params.dump();
}

[[noreturn]] void fail_not_startable(const pg::Failure& failure) {
  const std::string why = failure.what() + (failure.detail().empty() ? "" : ": " + failure.detail());
  throw StateError("Glue.InvalidInputException", why);
}

RunKey start(const TaskCall& call, const NamedJob& job) {
  RunRequest request;
  request.selection.jobs = {job.qualified()};
  request.params = params_of(call);
  if (const auto minutes = call.optional_integer("Timeout", 1, 10'000'000))
    request.timeout = std::to_string(*minutes) + " minutes";
  // How many may run is asked here; beyond that it is a pipeline of its own.
  request.pipeline = pg::format("job %s, execution %lld, state %s", job.qualified().c_str(),
                                static_cast<long long>(call.owner.run.id), call.owner.state.c_str());
  int64_t open = 0;
  in_engine(call.block, [&] { open = count_open_runs(job); });
  if (open >= job.max_concurrent)
    throw StateError("Glue.ConcurrentRunsExceededException",
                     pg::format("Concurrent runs exceeded for %s: %lld of %d", job.qualified().c_str(),
                                static_cast<long long>(open), job.max_concurrent));
  try {
    return start_task_run(call, request);
  } catch (const pg::Failure& failure) {
    if (failure.sqlstate() == kRunNotValid) fail_not_startable(failure);
    if (failure.sqlstate() == kAlreadyRunning) throw StateError("Glue.ConcurrentRunsExceededException", failure.what());
    throw;
  }
}

TaskResult start_job_run(const TaskCall& call) {
  return {{{"JobRunId", job_run_id(start(call, named_job(call)).id)}}, false, 0, std::nullopt};
}

TaskResult finish_job_run(const TaskCall& call, RunId run_id) {
  std::vector<JobRun> found;
  const Oid role = GetUserId();
  in_engine(call.block, [&] { found = read_job_runs({"", "", run_id, 0, 1}, role); });
  if (found.empty()) throw StateError(states::errors::kTaskFailed, "the run of the job is not there any more");
  Json shown = found.front().shown(call);
  if (found.front().state != "SUCCEEDED") throw StateError(states::errors::kTaskFailed, states::compact(shown));
  return {std::move(shown), false, 0, std::nullopt};
}

TaskResult start_and_wait(const TaskCall& call) {
  const RunId run_id = start(call, named_job(call)).id;
  if (has_run_ended(call, run_id)) return finish_job_run(call, run_id);
  return {{{"JobRunId", job_run_id(run_id)}}, false, run_id, std::nullopt};
}

[[noreturn]] void fail_no_run(const std::string& id, const NamedJob& job) {
  throw StateError("Glue.EntityNotFoundException", "JobRun " + id + " of job " + job.qualified() + " not found");
}

JobRun find_run(const TaskCall& call, const NamedJob& job, const std::string& id) {
  const std::optional<RunId> run_id = parse_job_run_id(id);
  if (!run_id || *run_id == 0) fail_no_run(id, job);
  std::vector<JobRun> found;
  const Oid role = GetUserId();
  in_engine(call.block, [&] { found = read_job_runs({job.layer, job.job, *run_id, 0, 1}, role); });
  if (found.empty()) fail_no_run(id, job);
  return found.front();
}

TaskResult get_job_run(const TaskCall& call) {
  const JobRun run = find_run(call, named_job(call), call.required_text("RunId"));
  return {{{"JobRun", run.shown(call)}}, false, 0, std::nullopt};
}

TaskResult get_job_runs(const TaskCall& call) {
  const NamedJob job = named_job(call);
  const int64_t most = call.optional_integer("MaxResults", 1, kMostJobRuns).value_or(kMostJobRuns);
  const std::string token = call.optional_text("NextToken");
  const std::optional<RunId> before = token.empty() ? 0 : parse_job_run_id(token);
  if (!before) throw StateError("Glue.InvalidInputException", "NextToken \"" + token + "\" is none that was given");
  std::vector<JobRun> found;
  const Oid role = GetUserId();
  in_engine(call.block, [&] { found = read_job_runs({job.layer, job.job, 0, *before, most}, role); });
  Json runs = Json::array();
  for (const JobRun& run : found) runs.push_back(run.shown(call));
  Json output = {{"JobRuns", std::move(runs)}};
  if (static_cast<int64_t>(found.size()) == most) output["NextToken"] = job_run_id(found.back().run_id);
  return {std::move(output), false, 0, std::nullopt};
}

Json stop_error(const std::string& id, const NamedJob& job, const char* code, const std::string& message) {
  return {{"JobName", job.qualified()},
          {"JobRunId", id},
          {"ErrorDetail", {{"ErrorCode", code}, {"ErrorMessage", message}}}};
}

TaskResult stop_job_runs(const TaskCall& call) {
  const NamedJob job = named_job(call);
  Json stopped = Json::array(), errors = Json::array();
  for (const std::string& id : call.required_texts("JobRunIds")) {
    try {
      const JobRun run = find_run(call, job, id);
      if (run.state != "STARTING" && run.state != "RUNNING") {
        errors.push_back(stop_error(id, job, "InvalidInputException", "Job Run is not in a state that can be stopped"));
        continue;
      }
      call.block.statement([&] { cancel_run(run.run_id); });
      stopped.push_back({{"JobName", job.qualified()}, {"JobRunId", id}});
    } catch (const StateError& error) {
      errors.push_back(stop_error(id, job, "EntityNotFoundException", error.failure().cause.value_or("")));
    }
  }
  return {{{"SuccessfulSubmissions", std::move(stopped)}, {"Errors", std::move(errors)}}, false, 0, std::nullopt};
}

}  // namespace

const TaskActions& job_actions() {
  static const TaskActions actions = {
      {"glue:startJobRun", {start_job_run}},         {"glue:startJobRun.sync", {start_and_wait, finish_job_run}},
      {"aws-sdk:glue:startJobRun", {start_job_run}}, {"aws-sdk:glue:getJobRun", {get_job_run}},
      {"aws-sdk:glue:getJobRuns", {get_job_runs}},   {"aws-sdk:glue:batchStopJobRun", {stop_job_runs}},
  };
  return actions;
}

}  // namespace etl
