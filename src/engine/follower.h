// Those who wait for the end of a run: woken by the conductor, heedful of Ctrl-C and timeouts.
#pragma once

#include "engine/log_store.h"
#include "pg/spi.h"
#include "pg/wait.h"

namespace etl {

void notice(const std::string& message, const std::string& hint = "");

// Has the conductor wake this process for a run, while it lives.
class Waiting {
 public:
  Waiting(RunId run_id, bool each_step);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Call before looking at the tables: what happens from now on is news.
  void begin_to_look() const;

  // Sleeps until there is news, or a signal, or for so long.
  void sleep(long milliseconds) const;
};

// Asks for the cancellation of a run, which the current user may see.
void request_cancel(RunId run_id);

// Failure (feature_not_supported) in a job or task: those that wait for others would fill all workers.
void refuse_inside_job(const char* what);

// Somebody who has started a run, or has joined one, and reports its progress as NOTICEs. Holds no snapshot and no lock
// while it waits.
class Follower {
 public:
  // `is_own`: started by this caller. `spi` is not atomic; the run is stored in its transaction.
  Follower(const RunKey& key, bool is_own, pg::Spi* spi);
  virtual ~Follower() = default;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Commits, and returns when the run has ended OK. Ctrl-C cancels one's own; a caller that is
  // terminated leaves it going.
  void follow();

 protected:
  virtual void announce() const = 0;
  virtual void tell(const log_store::Line& line) = 0;  // each once
  virtual void conclude() const = 0;                   // raises where it has not ended OK

  RunId run_id() const { return key_.id; }
  const run_store::State& state() const { return state_; }
  bool was_cancelled_here() const { return cancelled_at_ != 0; }
  std::string took() const;
  std::string log_hint() const;
  int sqlstate_of_end() const;
  const char* word_for_end() const;
  [[noreturn]] void fail_cancelled(const std::string& what) const;

 private:
  bool look();
  long patience();
  void heed_cancel(pg::CancelHeld* held);

  const RunKey key_;
  const bool is_own_;
  pg::Spi* const spi_;
  const Waiting waiting_;
  run_store::State state_{};
  int64_t started_ = 0;       // as pg::monotonic_us()
  int64_t cancelled_at_ = 0;  // as pg::monotonic_ms(); 0: not
  bool told_to_wait_ = false;
  int64_t last_seen_ = 0;
  std::unordered_set<int64_t> told_;  // log ids
};

}  // namespace etl
