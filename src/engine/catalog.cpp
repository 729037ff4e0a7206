#include "engine/catalog.h"

#include "engine/dependents.h"
#include "engine/run_store.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/settings.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
}

namespace etl {

namespace {

void require_right_on_database(const char* what) {
  const Oid user = GetUserId();
  if (pg::may_create_schemas(user)) return;
  throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("permission denied to change %s", what), "",
                    pg::format("It takes the right to create schemas: GRANT CREATE ON DATABASE ... TO %s;",
                               pg::quote_name(pg::role_name(user)).c_str()));
}

void require_right_on_layer(const std::string& layer) {
  const Oid user = GetUserId();
  require_right_on_database("layers");
  const Oid schema = pg::find_schema(layer);
  if (OidIsValid(schema) && !pg::may_create_in_schema(user, schema))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("permission denied for schema \"%s\"", layer.c_str()));
}

}  // namespace

std::optional<std::string> ownership_problem(Oid owner) {
  if (!pg::role_exists(owner)) return "does not exist";
  if (!pg::may_act_as(GetUserId(), owner))
    return pg::format("is not one that \"%s\" is a member of", pg::role_name(GetUserId()).c_str());
  if (compat::kOwnersMustLogIn && !pg::role_can_log_in(owner)) return "may not log in, so that no job can run as it";
  return std::nullopt;
}

namespace {

// Keeps the job as it is until the end of the transaction. Needs an open Spi and the engine's rights; `user` is the
// one who asks.
void hold_own_job(Oid user, const std::string& layer, const std::string& job) {
  static pg::Statement find{
      "SELECT owner, owner_oid FROM setup.load_jobs WHERE layer = $1 AND job_name = $2 FOR UPDATE", {TEXTOID, TEXTOID}};
  const pg::Rows found = find.run({pg::value(layer), pg::value(job)});
  if (found.size() == 0)
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("job \"%s.%s\" does not exist", layer.c_str(), job.c_str()),
                      "", "SELECT layer, job_name FROM setup.load_jobs; lists your jobs.");
  if (!pg::may_act_as(user, found.oid(0, 1)))
    pg::fail_not_owner(pg::format("job \"%s.%s\"", layer.c_str(), job.c_str()), found.text(0, 0));
}

}  // namespace

void require_own_job(const std::string& layer, const std::string& job) {
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  hold_own_job(user, layer, job);
}

void drop_job(const std::string& layer, const std::string& job) {
  static pg::Statement remove{
      "WITH held AS (DELETE FROM setup.job_holds WHERE layer = $1 AND job_name = $2), "
      "known AS (DELETE FROM setup.job_history WHERE layer = $1 AND job_name = $2) "
      "DELETE FROM setup.load_jobs WHERE layer = $1 AND job_name = $2",
      {TEXTOID, TEXTOID}};
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  hold_own_job(user, layer, job);
  remove.run({pg::value(layer), pg::value(job)});
}

// No rights of the engine: row level security and the trigger of the table decide.
void write_job(const std::string& job) {
  static pg::Statement write{
      "INSERT INTO setup.load_jobs SELECT (r.job).* FROM (SELECT $1::setup.load_jobs AS job OFFSET 0) r "
      "ON CONFLICT (layer, job_name) DO UPDATE SET command = excluded.command, table_name = excluded.table_name, "
      "file_path = excluded.file_path, depends_on = excluded.depends_on, load_order = excluded.load_order, "
      "transaction = excluded.transaction, is_enabled = excluded.is_enabled, owner = excluded.owner, "
      "discovered_as = NULL, priority = excluded.priority, max_concurrent = excluded.max_concurrent, "
      "resources = excluded.resources, timeout = excluded.timeout, statement_timeout = excluded.statement_timeout, "
      "max_attempts = excluded.max_attempts, retry_delay = excluded.retry_delay, "
      "backoff_rate = excluded.backoff_rate, max_retry_delay = excluded.max_retry_delay, "
      "retry_on = excluded.retry_on, never_retry_on = excluded.never_retry_on, "
      "shares_commit = excluded.shares_commit, location = excluded.location, load_mode = excluded.load_mode, "
      "key_columns = excluded.key_columns, skip_unchanged = excluded.skip_unchanged, "
      "reader_options = excluded.reader_options, on_bad_row = excluded.on_bad_row, "
      "reject_limit = excluded.reject_limit, reject_share = excluded.reject_share, "
      "rescue_column = excluded.rescue_column, provenance = excluded.provenance, crawler = excluded.crawler",
      {TEXTOID}};
  const pg::Spi spi;
  write.run({pg::value(job)});
}

