#include "engine/shared_commit.h"

#include "engine/effect.h"
#include "engine/executor.h"
#include "engine/notices.h"
#include "engine/session.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/guc.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

TimeoutId late_timer;

// A signal handler: asks for the cancellation of what runs now, as Ctrl-C would.
void cancel_late() {
  InterruptPending = true;
  QueryCancelPending = true;
  SetLatch(MyLatch);
}

// Nothing of what a task has asked for, or was asked to do, passes on to the next.
void forget_cancel() {
  disable_timeout(STATEMENT_TIMEOUT, false);
  QueryCancelPending = false;
}

bool is_late() {
  return get_timeout_indicator(late_timer, false);
}

// One job, at whose end nothing of it is left but its effect. Throws if it has to run alone.
void run_one(pg::Block& block, const RunKey& run, const Task& task, const run_store::Work& work, NoticeKeeper* notices,
             Sharing* sharing, log_store::Entry* entry) {
  pg::Subtransaction subtransaction;
  const int settings_level = pg::guard([] { return NewGUCNestLevel(); });
  present(run, task, work);
  run_effect(block, work, entry);
  block.look([] {
    pg::guard([] { AfterTriggerFireDeferred(); });
    forget_session_objects();
  });
  pg::guard([&] { AtEOXact_GUC(false, settings_level); });
  // What it would not have met alone it may have caught: then its effect is not what it would be.
  if (is_late() || sharing->take_refusal())
    throw pg::Failure(ERRCODE_ACTIVE_SQL_TRANSACTION, "the job needs a transaction of its own");
  subtransaction.release();
  entry->finished = pg::now();
  entry->notices = notices->take();
}

class Together {
 public:
  Together(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop, Sharing* sharing)
      : run_(run), tasks_(*tasks), stop_(stop), sharing_(sharing) {
    for (Task& task : tasks_) task.outcome = Outcome::kNotStarted;
  }

  void run(const std::function<void(size_t)>& begins) {
    pg::Block block;
    std::vector<run_store::Work> works;
    block.statement([&] { works = read(); });
    pg::guard([] { enable_timeout_after(late_timer, settings::shared_commit_delay_ms()); });
    for (size_t i = 0; i < tasks_.size() && !is_late() && stop_() == StopReason::kNone; ++i) {
      begins(i);
      try_one(block, &tasks_[i], works[i]);
      settings::forget_attempt();
    }
    disable_timeout(late_timer, false);
    const pg::CancelHeld held;  // it is bounded, and what has finished is to be kept
    QueryCancelPending = false;
    if (!done_.empty()) block.statement([&] { write(); });
    block.commit();
    for (Task* task : finished_) task->outcome = Outcome::kOk;
  }

 private:
  std::vector<run_store::Work> read() const {
    std::vector<StepId> steps;
    for (const Task& task : tasks_) steps.push_back(task.step_id);
    require_own_role();
    const pg::EngineRights rights;
    const pg::Spi spi;
    const std::vector<run_store::Work> found = run_store::read_work(run_, steps);
    std::vector<run_store::Work> works;
    for (const StepId step : steps) {
      const auto work = std::lower_bound(found.begin(), found.end(), step,
                                         [](const run_store::Work& each, StepId id) { return each.step_id < id; });
      if (work == found.end() || work->step_id != step)
        throw pg::Failure(ERRCODE_NO_DATA_FOUND, "a step of the run does not exist");
      works.push_back(*work);
    }
    return works;
  }

  void try_one(pg::Block& block, Task* task, const run_store::Work& work) {
    log_store::Entry entry;
    entry.step_id = task->step_id;
    entry.attempt = task->attempt;
    entry.status = "OK";
    entry.started = pg::now();
    task->outcome = Outcome::kAlone;
    NoticeKeeper notices;
    try {
      run_one(block, run_, *task, work, &notices, sharing_, &entry);
      done_.push_back(std::move(entry));
      finished_.push_back(task);
      return;
    } catch (const pg::Error&) {
    } catch (const pg::Failure&) {
    }
    forget_cancel();
    sharing_->take_refusal();
    block.look(forget_session_objects);
  }

  void write() const {
    const pg::EngineRights rights;
    const pg::Spi spi;
    log_store::write(run_, done_);
  }

  const RunKey run_;
  std::vector<Task>& tasks_;
  const AskStop& stop_;
  Sharing* sharing_;
  std::vector<log_store::Entry> done_;
  std::vector<Task*> finished_;  // those of done_
};

}  // namespace

void install_shared_commit_timer() {
  late_timer = RegisterTimeout(USER_TIMEOUT, cancel_late);
}

void run_together(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop,
                  const std::function<void(size_t)>& begins) {
  Sharing sharing;
  try {
    Together(run, tasks, stop, &sharing).run(begins);
    return;
  } catch (const pg::Error&) {
  } catch (const pg::Failure&) {
  }
  pg::abort_everything();
  disable_all_timeouts(false);
  QueryCancelPending = false;
  pg::check_interrupts();
  for (Task& task : *tasks) task.outcome = Outcome::kAlone;
}

}  // namespace etl
