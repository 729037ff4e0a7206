#include "engine/execution_requests.h"
#include "engine/follower.h"
#include "engine/report.h"
#include "engine/request.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/settings.h"

extern "C" {
#include "tcop/utility.h"
}

namespace etl {

namespace {

// Of an execution that somebody waits for.
class ExecutionFollower : public Follower {
 public:
  ExecutionFollower(std::string machine, const RunKey& key, bool is_own, pg::Spi* spi)
      : Follower(key, is_own, spi), machine_(std::move(machine)) {}

 private:
  void announce() const override {
    if (settings::progress() == settings::Progress::kOff) return;
    notice(pg::format("run %lld: state machine %s", static_cast<long long>(run_id()), machine_.c_str()));
  }

  void tell(const log_store::Line& line) override {
    ++(line.status == "OK" ? tasks_ : failures_);
    if (settings::progress() == settings::Progress::kJob) notice(report::task_line(line));
  }

  void conclude() const override {
    std::string tasks = pg::count_of(tasks_, "task", "tasks");
    if (failures_ > 0) tasks += ", " + pg::count_of(failures_, "failed attempt", "failed attempts");
    if (state().status == "OK") {
      notice(pg::format("run %lld SUCCEEDED: %s, %s", static_cast<long long>(run_id()), tasks.c_str(), took().c_str()),
             pg::format("SELECT output FROM setup.describe_execution(%lld); shows what came out.",
                        static_cast<long long>(run_id())));
      return;
    }
    if (was_cancelled_here() && state().status == "CANCELLED") fail_cancelled("After " + tasks + ".");
    throw pg::Failure(sqlstate_of_end(),
                      pg::format("run %lld %s: %s, %s", static_cast<long long>(run_id()), word_for_end(), tasks.c_str(),
                                 took().c_str()),
                      state().message,
                      pg::format("SELECT * FROM setup.execution_history(%lld); tells what happened.",
                                 static_cast<long long>(run_id())));
  }

  const std::string machine_;
  int tasks_ = 0;  // that have succeeded
  int failures_ = 0;
};

RunKey key_of(RunId run_id) {
  const pg::EngineRights rights;
  const pg::LatestSnapshot snapshot;
  const pg::Spi spi;
  return run_store::read_state(run_id)->key;
}

}  // namespace

void run_execution(const std::string& machine, const std::string& input, const std::optional<std::string>& name,
                   pg::Spi* spi) {
  pg::guard([] { PreventCommandIfReadOnly("CALL"); });
  refuse_inside_job("wait for an execution");
  const StartedExecution started = start_execution(machine, input, name);
  ExecutionFollower(machine, key_of(started.run_id), started.is_new, spi).follow();
}

}  // namespace etl
