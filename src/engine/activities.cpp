#include "engine/state_machines.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/activities.h"
#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl::activities {

namespace {

// The owner of an activity that a role may see.
std::optional<Oid> find(const std::string& name, Oid role) {
  static pg::Statement find_row{
      "SELECT owner_oid FROM setup.activities WHERE name = $1 AND pg_has_role($2, owner_oid, 'MEMBER')",
      {TEXTOID, OIDOID}};
  const pg::Rows row = find_row.run({pg::value(name), pg::value(role)});
  return row.size() == 0 ? std::nullopt : std::optional(row.oid(0, 0));
}

[[noreturn]] void fail_unknown(const std::string& name) {
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("activity \"%s\" does not exist", name.c_str()), "",
                    "SELECT setup.create_activity(name); makes one.");
}

}  // namespace

std::string create(const std::string& name) {
  static pg::Statement insert{
      "INSERT INTO setup.activities (name, owner) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", {TEXTOID, TEXTOID}};
  require_state_name(name, "an activity");
  if (name.find(':') != std::string::npos)
    throw pg::Failure(ERRCODE_INVALID_NAME, "the name of an activity has no colon");
  const Oid user = GetUserId();
  const std::string owner = pg::role_name(user);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  insert.run({pg::value(name), pg::value(owner)});
  if (!find(name, user))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                      pg::format("activity \"%s\" belongs to somebody else", name.c_str()), "", "Choose another name.");
  return "arn:aws:states:local:0:activity:" + name;
}

void remove(const std::string& name) {
  static pg::Statement remove_row{"DELETE FROM setup.activities WHERE name = $1", {TEXTOID}};
  static pg::Statement remove_tasks{"DELETE FROM setup.activity_tasks WHERE activity = $1", {TEXTOID}};
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const std::optional<Oid> owner = find(name, user);
  if (!owner || !pg::may_act_as(user, *owner)) fail_unknown(name);
  remove_tasks.run({pg::value(name)});
  remove_row.run({pg::value(name)});
}

bool schedule(const std::string& name, const std::string& token, const std::string& input, Oid role) {
  static pg::Statement insert{"INSERT INTO setup.activity_tasks (activity, token, input) VALUES ($1, $2, $3::jsonb)",
                              {TEXTOID, TEXTOID, TEXTOID}};
  if (!find(name, role)) return false;
  insert.run({pg::value(name), pg::value(token), pg::value(input)});
  return true;
}

std::optional<FetchedTask> fetch(const std::string& name) {
  // One whose execution has gone on without it is of no use to anybody.
  static pg::Statement take{
      "DELETE FROM setup.activity_tasks WHERE task_id = (SELECT task_id FROM setup.activity_tasks WHERE activity = $1 "
      "ORDER BY task_id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING token, input, "
      "EXISTS (SELECT FROM setup.execution_branches b WHERE b.token = activity_tasks.token)",
      {TEXTOID}};
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  if (!find(name, user)) fail_unknown(name);
  while (true) {
    const pg::Rows row = take.run({pg::value(name)});
    if (row.size() == 0) return std::nullopt;
    if (row.boolean(0, 2)) return FetchedTask{row.text(0, 0), row.text(0, 1)};
  }
}

}  // namespace etl::activities
