// One branch of an execution, from where it is to its next effect, inside the transaction that is open.
#pragma once

#include "engine/active_execution.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/attempt.h"
#include "engine/shared_transaction.h"
#include "pg/engine_rights.h"

namespace etl {

// How far a branch came, and what has to be written with it: branch_writer.h.
struct Advanced {
  enum class To {
    kGoOn,  // at once, in another transaction
    kWait,  // for a time, its task, or its children that go on
    kFork,  // its children begin
    kEnd,   // `output`
    kBreak  // `failure`
  };

  branch_store::StoredBranch stored;
  states::Branch branch;
  To to = To::kWait;
  branch_store::SavedBranch saved;  // of kGoOn and kWait
  states::Json output;
  states::Failure failure;
  bool is_counted_late = false;    // it had ended before: its parent only has to count it
  states::EventId last_event = 0;  // of one that has ended, in the history of its parent
  bool forgets_children = false;   // those that it had have ended, or were stopped
  std::string events;              // a JSON array; empty: none
  std::vector<execution_store::TaskEntry> log;
};

// Raised where a task cannot share a transaction: nothing of the branch is in it.
struct RunsAlone {};

// Takes the branch on: runs its task, if that is what it is to do, then goes on to the next. RunsAlone only with
// `shared`. After whatever else it raises the transaction must not be committed: it may hold the effect of the task.
Advanced advance_branch(pg::Block& block, ActiveExecution& execution, branch_store::StoredBranch stored,
                        SharedTransaction* shared, const AskStop& stop);

// A child that has ended before, and that its parent has not counted.
Advanced ended_before(branch_store::StoredBranch stored);

// A transaction in which branches are advanced. What others have committed meanwhile must be seen, whatever
// default_transaction_isolation says for the role.
class BranchBlock : public pg::Block {
 public:
  BranchBlock() { XactIsoLevel = XACT_READ_COMMITTED; }
};

// Calls of the stores, as a statement of the block.
template <typename F>
void in_store(pg::Block& block, F&& body) {
  block.statement([&] {
    const pg::EngineRights rights;
    const pg::Spi spi;
    body();
  });
}

}  // namespace etl
