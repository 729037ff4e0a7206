#include "engine/branch_writer.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/advancing.h"
#include "engine/effect.h"
#include "engine/express.h"
#include "pg/engine_rights.h"
#include "pg/settings.h"
#include "pg/wait.h"

namespace etl {

namespace {

constexpr int64_t kSliceMs = 200;  // then others have their turn
constexpr int64_t kUnsharedMs = 2000;

// The run whose tasks did not share a transaction, as this process has seen last.
RunId unshared_run = 0;
int64_t unshared_until_ms = 0;

// What ends the execution as a whole: a state that cannot be kept, a fault of ours.
void fail_run(const RunKey& run, const std::string& message) {
  forget_failure();
  pg::check_interrupts();
  pg::leave_if_server_stops();
  const pg::CancelHeld held;
  pg::Transaction transaction;
  {
    const pg::EngineRights rights;
    const pg::Spi spi;
    execution_store::fail(run, states::errors::kRuntime, message);
  }
  transaction.commit();
  Locked().wake_waiters(run.id, true);
}

std::string cause_of(const pg::Error& error) {
  if (error.sqlstate() != ERRCODE_UNTRANSLATABLE_CHARACTER) return error.what();
  return std::string(error.what()) + ": what came out has a character, such as \\u0000, that jsonb cannot hold";
}

bool passes(int sqlstate) {
  return sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE || sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
         sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || sqlstate == ERRCODE_QUERY_CANCELED;
}

class Advancing {
 public:
  Advancing(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop, const std::function<void(size_t)>& begins)
      : run_(run), tasks_(*tasks), stop_(stop), begins_(begins) {}

  MadeDue run() {
    advance_all();
    return made_due_;
  }

 private:
  void advance_all() {
    std::deque<size_t> together, alone;
    for (size_t i = 0; i < tasks_.size(); ++i) {
      tasks_[i].outcome = Outcome::kNotStarted;
      together.push_back(i);
    }
    const int64_t until = pg::monotonic_ms() + kSliceMs;
    while (!is_over_ && stop_() == StopReason::kNone && (!together.empty() || !alone.empty())) {
      if (pg::monotonic_ms() >= until) return;
      if (made_due_.stopped) return;
      const bool alone_next = !alone.empty() || together.size() == 1 || !may_share();
      if (alone_next && made_due_.is_any()) return;  // that may take long, and others can begin
      if (!alone_next) {
        advance_together(&together, &alone);
      } else {
        std::deque<size_t>& next = alone.empty() ? together : alone;
        const size_t task = next.front();
        next.pop_front();
        if (advance_alone(task)) together.push_back(task);
      }
    }
  }

  // Tasks that are too long for that are tried in vain, and begun for nothing: not again for a while.
  bool may_share() const {
    return settings::shared_commit_delay_ms() > 0 &&
           (unshared_run != run_.id || pg::monotonic_ms() >= unshared_until_ms);
  }
  void share_no_more() const {
    unshared_run = run_.id;
    unshared_until_ms = pg::monotonic_ms() + kUnsharedMs;
  }

  // Several in one transaction. Those that go on come back to its queue; those that must be advanced alone leave it.
  void advance_together(std::deque<size_t>* queue, std::deque<size_t>* alone) {
    const std::deque<size_t> before = std::move(*queue);
    queue->clear();
    try {
      std::vector<Advanced> advanced;
      std::deque<size_t> refused, rest;
      BranchBlock block;
      const std::vector<branch_store::StoredBranch> due = read(block, before);
      {
        SharedTransaction shared;
        for (const branch_store::StoredBranch& branch : due) {
          const size_t task = task_of(branch.number);
          if (shared.is_late() || !refused.empty() || stop_() != StopReason::kNone) {
            rest.push_back(task);
            continue;
          }
          begins_(task);
          try {
            advanced.push_back(branch.result.empty() ? advance_branch(block, *execution_, branch, &shared, stop_)
                                                     : ended_before(branch));
          } catch (const RunsAlone&) {
            refused.push_back(task);
            share_no_more();
          }
        }
      }
      commit(block, &advanced);
      for (const Advanced& each : advanced)
        if (each.to == Advanced::To::kGoOn) queue->push_back(task_of(each.stored.number));
      queue->insert(queue->end(), rest.begin(), rest.end());
      alone->insert(alone->end(), refused.begin(), refused.end());
      return;
    } catch (const pg::Error&) {
    } catch (const pg::Failure&) {
    } catch (const StaleBranch&) {
    } catch (const std::exception&) {
    }
    forget_failure();
    pg::check_interrupts();
    share_no_more();
    *alone = before;
  }

