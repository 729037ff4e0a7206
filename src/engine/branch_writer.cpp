#include "engine/branch_writer.h"

#include "engine/branch_events.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/guard.h"

namespace etl {

namespace {

using branch_store::Fork;
using branch_store::NewBranch;
using branch_store::SavedBranch;
using states::Gathering;

Gathering gathering_of(const Fork& fork) {
  return Gathering(states::GatheringRules::from_json(states::Json::parse(fork.rules)),
                   {fork.begun, fork.ended, fork.failed_weight});
}

class BranchWriter {
 public:
  BranchWriter(ActiveExecution& execution, std::vector<Advanced>* advanced)
      : execution_(execution), run_(execution.run()), advanced_(*advanced) {}

  Written write() {
    begin_forks();  // takes numbers, and with them the lock of the execution
    end_run();
    if (written_.ended_run) branch_store::lock_all(run_);
    for (const Advanced& each : advanced_)
      if (each.forgets_children && (!written_.ended_run || keeps_branches_)) forget_children(each);
    if (written_.ended_run && !keeps_branches_)
      check();
    else
      save();
    write_history();
    lock_parents();
    for (const Advanced& each : advanced_)
      if (each.to == Advanced::To::kFork) begin_children(each);
    for (const auto& [parent, children] : ended_) gather(parent, children);
    if (written_.ended_run) branch_store::end_locked(run_, keeps_branches_);
    return written_;
  }

 private:
  // Those of one that broke with them are kept for a redrive. None of them can have children meanwhile that would be
  // missed.
  void forget_children(const Advanced& each) {
    const branch_store::BranchKey parent{run_, each.stored.number};
    execution_store::lock(run_);
    if (!each.stored.event.empty()) written_.made_due.stopped = true;  // one had failed, the others may be at work
    if (each.to == Advanced::To::kBreak)
      branch_store::stop_children(parent);
    else
      branch_store::remove_children(parent);
  }

  static bool is_end(const Advanced& each) { return each.to == Advanced::To::kEnd || each.to == Advanced::To::kBreak; }

  void begin_forks() {
    int64_t children = 0;
    for (const Advanced& each : advanced_)
      if (each.to == Advanced::To::kFork) children += each.branch.gathering->children;
    if (children == 0) return;
    int first = execution_store::take_numbers(run_, children);
    for (const Advanced& each : advanced_) {
      if (each.to != Advanced::To::kFork) continue;
      forks_[each.stored.number] = {
          each.branch.gathering->to_json().dump(), first, static_cast<int>(each.branch.gathering->children), 0, 0, 0};
      first += static_cast<int>(each.branch.gathering->children);
    }
  }

  void end_run() {
    for (const Advanced& each : advanced_) {
      if (!is_end(each) || each.stored.parent >= 0) continue;
      const bool ok = each.to == Advanced::To::kEnd;
      const execution_store::Ending ending{ok ? "SUCCEEDED" : "FAILED", ok ? each.output.dump() : "",
                                           each.failure.error, each.failure.cause};
      if (!execution_store::finish(run_, ending)) throw StaleBranch{};
      written_.ended_run = true;
      keeps_branches_ = !ok;
    }
  }

  // That nobody else has advanced them, where they are not saved.
  void check() const {
    std::set<int> numbers;
    for (const Advanced& each : advanced_) numbers.insert(each.stored.number);
    const std::map<int, branch_store::LockedBranch> locked = branch_store::lock(run_, numbers);
    for (const Advanced& each : advanced_) {
      const auto own = locked.find(each.stored.number);
      if (own == locked.end() || own->second.revision != each.stored.revision) throw StaleBranch{};
    }
  }

  // All children of a branch want it when they end, and a lock lasts until the disk has the commit: where another
  // worker has it, what has ended is counted in a transaction of its own, which does not wait for the disk.
  void lock_parents() {
    std::set<int> late, now;
    for (const Advanced& each : advanced_)
      if (is_end(each) && each.stored.parent >= 0) (each.is_counted_late ? late : now).insert(each.stored.parent);
    if (!late.empty()) parents_ = branch_store::lock(run_, late);
    if (!now.empty()) parents_.merge(branch_store::try_lock(run_, now));
    for (const Advanced& each : advanced_)
      if (is_end(each) && each.stored.parent >= 0) count(each);
    if (!written_.uncounted.empty()) branch_store::mark_uncounted(run_, written_.uncounted);
  }

  // A parent that is gone, or has been told what its children came to, does not ask for more.
  void count(const Advanced& child) {
    const auto parent = parents_.find(child.stored.parent);
    if (parent == parents_.end()) {
      if (!child.is_counted_late) written_.uncounted.push_back(child.stored.number);
    } else if (!parent->second.is_to_go_on) {
      ended_[child.stored.parent].push_back(&child);
    }
  }

  void write_history() const {
    std::vector<execution_store::BranchEvents> events;
    std::vector<execution_store::TaskEntry> log;
    for (const Advanced& each : advanced_) {
      if (!each.events.empty() && !each.stored.is_quiet)
        events.push_back({each.stored.number, each.stored.parent, each.events});
      log.insert(log.end(), each.log.begin(), each.log.end());
    }
    if (!events.empty()) execution_store::write_events(run_, events);
    if (!log.empty()) execution_store::write_log(run_, execution_.stored(), log);
  }

