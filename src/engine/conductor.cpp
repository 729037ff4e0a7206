// It asks each run's schedule what may start, hands that to workers, takes their results, and writes what no worker
// can write: skipped jobs, checks of tables, the end of a run. It sleeps until its latch is set, or until the next time
// of a retry or timeout. It keeps ids, names and dependencies; it touches only tables of schema setup and the catalogs,
// and evaluates nothing of a user's.
//
// What it knows is in the tables and in the slots: a conductor that takes over reads both and goes on.

#include "engine/conductor.h"

#include "engine/failure.h"
#include "engine/history.h"
#include "engine/intake.h"
#include "engine/places.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "pgstat.h"
}

namespace etl {

namespace {

constexpr long kRetryMs = 1000;  // after an error of our own, or without a worker slot of the server

constexpr int kGiveWayMs = 2000;
constexpr int kAskedToLeaveMs = 10 * 1000;       // longer than the server waits for a database to become unused
constexpr int64_t kKeepHistoryMs = 3600 * 1000;  // where no run ends, but executions do
constexpr long kShortRetryMs = 20;
constexpr int kShortRetries = 10;

log_store::Entry lost_entry(int sqlstate, const std::string& message, const std::string& hint) {
  log_store::Entry entry;
  entry.status = "ERROR";
  entry.started = pg::now();
  entry.sqlstate = unpack_sql_state(sqlstate);
  entry.message = message;
  entry.hint = hint;
  return entry;
}

class Conductor {
 public:
  // Returns when there is nothing left to do here.
  void run() {
    const std::vector<Finished> busy = pool_.adopt();
    executions_.adopt(busy);
    intake_.adopt(busy);
    idle_since_ = pg::monotonic_ms();
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
    const bool news = take_news();
    if (news) look_again_ = !intake_.look();
    if (intake_.extension() != extension_ && OidIsValid(extension_)) executions_.forget();
    extension_ = intake_.extension();
    if (!OidIsValid(extension_)) return !leave_without_extension(delay);
    collect();
    executions_.tend(news);
    pool_.tend();
    for (const auto& [id, run] : runs_) run->tend(&pool_);
    const bool settled = settle();
    if (dispatch_all(delay)) return false;
    *delay = pg::sooner(*delay, until_due());
    if (!settled || look_again_) *delay = pg::sooner(*delay, kRetryMs);
    learn(delay);
    // That a worker has died before it attached is told by a signal only, which can get lost.
    if (pool_.awaits_start()) *delay = pg::sooner(*delay, kRetryMs);
    if (runs_.empty() && !intake_.has_queue() && !executions_.has_work()) return stay_idle(delay);
    idle_since_ = pg::monotonic_ms();
    Locked().find_seat(MyDatabaseId)->asked_to_leave = false;  // whoever asked finds the database in use
    return true;
  }

  // To be asked at the end of a round: what it started and stopped has times, too.
  long until_due() const {
    long delay = pg::sooner(pool_.until_due(), executions_.until_due());
    for (const auto& [id, run] : runs_) delay = pg::sooner(delay, run->until_due());
    return delay;
  }

  // True when this conductor has given way to others.
  bool dispatch_all(long* delay) {
    if (dispatcher_.dispatch()) {
      short_retries_ = kShortRetries;
      return false;
    }
    if (short_retries_ <= 0 && give_way()) return true;
    // A place that a worker has just left is free for the server a moment later.
    *delay = pg::sooner(*delay, short_retries_ > 0 ? kShortRetryMs : kRetryMs);
    --short_retries_;
    return false;
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
                                       [](const Seat& seat) { return seat.state == PlaceState::kRunning; });
    if (running < 2) return false;
    Seat* own = locked.find_seat(MyDatabaseId);
    give_place_away(locked, own, kGiveWayMs);
    return true;
  }

