#include "engine/watch.h"

#include "engine/follower.h"
#include "engine/report.h"
#include "engine/visible_run.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/wait.h"

extern "C" {
#include "tcop/utility.h"
}

namespace etl {

namespace {

// Of a run of jobs.
class JobsFollower : public Follower {
 public:
  JobsFollower(const RunRequest& request, PlannedRun run, const RunKey& key, pg::Spi* spi)
      : Follower(key, true, spi),
        names_no_job_(request.selection.jobs && request.selection.jobs->empty()),
        run_(std::move(run)),
        format_(run_),
        layers_(run_.layers.size()) {
    for (const PlannedStep& step : run_.steps) ++layers_[static_cast<size_t>(step.layer)].total;
    all_.total = static_cast<int>(run_.steps.size());
  }

 private:
  void announce() const override {
    if (run_.steps.empty()) {
      notice(pg::format("run %lld: no jobs", static_cast<long long>(run_id())),
             names_no_job_ ? "The list of jobs was empty: leave it out for all of them."
                           : "There is no enabled job that you may run: setup.load_jobs lists your jobs.");
    } else if (settings::progress() != settings::Progress::kOff) {
      notice(pg::format("run %lld: %s in %s", static_cast<long long>(run_id()),
                        pg::count_of(all_.total, "job", "jobs").c_str(),
                        pg::count_of(static_cast<int64_t>(run_.layers.size()), "layer", "layers").c_str()));
    }
  }

  void tell(const log_store::Line& line) override {
    const auto layer_number = static_cast<size_t>(run_.steps[static_cast<size_t>(line.step_id)].layer);
    report::Tally& layer = layers_[layer_number];
    if (line.retry_at == 0) {  // else the job goes on
      layer.add(line);
      all_.add(line);
      if (line.status != "OK" && line.status != "SKIPPED") failures_.push_back(line);
    }
    if (settings::progress() == settings::Progress::kJob) notice(format_.job_line(line));
    if (settings::progress() == settings::Progress::kLayer && line.retry_at == 0 && layer.ended() == layer.total)
      notice(run_.layers[layer_number].name + ": " + layer.text());
  }

  void conclude() const override {
    if (state().status == "OK") {
      notice(pg::format("run %lld OK: %s, %s", static_cast<long long>(run_id()), all_.text().c_str(), took().c_str()));
      return;
    }
    if (state().status == "SKIPPED") {
      notice(pg::format("run %lld SKIPPED: %s", static_cast<long long>(run_id()), state().message.c_str()));
      return;
    }
    if (was_cancelled_here() && state().status == "CANCELLED") fail_cancelled("Of " + all_.text() + ".");
    std::string detail;
    for (const log_store::Line& failure : failures_) {
      detail += (detail.empty() ? "" : "\n") +
                pg::format("job \"%s.%s\": %s", failure.layer.c_str(), failure.job.c_str(), failure.message.c_str());
      if (!failure.sqlstate.empty()) detail += " [" + failure.sqlstate + "]";
    }
    if (!state().message.empty()) detail += (detail.empty() ? "" : "\n") + state().message;
    const std::string jobs = all_.text() + (all_.ok == all_.total ? ", but tables are missing" : "");
    throw pg::Failure(sqlstate_of_end(),
                      pg::format("run %lld %s: %s, %s", static_cast<long long>(run_id()), word_for_end(), jobs.c_str(),
                                 took().c_str()),
                      detail, log_hint());
  }

  const bool names_no_job_;
  const PlannedRun run_;
  const report::Formatter format_;
  std::vector<report::Tally> layers_;
  report::Tally all_;
  std::vector<log_store::Line> failures_;
};

}  // namespace

RunId start_run(const RunRequest& request) {
  pg::guard([] { PreventCommandIfReadOnly("setup.start_run()"); });
  return store_run(request, plan_run(request)).id;
}

void run_and_follow(const RunRequest& request, pg::Spi* spi) {
  pg::guard([] { PreventCommandIfReadOnly("CALL"); });
  refuse_inside_job("wait for a run");
  PlannedRun run = plan_run(request);
  const RunKey key = store_run(request, run);
  JobsFollower(request, std::move(run), key, spi).follow();
}

void print_plan(const RunRequest& request) {
  const PlannedRun run = plan_run(request);
  if (run.steps.empty()) notice("nothing would run");
  for (const std::string& line : report::plan_lines(run)) notice(line);
}

std::string wait_for_run(RunId run_id, int64_t deadline) {
  pg::guard([] { PreventCommandDuringRecovery("setup.wait_run()"); });
  refuse_inside_job("wait for a run");
  const Waiting waiting(run_id, false);
  for (;;) {
    waiting.begin_to_look();
    const run_store::State state = visible_run(run_id);
    if (state.ended) return state.status;
    if (TransactionIdIsCurrentTransactionId(static_cast<TransactionId>(std::stoul(state.xmin))))
      throw pg::Failure(
          ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
          pg::format("run %lld cannot begin before this transaction has committed", static_cast<long long>(run_id)), "",
          "COMMIT after setup.start_run(), then wait.");
    if (deadline != 0 && pg::monotonic_ms() >= deadline) return state.status;
    if (state.foreign) throw foreign_run(run_id);
    waiting.sleep(deadline == 0 ? pg::kForever : pg::milliseconds_until(deadline));
    pg::check_interrupts();
  }
}

void cancel_run(RunId run_id) {
  pg::guard([] { PreventCommandIfReadOnly("setup.cancel_run()"); });
  if (visible_run(run_id).ended) {
    notice(pg::format("run %lld has ended already", static_cast<long long>(run_id)));
    return;
  }
  request_cancel(run_id);
}

}  // namespace etl
