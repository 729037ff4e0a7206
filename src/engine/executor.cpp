// A job's command runs through portals, not through SPI: only so may procedures commit, and only so do VACUUM, COPY
// FREEZE and their like find themselves at the top level.
//
// run_string() is plain C inside one guard: everything that it allocates lives in memory contexts, which go with the
// command, as one attempt may run thousands.

#include "engine/executor.h"

#include "pg/guard.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
}

namespace etl {

namespace {

enum class Mode { kBlock, kEach };

int64 rows_written = 0;
int64 rows_before = 0;
bool sharing = false;
bool refused = false;  // while sharing
Progress* own_progress = nullptr;
ExecutorEnd_hook_type next_executor_end = nullptr;
ProcessUtility_hook_type next_process_utility = nullptr;

void add_rows(uint64 rows) {
  rows_written += static_cast<int64>(rows);
  if (own_progress != nullptr) own_progress->rows = rows_before + rows_written;
}

// Statements of any depth end here, so that what a procedure writes is counted too.
void count_rows(QueryDesc* query) {
  const CmdType operation = query->operation;
  const bool writes = operation == CMD_INSERT || operation == CMD_UPDATE || operation == CMD_MERGE;
  if (writes && query->estate != nullptr) add_rows(query->estate->es_processed);
  if (next_executor_end != nullptr) {
    next_executor_end(query);
  } else {
    standard_ExecutorEnd(query);
  }
}

// Constraints stay as SET CONSTRAINTS left them until the end of the transaction, which others share.
void refuse_what_outlives_job(PlannedStmt* planned, const char* source, bool read_only_tree,
                              ProcessUtilityContext context, ParamListInfo params, QueryEnvironment* environment,
                              DestReceiver* receiver, QueryCompletion* completion) {
  if (sharing && IsA(planned->utilityStmt, ConstraintsSetStmt)) {
    refused = true;
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("SET CONSTRAINTS needs a transaction of its own")));
  }
  const auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
  next(planned, source, read_only_tree, context, params, environment, receiver, completion);
}

// True for utility statements that write rows, which no executor hook sees. To be asked before parse analysis, which
// takes the INTO out of a SELECT.
bool writes_as_utility(const Node* statement) {
  if (IsA(statement, CopyStmt)) return reinterpret_cast<const CopyStmt*>(statement)->is_from;
  if (IsA(statement, SelectStmt)) return reinterpret_cast<const SelectStmt*>(statement)->intoClause != nullptr;
  return IsA(statement, CreateTableAsStmt) || IsA(statement, RefreshMatViewStmt);
}

// A block belongs to the engine: only savepoints may be set in it.
void refuse_transaction_control(const Node* statement) {
  if (!IsA(statement, TransactionStmt)) return;
  if (sharing) {  // a savepoint would be one of the shared transaction
    refused = true;
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("the job needs a transaction of its own")));
  }
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

// Nobody may have put a procedure of his own in the place of the one that the job was made for.
void require_owner(List* queries, Oid owner) {
  if (!OidIsValid(owner) || queries == NIL) return;  // a rule may leave nothing to do
  const auto* query = linitial_node(Query, queries);
  if (query->utilityStmt == nullptr || !IsA(query->utilityStmt, CallStmt)) return;
  const Oid procedure = reinterpret_cast<const CallStmt*>(query->utilityStmt)->funcexpr->funcid;
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(procedure));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for procedure %u", procedure);
  const bool same = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner == owner;
  ReleaseSysCache(tuple);
  if (same) return;
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("the procedure that the job was discovered from belongs to another role now"),
                  errhint("Discover it again with CALL setup.seed_load_jobs();")));
}

void run_portal(RawStmt* raw, const char* source, Oid owner) {
  const bool counts = writes_as_utility(raw->stmt);
  const bool needs_snapshot = analyze_requires_snapshot(raw);
  if (needs_snapshot) PushActiveSnapshot(GetTransactionSnapshot());
  List* queries = pg_analyze_and_rewrite_fixedparams(raw, source, nullptr, 0, nullptr);
  List* plans = pg_plan_queries(queries, source, CURSOR_OPT_PARALLEL_OK, nullptr);
  if (needs_snapshot) PopActiveSnapshot();
  require_owner(queries, owner);

  Portal portal = CreatePortal("", true, true);
  portal->visible = false;
  PortalDefineQuery(portal, nullptr, source, CreateCommandTag(raw->stmt), plans, nullptr);
  PortalStart(portal, nullptr, 0, InvalidSnapshot);
  QueryCompletion completion;
  InitializeQueryCompletion(&completion);
  compat::run_portal(portal, true, None_Receiver, &completion);
  PortalDrop(portal, false);
  if (counts) add_rows(completion.nprocessed);
}

