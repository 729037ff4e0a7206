// It asks each run's schedule what may start, hands that to workers, takes their results, and writes what no worker
// can write: skipped jobs, checks of tables, the end of a run. It sleeps until its latch is set. It keeps ids, names
// and dependencies; it touches only tables of schema setup and the catalogs, and evaluates nothing of a user's.
//
// What it knows is in the tables and in the slots: a conductor that takes over reads both and goes on.

#include "engine/conductor.h"

#include "engine/active_run.h"
#include "engine/background.h"
#include "engine/worker_pool.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "commands/extension.h"
#include "pgstat.h"
}

namespace etl {

namespace {

constexpr int kMostReads = 3;    // then a run whose plan cannot be read is given up
constexpr long kRetryMs = 1000;  // after an error of our own, or without a worker slot of the server

constexpr int64_t kGiveWayMs = 2000;
constexpr long kShortRetryMs = 20;
constexpr int kShortRetries = 10;

Oid extension() {
  return pg::guard([] { return get_extension_oid("etl_orchestrator", true); });
}

run_store::LogEntry lost_entry(int sqlstate, const std::string& message, const std::string& hint) {
  run_store::LogEntry entry;
  entry.status = "ERROR";
  entry.started_at = GetCurrentTimestamp();
  entry.sqlstate = unpack_sql_state(sqlstate);
  entry.message = message;
  entry.hint = hint;
  return entry;
}

class Conductor {
 public:
  // Returns when there is nothing left to do here.
  void run() {
    adopted_ = pool_.adopt();
    idle_since_ = GetCurrentTimestamp();
    for (;;) {
      QueryCancelPending = false;  // nothing here is anybody's to cancel
      pg::check_interrupts();
      long delay = pg::kForever;
      try {
        if (!work(&delay)) return;
      } catch (const pg::Error& error) {
        recover(error.what(), &delay);
      } catch (const std::exception& error) {
        recover(error.what(), &delay);
      }
      if (!has_something_new()) pg::sleep_on_latch(delay, "EtlConductorMain");
    }
  }

 private:
  // One round. False when this conductor has left its seat.
  bool work(long* delay) {
    if (take_news()) load_runs();
    if (!OidIsValid(extension_)) return !leave_without_extension(delay);
    collect();
    const bool settled = settle();
    *delay = pg::kForever;
    if (dispatch()) {
      short_retries_ = kShortRetries;
    } else {
      if (short_retries_ <= 0 && give_way()) return false;
      // A place that a worker has just left is free for the server a moment later.
      *delay = short_retries_ > 0 ? kShortRetryMs : kRetryMs;
      --short_retries_;
    }
    if (!settled || look_again_) *delay = kRetryMs;
    // That a worker has died before it attached is told by a signal only, which can get lost.
    if (*delay == pg::kForever && pool_.awaits_start()) *delay = kRetryMs;
    if (!runs_.empty()) {
      idle_since_ = GetCurrentTimestamp();
      Locked().find_seat(MyDatabaseId)->asked_to_leave = false;  // whoever asked finds the database in use
      return true;
    }
    return stay_idle(delay);
  }

  void recover(const char* message, long* delay) {
    pg::abort_everything();
    log_line(WARNING, std::string("etl_orchestrator conductor: ") + message, "It tries again in a second.");
    look_again_ = true;
    *delay = kRetryMs;
  }

  // Conductors can take all worker slots of the server, so that none is left for a worker. One that has no worker
  // leaves its slot to the others for a while; the launcher starts it again.
  bool give_way() {
    if (pool_.has_workers()) return false;
    const Locked locked;
    const Seat* seats = locked->seats();
    const auto running = std::count_if(seats, seats + locked->seat_count,
                                       [](const Seat& seat) { return seat.state == SeatState::kRunning; });
    if (running < 2) return false;
    Seat* own = locked.find_seat(MyDatabaseId);
    own->state = SeatState::kWanted;
    own->has_news = true;
    own->not_before = GetCurrentTimestamp() + kGiveWayMs * INT64CONST(1000);
    if (locked->launcher != nullptr) locked.wake(locked->launcher);
    return true;
  }

  // Without a run: leaves when asked to, or after the idle timeout.
  bool stay_idle(long* delay) {
    const bool asked = Locked().find_seat(MyDatabaseId)->asked_to_leave;
    const TimestampTz until = idle_since_ + settings::idle_timeout_ms() * INT64CONST(1000);
    if (asked || GetCurrentTimestamp() >= until) {
      if (!pool_.retire_all() && asked) {
        *delay = pg::kForever;  // the last worker to leave wakes us
        Locked().find_seat(MyDatabaseId)->wants_slot = true;
        return true;
      }
      if (!pool_.is_settled() && pool_.has_workers()) {
        *delay = kRetryMs;  // a worker that starts or ends has still something to say
        return true;
      }
      return !leave_seat(false);
    }
    *delay = pg::milliseconds_until(until) + 1;
    return true;
  }

