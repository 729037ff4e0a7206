#include "engine/database_hook.h"

#include "engine/watch_posts.h"
#include "pg/boundary.h"

extern "C" {
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

namespace etl {

namespace {

ProcessUtility_hook_type next_process_utility = nullptr;

// The database that CREATE DATABASE copies; template1 if it names none.
const char* template_of(const CreatedbStmt* statement) {
  ListCell* cell;
  foreach (cell, statement->options) {
    auto* option = lfirst_node(DefElem, cell);
    if (strcmp(option->defname, "template") == 0 && option->arg != nullptr) return defGetString(option);
  }
  return "template1";
}

bool moves(const AlterDatabaseStmt* statement) {
  ListCell* cell;
  foreach (cell, statement->options)
    if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0) return true;
  return false;
}

// The database that must be unused for a statement, or null.
const char* database_needed_unused(const Node* statement) {
  if (IsA(statement, DropdbStmt)) return reinterpret_cast<const DropdbStmt*>(statement)->dbname;
  if (IsA(statement, CreatedbStmt)) return template_of(reinterpret_cast<const CreatedbStmt*>(statement));
  if (IsA(statement, RenameStmt)) {
    const auto* rename = reinterpret_cast<const RenameStmt*>(statement);
    return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
  }
  if (IsA(statement, AlterDatabaseStmt)) {
    const auto* alter = reinterpret_cast<const AlterDatabaseStmt*>(statement);
    return moves(alter) ? alter->dbname : nullptr;
  }
  return nullptr;
}

void ask_to_leave(const Node* statement) {
  if (shared_state() == nullptr) return;
  const char* name = database_needed_unused(statement);
  if (name == nullptr) return;
  const Oid database = get_database_oid(name, true);
  if (!OidIsValid(database)) return;
  const Locked locked;
  watch_posts::ask_to_leave(locked, database);
  Seat* seat = locked.find_seat(database);
  if (seat == nullptr) return;
  seat->asked_to_leave = true;
  locked.announce_result(database);
}

// True for DROP EXTENSION etl_orchestrator.
bool drops_engine(const Node* statement) {
  if (!IsA(statement, DropStmt)) return false;
  const auto* drop = reinterpret_cast<const DropStmt*>(statement);
  if (drop->removeType != OBJECT_EXTENSION) return false;
  ListCell* cell;
  foreach (cell, drop->objects)
    if (strcmp(strVal(lfirst(cell)), "etl_orchestrator") == 0) return true;
  return false;
}

void process_utility(PlannedStmt* planned, const char* source, bool read_only_tree, ProcessUtilityContext context,
                     ParamListInfo params, QueryEnvironment* environment, DestReceiver* receiver,
                     QueryCompletion* completion) {
  // Plain C: an error passes through without a C++ object on its way. The server itself then waits up to five
  // seconds for the database to become unused.
  ask_to_leave(planned->utilityStmt);
  if (drops_engine(planned->utilityStmt)) {  // whose processes are to stop and leave
    call_conductor_at_commit();
    watch_posts::call_at_commit(watch_posts::Call::kTell);
  }
  const auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
  next(planned, source, read_only_tree, context, params, environment, receiver, completion);
}

}  // namespace

void install_database_hook() {
  next_process_utility = ProcessUtility_hook;
  ProcessUtility_hook = process_utility;
}

}  // namespace etl
