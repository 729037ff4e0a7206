#include "engine/branch_events.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/execution_requests.h"
#include "engine/execution_store.h"
#include "engine/machine_store.h"
#include "engine/state_machines.h"
#include "engine/visible_run.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"

extern "C" {
#include "tcop/utility.h"
}

namespace etl {

namespace {

machine_store::Machine find_machine(const std::string& name, Oid user) {
  const auto machine = machine_store::find(name);
  if (machine && pg::is_member(user, machine->owner_oid)) return *machine;
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("state machine \"%s\" does not exist", name.c_str()), "",
                    "SELECT * FROM setup.list_state_machines(); lists yours.");
}

// The execution of that name, if there is one; its input must be the same.
std::optional<RunId> find_same(const machine_store::Machine& machine, const std::string& name,
                               const std::string& input) {
  static pg::Statement find{
      "SELECT run_id, input = $3::jsonb FROM setup.executions WHERE machine_id = $1 AND name = $2",
      {INT8OID, TEXTOID, TEXTOID}};
  const pg::Rows row = find.run({pg::value(machine.id), pg::value(name), pg::value(input)});
  if (row.size() == 0) return std::nullopt;
  if (row.boolean(0, 1)) return row.int8(0, 0);
  throw pg::Failure(ERRCODE_DUPLICATE_OBJECT,
                    pg::format("execution \"%s\" of state machine \"%s\" exists already, with another input",
                               name.c_str(), machine.name.c_str()),
                    pg::format("It is run %lld.", static_cast<long long>(row.int8(0, 0))),
                    "Give the execution another name, or none.");
}

std::optional<double> timeout_of(const states::Definition& definition) {
  if (!definition.timeout_seconds) return std::nullopt;
  const auto* seconds = std::get_if<double>(&definition.timeout_seconds->source);
  return seconds == nullptr ? std::nullopt : std::optional(*seconds);
}

RunKey insert_run(const machine_store::Machine& machine, Oid user) {
  static pg::Statement make_room{"SELECT setup.make_partitions($1)", {TIMESTAMPTZOID}};
  static pg::Statement insert{
      "INSERT INTO setup.load_runs (state_machine, status, started_by, started_by_oid, jobs_total, requested_at, "
      "started_at, pipeline, database_oid) VALUES ($1, 'RUNNING', $2, $3, 1, $4, $4, $5, $6) RETURNING run_id",
      {TEXTOID, TEXTOID, OIDOID, TIMESTAMPTZOID, TEXTOID, OIDOID}};
  const TimestampTz now = GetCurrentTimestamp();
  make_room.run({pg::timestamp_value(now)});
  const pg::Rows row =
      insert.run({pg::value(machine.name), pg::value(pg::role_name(user)), pg::value(user), pg::timestamp_value(now),
                  pg::value("state machine " + machine.name), pg::value(MyDatabaseId)});
  return {row.int8(0, 0), now};
}

bool insert_named(const RunKey& key, const machine_store::Machine& machine, const std::string& name,
                  const std::string& input) {
  static pg::Statement insert{
      "INSERT INTO setup.executions (run_id, run_at, machine_id, version, state_machine, type, name, owner, owner_oid, "
      "database_oid, input, started_at, time_limit, timeout_at) "
      "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $12, $10::jsonb, $2, limits.it, $2 + limits.it "
      "FROM make_interval(secs => $11) AS limits(it) ON CONFLICT (machine_id, name) DO NOTHING",
      {INT8OID, TIMESTAMPTZOID, INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, OIDOID, TEXTOID, FLOAT8OID,
       OIDOID}};
  const auto timeout = timeout_of(*machine_store::definition(machine.id, machine.version));
  return insert
             .run({pg::value(key.id), pg::timestamp_value(key.at), pg::value(machine.id),
                   pg::value(static_cast<int32_t>(machine.version)), pg::value(machine.name), pg::value(machine.type),
                   pg::value(name), pg::value(machine.owner), pg::value(machine.owner_oid), pg::value(input),
                   timeout ? pg::value(*timeout) : pg::null_value(), pg::value(MyDatabaseId)})
             .processed() == 1;
}

// Without a name it is called as its number, or, where somebody has taken that, by something like it.
bool insert_execution(const RunKey& key, const machine_store::Machine& machine, const std::string& name,
                      const std::string& input) {
  static pg::Statement insert_branch{
      "INSERT INTO setup.execution_branches (run_id, run_at, branch_id, owner_oid, database_oid, is_due, position) "
      "VALUES ($1, $2, 0, $3, $4, true, '')",
      {INT8OID, TIMESTAMPTZOID, OIDOID, OIDOID}};
  const std::string number = std::to_string(key.id);
  bool is_there = insert_named(key, machine, name.empty() ? number : name, input);
  for (int i = 2; !is_there && name.empty(); ++i)
    is_there = insert_named(key, machine, number + "-" + std::to_string(i), input);
  if (!is_there) return false;
  insert_branch.run(
      {pg::value(key.id), pg::timestamp_value(key.at), pg::value(machine.owner_oid), pg::value(MyDatabaseId)});
  return true;
}

// What an execution works on: an input, the output of a task.
states::Json parse_payload(const std::string& text, const char* what) {
  if (text.size() > states::kLargestPayload)
    throw pg::Failure(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                      pg::format("%s is larger than %zu bytes", what, states::kLargestPayload), "",
                      "Put it into a table, and give the execution its key.");
  auto json = states::parse_json(text);
  if (json) return *std::move(json);
  throw pg::Failure(
      ERRCODE_PROGRAM_LIMIT_EXCEEDED,
      pg::format("%s has a number that no double precision can hold, or is nested more than %d levels deep", what,
                 states::kDeepestJson));
}

[[noreturn]] void fail_no_task() {
  throw pg::Failure(ERRCODE_NO_DATA_FOUND, "no task waits for this token", "",
                    "It has ended or timed out, or its execution has.");
}

// A heartbeat, where there is no event.
void report(const std::string& token, const std::optional<std::string>& event) {
  pg::guard([] { PreventCommandIfReadOnly("setup.send_task_success() and its like"); });
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    if (!branch_store::is_awaited(token) || !branch_store::report(token, event)) fail_no_task();
  }
  call_conductor_at_commit();
}

}  // namespace