  // True if it goes on.
  bool advance_alone(size_t task) try {
    BranchBlock block;
    const std::vector<branch_store::StoredBranch> due = read(block, {task});
    if (due.empty()) return false;
    begins_(task);
    if (execution_->stored().is_express) {
      block.commit();
      const int limit = settings::crash_limit();
      if (limit > 0 && due.front().crashes >= limit) {
        fail(pg::format("the server went down %d times in a row while it ran", due.front().crashes));
        return false;
      }
      end_express();
      return false;
    }
    std::vector<Advanced> advanced;
    advanced.push_back(due.front().result.empty() ? advance_branch(block, *execution_, due.front(), nullptr, stop_)
                                                  : ended_before(due.front()));
    commit(block, &advanced);
    return advanced.front().to == Advanced::To::kGoOn;
  } catch (const StaleBranch&) {
    forget_failure();
    return false;
  } catch (const pg::Error& error) {
    const int sqlstate = error.sqlstate();
    const std::string message = cause_of(error);
    forget_failure();
    pg::check_interrupts();
    if (stop_() == StopReason::kNone && !passes(sqlstate)) fail(message);
    return false;
  } catch (const std::exception& error) {
    fail(error.what());
    return false;
  }

  void fail(const std::string& message) {
    fail_run(run_, message);
    note_end();
  }

  // Nothing of the execution is due any more, and what others do for it is of no use.
  void note_end() {
    is_over_ = true;
    made_due_.stopped = true;
    for (Task& task : tasks_) task.outcome = Outcome::kOk;
  }

  void end_express() {
    const std::optional<execution_store::Ending> ending = run_express(*execution_, stop_);
    if (!ending) return;
    const pg::CancelHeld held;
    BranchBlock block;
    in_store(block, [&] {
      if (execution_store::finish(run_, *ending)) branch_store::end_all(run_, false);
    });
    block.commit();
    note_end();
    Locked().wake_waiters(run_.id, true);
  }

  std::vector<branch_store::StoredBranch> read(pg::Block& block, const std::deque<size_t>& tasks) {
    std::vector<branch_store::StoredBranch> due;
    in_store(block, [&] {
      require_own_role();
      execution_ = ActiveExecution::read(run_);
      if (!execution_) {
        // Children may have been made while it was ended; but somebody may just redrive it.
        execution_store::lock(run_);
        if (!execution_store::open_redrives(run_)) branch_store::end_all(run_, true);
        return;
      }
      std::vector<int> numbers;
      for (const size_t task : tasks) numbers.push_back(tasks_[task].step_id);
      due = branch_store::read_due(run_, numbers);
    });
    if (!execution_) {
      block.commit();
      note_end();
      return {};
    }
    for (const size_t task : tasks) tasks_[task].outcome = Outcome::kOk;
    for (const branch_store::StoredBranch& branch : due) tasks_[task_of(branch.number)].outcome = Outcome::kNotStarted;
    // One that is not due may be so a moment later, where the clock was set back.
    if (due.size() < tasks.size()) made_due_.add_time(GetCurrentTimestamp());
    return due;
  }

  void commit(pg::Block& block, std::vector<Advanced>* advanced) {
    if (is_over_ || advanced->empty()) return;
    const pg::CancelHeld held;  // it is bounded, and what has been done is to be kept
    QueryCancelPending = false;
    const Written written = write(block, advanced);
    if (!written.uncounted.empty()) count(written.uncounted);
  }

  Written write(pg::Block& block, std::vector<Advanced>* advanced) {
    Written written;
    in_store(block, [&] { written = write_branches(*execution_, advanced); });
    block.commit();
    if (written.ended_run) Locked().wake_waiters(run_.id, true);
    for (const Advanced& each : *advanced)
      if (each.to != Advanced::To::kGoOn) tasks_[task_of(each.stored.number)].outcome = Outcome::kOk;
    made_due_.add(written.made_due);
    if (written.ended_run) note_end();
    return written;
  }

  // Has parents count children that have ended. If it is lost, they are due, and are counted then.
  void count(const std::vector<int>& children) try {
    BranchBlock block;
    std::vector<Advanced> ended;
    in_store(block, [&] {
      for (branch_store::StoredBranch& branch : branch_store::read_due(run_, children))
        if (!branch.result.empty()) ended.push_back(ended_before(std::move(branch)));
    });
    if (ended.empty()) return;
    block.look([] { settings::commit_without_disk(); });
    write(block, &ended);
  } catch (const pg::Error&) {
    forget_failure();
    made_due_.more = true;
  } catch (const StaleBranch&) {
    forget_failure();
    made_due_.more = true;
  }

  size_t task_of(int branch) const {
    return static_cast<size_t>(
        std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.step_id == branch; }) -
        tasks_.begin());
  }

  const RunKey run_;
  std::vector<Task>& tasks_;
  const AskStop& stop_;
  const std::function<void(size_t)>& begins_;
  std::shared_ptr<ActiveExecution> execution_;
  bool is_over_ = false;
  MadeDue made_due_{};
};

}  // namespace

MadeDue advance_branches(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop,
                         const std::function<void(size_t)>& begins) {
  const MadeDue made_due = Advancing(run, tasks, stop, begins).run();
  settings::forget_attempt();
  return made_due;
}

}  // namespace etl
