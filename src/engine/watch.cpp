#include "engine/watch.h"

#include "engine/log_store.h"
#include "engine/report.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/wait.h"

extern "C" {
#include "tcop/utility.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

constexpr int64_t kReadAgain = 200;  // log rows that may have been committed late
constexpr long kEchoMs = 500;        // one Ctrl-C can arrive as two signals
constexpr long kPatienceMs = 5000;   // then a caller is told what a run that does not start is waiting for

void notice(const std::string& message, const std::string& hint = "") {
  pg::guard([&] {
    ereport(NOTICE, (errmsg_internal("%s", message.c_str()), hint.empty() ? 0 : errhint("%s", hint.c_str())));
  });
}

// Has the conductor wake this process for a run, while it lives.
class Waiting {
 public:
  Waiting(RunId run_id, bool each_step) {
    Locked()->waiters()[place()] = {run_id, MyDatabaseId, each_step, false, MyProc};
  }
  ~Waiting() { Locked()->waiters()[place()].run_id = 0; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Call before looking at the tables: what happens from now on is news.
  void begin_to_look() const { Locked()->waiters()[place()].has_news = false; }

  // Sleeps until there is news, or a signal, or for so long. A latch may have been lost while the server itself waited,
  // for a lock or for a slow client; the flag is not.
  void sleep(long milliseconds) const {
    const bool has_news = Locked()->waiters()[place()].has_news;
    if (!has_news) pg::sleep_on_latch(milliseconds, "EtlRunWait");
  }

 private:
  static int place() { return compat::my_proc_number(); }
};

void request_cancel(RunId run_id) {
  const pg::EngineRights rights;
  const pg::Spi spi;
  run_store::request_cancel(run_id);
  call_conductor_at_commit();
}

class Follower {
 public:
  Follower(const RunRequest& request, pg::Spi* spi)
      : run_(plan_run(request)),
        format_(run_),
        key_(store_run(request, run_)),
        run_id_(key_.id),
        spi_(spi),
        layers_(run_.layers.size()),
        waiting_(run_id_, settings::progress() != settings::Progress::kOff) {
    for (const PlannedStep& step : run_.steps) ++layers_[static_cast<size_t>(step.layer)].total;
    all_.total = static_cast<int>(run_.steps.size());
  }

  void follow() {
    announce();
    spi_->commit();
    started_ = pg::monotonic_us();
    pg::CancelHeld held;
    while (!look()) {
      waiting_.sleep(patience());
      if (QueryCancelPending) heed_cancel(&held);
      pg::check_interrupts();
    }
    held.release();
    conclude();
  }

 private:
  void announce() const {
    if (run_.steps.empty()) {
      notice(pg::format("run %lld: no jobs", static_cast<long long>(run_id_)),
             "There is no enabled job that you may run: setup.load_jobs lists your jobs.");
    } else if (settings::progress() != settings::Progress::kOff) {
      notice(pg::format("run %lld: %s in %s", static_cast<long long>(run_id_),
                        pg::count_of(all_.total, "job", "jobs").c_str(),
                        pg::count_of(static_cast<int64_t>(run_.layers.size()), "layer", "layers").c_str()));
    }
  }

  // Reads what is new and reports it. True if the run has ended.
  bool look() {
    std::vector<log_store::Line> lines;
    waiting_.begin_to_look();
    {
      const pg::EngineRights rights;
      const pg::LatestSnapshot snapshot;
      const pg::Spi spi;
      const std::optional<run_store::State> state = run_store::read_state(run_id_);
      if (!state) throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the run has been deleted");
      state_ = *state;
      // Rows may become visible in another order than their numbers, so some are read again; at the end, all.
      lines = log_store::read_lines(key_, state_.ended ? 0 : last_seen_ - kReadAgain);
    }
    spi_->commit();
    for (const log_store::Line& line : lines) tell(line);
    return state_.ended;
  }

  void tell(const log_store::Line& line) {
    last_seen_ = std::max(last_seen_, line.log_id);
    if (!told_.insert(line.log_id).second) return;
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

  long patience() {
    if (cancelled_at_ != 0) {
      const long left = pg::milliseconds_until(cancelled_at_ + kPatienceMs);
      if (left == 0) fail_cancelled("It is being cancelled.");
      return left;
    }
    if (state_.status != "QUEUED" || told_to_wait_) return pg::kForever;
    const long left = pg::milliseconds_until(started_ / 1000 + kPatienceMs);
    if (left > 0) return left;
    told_to_wait_ = true;
    notice(pg::format("run %lld has not begun yet", static_cast<long long>(run_id_)),
           pg::format("SELECT * FROM setup.why_waiting(%lld); says why, from another session.",
                      static_cast<long long>(run_id_)));
    return pg::kForever;
  }

  // Ctrl-C cancels the run and waits for its end; another one later leaves it alone. A timeout of this statement ends
  // the statement only, and one of a lock that it waited for nothing.
  void heed_cancel(pg::CancelHeld* held) {
    if (get_timeout_indicator(LOCK_TIMEOUT, true)) {
      QueryCancelPending = false;
      return;
    }
    if (get_timeout_indicator(STATEMENT_TIMEOUT, false)) {
      notice(pg::format("run %lld goes on in the background", static_cast<long long>(run_id_)),
             pg::format("SELECT setup.cancel_run(%lld); ends it.", static_cast<long long>(run_id_)));
      held->release();
      return;
    }
    QueryCancelPending = false;
    if (cancelled_at_ == 0) {
      cancelled_at_ = pg::monotonic_ms();
      request_cancel(run_id_);
      spi_->commit();
    } else if (pg::monotonic_ms() - cancelled_at_ > kEchoMs) {
      fail_cancelled("It is being cancelled.");
    }
  }

  [[noreturn]] void fail_cancelled(const std::string& what) const {
    throw pg::Failure(ERRCODE_QUERY_CANCELED,
                      pg::format("canceling run %lld due to user request", static_cast<long long>(run_id_)), what,
                      log_hint());
  }

  std::string log_hint() const {
    return pg::format("SELECT * FROM setup.load_log WHERE run_id = %lld ORDER BY log_id;",
                      static_cast<long long>(run_id_));
  }

  void conclude() const {
    const std::string took = report::duration(static_cast<double>(pg::monotonic_us() - started_) / 1000);
    if (state_.status == "OK") {
      notice(pg::format("run %lld OK: %s, %s", static_cast<long long>(run_id_), all_.text().c_str(), took.c_str()));
      return;
    }
    if (state_.status == "SKIPPED") {
      notice(pg::format("run %lld SKIPPED: %s", static_cast<long long>(run_id_), state_.message.c_str()));
      return;
    }
    if (cancelled_at_ != 0 && state_.status == "CANCELLED") fail_cancelled("Of " + all_.text() + ".");
    std::string detail;
    for (const log_store::Line& failure : failures_) {
      detail += (detail.empty() ? "" : "\n") +
                pg::format("job \"%s.%s\": %s", failure.layer.c_str(), failure.job.c_str(), failure.message.c_str());
      if (!failure.sqlstate.empty()) detail += " [" + failure.sqlstate + "]";
    }
    if (!state_.message.empty()) detail += (detail.empty() ? "" : "\n") + state_.message;
    const std::string jobs = all_.text() + (all_.ok == all_.total ? ", but tables are missing" : "");
    throw pg::Failure(
        sqlstate_of_end(),
        pg::format("run %lld %s: %s, %s", static_cast<long long>(run_id_), word_for_end(), jobs.c_str(), took.c_str()),
        detail, log_hint());
  }

  int sqlstate_of_end() const {
    return state_.status == "CANCELLED" ? kRunCancelled : state_.status == "TIMED_OUT" ? kRunTimedOut : kRunFailed;
  }

  const char* word_for_end() const {
    return state_.status == "CANCELLED" ? "was cancelled" : state_.status == "TIMED_OUT" ? "timed out" : "failed";
  }

  const PlannedRun run_;
  const report::Formatter format_;
  const RunKey key_;
  const RunId run_id_;
  pg::Spi* const spi_;
  std::vector<report::Tally> layers_;
  report::Tally all_;
  const Waiting waiting_;

  run_store::State state_{};
  int64_t started_ = 0;       // as pg::monotonic_us()
  int64_t cancelled_at_ = 0;  // as pg::monotonic_ms(); 0: not
  bool told_to_wait_ = false;
  int64_t last_seen_ = 0;
  std::unordered_set<int64_t> told_;  // log ids
  std::vector<log_store::Line> failures_;
};

// Jobs that wait for jobs would fill all workers.
void refuse_inside_job(const char* what) {
  if (settings::current_attempt().run_id == 0) return;
  throw pg::Failure(ERRCODE_FEATURE_NOT_SUPPORTED, pg::format("a job cannot %s", what),
                    "It would hold a worker that the other run may need.",
                    "Start the run without waiting: SELECT setup.start_run();");
}

}  // namespace

RunId start_run(const RunRequest& request) {
  pg::guard([] { PreventCommandIfReadOnly("setup.start_run()"); });
  return store_run(request, plan_run(request)).id;
}

void run_and_follow(const RunRequest& request, pg::Spi* spi) {
  pg::guard([] { PreventCommandIfReadOnly("CALL"); });
  refuse_inside_job("wait for a run");
  Follower(request, spi).follow();
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
