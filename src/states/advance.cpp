#include "states/fence.h"

#include "states/advance.h"

#include <stdexcept>

namespace etl::states {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Advance::Advance(Tools& tools, Branch& branch, History& history)
    : tools_(tools), branch_(branch), history_(history), flow_(tools.definition.find_flow(branch.flow)) {
  if (!flow_) throw std::logic_error("the definition has no flow \"" + branch.flow + "\"");
}

Next Advance::run(Event event) {
  try {
    Step step = receive(std::move(event));
    while (!step) step = history_.wants_pause() ? pause() : enter();
    return std::move(*step);
  } catch (const HistoryFull&) {
    history_is_full_ = true;
    return break_with({errors::kRuntime, "The execution reached the maximum number of history events (" +
                                             std::to_string(Interpreter::kMostEvents) + ")."});
  }
}

Advance::Step Advance::receive(Event event) {
  using Phase = Branch::Phase;
  if (std::holds_alternative<Begin>(event)) {
    expect(Phase::kNew);
    begin();
    return std::nullopt;
  }
  state_ = &find_state();
  tools_.show(branch_);
  return std::visit(Overloaded{
                        [&](Begin&) -> Step { return std::nullopt; },
                        [&](TaskSucceeded& result) {
                          expect(Phase::kTask);
                          return task_succeeded(std::move(result));
                        },
                        [&](TaskFailed& failed) {
                          expect(Phase::kTask);
                          return task_failed(std::move(failed));
                        },
                        [&](TimeReached&) {
                          if (branch_.phase == Phase::kRetrying) return attempt();
                          expect(Phase::kWaiting);
                          return guarded([&] { return leave(plain_exit()); });
                        },
                        [&](Resumed&) -> Step {
                          expect(Phase::kBetween);
                          return std::nullopt;
                        },
                        [&](ChildrenEnded& ended) {
                          expect(Phase::kForked);
                          return children_ended(std::move(ended));
                        },
                        [&](ChildrenFailed& failed) {
                          expect(Phase::kForked);
                          return children_failed(std::move(failed));
                        },
                    },
                    event);
}

void Advance::note(TaskProgress progress, Json details) {
  expect(Branch::Phase::kTask);
  state_ = &find_state();
  history_is_full_ = true;  // the end of the task will say so
  record(Resource::parse(state_->resource).event(progress == TaskProgress::kStarted ? "Started" : "Submitted"),
         std::move(details));
}

void Advance::begin() {
  if (branch_.is_execution) {
    record("ExecutionStarted", {{"input", branch_.input}});
  } else if (!branch_.iteration_of.empty()) {
    record_iteration("Started");
  }
}

Next Advance::pause() {
  branch_.phase = Branch::Phase::kBetween;
  return Pause{};
}

// Goes into the state that the branch is to be in.
Advance::Step Advance::enter() {
  state_ = &find_state();
  ++branch_.visit;
  branch_.attempt = 0;
  branch_.retry_count = 0;
  branch_.retries.assign(state_->retriers.size(), 0);
  branch_.entered = tools_.now();
  branch_.entered_event = record(event_of_state("Entered"), {{"input", branch_.input}});
  tools_.show(branch_);
  return attempt();
}

Advance::Step Advance::attempt() {
  return guarded([&]() -> Step {
    switch (state_->type) {
      case StateType::kTask:
        return run_task();
      case StateType::kPass:
        return pass();
      case StateType::kChoice:
        return choose();
      case StateType::kWait:
        return wait();
      case StateType::kSucceed:
        return leave(plain_exit());
      case StateType::kFail:
        return fail_state();
      case StateType::kParallel:
        return fork_branches();
      case StateType::kMap:
        return map_items();
    }
    throw std::logic_error("a state of an unknown type");
  });
}

Advance::Step Advance::guarded(const std::function<Step()>& part) {
  try {
    return part();
  } catch (const StateError& error) {
    return fail_in_state(error);
  }
}

EventId Advance::record(const std::string& type, Json details) {
  const EventId id =
      history_.add({0, branch_.last_event, type, state_ ? state_->name : std::string(), std::move(details)});
  branch_.last_event = id;
  if (id >= Interpreter::kMostEvents && !history_is_full_) throw HistoryFull();
  return id;
}

void Advance::record_iteration(const std::string& what) {
  branch_.last_event = history_.add({0,
                                     branch_.last_event,
                                     "MapIteration" + what,
                                     branch_.iteration_of,
                                     {{"index", branch_.item ? branch_.item->index : 0}}});
}

std::string Advance::event_of_state(const std::string& what) const {
  return std::string(name_of(state_->type)) + "State" + what;
}

void Advance::expect(Branch::Phase phase) const {
  if (branch_.phase != phase) throw std::logic_error("an event that does not fit the phase of a branch");
}

const State& Advance::find_state() const {
  const auto found = flow_->states.find(branch_.state);
  if (found == flow_->states.end()) throw std::logic_error("the definition has no state \"" + branch_.state + "\"");
  return found->second;
}

}  // namespace etl::states