// One statement, with the timeout that a client's statement would have. Its plan must outlive the transactions that it
// may commit, so it lives in a context of its own.
void run_statement(RawStmt* raw, const char* source, Mode mode, Oid owner) {
  const MemoryContext command = CurrentMemoryContext;
  MemoryContext context = AllocSetContextCreate(command, "etl_orchestrator statement", ALLOCSET_DEFAULT_SIZES);
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  MemoryContextSwitchTo(context);
  if (mode == Mode::kBlock) refuse_transaction_control(raw->stmt);
  refuse_client_copy(raw->stmt);
  if (StatementTimeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
  CHECK_FOR_INTERRUPTS();
  run_portal(raw, source, owner);
  disable_timeout(STATEMENT_TIMEOUT, false);
  CommandCounterIncrement();
  CommitTransactionCommand();  // inside a block: ends the statement, not the transaction
  MemoryContextSwitchTo(command);
  MemoryContextDelete(context);
}

// Shows the text to others, and to messages of the server, until the next one or until the worker says that it is idle.
const char* show(const std::string& text) {
  static MemoryContext context = nullptr;
  if (context == nullptr)
    context = AllocSetContextCreate(TopMemoryContext, "etl_orchestrator query text", ALLOCSET_SMALL_SIZES);
  debug_query_string = nullptr;
  MemoryContextReset(context);
  debug_query_string = MemoryContextStrdup(context, text.c_str());
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  return debug_query_string;
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

// What outlives an error goes with MessageContext, at the end of the attempt.
int64_t run_string(const std::string& command, Mode mode, Oid owner) {
  return pg::guard([&] {
    rows_written = 0;
    const MemoryContext caller = mode == Mode::kBlock ? CurrentMemoryContext : MessageContext;
    MemoryContext context = AllocSetContextCreate(MessageContext, "etl_orchestrator command", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(context);
    const char* source = show(command);
    List* statements = pg_parse_query(source);

    Place place{0, list_length(statements)};
    ErrorContextCallback callback{error_context_stack, add_place, &place};
    error_context_stack = &callback;
    ListCell* cell;
    foreach (cell, statements) {
      ++place.statement;
      if (own_progress != nullptr) own_progress->statement = place.statement;
      run_statement(lfirst_node(RawStmt, cell), source, mode, owner);
    }
    error_context_stack = callback.previous;

    if (mode == Mode::kEach && IsTransactionBlock())
      ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION), errmsg("the command left a transaction open"),
                      errhint("End it with COMMIT.")));
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(context);
    return rows_written;
  });
}

}  // namespace

int64_t run_in_block(const std::string& command, Oid owner) {
  return run_string(command, Mode::kBlock, owner);
}

int64_t run_calls_in_block(const std::string& shown, const std::function<int64_t()>& calls) {
  pg::guard([&] {
    rows_written = 0;
    show(shown);
    SetCurrentStatementStartTimestamp();
    if (StatementTimeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
    PushActiveSnapshot(GetTransactionSnapshot());
  });
  const int64_t rows = calls();
  pg::guard([&] {
    PopActiveSnapshot();
    disable_timeout(STATEMENT_TIMEOUT, false);
    CommandCounterIncrement();
    add_rows(static_cast<uint64>(rows));
  });
  return rows;
}

int64_t rows_of_last_command() {
  return rows_written;
}

void count_rows_from(int64_t rows) {
  rows_before = rows;
  rows_written = 0;
  add_rows(0);
}

Uncounted::Uncounted() : rows_(rows_written) {}

Uncounted::~Uncounted() {
  rows_written = rows_;
  add_rows(0);
}

int64_t run_each(const std::string& command, Oid owner) {
  return run_string(command, Mode::kEach, owner);
}

void show_state(const std::string& state, int attempt) {
  if (own_progress == nullptr) return;
  const Locked locked;
  own_progress->attempt = attempt;
  strlcpy(own_progress->state, state.c_str(), kStateBytes);
}

void install_executor_hooks(Progress* progress) {
  own_progress = progress;
  next_executor_end = ExecutorEnd_hook;
  ExecutorEnd_hook = count_rows;
  next_process_utility = ProcessUtility_hook;
  ProcessUtility_hook = refuse_what_outlives_job;
}

Sharing::Sharing() {
  sharing = true;
}

Sharing::~Sharing() {
  sharing = false;
}

bool Sharing::take_refusal() {
  return std::exchange(refused, false);
}

}  // namespace etl
