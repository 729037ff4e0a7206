#include "engine/branch_step.h"

#include "engine/branch_events.h"
#include "engine/executor.h"
#include "engine/task_runner.h"
#include "states/resource.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/wait.h"

namespace etl {

namespace {

using states::Branch;
using states::Json;

TimestampTz seconds_from_now(double seconds) {
  return GetCurrentTimestamp() + static_cast<int64_t>(std::min(seconds, 1e9) * USECS_PER_SEC);
}

// When a task began that is kept while somebody else works on it.
constexpr const char* kBegan = "began";

class BranchStep {
 public:
  BranchStep(pg::Block& block, ActiveExecution& execution, branch_store::StoredBranch stored, SharedTransaction* shared,
             const AskStop& stop)
      : block_(block), execution_(execution), shared_(shared), stop_(stop) {
    result_.stored = std::move(stored);
    result_.saved.number = result_.stored.number;
    in_store(block_, [&] { branch() = execution_.branch(result_.stored); });
    events_.emplace(branch().last_event);
    if (result_.stored.task.empty()) return;
    const Json task = Json::parse(result_.stored.task);
    task_ = states::RunTask::from_json(task);
    handed_over_at_ = task.value(kBegan, TimestampTz{0});
  }

  Advanced run() {
    std::optional<states::Event> event = first_event();
    while (event) {
      states::Next next = execution_.interpreter().advance(&branch(), *std::move(event), *events_);
      event.reset();
      if (auto* task = std::get_if<states::RunTask>(&next)) {
        task_ = std::move(*task);
        if (!had_effect_)
          event = run_task();
        else
          save_for_next();
      } else {
        leave(std::move(next));
      }
    }
    result_.events = events_->text();
    // Those of a distributed Map have histories of their own.
    result_.last_event = branch().is_execution ? 0 : branch().last_event;
    return std::move(result_);
  }

 private:
  Branch& branch() { return result_.branch; }

  // What has happened since the branch was saved; none if it waits now.
  std::optional<states::Event> first_event() {
    if (!result_.stored.event.empty()) return told(Json::parse(result_.stored.event));
    switch (branch().phase) {
      case Branch::Phase::kNew:
        return states::Begin{};
      case Branch::Phase::kTask:
        if (result_.stored.is_handed_over) return timed_out();
        return run_task();
      case Branch::Phase::kForked:
        return join();
      case Branch::Phase::kBetween:
        return states::Resumed{};
      default:
        return states::TimeReached{};
    }
  }

  std::optional<states::Event> told(Json event) {
    const std::string type = event.at("type");
    if (type == "ChildrenFailed") {
      const states::EventId last = event.at("last_event");
      events_->follow(last);
      result_.forgets_children = true;
      cancel_awaited();
      return states::ChildrenFailed{failure_from(event), last};
    }
    began_ = handed_over();
    if (type == "TaskFailed") return failed(failure_from(event), "");
    if (type == "RunEnded") return ended([&] { return finish_task(block_, *task_, task_owner()); });
    write_log("OK", "", std::nullopt);
    return states::TaskSucceeded{std::move(event["output"])};
  }

  // What its task, or those of its children, wait for is of no use any more. That is committed before the next task
  // begins.
  void cancel_awaited() {
    had_effect_ = true;
    in_store(block_, [&] { branch_store::cancel_awaited({execution_.run(), result_.stored.number}); });
  }

  // What was due first has passed: the task as a whole, or its next heartbeat.
  states::Event timed_out() {
    began_ = handed_over();
    cancel_awaited();
    const bool is_late = task_->timeout_seconds && has_taken(*task_->timeout_seconds);
    return failed(
        {is_late || !task_->heartbeat_seconds ? states::errors::kTimeout : states::errors::kHeartbeatTimeout, ""}, "");
  }

  // When the task began that somebody else was to end.
  pg::Moment handed_over() const {
    const pg::Moment now = pg::now();
    if (handed_over_at_ == 0) return now;
    return {handed_over_at_, now.us - std::max<int64_t>(0, now.at - handed_over_at_)};
  }

  bool has_taken(double seconds) const {
    return static_cast<double>(GetCurrentTimestamp() - handed_over_at_) >= seconds * USECS_PER_SEC;
  }

  states::Event join() {
    std::vector<std::string> results;
    in_store(block_, [&] {
      results = branch_store::results(execution_.run(), result_.stored.first_child, result_.stored.children);
    });
    result_.forgets_children = true;
    states::ChildrenEnded ended = children_ended(results);
    events_->follow(ended.last_event);
    return ended;
  }

  std::optional<states::Event> run_task() {
    had_effect_ = true;
    began_ = pg::now();
    const int limit = settings::crash_limit();
    if (limit > 0 && result_.stored.crashes >= limit)
      return failed(
          {states::errors::kTaskFailed,
           pg::format("its worker or the server ended %d times in a row while the task ran", result_.stored.crashes)},
          "");
    note(states::TaskProgress::kStarted, Json::object());
    return ended([&] { return etl::run_task(block_, *task_, task_owner()); });
  }

