#include "states/resource.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/busy_workers.h"
#include "engine/execution_diagnosis.h"
#include "engine/execution_store.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"

namespace etl {

namespace {

// A branch that has not ended.
struct OpenBranch {
  int number;
  std::string state;  // empty: it has not begun
  bool retries;
  bool is_due;
  TimestampTz due;             // 0: only when something has happened
  RunId awaited_run;           // 0: none
  std::string token_resource;  // of a task that waits for its token; else empty
};

std::vector<OpenBranch> read_open(const RunKey& run, int most) {
  static pg::Statement read{
      "SELECT branch_id, nullif(position, '')::json ->> 'state', nullif(position, '')::json ->> 'phase' = 'retrying', "
      "is_due OR due <= clock_timestamp(), due, awaited_run, CASE WHEN token IS NOT NULL THEN task::json ->> "
      "'resource' END "
      "FROM setup.execution_branches WHERE run_id = $1 AND result IS NULL ORDER BY branch_id LIMIT $2",
      {INT8OID, INT4OID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::value(static_cast<int32_t>(most))});
  std::vector<OpenBranch> branches;
  for (int i = 0; i < rows.size(); ++i) {
    const auto flag = [&](int column) { return !rows.null(i, column) && rows.boolean(i, column); };
    branches.push_back({rows.int4(i, 0), rows.text(i, 1), flag(2), flag(3), rows.null(i, 4) ? 0 : rows.timestamp(i, 4),
                        rows.null(i, 5) ? 0 : rows.int8(i, 5), rows.text(i, 6)});
  }
  return branches;
}

class ExecutionDiagnosis {
 public:
  ExecutionDiagnosis(const run_store::State& execution, Oid caller) : execution_(execution), caller_(caller) {}

  // False if the branch runs unhindered, or others say more about it.
  bool explain(const OpenBranch& branch, Wait* wait) const {
    for (const BusyWorker& each : workers_.busy) {
      if (each.is_at(execution_.key, branch.number)) {
        if (each.progress.state[0] != '\0') wait->job = each.progress.state;
        return find_blocker(each.pid, caller_, wait);
      }
      if (!each.is_next(execution_.key, branch.number)) continue;
      explain_next(wait);
      return true;
    }
    return explain_standstill(execution_.foreign, wait) || explain_position(branch, wait);
  }

 private:
  bool explain_position(const OpenBranch& branch, Wait* wait) const {
    if (branch.is_due) {
      wait->reason = "worker";
      wait->explanation = workers_.why_none_is_free();
    } else if (branch.awaited_run != 0) {
      wait->reason = "run";
      wait->explanation = pg::format("its task ends with run %lld", static_cast<long long>(branch.awaited_run));
    } else if (!branch.token_resource.empty()) {
      wait->reason = "token";
      wait->explanation = explain_token(branch.token_resource);
    } else if (branch.due != 0) {
      wait->reason = branch.retries ? "retry" : "time";
      wait->explanation = branch.retries ? "failed, and is tried again later" : "it is a Wait state";
      wait->retry_at = branch.due;
    } else {
      return false;  // its children say why
    }
    return true;
  }

  static std::string explain_token(const std::string& resource) {
    if (states::Resource::parse(resource).kind == states::Resource::Kind::kActivity)
      return "a worker of its activity ends its task: setup.get_activity_task() gives it one";
    return "setup.send_task_success() or send_task_failure() with its token ends its task";
  }

  const run_store::State& execution_;
  const Oid caller_;
  const BusyWorkers workers_ = BusyWorkers::look();
};

}  // namespace

std::vector<Wait> why_branches_wait(const run_store::State& execution, Oid caller) {
  constexpr int kMost = 1000;
  const ExecutionDiagnosis diagnosis(execution, caller);
  const std::string machine = execution_store::machine_of(execution.key);
  std::vector<Wait> waits;
  for (const OpenBranch& branch : read_open(execution.key, kMost)) {
    Wait wait;
    wait.layer = machine;
    wait.job = branch.state;
    if (diagnosis.explain(branch, &wait)) waits.push_back(std::move(wait));
  }
  return waits;
}

}  // namespace etl