  // Without a run: leaves when asked to, or after the idle timeout.
  bool stay_idle(long* delay) {
    const bool asked = Locked().find_seat(MyDatabaseId)->asked_to_leave;
    if (!asked && pg::monotonic_ms() >= keep_history_at_) keep_history();  // what need not be done while there is work
    const int64_t until = idle_since_ + settings::idle_timeout_ms();
    if (asked || (to_learn_.empty() && !executions_.has_timer() && pg::monotonic_ms() >= until)) {
      if (!pool_.retire_all() && asked) {
        *delay = pg::kForever;  // the last worker to leave wakes us
        Locked().find_seat(MyDatabaseId)->wants_slot = true;
        return true;
      }
      if (!pool_.is_settled() && pool_.has_workers()) {
        *delay = pg::sooner(*delay, kRetryMs);  // a worker that starts or ends has still something to say
        return true;
      }
      return !(executions_.has_timer() ? give_seat_away() : leave_seat(false));
    }
    if (!executions_.has_timer()) *delay = pg::sooner(*delay, pg::milliseconds_until(until));
    return true;
  }

  void keep_history() {
    keep_history_at_ = pg::monotonic_ms() + kKeepHistoryMs;
    history::maintain();
  }

  // The extension was dropped: stops what still runs, waits for the workers to leave, and leaves. True once it has.
  bool leave_without_extension(long* delay) {
    executions_.forget();
    pool_.stop_all();
    pool_.collect();
    pool_.failed_starts();
    pool_.tend();
    *delay = pool_.until_due();
    if (pool_.retire_all()) return leave_seat(true);
    Locked().find_seat(MyDatabaseId)->wants_slot = true;
    return false;
  }

  // Leaves because somebody wants the database, though executions wait for a time: the launcher starts it again.
  static bool give_seat_away() {
    const Locked locked;
    give_place_away(locked, locked.find_seat(MyDatabaseId), kAskedToLeaveMs);
    return true;
  }

  // Gives the seat back, unless there is news meanwhile.
  static bool leave_seat(bool despite_news) {
    const Locked locked;
    Seat* seat = locked.find_seat(MyDatabaseId);
    if (seat->has_news && !despite_news) return false;
    seat->state = PlaceState::kVacant;
    return true;
  }

  bool take_news() {
    ToldBranches told;
    {
      const Locked locked;
      Seat* seat = locked.find_seat(MyDatabaseId);
      look_again_ = seat->has_news || look_again_;  // until the look has succeeded
      told = std::exchange(seat->told, {});
      seat->has_news = false;
      seat->has_results = false;
    }
    executions_.note(told);
    return look_again_;
  }

  // True if somebody has set a flag since take_news(): the latch may have been lost in a lock wait or a commit.
  static bool has_something_new() {
    const Locked locked;
    const Seat* seat = locked.find_seat(MyDatabaseId);
    return seat->has_news || seat->has_results;
  }

  ActiveRun* find_run(const RunKey& key) {
    const auto found = runs_.find(key.id);
    return found == runs_.end() || found->second->key() != key ? nullptr : found->second.get();
  }

  // Takes what workers say. What needs a look into the tables first is remembered until that look has succeeded.
  void collect() {
    for (Finished& finished : pool_.collect()) {
      if (executions_.ended(finished)) {
        Locked().wake_waiters(finished.run.id, false);
        continue;
      }
      intake_.ended(finished);
      for (const Task& task : finished.tasks) admission_.release(finished.run, task.step_id);
      ActiveRun* run = find_run(finished.run);
      if (run == nullptr) continue;
      if (finished.died) {
        lost_.push_back(std::move(finished));
        continue;
      }
      for (const Task& task : finished.tasks) {
        if (task.outcome == Outcome::kOk) holds_.forgive(*run, task.step_id);
        run->ended(task);
      }
      Locked().wake_waiters(run->id(), false);
    }
    for (const Oid owner : pool_.failed_starts()) without_worker_.push_back(owner);

    for (; !lost_.empty(); lost_.pop_back()) settle_lost(lost_.back());
    for (; !without_worker_.empty(); without_worker_.pop_back()) fail_one_of(without_worker_.back());
  }