  // Does the work of a task, apart from all else in the transaction.
  std::optional<states::Event> ended(const std::function<TaskResult()>& work) {
    try {
      TaskResult result;
      const auto apart = [&] {
        settings::show_attempt({execution_.run().id,
                                execution_.run().at,
                                static_cast<int>(branch().attempt),
                                execution_.stored().machine,
                                branch().state,
                                {}});
        show_state(branch().state, static_cast<int>(branch().attempt));
        result = work();
      };
      if (shared_ != nullptr)
        shared_->run(block_, apart);
      else
        run_apart(block_, apart);
      if (result.failure) return failed(*result.failure, "");
      if (result.awaited_run != 0 || result.waits_for_token) {
        hand_over(std::move(result));
        return std::nullopt;
      }
      write_log("OK", "", result.rows);
      return states::TaskSucceeded{std::move(result.output)};
    } catch (const states::StateError& error) {
      return failed(error.failure(), "");
    } catch (const pg::Error& error) {
      leave_if_not_to_blame(error);
      return failed(task_failure(error), unpack_sql_state(error.sqlstate()));
    } catch (const pg::Failure& failure) {
      leave_if_not_to_blame(failure);
      return failed(task_failure(failure), unpack_sql_state(failure.sqlstate()));
    }
  }

  // It may be that of sharing a transaction, of who stops it, or of the end of this process.
  template <typename E>
  void leave_if_not_to_blame(const E& error) const {
    if (shared_ != nullptr) throw RunsAlone{};
    if (stop_() != StopReason::kNone || ProcDiePending) throw error;
    QueryCancelPending = false;
  }

  void hand_over(TaskResult result) {
    // An activity is handed to nobody: its worker fetches it.
    if (states::Resource::parse(task_->resource).kind != states::Resource::Kind::kActivity)
      note(states::TaskProgress::kSubmitted, std::move(result.output));
    branch_store::SavedBranch& saved = result_.saved;
    Json task = task_->to_json();
    task[kBegan] = began_.at;
    saved.task = task.dump();
    saved.awaited_run = result.awaited_run;
    if (result.waits_for_token) saved.token = branch().task_token;
    if (task_->timeout_seconds) saved.timeout = seconds_from_now(*task_->timeout_seconds);
    saved.due = saved.timeout;
    if (task_->heartbeat_seconds && result.waits_for_token) {
      saved.heartbeat_seconds = *task_->heartbeat_seconds;
      saved.due = std::min(saved.due, seconds_from_now(saved.heartbeat_seconds));
    }
    save(Advanced::To::kWait);
  }

  void save_for_next() {
    result_.saved.task = task_->to_json().dump();
    result_.saved.due = DT_NOBEGIN;
    save(Advanced::To::kGoOn);
  }

  void save(Advanced::To to) {
    result_.to = to;
    result_.saved.position = branch().to_json().dump();
  }

  void leave(states::Next next) {
    if (const auto* wait = std::get_if<states::Wait>(&next)) {
      result_.saved.due = timestamp_of(wait->until);
      save(Advanced::To::kWait);
    } else if (std::holds_alternative<states::Pause>(next)) {
      result_.saved.due = DT_NOBEGIN;
      save(Advanced::To::kGoOn);
    } else if (std::holds_alternative<states::Fork>(next)) {
      save(Advanced::To::kFork);
    } else if (auto* end = std::get_if<states::Ended>(&next)) {
      result_.to = Advanced::To::kEnd;
      result_.output = std::move(end->output);
    } else {
      result_.failure = std::move(std::get<states::Broken>(next).failure);
      save(Advanced::To::kBreak);
    }
  }

  void note(states::TaskProgress progress, Json details) {
    execution_.interpreter().note(&branch(), progress, std::move(details), *events_);
  }

  states::Event failed(const states::Failure& failure, const std::string& sqlstate) {
    const std::string error = failure.error.value_or("");
    const bool timed_out = error == states::errors::kTimeout || error == states::errors::kHeartbeatTimeout;
    const std::string cause = failure.cause.value_or("");
    write_log(timed_out ? "TIMED_OUT" : "ERROR", cause.empty() ? error : error + ": " + cause, std::nullopt, sqlstate);
    return states::TaskFailed{failure, timed_out};
  }

  void write_log(const char* status, const std::string& message, std::optional<int64_t> rows,
                 const std::string& sqlstate = "") {
    result_.log.push_back({result_.stored.number, branch().visit, branch().attempt, branch().state, status, began_,
                           pg::now(), rows, sqlstate, message});
  }

  TaskOwner task_owner() {
    return {execution_.run(), result_.stored.number, execution_.stored().machine, branch().state, branch().task_token};
  }

  pg::Block& block_;
  ActiveExecution& execution_;
  SharedTransaction* shared_;
  const AskStop& stop_;
  Advanced result_;
  std::optional<BranchEvents> events_;
  std::optional<states::RunTask> task_;
  bool had_effect_ = false;
  pg::Moment began_{};
  TimestampTz handed_over_at_ = 0;  // 0: it was not
};

}  // namespace

Advanced advance_branch(pg::Block& block, ActiveExecution& execution, branch_store::StoredBranch stored,
                        SharedTransaction* shared, const AskStop& stop) {
  return BranchStep(block, execution, std::move(stored), shared, stop).run();
}

Advanced ended_before(branch_store::StoredBranch stored) {
  Advanced advanced;
  const ChildEnd end = child_end(stored.result);
  advanced.to = end.failure ? Advanced::To::kBreak : Advanced::To::kEnd;
  advanced.is_counted_late = true;
  if (end.failure) advanced.failure = *end.failure;
  advanced.last_event = end.last_event;
  advanced.stored = std::move(stored);
  return advanced;
}

}  // namespace etl
