#include "engine/catalog.h"

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

constexpr const char* kLongestLockWait = "10s";

void require_right_on_layer(const std::string& layer) {
  const Oid user = GetUserId();
  const std::string name = pg::role_name(user);
  if (!pg::may_create_schemas(user))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied to change layers", "",
                      pg::format("It takes the right to create schemas: GRANT CREATE ON DATABASE ... TO %s;",
                                 pg::quote_name(name).c_str()));
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

void drop_job(const std::string& layer, const std::string& job) {
  static pg::Statement find{
      "SELECT owner, owner_oid FROM setup.load_jobs WHERE layer = $1 AND job_name = $2 FOR UPDATE", {TEXTOID, TEXTOID}};
  static pg::Statement remove{"DELETE FROM setup.load_jobs WHERE layer = $1 AND job_name = $2", {TEXTOID, TEXTOID}};
  const Oid user = GetUserId();
  const pg::EngineRights rights(kLongestLockWait);
  const pg::Spi spi;
  const pg::Value layer_value = pg::value(std::string_view(layer));
  const pg::Value job_value = pg::value(std::string_view(job));
  const pg::Rows found = find.run({layer_value, job_value});
  if (found.size() == 0)
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("job \"%s.%s\" does not exist", layer.c_str(), job.c_str()));
  if (!pg::may_act_as(user, found.oid(0, 1)))
    throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("job \"%s.%s\" belongs to role \"%s\"", layer.c_str(),
                                                                 job.c_str(), found.text(0, 0).c_str()));
  remove.run({layer_value, job_value});
}

void write_layer(const std::string& layer, int position, const std::string& execution) {
  static pg::Statement write{
      "INSERT INTO setup.layers (layer, position, execution) VALUES ($1, $2, $3) "
      "ON CONFLICT (layer) DO UPDATE SET position = excluded.position, execution = excluded.execution",
      {TEXTOID, INT4OID, TEXTOID}};
  require_right_on_layer(layer);
  const pg::EngineRights rights(kLongestLockWait);
  const pg::Spi spi;
  write.run({pg::value(std::string_view(layer)), pg::value(static_cast<int32_t>(position)),
             pg::value(std::string_view(execution))});
}

void remove_layer(const std::string& layer) {
  static pg::Statement remove{"DELETE FROM setup.layers WHERE layer = $1", {TEXTOID}};
  require_right_on_layer(layer);
  const pg::EngineRights rights(kLongestLockWait);
  const pg::Spi spi;
  remove.run({pg::value(std::string_view(layer))});
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
  return attempt.params[name] = run_store::read_param(attempt.run_id, name);
}

}  // namespace etl
