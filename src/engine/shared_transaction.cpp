#include "engine/shared_transaction.h"

#include "engine/session.h"
#include "pg/guard.h"
#include "pg/settings.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/guc.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

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

SharedTransaction::SharedTransaction() : deadline_(DeadlineOf::kSharedCommit, settings::shared_commit_delay_ms()) {}

void SharedTransaction::run(pg::Block& block, const std::function<void()>& work) {
  try {
    run_in_subtransaction(block, work, [&] {
      // What it would not have met alone it may have caught: then its effect is not what it would be.
      if (is_late() || sharing_.take_refusal())
        throw pg::Failure(ERRCODE_ACTIVE_SQL_TRANSACTION, "the job needs a transaction of its own");
    });
  } catch (const std::exception&) {
    forget_cancel();
    sharing_.take_refusal();
    block.look(forget_session_objects);
    throw;
  }
}

void forget_cancel() {
  disable_timeout(STATEMENT_TIMEOUT, false);
  QueryCancelPending = false;
}

}  // namespace etl
