// One call of Interpreter::advance(): for the interpreter's own files.
//
// Each kind of state has its methods in a file of its own. A method that does a part of a state gives what the branch
// needs next, or nothing, where it has gone on to another state.
#pragma once

#include "states/evaluation.h"
#include "states/resource.h"
#include "states/retry.h"

namespace etl::states {

class Advance {
 public:
  Advance(Tools& tools, Branch& branch, History& history);

  Next run(Event event);
  void note(TaskProgress progress, Json details);

 private:
  using Step = std::optional<Next>;
  struct HistoryFull {};
  struct Exit {
    Json output;
    Json assigned;     // an object of variables
    std::string next;  // empty: the end
  };

  // advance.cpp
  Step receive(Event event);
  void begin();
  Next pause();
  Step enter();
  Step attempt();
  Step guarded(const std::function<Step()>& part);  // StateError is for Retry and Catch
  EventId record(const std::string& type, Json details = Json::object());
  void record_iteration(const std::string& what);
  std::string event_of_state(const std::string& what) const;  // "Entered" -> PassStateEntered
  void expect(Branch::Phase phase) const;
  const State& find_state() const;
  Evaluation evaluation() { return Evaluation(tools_, *state_, branch_); }

  // leaving.cpp
  Step leave(Exit exit);
  void assign(const Json& values);
  Next end(Json output);
  Next break_with(Failure failure);
  Step fail(const Problem& problem);
  Step give_up(const Problem& problem);
  Step fail_in_state(const StateError& error);
  Failure failure_of(const StateError& error);
  Exit caught(const Catcher& catcher, const Failure& failure);
  Exit with_result(Json result);  // Task, Parallel, Map
  Exit plain_exit();              // of what has no result
  Exit jsonata_exit(Evaluation& values, Json otherwise);
  Json merged(const OptionalPath& result_path, Json result) const;

  // simple_states.cpp
  Step pass();
  Step choose();
  Exit chosen(const ChoiceRule& rule, size_t index, Evaluation& values);
  Step wait();
  Time wait_until();
  Step fail_state();

  // task_state.cpp
  Step run_task();
  RunTask make_task();
  Step task_succeeded(TaskSucceeded result);
  Step task_failed(TaskFailed failed);

  // fork_state.cpp, map_state.cpp
  Step fork_branches();
  Step map_items();
  Step fork(GatheringRules rules, Json forked);
  Step children_ended(ChildrenEnded ended);
  Step children_failed(ChildrenFailed failed);
  void forget_children();
  bool is_distributed_map() const;

  Tools& tools_;
  Branch& branch_;
  History& history_;
  const Flow* flow_ = nullptr;
  const State* state_ = nullptr;
  bool has_result_ = false;  // its children have ended well
  bool history_is_full_ = false;
};

// The failure that an error is to the outside: of most, the cause tells the state that `branch` is in.
Failure in_state(const Branch& branch, const StateError& error);

// StateError (States.DataLimitExceeded) where the value is larger than a payload may be.
void check_size(const Json& value, const std::string& what);

}  // namespace etl::states
