// A transaction that several short pieces of a user's work share, each in a subtransaction of its own, so that they pay
// for one commit.
#pragma once

#include "engine/deadline.h"
#include "engine/executor.h"
#include "pg/transaction.h"

namespace etl {

// One piece: its effect is all that is left of it. Deferred constraints are checked; what it has set, and what it has
// made for its session, is gone. Raises what the work raises, of which nothing is left then.
void run_apart(pg::Block& block, const std::function<void()>& work);

// While it lives, work that would be noticed by others of the transaction is refused, and work that still runs when the
// time is up that a shared commit may take is cancelled.
class SharedTransaction {
 public:
  SharedTransaction();

  // run_apart(). Raises also where the work wants a transaction of its own, or was late; whatever it raises: nothing is
  // wrong with the transaction, and the work may be done alone.
  void run(pg::Block& block, const std::function<void()>& work);

  // No time is left for another piece.
  bool is_late() const;

 private:
  Sharing sharing_;
  const int64_t until_;  // as pg::monotonic_ms()
};

}  // namespace etl