  // The extension was dropped: stops what still runs, waits for the workers to leave, and leaves. True once it has.
  bool leave_without_extension(long* delay) {
    pool_.stop_all();
    pool_.collect();
    pool_.failed_starts();
    *delay = pg::kForever;
    if (pool_.retire_all()) return leave_seat(true);
    Locked().find_seat(MyDatabaseId)->wants_slot = true;
    return false;
  }

  // Gives the seat back, unless there is news meanwhile.
  static bool leave_seat(bool despite_news) {
    const Locked locked;
    Seat* seat = locked.find_seat(MyDatabaseId);
    if (seat->has_news && !despite_news) return false;
    seat->state = SeatState::kVacant;
    return true;
  }

  bool take_news() {
    const Locked locked;
    Seat* seat = locked.find_seat(MyDatabaseId);
    const bool news = seat->has_news || look_again_;
    seat->has_news = false;
    seat->has_results = false;
    look_again_ = news;  // until load_runs() has succeeded
    return news;
  }

  // True if somebody has set a flag since take_news(): the latch may have been lost in a lock wait or a commit.
  static bool has_something_new() {
    const Locked locked;
    const Seat* seat = locked.find_seat(MyDatabaseId);
    return seat->has_news || seat->has_results;
  }

  // Takes over new runs and passes on cancellations. If the extension was dropped, or dropped and created again, the
  // runs of before are gone.
  void load_runs() {
    std::vector<run_store::Head> heads;
    {
      pg::Transaction transaction;
      const Oid present = extension();
      if (present != extension_) forget_extension(present);
      if (OidIsValid(present)) {
        const pg::Spi spi;
        heads = run_store::unfinished();
      }
      transaction.commit();
    }
    look_again_ = false;
    drop_vanished(heads);
    for (const auto& head : heads)
      if (!runs_.contains(head.id)) load_run(head);
    for (const auto& head : heads) {
      const auto found = runs_.find(head.id);
      if (!head.cancel_requested || found == runs_.end()) continue;
      found->second->cancel();
      pool_.cancel(head.id);
    }
  }

  // Runs that somebody has deleted in the middle.
  void drop_vanished(const std::vector<run_store::Head>& heads) {
    for (auto entry = runs_.begin(); entry != runs_.end();) {
      const RunId id = entry->first;
      const bool present = std::any_of(heads.begin(), heads.end(), [&](const auto& head) { return head.id == id; });
      if (present) {
        ++entry;
        continue;
      }
      pool_.cancel(id);
      entry = runs_.erase(entry);
      Locked().wake_waiters(id, true);
    }
  }

  void forget_extension(Oid present) {
    if (OidIsValid(extension_)) {
      pool_.stop_all();
      adopted_.clear();
    }
    runs_.clear();
    lost_.clear();
    unreadable_.clear();
    extension_ = present;
  }

  // Each run in a transaction of its own: one that cannot be read, or that somebody holds locked, keeps no other from
  // running. After a few tries an unreadable one ends with an error.
  void load_run(const run_store::Head& head) {
    try {
      pg::Transaction transaction;
      std::unique_ptr<ActiveRun> run;
      {
        const pg::Spi spi;
        run = unreadable_[head.id] < kMostReads ? read_run(head) : nullptr;
        if (run == nullptr) {
          run_store::mark_finished(head.id, {"ERROR", 0, 0, 0, "the plan of this run cannot be read"});
        } else if (!head.started) {
          run_store::mark_started(head.id);
        }
      }
      transaction.commit();
      unreadable_.erase(head.id);
      if (run != nullptr) runs_[head.id] = std::move(run);
      if (run == nullptr) Locked().wake_waiters(head.id, true);
    } catch (const std::exception& error) {
      const auto* raised = dynamic_cast<const pg::Error*>(&error);
      if (raised == nullptr || raised->sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) ++unreadable_[head.id];
      complain(head.id, error.what());
    }
  }

  // About one run, whose transaction has failed; the others go on.
  void complain(RunId id, const char* message) {
    pg::abort_everything();
    look_again_ = true;
    log_line(WARNING, pg::format("etl_orchestrator conductor: run %lld: %s", static_cast<long long>(id), message),
             "It tries again in a second.");
  }

  std::unique_ptr<ActiveRun> read_run(const run_store::Head& head) {
    const auto ended = head.started ? run_store::read_attempts(head.id) : std::vector<run_store::StoredAttempt>{};
    auto stored = run_store::read_run(head.id);
    if (!stored) return nullptr;
    return std::make_unique<ActiveRun>(RunKey{head.id, extension_}, std::move(*stored), ended, adopted_);
  }

  ActiveRun* find_run(const RunKey& key) {
    const auto found = runs_.find(key.id);
    return found == runs_.end() || key.extension != extension_ ? nullptr : found->second.get();
  }

