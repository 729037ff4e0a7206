#include "engine/shared_commit.h"

#include "engine/effect.h"
#include "engine/notices.h"
#include "engine/shared_transaction.h"
#include "pg/engine_rights.h"
#include "pg/settings.h"
#include "pg/wait.h"

extern "C" {
#include "utils/timeout.h"
}

namespace etl {

namespace {

class Together {
 public:
  Together(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop) : run_(run), tasks_(*tasks), stop_(stop) {
    for (Task& task : tasks_) task.outcome = Outcome::kNotStarted;
  }

  void run(const std::function<void(size_t)>& begins) {
    pg::Block block;
    std::vector<run_store::Work> works;
    block.statement([&] { works = read(); });
    {
      SharedTransaction shared;
      for (size_t i = 0; i < tasks_.size() && !shared.is_late() && stop_() == StopReason::kNone; ++i) {
        begins(i);
        try_one(block, &shared, &tasks_[i], works[i]);
        settings::forget_attempt();
      }
    }
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

  // Whatever it raises, it has to run alone.
  void try_one(pg::Block& block, SharedTransaction* shared, Task* task, const run_store::Work& work) try {
    log_store::Entry entry;
    entry.step_id = task->step_id;
    entry.attempt = task->attempt;
    entry.status = "OK";
    entry.started = pg::now();
    task->outcome = Outcome::kAlone;
    NoticeKeeper notices;
    shared->run(block, [&] {
      present(run_, *task, work);
      run_effect(block, work, &entry);
    });
    entry.finished = pg::now();
    entry.notices = notices.take();
    done_.push_back(std::move(entry));
    finished_.push_back(task);
  } catch (const pg::Error&) {
  } catch (const pg::Failure&) {
  }

  void write() const {
    const pg::EngineRights rights;
    const pg::Spi spi;
    log_store::write(run_, done_);
  }

  const RunKey run_;
  std::vector<Task>& tasks_;
  const AskStop& stop_;
  std::vector<log_store::Entry> done_;
  std::vector<Task*> finished_;  // those of done_
};

}  // namespace

void run_together(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop,
                  const std::function<void(size_t)>& begins) {
  try {
    Together(run, tasks, stop).run(begins);
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
