#include "states/execution.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/executor.h"
#include "engine/express.h"
#include "engine/shared_transaction.h"
#include "engine/task_runner.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/wait.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace etl {

namespace {

struct Stopped {};

// Nobody reads it; but it is as long as it may be, and a moment to look at what signals say.
class UnkeptHistory : public states::History {
 public:
  states::EventId add(states::HistoryEvent event) override {
    pg::check_interrupts();
    return event.id == 0 ? ++count_ : event.id;
  }

 private:
  states::EventId count_ = 0;
};

class ExpressWorld : public states::World {
 public:
  ExpressWorld(const ActiveExecution& execution, const AskStop& stop) : execution_(execution), stop_(stop) {}

  states::Time now() override { return time_of(GetCurrentTimestamp()); }
  std::string new_token() override { return etl::new_token(); }

  void sleep_until(states::Time time) override {
    while (now() < time) {
      pg::check_interrupts();
      leave_if_stopped();
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - now()).count();
      pg::sleep_on_latch(static_cast<long>(std::min<int64_t>(left, INT_MAX)), "EtlExpressWait");
    }
  }

  states::Event run_task(const states::RunTask& task, const states::Branch& branch, const Note& note) override {
    leave_if_stopped();
    note(states::TaskProgress::kStarted, states::Json::object());
    pg::Block block;
    states::Event event = run_in_block(block, task, branch);
    block.commit();
    return event;
  }

 private:
  states::Event run_in_block(pg::Block& block, const states::RunTask& task, const states::Branch& branch) {
    const TaskOwner owner{execution_.run(), 0, execution_.stored().machine, branch.state, ""};
    try {
      TaskResult result;
      run_apart(block, [&] {
        settings::show_attempt({execution_.run().id,
                                execution_.run().at,
                                static_cast<int>(branch.attempt),
                                execution_.stored().machine,
                                branch.state,
                                {}});
        show_state(branch.state, static_cast<int>(branch.attempt));
        result = etl::run_task(block, task, owner);
        show_state();
        if (result.waits_for_token || result.awaited_run != 0)
          throw states::StateError(states::errors::kRuntime,
                                   "a state machine of type EXPRESS cannot wait for somebody else to end a task");
      });
      if (result.failure) return states::TaskFailed{*result.failure};
      return states::TaskSucceeded{std::move(result.output)};
    } catch (const states::StateError& error) {
      return states::TaskFailed{error.failure(), error.failure().error == states::errors::kTimeout};
    } catch (const pg::Error& error) {
      leave_if_stopped();
      if (ProcDiePending) throw;
      QueryCancelPending = false;
      return states::TaskFailed{task_failure(error)};
    } catch (const pg::Failure& failure) {
      return states::TaskFailed{task_failure(failure)};
    }
  }

  void leave_if_stopped() const {
    if (stop_() != StopReason::kNone) throw Stopped{};
  }

  const ActiveExecution& execution_;
  const AskStop& stop_;
};

}  // namespace

std::optional<execution_store::Ending> run_express(const ActiveExecution& execution, const AskStop& stop) try {
  ExpressWorld world(execution, stop);
  UnkeptHistory history;
  const states::ExecutionResult result =
      states::run_in_memory(execution.definition(), execution.info(), jsonata(), entropy(), history, world);
  switch (result.status) {
    case states::ExecutionStatus::kSucceeded:
      return execution_store::Ending{"SUCCEEDED", result.output.dump(), std::nullopt, std::nullopt};
    case states::ExecutionStatus::kTimedOut:
      return execution_store::Ending{"TIMED_OUT", "", result.failure.error, result.failure.cause};
    default:
      return execution_store::Ending{"FAILED", "", result.failure.error, result.failure.cause};
  }
} catch (const Stopped&) {
  return std::nullopt;
}

}  // namespace etl