  void save() {
    std::vector<SavedBranch> saved;
    std::vector<branch_store::RevisedBranch> counted;
    for (const Advanced& each : advanced_) {
      if (each.is_counted_late) {
        counted.push_back({each.stored.number, each.stored.revision});
        continue;
      }
      SavedBranch branch = each.saved;
      branch.revision = each.stored.revision;
      if (const auto fork = forks_.find(each.stored.number); fork != forks_.end()) branch.fork = fork->second;
      // One that broke keeps its place, for a redrive; only what comes out is of interest of one that has ended.
      if (is_end(each) && each.stored.parent >= 0) end_child(each, &branch);
      if (each.forgets_children && each.to == Advanced::To::kBreak) branch.fork = fork_of(each.stored.number);
      if (branch.due != branch_store::kNever && branch.due != DT_NOBEGIN) written_.made_due.add_time(branch.due);
      saved.push_back(std::move(branch));
    }
    const bool all_saved = saved.empty() || branch_store::save(run_, std::move(saved));
    const bool all_counted = counted.empty() || branch_store::mark_counted(run_, counted);
    if (!all_saved || !all_counted) throw StaleBranch{};
  }

  std::optional<Fork> fork_of(int number) const {
    const std::map<int, branch_store::LockedBranch> locked = branch_store::lock(run_, {number});
    const auto own = locked.find(number);
    return own == locked.end() || own->second.fork.rules.empty() ? std::nullopt : std::optional(own->second.fork);
  }

  static void end_child(const Advanced& each, SavedBranch* branch) {
    branch->result = each.to == Advanced::To::kEnd ? child_result(each.output, each.last_event)
                                                   : child_result(each.failure, each.last_event);
  }

  void begin_children(const Advanced& parent) {
    const int number = parent.stored.number;
    Fork fork = forks_.at(number);
    Gathering gathering = gathering_of(fork);
    begin_more(number, &gathering, &fork, [&]() -> const states::Branch& { return parent.branch; });
    branch_store::save_fork({run_, number}, fork);
  }

  // Makes the children of a branch that may begin now.
  void begin_more(int number, Gathering* gathering, Fork* fork, const std::function<const states::Branch&()>& parent) {
    std::vector<NewBranch> made;
    while (gathering->verdict() == Gathering::Verdict::kOpen) {
      std::vector<int64_t> indexes;
      while (const auto index = gathering->begin_next()) indexes.push_back(*index);
      if (indexes.empty()) break;
      std::vector<states::Interpreter::Child> children = execution_.interpreter().children(parent(), indexes);
      for (size_t i = 0; i < children.size(); ++i) made.push_back(make_child(indexes[i], children[i], fork->first));
      if (!made.empty()) branch_store::add_children({run_, number}, made);
      for (const NewBranch& child : made)
        if (!child.position.empty()) written_.made_due.add(MadeDue::Range{child.number, 1});
      made.clear();
      for (size_t i = 0; i < children.size(); ++i)
        if (const auto* failure = std::get_if<states::Failure>(&children[i])) {
          gathering->end(indexes[i], false);
          if (settle(number, *gathering, *failure, 0)) break;
        }
    }
    fork->begun = gathering->counts().begun;
    fork->ended = gathering->counts().ended;
    fork->failed_weight = gathering->counts().failed_weight;
  }

  static NewBranch make_child(int64_t index, const states::Interpreter::Child& child, int first) {
    const int number = first + static_cast<int>(index);
    if (const auto* branch = std::get_if<states::Branch>(&child))
      return {number, static_cast<int>(index), branch->to_json().dump(), "", branch->is_execution};
    const auto& failure = std::get<states::Failure>(child);
    return {number, static_cast<int>(index), "", child_result(failure, 0), false};
  }

  void gather(int number, const std::vector<const Advanced*>& children) {
    Fork& fork = parents_.at(number).fork;
    Gathering gathering = gathering_of(fork);
    for (const Advanced* each : children) {
      gathering.end(each->stored.child, each->to == Advanced::To::kEnd);
      if (settle(number, gathering, each->failure, each->last_event)) break;
    }
    begin_more(number, &gathering, &fork, [&]() -> const states::Branch& {
      return execution_.forked_branch(number, parents_.at(number).revision);
    });
    branch_store::save_fork({run_, number}, fork);
  }

  // Tells a branch what its children came to. False as long as they go on.
  bool settle(int number, const Gathering& gathering, const states::Failure& failure, states::EventId last_event) {
    if (gathering.verdict() == Gathering::Verdict::kOpen) return false;
    const bool failed = gathering.verdict() == Gathering::Verdict::kFailed;
    const bool complete = gathering.verdict() == Gathering::Verdict::kComplete;
    branch_store::tell(
        {run_, number},
        complete ? "" : children_failed_event(failed ? failure : states::threshold_exceeded(), last_event));
    written_.made_due.add(MadeDue::Range{number, 1});
    return true;
  }

  ActiveExecution& execution_;
  const RunKey run_;
  std::vector<Advanced>& advanced_;
  std::map<int, Fork> forks_;                          // that begin
  std::map<int, branch_store::LockedBranch> parents_;  // of those that have ended, which no other worker has
  std::map<int, std::vector<const Advanced*>> ended_;  // children, by their parents
  bool keeps_branches_ = false;
  Written written_;
};

}  // namespace

Written write_branches(ActiveExecution& execution, std::vector<Advanced>* advanced) {
  return BranchWriter(execution, advanced).write();
}

}  // namespace etl
