// An execution as a worker has it at hand while it advances its branches.
#pragma once

#include "states/interpreter.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/execution_store.h"

namespace etl {

class ActiveExecution {
 public:
  // None if it has ended. The last one is kept for the next call. Needs an open Spi and the engine's rights.
  static std::shared_ptr<ActiveExecution> read(const RunKey& run);

  const RunKey& run() const { return run_; }
  const execution_store::StoredExecution& stored() const { return stored_; }
  const states::ExecutionInfo& info() const { return info_; }
  const states::Definition& definition() const { return *definition_; }
  states::Interpreter& interpreter() { return *interpreter_; }

  // A branch as it was saved, with the variables around it. Needs what read() needs.
  states::Branch branch(const branch_store::StoredBranch& stored);
  // The same of a branch whose children are to be made, in a revision that is locked.
  const states::Branch& forked_branch(int number, int64_t revision);

 private:
  ActiveExecution(const RunKey& run, execution_store::StoredExecution stored);
  states::Branch read_branch(int number);

  Oid extension_ = InvalidOid;
  const RunKey run_;
  const execution_store::StoredExecution stored_;
  std::shared_ptr<const states::Definition> definition_;
  states::ExecutionInfo info_;
  std::optional<states::Interpreter> interpreter_;

  // Variables do not change while a branch has children, and may be large: the last ones are kept.
  using Revision = std::pair<int, int64_t>;  // number and revision of a branch
  Revision kept_for_{-1, 0};
  std::shared_ptr<const states::Json> kept_;
  // So is the last branch that children were made for.
  Revision forked_for_{-1, 0};
  states::Branch forked_;
};

// What this process evaluates with.
states::JsonataEngine& jsonata();
states::Entropy& entropy();
std::string new_token();

// The server's times and the language's.
states::Time time_of(TimestampTz at);
TimestampTz timestamp_of(states::Time time);

}  // namespace etl
