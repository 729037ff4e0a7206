#include "engine/follower.h"

#include "engine/report.h"
#include "engine/request.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/settings.h"

extern "C" {
#include "utils/timeout.h"
}

namespace etl {

namespace {

constexpr int64_t kReadAgain = 200;  // log rows that may have been committed late
constexpr long kEchoMs = 500;        // one Ctrl-C can arrive as two signals
constexpr long kPatienceMs = 5000;   // then a caller is told what a run that does not start is waiting for

int own_place() {
  return compat::my_proc_number();
}

}  // namespace

void notice(const std::string& message, const std::string& hint) {
  pg::guard([&] {
    ereport(NOTICE, (errmsg_internal("%s", message.c_str()), hint.empty() ? 0 : errhint("%s", hint.c_str())));
  });
}

Waiting::Waiting(RunId run_id, bool each_step) {
  Locked()->waiters()[own_place()] = {run_id, MyDatabaseId, each_step, false, MyProc};
}

Waiting::~Waiting() {
  Locked()->waiters()[own_place()].run_id = 0;
}

void Waiting::begin_to_look() const {
  Locked()->waiters()[own_place()].has_news = false;
}

// A latch may have been lost while the server itself waited, for a lock or for a slow client; the flag is not.
void Waiting::sleep(long milliseconds) const {
  const bool has_news = Locked()->waiters()[own_place()].has_news;
  if (!has_news) pg::sleep_on_latch(milliseconds, "EtlRunWait");
}

void request_cancel(RunId run_id) {
  const pg::EngineRights rights;
  const pg::Spi spi;
  run_store::request_cancel(run_id);
  call_conductor_at_commit();
}

void refuse_inside_job(const char* what) {
  if (settings::current_attempt().run_id == 0) return;
  throw pg::Failure(ERRCODE_FEATURE_NOT_SUPPORTED, pg::format("a job cannot %s", what),
                    "It would hold a worker that the other run may need.",
                    "Start the run without waiting: SELECT setup.start_run();");
}

Follower::Follower(const RunKey& key, bool is_own, pg::Spi* spi)
    : key_(key), is_own_(is_own), spi_(spi), waiting_(key.id, settings::progress() != settings::Progress::kOff) {}

void Follower::follow() {
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

// Reads what is new and reports it. True if the run has ended.
bool Follower::look() {
  std::vector<log_store::Line> lines;
  waiting_.begin_to_look();
  {
    const pg::EngineRights rights;
    const pg::LatestSnapshot snapshot;
    const pg::Spi spi;
    const std::optional<run_store::State> state = run_store::read_state(run_id());
    if (!state) throw pg::Failure(ERRCODE_NO_DATA_FOUND, "the run has been deleted");
    state_ = *state;
    // Rows may become visible in another order than their numbers, so some are read again; at the end, all.
    lines = log_store::read_lines(key_, state_.ended ? 0 : last_seen_ - kReadAgain);
  }
  spi_->commit();
  for (const log_store::Line& line : lines) {
    last_seen_ = std::max(last_seen_, line.log_id);
    if (told_.insert(line.log_id).second) tell(line);
  }
  return state_.ended;
}

long Follower::patience() {
  if (cancelled_at_ != 0) {
    const long left = pg::milliseconds_until(cancelled_at_ + kPatienceMs);
    if (left == 0) fail_cancelled("It is being cancelled.");
    return left;
  }
  if (state_.status != "QUEUED" || told_to_wait_) return pg::kForever;
  const long left = pg::milliseconds_until(started_ / 1000 + kPatienceMs);
  if (left > 0) return left;
  told_to_wait_ = true;
  notice(pg::format("run %lld has not begun yet", static_cast<long long>(run_id())),
         pg::format("SELECT * FROM setup.why_waiting(%lld); says why, from another session.",
                    static_cast<long long>(run_id())));
  return pg::kForever;
}

// Ctrl-C cancels a run that was started here and waits for its end; another one later leaves it alone. One that was
// joined goes on. A timeout of this statement ends the statement only, and one of a lock that it waited for nothing.
void Follower::heed_cancel(pg::CancelHeld* held) {
  if (get_timeout_indicator(LOCK_TIMEOUT, true)) {
    QueryCancelPending = false;
    return;
  }
  if (get_timeout_indicator(STATEMENT_TIMEOUT, false) || !is_own_) {
    notice(pg::format("run %lld goes on in the background", static_cast<long long>(run_id())),
           pg::format("SELECT setup.cancel_run(%lld); ends it.", static_cast<long long>(run_id())));
    held->release();
    return;
  }
  QueryCancelPending = false;
  if (cancelled_at_ == 0) {
    cancelled_at_ = pg::monotonic_ms();
    request_cancel(run_id());
    spi_->commit();
  } else if (pg::monotonic_ms() - cancelled_at_ > kEchoMs) {
    fail_cancelled("It is being cancelled.");
  }
}

void Follower::fail_cancelled(const std::string& what) const {
  throw pg::Failure(ERRCODE_QUERY_CANCELED,
                    pg::format("canceling run %lld due to user request", static_cast<long long>(run_id())), what,
                    log_hint());
}

std::string Follower::took() const {
  return report::duration(static_cast<double>(pg::monotonic_us() - started_) / 1000);
}

std::string Follower::log_hint() const {
  return pg::format("SELECT * FROM setup.load_log WHERE run_id = %lld ORDER BY log_id;",
                    static_cast<long long>(run_id()));
}

int Follower::sqlstate_of_end() const {
  return state_.status == "CANCELLED" ? kRunCancelled : state_.status == "TIMED_OUT" ? kRunTimedOut : kRunFailed;
}

const char* Follower::word_for_end() const {
  return state_.status == "CANCELLED" ? "was cancelled" : state_.status == "TIMED_OUT" ? "timed out" : "failed";
}

}  // namespace etl
