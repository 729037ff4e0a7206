#include "engine/branch_events.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/active_execution.h"
#include "engine/execution_requests.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"

extern "C" {
#include "tcop/utility.h"
#include "utils/timestamp.h"
}

namespace etl {

namespace {

using branch_store::KeptBranch;
using branch_store::SavedBranch;
using states::Branch;
using states::Json;

// Puts the branches of an execution that has failed back to where they can go on.
class Redrive {
 public:
  explicit Redrive(ActiveExecution& execution) : execution_(execution), run_(execution.run()) {}

  void run() {
    // Children have higher numbers than their parents: what they come to is known before.
    for (KeptBranch& branch : branch_store::read_all(run_)) put_back(&branch);
    branch_store::save(run_, saved_);  // but for children that are made anew
    if (!uncounted_.empty()) branch_store::mark_uncounted(run_, uncounted_);
    BranchEvents events(last_event_);
    events.add({0, last_event_, "ExecutionRedriven", "", {{"redriveCount", execution_.stored().redrive_count}}});
    execution_store::write_events(run_, {{0, -1, events.text()}});
  }

 private:
  void put_back(KeptBranch* kept) {
    const std::optional<Branch> branch =
        kept->position.empty() ? std::nullopt : std::optional(Branch::from_json(Json::parse(kept->position)));
    if (kept->number == 0 && branch) last_event_ = branch->last_event;
    const bool is_broken = branch && branch->phase == Branch::Phase::kBroken;
    if (!kept->result.empty() && !is_broken) {
      if (child_end(kept->result).failure)  // it could not be made
        unmade_.insert(kept->parent);
      else
        succeeded_[kept->parent].push_back(kept->number);
      return;
    }
    SavedBranch saved;
    saved.number = kept->number;
    saved.revision = kept->revision;
    saved.due = DT_NOBEGIN;
    if (branch) go_on(*branch, *kept, &saved);
    saved_.push_back(std::move(saved));
  }

  void go_on(Branch branch, const KeptBranch& kept, SavedBranch* saved) {
    if (branch.phase == Branch::Phase::kTask) branch.phase = Branch::Phase::kBroken;
    if (unmade_.contains(kept.number)) {  // all of it is tried again
      branch_store::remove_children({run_, kept.number});
      branch.gathering.reset();
      branch.phase = Branch::Phase::kBroken;
    }
    if (branch.phase == Branch::Phase::kBroken) execution_.interpreter().redrive(&branch);
    if (branch.phase == Branch::Phase::kWaiting || branch.phase == Branch::Phase::kRetrying)
      saved->due = timestamp_of(branch.due);
    if (branch.phase == Branch::Phase::kForked) {
      saved->fork = fork_of(kept, branch.gathering->children);
      saved->due = saved->fork->ended == branch.gathering->children ? DT_NOBEGIN : branch_store::kNever;
    }
    saved->position = branch.to_json().dump();
  }

  // All that have not succeeded run again. Where others have still to begin, and none that has would tell of its end,
  // one is counted once more.
  branch_store::Fork fork_of(const KeptBranch& kept, int64_t children) {
    const std::vector<int>& succeeded = succeeded_[kept.number];
    branch_store::Fork fork = kept.fork;
    fork.ended = static_cast<int64_t>(succeeded.size());
    fork.failed_weight = 0;
    if (fork.ended == fork.begun && fork.begun < children && !succeeded.empty()) {
      --fork.ended;
      uncounted_.push_back(succeeded.front());
    }
    return fork;
  }

  ActiveExecution& execution_;
  const RunKey run_;
  std::vector<SavedBranch> saved_;
  std::map<int, std::vector<int>> succeeded_;  // by parent: children
  std::vector<int> uncounted_;
  std::set<int> unmade_;  // parents
  states::EventId last_event_ = 0;
};

}  // namespace

void redrive_execution(RunId run_id) {
  pg::guard([] { PreventCommandIfReadOnly("setup.redrive_execution()"); });
  const run_store::State state = visible_run(run_id);
  if (OidIsValid(state.owner) && !pg::is_member(GetUserId(), state.owner))
    pg::fail_not_owner(pg::format("execution %lld", static_cast<long long>(run_id)), pg::role_name(state.owner));
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    if (!execution_store::reopen(state.key))
      throw pg::Failure(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                        pg::format("run %lld cannot be redriven", static_cast<long long>(run_id)),
                        "Only an execution of a STANDARD state machine can that has ended without success.",
                        "setup.resume_run() opens runs of jobs again; an EXPRESS execution can be started anew.");
    const auto execution = ActiveExecution::read(state.key);
    if (!execution) throw pg::Failure(ERRCODE_INTERNAL_ERROR, "the execution could not be read");
    Redrive(*execution).run();
  }
  call_conductor_at_commit({run_id, ToldBranches::kAll});
}

}  // namespace etl
