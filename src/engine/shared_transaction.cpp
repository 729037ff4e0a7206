#include "engine/shared_transaction.h"

#include "engine/session.h"
#include "pg/clock.h"
#include "pg/guard.h"
#include "pg/settings.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/guc.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

// Nothing of a cancel that was meant for the work before passes on to the next.
void forget_cancel() {
  disable_timeout(STATEMENT_TIMEOUT, false);
  QueryCancelPending = false;
}

void run_in_subtransaction(pg::Block& block, const std::function<void()>& work, const std::function<void()>& check) {
  pg::Subtransaction subtransaction;
  const int settings_level = pg::guard([] { return NewGUCNestLevel(); });
  work();
  block.look([] {
    pg::guard([] { AfterTriggerFireDeferred(); });
    forget_session_objects();
  });
  pg::guard([&] { AtEOXact_GUC(false, settings_level); });
  check();
  subtransaction.release();
}

}  // namespace

void run_apart(pg::Block& block, const std::function<void()>& work) {
  run_in_subtransaction(block, work, [] {});
}

SharedTransaction::SharedTransaction() : until_(pg::monotonic_ms() + settings::shared_commit_delay_ms()) {}

void SharedTransaction::run(pg::Block& block, const std::function<void()>& work) {
  try {
    const Deadline deadline(DeadlineOf::kSharedCommit, until_ - pg::monotonic_ms());
    run_in_subtransaction(block, work, [&] {
      // What it would not have met alone it may have caught: then its effect is not what it would be.
      if (deadline.has_passed() || sharing_.take_refusal())
        throw pg::Failure(ERRCODE_ACTIVE_SQL_TRANSACTION, "the job needs a transaction of its own");
    });
  } catch (const std::exception&) {
    forget_cancel();
    sharing_.take_refusal();
    block.look(forget_session_objects);
    throw;
  }
  forget_cancel();
}

bool SharedTransaction::is_late() const {
  return pg::monotonic_ms() >= until_;
}

}  // namespace etl
