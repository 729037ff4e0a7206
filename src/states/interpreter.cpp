#include "states/fence.h"

#include "states/interpreter.h"

#include <stdexcept>

#include "states/advance.h"
#include "states/children.h"

namespace etl::states {
namespace {

Json context_of(const ExecutionInfo& info) {
  return {{"Execution",
           {{"Id", info.execution_id},
            {"Input", info.input},
            {"Name", info.execution_name},
            {"RoleArn", info.role},
            {"StartTime", format_timestamp(info.started)},
            {"RedriveCount", info.redrive_count}}},
          {"StateMachine", {{"Id", info.machine_id}, {"Name", info.machine_name}}}};
}

}  // namespace

struct Interpreter::Impl {
  const ExecutionInfo& info;
  Tools tools;
};

Interpreter::Interpreter(const Definition& definition, const ExecutionInfo& info, JsonataEngine& jsonata,
                         Entropy& entropy, std::function<Time()> now, std::function<std::string()> new_token)
    : impl_(new Impl{info, {definition, jsonata, entropy, std::move(now), std::move(new_token), context_of(info)}}) {}

Branch Interpreter::start() const {
  const Flow& flow = *impl_->tools.definition.flow;
  Branch branch;
  branch.flow = flow.pointer;
  branch.state = flow.start_at;
  branch.input = impl_->info.input;
  branch.is_execution = true;
  return branch;
}

Next Interpreter::advance(Branch* branch, Event event, History& history) {
  return Advance(impl_->tools, *branch, history).run(std::move(event));
}

std::vector<Interpreter::Child> Interpreter::children(const Branch& parent, const std::vector<int64_t>& indexes) {
  return make_children(impl_->tools, parent, indexes);
}

void Interpreter::note(Branch* branch, TaskProgress progress, Json details, History& history) {
  Advance(impl_->tools, *branch, history).note(progress, std::move(details));
}

void Interpreter::redrive(Branch* branch) {
  if (branch->phase != Branch::Phase::kBroken) throw std::logic_error("a branch that is not broken");
  branch->retry_count = 0;
  branch->retries.assign(branch->retries.size(), 0);
  branch->phase = branch->gathering ? Branch::Phase::kForked : Branch::Phase::kRetrying;
  branch->due = impl_->tools.now();
}

}  // namespace etl::states
