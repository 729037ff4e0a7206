// Own resource, for definitions that are written here: runs of load jobs, as CALL setup.orchestrate_all() starts them.
//
//   arn:aws:states:::etl:orchestrate        {"Layer": "silver", "Jobs": [...], "Params": {...}, "OnError": "stop",
//                                            "MaxParallel": 4, "Upstream": true, "Downstream": true} -> {"RunId": n}
//   arn:aws:states:::etl:orchestrate.sync   the same, and waits -> {"RunId": n, "Status": "OK", "JobsOk": n, ...}
//
// Every field may be missing; without Layer and Jobs: all layers.

#include "engine/task_actions.h"
#include "engine/task_runs.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/watch.h"

namespace etl {

namespace {

using states::StateError;

constexpr int kMostParallel = 1000;

RunId start(const TaskCall& call) {
  RunRequest request;
  if (call.parameters().contains("Layer")) request.selection.layer = call.required_text("Layer");
  if (call.parameters().contains("Jobs")) request.selection.jobs = call.required_texts("Jobs");
  request.selection.upstream = call.optional_flag("Upstream");
  request.selection.downstream = call.optional_flag("Downstream");
  request.params = call.optional_object("Params").dump();
  if (const std::string on_error = call.optional_text("OnError"); !on_error.empty()) request.on_error = on_error;
  if (request.on_error != "continue" && request.on_error != "stop")
    call.refuse("The value for the field 'OnError' must be 'continue' or 'stop'");
  if (const auto most = call.optional_integer("MaxParallel", 1, kMostParallel))
    request.max_parallel = static_cast<int>(*most);
  return start_task_run(call, request).id;
}

TaskResult start_only(const TaskCall& call) {
  return {{{"RunId", start(call)}}, false, 0, std::nullopt};
}

TaskResult finish(const TaskCall& call, RunId run_id) {
  std::optional<RunReport> report;
  in_engine(call.block, [&] { report = read_run_report(run_id); });
  if (!report) throw StateError(states::errors::kTaskFailed, "the run is not there any more");
  Json json = {{"RunId", run_id},
               {"Status", report->status},
               {"JobsTotal", report->jobs_total},
               {"JobsOk", report->jobs_ok},
               {"JobsFailed", report->jobs_failed},
               {"JobsSkipped", report->jobs_skipped},
               {"StartedOn", shown_time(call, report->started_at != 0 ? report->started_at : report->requested_at)},
               {"CompletedOn", shown_time(call, report->finished_at)}};
  if (!report->message.empty()) json["Message"] = report->message;
  if (report->status != "OK") throw StateError(states::errors::kTaskFailed, states::compact(json));
  return {std::move(json), false, 0, std::nullopt};
}

TaskResult start_and_wait(const TaskCall& call) {
  const RunId run_id = start(call);
  if (has_run_ended(call, run_id)) return finish(call, run_id);
  return {{{"RunId", run_id}}, false, run_id, std::nullopt};
}

}  // namespace

const TaskActions& pipeline_actions() {
  static const TaskActions actions = {
      {"etl:orchestrate", {start_only}},
      {"etl:orchestrate.sync", {start_and_wait, finish}},
  };
  return actions;
}

}  // namespace etl
