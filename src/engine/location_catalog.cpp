#include "engine/location_catalog.h"

#include "engine/dependents.h"
#include "engine/locations.h"
#include "locations/file_type.h"
#include "locations/url.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"

namespace etl {

namespace {

void require_right_to_files(Oid user) {
  pg::require_reading_server_files(user, "permission denied to change locations");
}

// Keeps the location as it is, but not from being named by jobs, until the end of the transaction; false if there is
// none. Needs an open Spi and the engine's rights; `user` is the one who asks.
bool hold_own_location(Oid user, const std::string& name) {
  static pg::Statement find{"SELECT owner, owner_oid FROM setup.locations WHERE location_name = $1 FOR NO KEY UPDATE",
                            {TEXTOID}};
  const pg::Rows found = find.run({pg::value(name)});
  if (found.size() == 0) return false;
  if (pg::may_act_as(user, found.oid(0, 1))) return true;
  pg::fail_not_owner(pg::format("location \"%s\"", name.c_str()), found.text(0, 0));
}

void require_own_location(Oid user, const std::string& name) {
  if (!hold_own_location(user, name)) fail_unknown_location(name);
}

std::string canonical_url(const std::string& url) {
  try {
    return locations::url_of_directory(locations::directory_of_url(url));
  } catch (const locations::UrlError& error) {
    throw pg::Failure(error.is_unsupported() ? ERRCODE_FEATURE_NOT_SUPPORTED : ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("url \"%s\" %s", url.c_str(), error.what()), "",
                      "A location is a directory of the server's machine: 'file:///data/in', or '/data/in'.");
  }
}

std::vector<std::string> canonical_types(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    const auto type = locations::file_type_called(name);
    if (!type)
      throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("file type \"%s\" is not known", name.c_str()), "",
                        "File types are csv, csv.gz, json, json.gz, ndjson, ndjson.gz and parquet.");
    std::string canonical = locations::name_of(*type);
    if (std::find(result.begin(), result.end(), canonical) == result.end()) result.push_back(std::move(canonical));
  }
  return result;
}

void require_name_pattern(const std::string& pattern) {
  if (pattern.find('/') == std::string::npos) return;
  throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                    pg::format("name_pattern \"%s\" contains a slash", pattern.c_str()), "",
                    "It is a pattern for file names without their directories, such as 'orders_*.csv'.");
}

void warn_if_not_there(const std::string& url) {
  const std::string directory = locations::directory_of_url(url);
  try {
    locations::Directory::open(directory);
  } catch (const locations::FileError& error) {
    const char* reason = error.what();
    pg::guard([&] {
      ereport(WARNING, (errmsg("directory \"%s\" %s", directory.c_str(), reason),
                        errhint("The location can be used when the server can read it.")));
    });
  }
}

pg::Value array_or_null(const std::optional<std::vector<std::string>>& texts) {
  return texts ? pg::text_array(*texts) : pg::null_value();
}

// False if somebody else has made one of that name meanwhile.
bool insert_location(const std::string& name, const std::string& url, const std::string& owner) {
  static pg::Statement insert{
      "INSERT INTO setup.locations (location_name, url, owner) VALUES ($1, $2, $3) ON CONFLICT (location_name) DO "
      "NOTHING",
      {TEXTOID, TEXTOID, TEXTOID}};
  return insert.run({pg::value(name), pg::value(url), pg::value(owner)}).processed() == 1;
}

void update_location(const std::string& name, const LocationSettings& it) {
  static pg::Statement update{
      "UPDATE setup.locations SET url = coalesce($2, url), file_types = nullif(coalesce($3, file_types), '{}'), "
      "name_pattern = nullif(coalesce($4, name_pattern), ''), exclusions = coalesce($5, exclusions), "
      "min_size = nullif(coalesce($6, min_size), 0), max_size = nullif(coalesce($7, max_size), 0), "
      "stable_for = coalesce($8, stable_for), watch = coalesce($9, watch), "
      "watched_in = CASE WHEN $9 THEN $13 WHEN $9 IS NULL THEN watched_in END, "
      "rescan_interval = nullif(coalesce($10, rescan_interval), '0'), writable = coalesce($11, writable), "
      "retention = nullif(coalesce($12, retention), '0') WHERE location_name = $1",
      {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID, INT8OID, INT8OID, INTERVALOID, BOOLOID, INTERVALOID,
       BOOLOID, INTERVALOID, OIDOID}};
  update.run({pg::value(name), it.url ? pg::value(*it.url) : pg::null_value(), array_or_null(it.file_types),
              it.name_pattern ? pg::value(*it.name_pattern) : pg::null_value(), array_or_null(it.exclusions),
              it.min_size, it.max_size, it.stable_for, it.watch, it.rescan_interval, it.writable, it.retention,
              pg::value(MyDatabaseId)});
}