void write_layer(const std::string& layer, const std::string& settings) {
  static pg::Statement write{
      "INSERT INTO setup.layers AS l SELECT r.* FROM jsonb_populate_record(NULL::setup.layers, "
      "$2::jsonb || jsonb_build_object('layer', $1)) r "
      "ON CONFLICT (layer) DO UPDATE SET position = excluded.position, execution = excluded.execution, "
      "max_concurrent = excluded.max_concurrent, timeout = excluded.timeout, job_timeout = excluded.job_timeout, "
      "statement_timeout = excluded.statement_timeout, max_attempts = excluded.max_attempts, "
      "retry_delay = excluded.retry_delay, backoff_rate = excluded.backoff_rate, "
      "max_retry_delay = excluded.max_retry_delay, retry_on = excluded.retry_on, "
      "never_retry_on = excluded.never_retry_on",
      {TEXTOID, TEXTOID}};
  require_right_on_layer(layer);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  write.run({pg::value(layer), pg::value(settings)});
}

void write_resource(const std::string& resource, int capacity) {
  static pg::Statement write{
      "INSERT INTO setup.resources (resource, capacity) VALUES ($1, $2) "
      "ON CONFLICT (resource) DO UPDATE SET capacity = excluded.capacity",
      {TEXTOID, INT4OID}};
  require_right_on_database("resources");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (resource.size() > 200 || std::any_of(resource.begin(), resource.end(), is_control))
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("\"%s\" cannot be the name of a resource", resource.c_str()), "",
                      "It has 1 to 200 bytes, and no control character.");
  if (capacity < 0)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("capacity of resource \"%s\" must not be negative", resource.c_str()), "",
                      "It is the number of units that jobs can take at the same time; with 0 they wait.");
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  write.run({pg::value(resource), pg::value(static_cast<int32_t>(capacity))});
}

void remove_resource(const std::string& resource) {
  static pg::Statement remove{"DELETE FROM setup.resources WHERE resource = $1", {TEXTOID}};
  require_right_on_database("resources");
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  if (remove.run({pg::value(resource)}).processed() == 0)
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("resource \"%s\" does not exist", resource.c_str()), "",
                      "SELECT resource FROM setup.resources; lists those that do.");
}

void require_retry_patterns(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    if (!plan::is_valid_pattern(pattern))
      throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                        pg::format("\"%s\" is not an error that can be retried or not", pattern.c_str()), "",
                        "Give a SQLSTATE ('40001'), a class of them ('40'), or 'transient', 'permanent', 'timeout' or "
                        "'all'.");
}

void drop_layer(const std::string& layer) {
  static pg::Statement hold{"SELECT FROM setup.layers WHERE layer = $1 FOR UPDATE", {TEXTOID}};
  static pg::Statement remove{"DELETE FROM setup.layers WHERE layer = $1", {TEXTOID}};
  require_right_on_layer(layer);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  if (hold.run({pg::value(layer)}).processed() == 0)
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("layer \"%s\" does not exist", layer.c_str()), "",
                      "SELECT layer FROM setup.layers; lists those that do.");
  require_unused("layer", layer);
  remove.run({pg::value(layer)});
}

void attach_view(Oid view) {
  pg::guard([&] {
    const ObjectAddress dependent = {RelationRelationId, view, 0};
    const ObjectAddress extension = {ExtensionRelationId, get_extension_oid("etl_orchestrator", false), 0};
    deleteDependencyRecordsForSpecific(RelationRelationId, view, DEPENDENCY_AUTO_EXTENSION, ExtensionRelationId,
                                       extension.objectId);
    recordDependencyOn(&dependent, &extension, DEPENDENCY_AUTO_EXTENSION);
  });
}

std::optional<std::string> run_param(const std::string& name) {
  settings::CurrentAttempt& attempt = settings::current_attempt();
  if (attempt.run_id == 0) return std::nullopt;
  const auto known = attempt.params.find(name);
  if (known != attempt.params.end()) return known->second;
  const pg::EngineRights rights;
  const pg::Spi spi;
  return attempt.params[name] = run_store::read_param({attempt.run_id, attempt.run_at}, name);
}

}  // namespace etl
