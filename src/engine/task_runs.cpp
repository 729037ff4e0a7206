#include "engine/task_runs.h"

namespace etl {

RunKey start_task_run(const TaskCall& call, const RunRequest& request) {
  RunKey key{};
  call.block.statement([&] { key = store_run(request, plan_run(request)); });
  return key;
}

std::optional<RunReport> read_run_report(RunId run_id) {
  static pg::Statement read{
      "SELECT status, message, requested_at, started_at, finished_at, layer, jobs_total, jobs_ok, jobs_failed, "
      "jobs_skipped FROM setup.load_runs WHERE run_id = $1",
      {INT8OID}};
  const pg::Rows row = read.run({pg::value(run_id)});
  if (row.size() == 0) return std::nullopt;
  return RunReport{row.text(0, 0), row.text(0, 1), row.timestamp(0, 2), row.timestamp(0, 3), row.timestamp(0, 4),
                   row.text(0, 5), row.int4(0, 6), row.int4(0, 7),      row.int4(0, 8),      row.int4(0, 9)};
}

bool has_run_ended(const TaskCall& call, RunId run_id) {
  static pg::Statement read{"SELECT finished_at IS NULL FROM setup.load_runs WHERE run_id = $1 FOR SHARE", {INT8OID}};
  bool has_ended = false;
  in_engine(call.block, [&] {
    const pg::Rows row = read.run({pg::value(run_id)});
    has_ended = row.size() == 0 || !row.boolean(0, 0);
  });
  return has_ended;
}

}  // namespace etl