  // Takes what workers say. What needs a look into the tables first is remembered until that look has succeeded.
  void collect() {
    for (const Finished& finished : pool_.collect()) {
      ActiveRun* run = find_run(finished.work.run);
      if (run == nullptr) continue;
      if (finished.died) {
        lost_.push_back(finished.work);
      } else {
        run->ended(finished.work, finished.outcome);
        Locked().wake_waiters(run->id(), false);
      }
    }
    for (const Oid owner : pool_.failed_starts()) without_worker_.push_back(owner);

    for (; !lost_.empty(); lost_.pop_back()) settle_lost(lost_.back());
    for (; !without_worker_.empty(); without_worker_.pop_back()) fail_one_of(without_worker_.back());
  }

  // A worker is gone in the middle of an attempt. It may have committed before it went.
  void settle_lost(const Assignment& work) {
    ActiveRun* run = find_run(work.run);
    if (run == nullptr || pg::server_is_stopping()) return;  // no failure: it runs again when the server is back
    pg::Transaction transaction;
    bool succeeded;
    {
      const pg::Spi spi;
      succeeded = run_store::has_succeeded(work.run.id, work.step_id);
    }
    transaction.commit();
    if (succeeded) {
      run->ended(work, Outcome::kOk);
    } else {
      run->failed(work, lost_entry(ERRCODE_ADMIN_SHUTDOWN, "the worker of this job was terminated", ""));
    }
  }

  // A worker for this owner could not start. One of the owner's jobs fails for it; the next tries again.
  void fail_one_of(Oid owner) {
    if (pg::server_is_stopping()) return;
    pg::Transaction transaction;
    const std::string problem = login_problem(owner);
    transaction.commit();
    for (auto& [id, run] : runs_) {
      const std::optional<Assignment> work = run->next(owner);
      if (!work) continue;
      run->started(*work);
      run->failed(*work,
                  lost_entry(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, problem, "The server's log says more."));
      return;
    }
  }

  static std::string login_problem(Oid owner) {
    if (!pg::role_exists(owner)) return pg::format("the owner of this job was dropped (role with OID %u)", owner);
    const std::string name = pg::role_name(owner);
    if (compat::kOwnersMustLogIn && !pg::role_can_log_in(owner))
      return pg::format("role \"%s\" is not permitted to log in", name.c_str());
    if (!pg::may_connect(owner))
      return pg::format("role \"%s\" has no CONNECT privilege on this database", name.c_str());
    return pg::format("no worker could start for role \"%s\"", name.c_str());
  }

  // Writes what is due, each run in a transaction of its own, until nothing is: a checked layer may open the next, or
  // skip it. False if something could not be written and must be tried again.
  bool settle() {
    bool all_written = true;
    std::vector<RunId> due;
    for (auto& [id, run] : runs_)
      if (run->must_write()) due.push_back(id);
    for (const RunId id : due) all_written = settle_run(*runs_.at(id)) && all_written;
    return all_written;
  }

  bool settle_run(ActiveRun& run) {
    const RunId id = run.id();
    try {
      while (run.must_write()) {
        pg::Transaction transaction;
        {
          const pg::Spi spi;
          run.write();
        }
        transaction.commit();
        const bool ended = run.done();
        run.written();
        if (ended) runs_.erase(id);
        Locked().wake_waiters(id, ended);
        if (ended) break;
      }
      pg::guard([] { pgstat_report_stat(false); });
      return true;
    } catch (const std::exception& error) {
      complain(id, error.what());
      return false;
    }
  }

  // Hands out what may start, one step of each run in turn. False if a worker is wanted that the server has no slot
  // for.
  bool dispatch() {
    std::vector<Oid> owners;
    for (const auto& [id, run] : runs_)
      for (const Oid owner : run->owners_with_work()) owners.push_back(owner);
    pool_.begin_round(owners);
    while (hand_out_in_turn()) continue;

    bool started = true;
    bool work_is_left = false;
    for (const Oid owner : pool_.starved()) started = pool_.want(owner) && started;
    for (const auto& [id, run] : runs_) {
      for (const Oid owner : run->owners_with_work()) {
        work_is_left = true;
        started = pool_.want(owner) && started;
      }
    }
    pool_.end_round(work_is_left);
    return started;
  }

  bool hand_out_in_turn() {
    bool handed_out = false;
    for (auto& [id, run] : runs_) {
      for (const Oid owner : run->owners_with_work()) {
        const std::optional<Assignment> work = run->next(owner);
        if (!work || !pool_.assign(owner, *work)) continue;
        run->started(*work);
        handed_out = true;
        break;
      }
    }
    return handed_out;
  }

  Oid extension_ = InvalidOid;
  WorkerPool pool_;
  std::map<RunId, std::unique_ptr<ActiveRun>> runs_;
  std::vector<Assignment> adopted_;  // what workers were on when this conductor came
  std::vector<Assignment> lost_;     // attempts whose worker is gone, not yet settled
  std::vector<Oid> without_worker_;  // owners whose worker could not start, not yet settled
  std::map<RunId, int> unreadable_;  // runs that could not be read, and how often that was tried
  int short_retries_ = kShortRetries;
  bool look_again_ = true;
  TimestampTz idle_since_ = 0;
};

}  // namespace

void conduct_runs() {
  Conductor().run();
}

}  // namespace etl