  // A worker is gone in the middle of its tasks. It may have committed before it went.
  void settle_lost(const Finished& finished) {
    ActiveRun* run = find_run(finished.run);
    if (run == nullptr) return;
    pg::leave_if_server_stops();  // then it is no failure: it runs again when the server is back
    std::vector<Task> tasks = finished.tasks;
    log_store::Entry entry = lost_entry(ERRCODE_ADMIN_SHUTDOWN, "the worker of this job was terminated", "");
    pg::Transaction transaction;
    {
      const pg::Spi spi;
      for (Task& task : tasks)
        task.outcome = log_store::has_succeeded(finished.run, task.step_id) ? Outcome::kOk : Outcome::kAlone;
      const std::vector<run_store::Work> works = run_store::read_work(finished.run, {tasks.front().step_id});
      entry.attempt = tasks.front().attempt;
      entry.started = finished.began;
      if (!works.empty() && finished.stop != StopReason::kNone) describe(finished.stop, works.front(), &entry);
      if (!works.empty()) entry.retry = retry_time(works.front(), entry, finished.stop);
    }
    transaction.commit();
    // Of several that shared a transaction, nobody is to blame: each runs again alone.
    if (tasks.size() == 1 && tasks.front().outcome != Outcome::kOk) return run->failed(tasks.front(), entry);
    for (const Task& task : tasks) run->ended(task);
  }

  // A worker for this owner could not start. One of the owner's jobs fails for it; the next tries again.
  void fail_one_of(Oid owner) {
    pg::leave_if_server_stops();
    pg::Transaction transaction;
    const std::string problem = login_problem(owner);
    transaction.commit();
    executions_.fail_one_of(owner, problem);
    for (auto& [id, run] : runs_) {
      const std::optional<StepId> step = run->next(owner);
      if (!step) continue;
      const Task task = run->start(*step);
      admission_.forget(id, *step);
      run->failed(task,
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
    if (holds_.must_write()) all_written = forgive() && all_written;
    return all_written;
  }

  bool forgive() {
    try {
      pg::Transaction transaction;
      {
        const pg::Spi spi;
        holds_.write();
      }
      transaction.commit();
      holds_.written();
      return true;
    } catch (const pg::Error&) {
      pg::abort_everything();  // somebody holds the row: tried again in a second
      return false;
    }
  }

  bool settle_run(ActiveRun& run) {
    const RunKey key = run.key();
    for (const StepId step : run.take_skipped()) admission_.forget(key.id, step);
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
        if (ended) {
          runs_.erase(key.id);
          admission_.forget(key.id);
        }
        Locked().wake_waiters(key.id, ended);
        if (ended) {
          conclude(key);
          break;
        }
      }
      pg::guard([] { pgstat_report_stat(false); });
      return true;
    } catch (const std::exception& error) {
      complain(key.id, error.what());
      return false;
    }
  }

  void conclude(const RunKey& key) {
    if (intake_.has_queue()) Locked().find_seat(MyDatabaseId)->has_news = true;
    keep_history_at_ = 0;
    to_learn_.emplace_back(key, 0);
  }

  // After a run: how long its jobs took. A little in each round, so that nobody has to wait for it.
  void learn(long* delay) {
    if (to_learn_.empty() || has_something_new()) return;
    auto [key, seen] = to_learn_.front();
    to_learn_.pop_front();  // also if it fails: a failure is of no consequence
    try {
      pg::Transaction transaction;
      settings::limit_lock_waits("10ms");
      std::optional<int64_t> next;
      {
        const pg::Spi spi;
        next = run_store::learn_durations(key, seen);
      }
      transaction.commit();
      if (next) to_learn_.emplace_front(key, *next);
    } catch (const pg::Error&) {
      pg::abort_everything();
    }
    if (!to_learn_.empty()) *delay = 0;
  }

  Runs runs_;
  WorkerPool pool_;
  Oid extension_ = InvalidOid;
  Admission admission_;
  JobHolds holds_;
  Intake intake_{runs_, pool_, admission_, holds_};
  Executions executions_{pool_};
  Dispatcher dispatcher_{runs_, executions_, pool_, admission_, holds_};
  std::vector<Finished> lost_;                       // tasks whose worker is gone, not yet settled
  std::vector<Oid> without_worker_;                  // owners whose worker could not start, not yet settled
  std::deque<std::pair<RunKey, int64_t>> to_learn_;  // runs that have ended, and the last log row that was seen
  int short_retries_ = kShortRetries;
  bool look_again_ = true;
  int64_t keep_history_at_ = 0;  // as pg::monotonic_ms()
  int64_t idle_since_ = 0;
};

}  // namespace

void conduct_runs() {
  Conductor().run();
}

}  // namespace etl
