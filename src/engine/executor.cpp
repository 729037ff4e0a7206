// A job's command runs through portals, not through SPI: only so may procedures commit, and only so do VACUUM, COPY
// FREEZE and their like find themselves at the top level.
//
// run_string() is plain C inside one guard: everything that it allocates lives in memory contexts.

#include "engine/executor.h"

#include "pg/guard.h"

extern "C" {
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

enum class Mode { kBlock, kEach };

int64 rows_written = 0;
ExecutorEnd_hook_type next_executor_end = nullptr;

// Statements of any depth end here, so that what a procedure writes is counted too.
void count_rows(QueryDesc* query) {
  const CmdType operation = query->operation;
  const bool writes = operation == CMD_INSERT || operation == CMD_UPDATE || operation == CMD_MERGE;
  if (writes && query->estate != nullptr) rows_written += static_cast<int64>(query->estate->es_processed);
  if (next_executor_end != nullptr) {
    next_executor_end(query);
  } else {
    standard_ExecutorEnd(query);
  }
}

// Rows that a utility statement wrote, which no executor hook sees.
int64 rows_of(const Node* statement, const QueryCompletion& completion) {
  bool writes = false;
  if (IsA(statement, CopyStmt)) writes = reinterpret_cast<const CopyStmt*>(statement)->is_from;
  if (IsA(statement, SelectStmt)) writes = reinterpret_cast<const SelectStmt*>(statement)->intoClause != nullptr;
  if (IsA(statement, CreateTableAsStmt) || IsA(statement, RefreshMatViewStmt)) writes = true;
  return writes ? static_cast<int64>(completion.nprocessed) : 0;
}

// A block belongs to the engine: only savepoints may be set in it.
void refuse_transaction_control(const Node* statement) {
  if (!IsA(statement, TransactionStmt)) return;
  switch (reinterpret_cast<const TransactionStmt*>(statement)->kind) {
    case TRANS_STMT_SAVEPOINT:
    case TRANS_STMT_RELEASE:
    case TRANS_STMT_ROLLBACK_TO:
      return;
    default:
      ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
                      errmsg("a job cannot begin, commit or roll back its own transaction")));
  }
}

// A worker has no client to send data to or take it from.
void refuse_client_copy(const Node* statement) {
  if (!IsA(statement, CopyStmt)) return;
  const auto* copy = reinterpret_cast<const CopyStmt*>(statement);
  if (copy->filename != nullptr) return;
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                  errmsg("a job cannot COPY %s", copy->is_from ? "FROM STDIN" : "TO STDOUT"),
                  errhint("Name a file or a program of the server.")));
}

void run_portal(RawStmt* raw, const char* source) {
  const bool needs_snapshot = analyze_requires_snapshot(raw);
  if (needs_snapshot) PushActiveSnapshot(GetTransactionSnapshot());
  List* queries = pg_analyze_and_rewrite_fixedparams(raw, source, nullptr, 0, nullptr);
  List* plans = pg_plan_queries(queries, source, CURSOR_OPT_PARALLEL_OK, nullptr);
  if (needs_snapshot) PopActiveSnapshot();

  Portal portal = CreatePortal("", true, true);
  portal->visible = false;
  PortalDefineQuery(portal, nullptr, source, CreateCommandTag(raw->stmt), plans, nullptr);
  PortalStart(portal, nullptr, 0, InvalidSnapshot);
  QueryCompletion completion;
  InitializeQueryCompletion(&completion);
  compat::run_portal(portal, true, None_Receiver, &completion);
  PortalDrop(portal, false);
  rows_written += rows_of(raw->stmt, completion);
}

// One statement, with the timeout that a client's statement would have.
void run_statement(RawStmt* raw, const char* source, Mode mode) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  if (mode == Mode::kBlock) refuse_transaction_control(raw->stmt);
  refuse_client_copy(raw->stmt);
  if (StatementTimeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
  CHECK_FOR_INTERRUPTS();
  run_portal(raw, source);
  disable_timeout(STATEMENT_TIMEOUT, false);
  CommandCounterIncrement();
  CommitTransactionCommand();  // inside a block: ends the statement, not the transaction
}

struct Place {
  int statement;
  int statements;
};

// Tells which statement of several an error comes from.
void add_place(void* argument) {
  const auto* place = static_cast<const Place*>(argument);
  if (place->statements > 1) errcontext("statement %d of the job's command", place->statement);
}

// Memory is MessageContext's, which outlives the transactions that the command may commit.
int64_t run_string(const std::string& command, Mode mode) {
  return pg::guard([&] {
    const char* source = command.c_str();
    rows_written = 0;
    debug_query_string = source;
    pgstat_report_activity(STATE_RUNNING, source);
    MemoryContextSwitchTo(MessageContext);
    List* statements = pg_parse_query(source);

    Place place{0, list_length(statements)};
    ErrorContextCallback callback{error_context_stack, add_place, &place};
    error_context_stack = &callback;
    ListCell* cell;
    foreach (cell, statements) {
      ++place.statement;
      run_statement(lfirst_node(RawStmt, cell), source, mode);
      MemoryContextSwitchTo(MessageContext);
    }
    error_context_stack = callback.previous;

    if (mode == Mode::kEach && IsTransactionBlock())
      ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
                      errmsg("the command left a transaction open"), errhint("End it with COMMIT.")));
    return rows_written;
  });
}

}  // namespace

int64_t run_in_block(const std::string& command) { return run_string(command, Mode::kBlock); }

int64_t run_each(const std::string& command) { return run_string(command, Mode::kEach); }

void install_row_counter() {
  next_executor_end = ExecutorEnd_hook;
  ExecutorEnd_hook = count_rows;
}

}  // namespace etl
