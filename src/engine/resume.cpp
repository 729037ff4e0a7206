#include "engine/resume.h"

#include "engine/background.h"
#include "engine/log_store.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"

extern "C" {
#include "tcop/utility.h"
}

namespace etl {

namespace {

using run_store::StoredRun;

// The step of a name, which is "job" or "layer.job".
StepId find_step(const StoredRun& run, RunId run_id, const std::string& name) {
  std::vector<StepId> found;
  for (size_t i = 0; i < run.steps.size(); ++i) {
    const run_store::StoredStep& step = run.steps[i];
    const std::string full = run.layers[static_cast<size_t>(step.layer)].name + "." + step.job;
    if (full == name) return static_cast<StepId>(i);
    if (step.job == name) found.push_back(static_cast<StepId>(i));
  }
  if (found.size() == 1) return found.front();
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT,
                    pg::format(found.empty() ? "run %lld has no job \"%s\"" : "run %lld has several jobs \"%s\"",
                               static_cast<long long>(run_id), name.c_str()),
                    "", "Name it as layer.job; setup.run_steps lists the jobs of a run.");
}

// Steps come after their parents, so that one pass in each direction is enough.
void widen(const StoredRun& run, const plan::Selection& selection, std::vector<bool>* wanted) {
  const std::vector<bool> named = *wanted;
  std::vector<bool> down = named;
  std::vector<bool> up = named;
  for (size_t i = 0; i < run.steps.size(); ++i)
    for (const StepId parent : run.steps[i].parents)
      if (down[static_cast<size_t>(parent)]) down[i] = true;
  for (size_t i = run.steps.size(); i-- > 0;)
    if (up[i])
      for (const StepId parent : run.steps[i].parents) up[static_cast<size_t>(parent)] = true;
  for (size_t i = 0; i < run.steps.size(); ++i)
    (*wanted)[i] = named[i] || (selection.downstream && down[i]) || (selection.upstream && up[i]);
}

// The steps to be opened again, and how many attempts each has had.
std::map<StepId, int> choose(const RunKey& key, const StoredRun& run, const plan::Selection& selection) {
  std::vector<bool> wanted(run.steps.size(), !selection.jobs);
  std::vector<int> attempts;
  for (const run_store::StoredStep& step : run.steps) attempts.push_back(step.attempts_before);
  for (const auto& attempt : log_store::read_attempts(key)) {
    const auto index = static_cast<size_t>(attempt.step_id);
    attempts[index] = std::max(attempts[index], attempt.attempt);
    if (attempt.state == plan::StepState::kOk && attempt.round == run.steps[index].round) wanted[index] = false;
  }
  if (selection.jobs) {
    for (const std::string& name : *selection.jobs) wanted[static_cast<size_t>(find_step(run, key.id, name))] = true;
    widen(run, selection, &wanted);
  }
  std::map<StepId, int> steps;
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]) steps[static_cast<StepId>(i)] = attempts[i];
  return steps;
}

void require_permission(Oid caller, const StoredRun& run, const std::map<StepId, int>& steps) {
  for (const auto& [id, attempts] : steps) {
    const run_store::StoredStep& step = run.steps[static_cast<size_t>(id)];
    if (!pg::role_exists(step.owner) || pg::is_member(caller, step.owner)) continue;  // of a dropped owner it fails
    pg::fail_not_owner(
        pg::format("job \"%s.%s\"", run.layers[static_cast<size_t>(step.layer)].name.c_str(), step.job.c_str()),
        pg::role_name(step.owner));
  }
}

pg::Failure not_ended(RunId run_id) {
  return pg::Failure(
      ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, pg::format("run %lld has not ended", static_cast<long long>(run_id)),
      "", pg::format("SELECT * FROM setup.why_waiting(%lld); says what it waits for.", static_cast<long long>(run_id)));
}

}  // namespace

void resume_run(RunId run_id, const plan::Selection& selection) {
  pg::guard([] { PreventCommandIfReadOnly("setup.resume_run()"); });
  const run_store::State state = visible_run(run_id);
  const Oid caller = GetUserId();
  if (!state.ended && !state.foreign) throw not_ended(run_id);
  if (state.is_execution && !state.foreign)
    throw pg::Failure(
        ERRCODE_WRONG_OBJECT_TYPE,
        pg::format("run %lld is an execution of a state machine", static_cast<long long>(run_id)), "",
        pg::format("SELECT setup.redrive_execution(%lld); lets it go on.", static_cast<long long>(run_id)));
  std::map<StepId, int> steps;
  {
    const pg::EngineRights rights;
    const pg::Spi spi;
    if (state.foreign) run_store::adopt_foreign(state.key);
    if (state.ended && !state.is_execution) {
      if (!run_store::lock_ended(state.key)) throw not_ended(run_id);
      const std::optional<StoredRun> run = run_store::read_run(state.key);
      steps = choose(state.key, *run, selection);
      require_permission(caller, *run, steps);
      if (!steps.empty()) run_store::reopen(state.key, steps);
    }
  }
  if (state.ended && steps.empty())
    log_line(NOTICE,
             pg::format("run %lld has nothing to resume: all its jobs have succeeded", static_cast<long long>(run_id)),
             "Name jobs to run them again: setup.resume_run(run_id, jobs => '{layer.job}').");
  if (state.is_execution) call_conductor_at_commit({run_id, ToldBranches::kAll});
  call_conductor_at_commit();
}

}  // namespace etl
