#include "engine/task_handlers.h"

#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/spi.h"

extern "C" {
#include "storage/lock.h"
#include "storage/proc.h"
}

namespace etl::task_handlers {

namespace {

constexpr size_t kLongestResource = 600;

void check_resource(const std::string& resource) {
  const bool is_plain = std::none_of(resource.begin(), resource.end(), [](char c) { return (c & 0xe0) == 0; });
  if (!resource.empty() && resource.size() <= kLongestResource && is_plain) return;
  throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                    pg::format("a resource has 1 to %zu bytes, and no control character", kLongestResource));
}

// "schema.name" of a function that can do the work of a task.
std::string checked_name(Oid function, Oid user) {
  static pg::Statement check{
      "SELECT p.pronargs = 1 AND p.proargtypes[0] = 'jsonb'::regtype AND p.prorettype = 'jsonb'::regtype "
      "AND p.prokind = 'f' AND NOT p.proretset, format('%I.%I', n.nspname, p.proname), "
      "has_function_privilege($2, p.oid, 'EXECUTE') AND has_schema_privilege($2, n.oid, 'USAGE'), "
      "n.oid = pg_my_temp_schema() "
      "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = $1",
      {OIDOID, OIDOID}};
  const pg::Rows row = check.run({pg::value(function), pg::value(user)});
  if (row.size() == 0 || !row.boolean(0, 0) || row.boolean(0, 3))
    throw pg::Failure(ERRCODE_WRONG_OBJECT_TYPE, "a task can only call a function that takes one jsonb and returns one",
                      "", "For example CREATE FUNCTION work(input jsonb) RETURNS jsonb.");
  if (!row.boolean(0, 2))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                      pg::format("permission denied for function %s", row.text(0, 1).c_str()), "",
                      "GRANT EXECUTE ON FUNCTION and USAGE ON SCHEMA let a role call it.");
  return row.text(0, 1);
}

// What was found in this transaction: many tasks of a Map that share one ask for the same.
struct Found {
  LocalTransactionId transaction = InvalidLocalTransactionId;
  std::map<std::tuple<std::string, std::string, Oid>, std::string> functions;
} found;

std::map<std::tuple<std::string, std::string, Oid>, std::string>& found_in_transaction() {
  VirtualTransactionId current;
  GET_VXID_FROM_PGPROC(current, *MyProc);
  if (std::exchange(found.transaction, current.localTransactionId) != current.localTransactionId)
    found.functions.clear();
  return found.functions;
}

}  // namespace

void add(const std::string& resource, Oid function) {
  static pg::Statement write{
      "INSERT INTO setup.task_handlers (resource, function, owner) VALUES ($1, $2, $3) "
      "ON CONFLICT (resource, owner, is_shipped) DO UPDATE SET function = excluded.function, "
      "function_oid = excluded.function_oid, registered_at = clock_timestamp()",
      {TEXTOID, TEXTOID, TEXTOID}};
  check_resource(resource);
  const Oid user = GetUserId();
  const std::string owner = pg::role_name(user);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const std::string name = checked_name(function, user);
  write.run({pg::value(resource), pg::value(name), pg::value(owner)});
  found.functions.clear();
}

void remove(const std::string& resource) {
  static pg::Statement remove_row{
      "DELETE FROM setup.task_handlers WHERE resource = $1 AND owner = $2 AND NOT is_shipped", {TEXTOID, TEXTOID}};
  const std::string owner = pg::role_name(GetUserId());
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  found.functions.clear();
  if (remove_row.run({pg::value(resource), pg::value(owner)}).processed() > 0) return;
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT,
                    pg::format("role \"%s\" has registered no function for \"%s\"", owner.c_str(), resource.c_str()),
                    "", "SELECT * FROM setup.list_task_handlers(); lists what machines find.");
}

namespace {

std::optional<std::string> look_up(const std::string& resource, const std::string& name, Oid owner) {
  // A function that was dropped may have been made again by anybody who may create in its schema: it counts if it
  // belongs to somebody whom the machine's owner trusts already.
  static pg::Statement find_row{
      "SELECT h.function, h.resource, p.oid IS NOT NULL AND (p.oid = h.function_oid OR p.proowner IN (h.owner_oid, $3) "
      "OR EXISTS (SELECT FROM pg_authid a WHERE a.oid = p.proowner AND a.rolsuper)) "
      "FROM setup.task_handlers h LEFT JOIN LATERAL (SELECT f.oid, f.proowner, f.pronamespace FROM pg_proc f "
      "WHERE f.oid = to_regprocedure(h.function || '(jsonb)') OFFSET 0) p ON true "
      "WHERE ($1 LIKE h.pattern OR ($2 <> '' AND $2 LIKE h.pattern)) "
      "AND (h.owner_oid = $3 OR ((h.is_shipped OR EXISTS (SELECT FROM pg_authid a WHERE a.oid = h.owner_oid "
      "AND a.rolsuper)) AND p.oid IS NOT NULL AND has_function_privilege($3, p.oid, 'EXECUTE') "
      "AND has_schema_privilege($3, p.pronamespace, 'USAGE'))) "
      "ORDER BY h.owner_oid <> $3 OR h.is_shipped, h.is_shipped, position('*' IN h.resource) > 0, "
      "char_length(h.resource) DESC, h.resource LIMIT 1",
      {TEXTOID, TEXTOID, OIDOID}};
  const pg::Rows row = find_row.run({pg::value(resource), pg::value(name), pg::value(owner)});
  if (row.size() == 0) return std::nullopt;
  if (row.boolean(0, 2)) return row.text(0, 0);
  throw pg::Failure(
      ERRCODE_UNDEFINED_FUNCTION,
      pg::format("function %s(jsonb), which is registered for \"%s\", does not exist any more, or belongs "
                 "to somebody else now",
                 row.text(0, 0).c_str(), row.text(0, 1).c_str()),
      "", "Register one with setup.register_task_handler().");
}

}  // namespace

std::optional<std::string> find(const std::string& resource, const std::string& name, Oid owner) {
  auto& functions = found_in_transaction();
  const std::tuple key(resource, name, owner);
  if (const auto known = functions.find(key); known != functions.end()) return known->second;
  std::optional<std::string> function = look_up(resource, name, owner);
  if (function) functions[key] = *function;
  return function;
}

}  // namespace etl::task_handlers
