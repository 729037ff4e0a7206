// Runs the SQL of a job as psql would: any number of statements, the rows that they write counted.
#pragma once

#include "engine/shared_state.h"

namespace etl {

// Runs a command inside the transaction block that is open. The block stays open: transaction control in the
// command fails with 2D000, as does a COMMIT in a procedure. Returns the rows written by all statements. If `owner` is
// given, a procedure that is called must belong to it, when it is called.
int64_t run_in_block(const std::string& command, Oid owner = InvalidOid);

// Runs calls of ours as one statement of the block that is open: others see it as `shown`, statement_timeout ends it,
// and the rows that it returns count as written.
int64_t run_calls_in_block(const std::string& shown, const std::function<int64_t()>& calls);

// Rows that the last of these commands wrote, those of its functions and triggers included.
int64_t rows_of_last_command();

// What was written before the calls that follow, in the same attempt, as others see it.
void count_rows_from(int64_t rows);

// While it lives, what is written does not count.
class Uncounted {
 public:
  Uncounted();
  ~Uncounted();
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;

 private:
  int64_t rows_;
};

// Runs each statement of a command in a transaction of its own, as psql does: procedures may commit, VACUUM and
// CREATE INDEX CONCURRENTLY work, BEGIN and COMMIT group. Called and returns outside a transaction.
int64_t run_each(const std::string& command, Oid owner = InvalidOid);

// Installs the hooks that count rows which INSERT, UPDATE and MERGE write, also deep inside procedures; keeps
// `progress` up to date. Called once per worker.
void install_executor_hooks(Progress* progress);

// Says in `progress` of which state it runs the task; no state: of none any more.
void show_state(const std::string& state = "", int attempt = 0);

// While it lives, the commands that run share a transaction with others: what would change it for them is refused.
class Sharing {
 public:
  Sharing();
  ~Sharing();
  Sharing(const Sharing&) = delete;
  Sharing& operator=(const Sharing&) = delete;

  // Whether something was refused since the last call, also where the command has caught the error.
  bool take_refusal();
};

}  // namespace etl
