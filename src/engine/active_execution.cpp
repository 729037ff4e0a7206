#include "engine/active_execution.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/machine_store.h"
#include "pg/guard.h"
#include "states/jsonata.h"

extern "C" {
#include "commands/extension.h"
#include "utils/timestamp.h"
}

namespace etl {

namespace {

using states::Branch;
using states::Json;

// Microseconds of the server's timestamps count from 2000, nanoseconds of the language's times from 1970.
constexpr std::chrono::microseconds kEpochDistance{(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY};

class SystemEntropy : public states::Entropy {
 public:
  uint64_t next() override {
    uint64_t bits = 0;
    if (!pg_strong_random(&bits, sizeof bits)) throw pg::Failure(ERRCODE_INTERNAL_ERROR, "no random bits are there");
    return bits;
  }
};

}  // namespace

states::JsonataEngine& jsonata() {
  static states::JsonataEngine engine({}, [] { return InterruptPending && QueryCancelPending; });
  return engine;
}

states::Entropy& entropy() {
  static SystemEntropy system;
  return system;
}

std::string new_token() {
  std::string token;
  for (int i = 0; i < 4; ++i) token += pg::format("%016llx", static_cast<unsigned long long>(entropy().next()));
  return token;
}

states::Time time_of(TimestampTz at) {
  return states::Time(std::chrono::microseconds(at) + kEpochDistance);
}

TimestampTz timestamp_of(states::Time time) {
  return std::chrono::ceil<std::chrono::microseconds>(time.time_since_epoch() - kEpochDistance).count();
}

std::shared_ptr<ActiveExecution> ActiveExecution::read(const RunKey& run) {
  static std::shared_ptr<ActiveExecution> last;
  const std::optional<int> redrives = execution_store::open_redrives(run);
  if (!redrives) return nullptr;
  const Oid extension = pg::guard([] { return get_extension_oid("etl_orchestrator", true); });
  if (last && last->extension_ == extension && last->run() == run && last->stored().redrive_count == *redrives)
    return last;
  last = std::shared_ptr<ActiveExecution>(new ActiveExecution(run, execution_store::read(run)));
  last->extension_ = extension;
  return last;
}

ActiveExecution::ActiveExecution(const RunKey& run, execution_store::StoredExecution stored)
    : run_(run),
      stored_(std::move(stored)),
      definition_(machine_store::definition(stored_.machine_id, stored_.version)) {
  info_.execution_id = std::to_string(run.id);
  info_.execution_name = stored_.name;
  info_.role = stored_.owner;
  info_.started = time_of(stored_.started_at);
  info_.redrive_count = stored_.redrive_count;
  info_.machine_id = stored_.machine;
  info_.machine_name = stored_.machine;
  info_.input = Json::parse(stored_.input);
  interpreter_.emplace(
      *definition_, info_, jsonata(), entropy(), [] { return time_of(GetCurrentTimestamp()); }, new_token);
}

Branch ActiveExecution::branch(const branch_store::StoredBranch& stored) {
  if (stored.position.empty()) return interpreter_->start();
  Branch branch = Branch::from_json(Json::parse(stored.position));
  if (stored.parent < 0 || branch.is_execution) return branch;
  const std::pair parent(stored.parent, stored.parent_revision);
  if (kept_for_ != parent) {
    kept_ = states::visible_variables(read_branch(stored.parent));
    kept_for_ = parent;
  }
  branch.outer = kept_;
  return branch;
}

const Branch& ActiveExecution::forked_branch(int number, int64_t revision) {
  const Revision wanted(number, revision);
  if (forked_for_ != wanted) {
    forked_ = read_branch(number);
    forked_for_ = wanted;
  }
  return forked_;
}

Branch ActiveExecution::read_branch(int number) {
  const auto found = branch_store::read_position(run_, number);
  if (!found) throw pg::Failure(ERRCODE_NO_DATA_FOUND, "a branch of the execution does not exist any more");
  Branch branch = Branch::from_json(Json::parse(found->position));
  if (found->parent >= 0 && !branch.is_execution) branch.outer = states::visible_variables(read_branch(found->parent));
  return branch;
}

}  // namespace etl