void require_right_to_write(Oid user, const std::string& name) {
  static pg::Statement find{"SELECT writable FROM setup.locations WHERE location_name = $1", {TEXTOID}};
  if (find.run({pg::value(name)}).boolean(0, 0))
    pg::require_writing_server_files(user, "permission denied to make or change a writable location");
}

// A retention that is there stays when a location is made read-only: what was exported goes as it was meant to.
void require_retention_fits(const std::string& name, const LocationSettings& given) {
  static pg::Statement find{
      "SELECT FROM setup.locations WHERE location_name = $1 AND retention IS NOT NULL AND NOT writable", {TEXTOID}};
  if (given.retention.null || find.run({pg::value(name)}).size() == 0) return;
  throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                    pg::format("location \"%s\" has a retention, but is not writable", name.c_str()),
                    "Only what exports wrote is ever removed, and none can write there.",
                    "Give writable => true, or leave the retention out.");
}

}  // namespace

void create_location(const std::string& name, const LocationSettings& settings) {
  const Oid user = GetUserId();
  require_right_to_files(user);
  LocationSettings canonical = settings;
  if (settings.url) canonical.url = canonical_url(*settings.url);
  if (settings.file_types) canonical.file_types = canonical_types(*settings.file_types);
  if (settings.name_pattern) require_name_pattern(*settings.name_pattern);
  {
    const pg::EngineRights rights(pg::kLongestLockWait);
    const pg::Spi spi;
    if (!hold_own_location(user, name)) {
      if (!canonical.url)
        throw pg::Failure(ERRCODE_NULL_VALUE_NOT_ALLOWED, pg::format("location \"%s\" must have a url", name.c_str()),
                          "", "Give the directory of its files: 'file:///data/in'.");
      if (!insert_location(name, *canonical.url, pg::role_name(user)) && !hold_own_location(user, name))
        throw pg::Failure(ERRCODE_DUPLICATE_OBJECT,
                          pg::format("location \"%s\" is being made and dropped by others", name.c_str()), "",
                          "Try it again.");
    }
    update_location(name, canonical);
    require_right_to_write(user, name);
    require_retention_fits(name, canonical);
  }
  if (canonical.url) warn_if_not_there(*canonical.url);
}

void drop_location(const std::string& name) {
  static pg::Statement hold{"SELECT FROM setup.locations WHERE location_name = $1 FOR UPDATE", {TEXTOID}};
  static pg::Statement remove{"DELETE FROM setup.locations WHERE location_name = $1", {TEXTOID}};
  const Oid user = GetUserId();
  require_right_to_files(user);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  require_own_location(user, name);
  hold.run({pg::value(name)});  // nobody comes to name it meanwhile
  require_unused("location", name);
  remove.run({pg::value(name)});
}

void grant_location(const std::string& name, const std::string& role) {
  static pg::Statement forget_old_name{
      "DELETE FROM setup.location_grants WHERE location_name = $1 AND grantee_oid = $2 AND grantee <> $3",
      {TEXTOID, OIDOID, TEXTOID}};
  static pg::Statement grant{
      "INSERT INTO setup.location_grants (location_name, grantee) VALUES ($1, $2) "
      "ON CONFLICT (location_name, grantee) DO UPDATE SET grantee_oid = excluded.grantee_oid",
      {TEXTOID, TEXTOID}};
  const Oid user = GetUserId();
  require_right_to_files(user);
  const Oid grantee = pg::guard([&] { return get_role_oid(role.c_str(), true); });
  if (!OidIsValid(grantee))
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("role \"%s\" does not exist", role.c_str()), "",
                      role == "public" ? "PUBLIC is no role: grant it to a role, and that role to all who need it."
                                       : "SELECT rolname FROM pg_roles; lists those that do.");
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  require_own_location(user, name);
  forget_old_name.run({pg::value(name), pg::value(grantee), pg::value(role)});
  grant.run({pg::value(name), pg::value(role)});
}

void revoke_location(const std::string& name, const std::string& role) {
  static pg::Statement revoke{
      "DELETE FROM setup.location_grants WHERE location_name = $1 AND (grantee = $2 OR grantee_oid = $3)",
      {TEXTOID, TEXTOID, OIDOID}};
  const Oid user = GetUserId();
  require_right_to_files(user);
  const Oid grantee = pg::guard([&] { return get_role_oid(role.c_str(), true); });
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  require_own_location(user, name);
  revoke.run({pg::value(name), pg::value(role), OidIsValid(grantee) ? pg::value(grantee) : pg::null_value()});
}

}  // namespace etl
