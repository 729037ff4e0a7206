#include "pg/transaction.h"

#include "pg/guard.h"

extern "C" {
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

Transaction::Transaction() {
  guard([] {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
  });
}

Transaction::~Transaction() {
  if (open_) abort_everything();
}

void Transaction::commit() {
  guard([] {
    PopActiveSnapshot();
    CommitTransactionCommand();
  });
  open_ = false;
}

Block::Block() {
  guard([] {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    BeginTransactionBlock();
    CommitTransactionCommand();
  });
}

Block::~Block() {
  if (open_) abort_everything();
}

void Block::enter(bool with_snapshot) {
  guard([&] {
    StartTransactionCommand();
    if (with_snapshot) PushActiveSnapshot(GetTransactionSnapshot());
  });
}

void Block::leave(bool with_snapshot) {
  guard([&] {
    if (with_snapshot) PopActiveSnapshot();
    CommitTransactionCommand();
  });
}

void Block::commit() {
  guard([] {
    StartTransactionCommand();
    EndTransactionBlock(false);
    CommitTransactionCommand();
  });
  open_ = false;
}

Subtransaction::Subtransaction() : context_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
  level_ = guard([] {
    BeginInternalSubTransaction(nullptr);
    return GetCurrentTransactionNestLevel();
  });
}

Subtransaction::~Subtransaction() {
  if (!open_) return;
  try {
    guard([&] {
      while (GetCurrentTransactionNestLevel() > level_) RollbackAndReleaseCurrentSubTransaction();
      RollbackAndReleaseCurrentSubTransaction();
    });
    restore();
  } catch (const Error&) {
    abort_everything();  // what follows in the transaction fails
  }
}

void Subtransaction::release() {
  guard([&] {
    while (GetCurrentTransactionNestLevel() > level_) ReleaseCurrentSubTransaction();
    ReleaseCurrentSubTransaction();
  });
  open_ = false;
  restore();
}

void Subtransaction::restore() const {
  MemoryContextSwitchTo(context_);
  CurrentResourceOwner = owner_;
}

bool in_subtransaction(const std::function<void()>& body) {
  try {
    Subtransaction subtransaction;
    body();
    subtransaction.release();
    return true;
  } catch (const Error& error) {
    if (error.sqlstate() == ERRCODE_QUERY_CANCELED) throw;
    return false;
  }
}

void abort_everything() {
  try {
    guard([] {
      HOLD_INTERRUPTS();
      AbortOutOfAnyTransaction();
      PortalErrorCleanup();
      RESUME_INTERRUPTS();
    });
  } catch (const Error& error) {
    // An abort that fails leaves nothing to rely on: end this process, the server cleans up after it.
    ereport(FATAL, (errcode(error.sqlstate()), errmsg("could not roll back: %s", error.what())));
  }
}

}  // namespace etl::pg