StartedExecution start_execution(const std::string& machine_name, const std::string& input,
                                 const std::optional<std::string>& name) {
  pg::guard([] { PreventCommandIfReadOnly("setup.start_execution()"); });
  parse_payload(input, "the input");
  if (name) require_state_name(*name, "an execution");
  const Oid user = GetUserId();
  RunId run_id = 0;
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    const machine_store::Machine machine = find_machine(machine_name, user);
    if (name)
      if (const auto same = find_same(machine, *name, input)) return {*same, false};
    const RunKey key = insert_run(machine, user);
    if (!insert_execution(key, machine, name.value_or(""), input))
      throw pg::Failure(ERRCODE_DUPLICATE_OBJECT,
                        pg::format("execution \"%s\" of state machine \"%s\" has just been started by somebody else",
                                   name->c_str(), machine_name.c_str()),
                        "", "Ask again: with the same input it is the same execution.");
    run_id = key.id;
  }
  call_conductor_at_commit({run_id, 0});
  return {run_id, true};
}

void stop_execution(RunId run_id, const std::optional<std::string>& error, const std::optional<std::string>& cause) {
  pg::guard([] { PreventCommandIfReadOnly("setup.stop_execution()"); });
  static pg::Statement insert{"INSERT INTO setup.execution_stops (run_id, error, cause) VALUES ($1, $2, $3)",
                              {INT8OID, TEXTOID, TEXTOID}};
  if (visible_run(run_id).ended) {
    pg::guard([&] { ereport(NOTICE, (errmsg("run %lld has ended already", static_cast<long long>(run_id)))); });
    return;
  }
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    insert.run({pg::value(run_id), error ? pg::value(*error) : pg::null_value(),
                cause ? pg::value(*cause) : pg::null_value()});
    run_store::request_cancel(run_id);
  }
  call_conductor_at_commit();
}

void send_task_success(const std::string& token, const std::string& output) {
  report(token, task_succeeded_event(parse_payload(output, "the output")));
}

void send_task_failure(const std::string& token, const std::optional<std::string>& error,
                       const std::optional<std::string>& cause) {
  report(token, task_failed_event({error, cause}));
}

void send_task_heartbeat(const std::string& token) {
  report(token, std::nullopt);
}

}  // namespace etl
