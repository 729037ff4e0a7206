#include "engine/locations.h"

#include "locations/url.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/spi.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace etl {

namespace {

using Kind = locations::FileError::Kind;

int sqlstate_of(Kind kind) {
  switch (kind) {
    case Kind::kMissing:
      return ERRCODE_UNDEFINED_FILE;
    case Kind::kOutside:
    case Kind::kUnreadable:
      return ERRCODE_INSUFFICIENT_PRIVILEGE;
    case Kind::kNotRegular:
      return ERRCODE_WRONG_OBJECT_TYPE;
    case Kind::kTooMany:
      return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case Kind::kExists:
      return ERRCODE_DUPLICATE_FILE;
    case Kind::kBroken:
      break;
  }
  return ERRCODE_IO_ERROR;
}

void check_for_interrupts() {
  pg::guard([&] { CHECK_FOR_INTERRUPTS(); });
}

bool is_text(const std::string& name) {
  return pg::guard(
      [&] { return pg_verify_mbstr(GetDatabaseEncoding(), name.data(), static_cast<int>(name.size()), true); });
}

// A name that this database cannot hold, as it can: other bytes than ASCII as \xE9.
std::string escaped(const std::string& name) {
  std::string result;
  for (const char c : name)
    result +=
        static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : pg::format("\\x%02X", static_cast<unsigned char>(c));
  return result;
}

locations::Rules rules_of(const pg::Rows& row) {
  locations::Rules rules;
  for (const std::string& name : row.texts(0, 1))
    if (const auto type = locations::file_type_called(name)) rules.file_types.push_back(*type);
  if (!row.null(0, 2)) rules.name_pattern = row.text(0, 2);
  rules.exclusions = row.texts(0, 3);
  if (!row.null(0, 4)) rules.min_size = row.int8(0, 4);
  if (!row.null(0, 5)) rules.max_size = row.int8(0, 5);
  rules.stable_for_ns = row.int8(0, 6);
  return rules;
}

}  // namespace

Location find_location(const std::string& name) {
  static pg::Statement find{
      "SELECT url, file_types, name_pattern, exclusions, min_size, max_size, "
      "(extract(epoch FROM stable_for) * 1000000000)::bigint, watch, "
      "(extract(epoch FROM rescan_interval) * 1000)::bigint, writable, owner, owner_oid "
      "FROM setup.locations WHERE location_name = $1",
      {TEXTOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows row = find.run({pg::value(name)});
  if (row.size() == 0) fail_unknown_location(name);
  return {name,
          locations::directory_of_url(row.text(0, 0)),
          rules_of(row),
          row.boolean(0, 7),
          row.int8(0, 8),
          row.boolean(0, 9),
          row.text(0, 10),
          row.oid(0, 11)};
}

void fail_unknown_location(const std::string& name) {
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("location \"%s\" does not exist", name.c_str()), "",
                    pg::format("Create it with SELECT setup.create_location(%s, 'file:///directory').",
                               pg::quote_text(name).c_str()));
}

bool may_use(const Location& location, Oid role) {
  static pg::Statement find{"SELECT grantee_oid FROM setup.location_grants WHERE location_name = $1", {TEXTOID}};
  if (pg::is_member(role, location.owner_oid)) return true;
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows grants = find.run({pg::value(location.name)});
  for (int i = 0; i < grants.size(); ++i)
    if (pg::is_member(role, grants.oid(i, 0))) return true;
  return false;
}

void require_use(const Location& location, Oid role) {
  if (may_use(location, role)) return;
  throw pg::Failure(
      ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("permission denied for location \"%s\"", location.name.c_str()), "",
      pg::format("Its owner \"%s\" can allow it: SELECT setup.grant_location(%s, %s);", location.owner.c_str(),
                 pg::quote_text(location.name).c_str(), pg::quote_text(pg::role_name(role)).c_str()));
}

void require_writing(const Location& location, Oid role) {
  require_use(location, role);
  if (location.writable) return;
  throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    pg::format("location \"%s\" is not writable", location.name.c_str()), "",
                    pg::format("Its owner \"%s\" can change that, with the right pg_write_server_files: "
                               "SELECT setup.create_location(%s, writable => true);",
                               location.owner.c_str(), pg::quote_text(location.name).c_str()));
}

pg::Failure failure_of(const Location& location, const std::string& path, const locations::FileError& error) {
  if (path.empty())
    return pg::Failure(sqlstate_of(error.kind()),
                       pg::format("directory \"%s\" of location \"%s\" %s", location.directory.c_str(),
                                  location.name.c_str(), error.what()));
  return pg::Failure(sqlstate_of(error.kind()), pg::format("file \"%s\" of location \"%s\" %s", path.c_str(),
                                                           location.name.c_str(), error.what()));
}

locations::Directory open_directory(const Location& location) {
  try {
    return locations::Directory::open(location.directory);
  } catch (const locations::FileError& error) {
    throw failure_of(location, "", error);
  }
}

std::vector<locations::Found> list_files(const Location& location, const std::string& pattern) {
  const locations::Directory directory = open_directory(location);
  locations::Listing listing;
  listing.tick = check_for_interrupts;
  try {
    auto found = locations::find_files(directory, location.rules, pattern, locations::now_ns(), std::move(listing));
    for (locations::Found& it : found) {
      if (is_text(it.entry.path)) continue;
      it.entry.path = escaped(it.entry.path);
      it.refusal = "has a name that this database's encoding does not know";
    }
    return found;
  } catch (const locations::FileError& error) {
    throw failure_of(location, "", error);
  }
}

void require_accepted(const Location& location, const std::string& path, const std::optional<std::string>& refusal) {
  if (!refusal) return;
  throw pg::Failure(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                    pg::format("file \"%s\" of location \"%s\" is not accepted: it %s", path.c_str(),
                               location.name.c_str(), refusal->c_str()),
                    "", "The rules of the location say so; setup.create_location() changes them.");
}

locations::File open_file(const Location& location, const std::string& path) {
  try {
    locations::File file = open_directory(location).open_file(path);
    auto refusal = locations::refusal_of_path(location.rules, file.path());
    if (!refusal) refusal = locations::refusal_of_facts(location.rules, file.facts(), locations::now_ns());
    require_accepted(location, file.path(), refusal);
    return file;
  } catch (const locations::FileError& error) {
    throw failure_of(location, path.empty() ? "." : path, error);
  }
}

pg::Failure failure_of(const std::string& path, const locations::FileError& error) {
  return pg::Failure(sqlstate_of(error.kind()), pg::format("file \"%s\" %s", path.c_str(), error.what()));
}

void fail_changed(const std::string& path) {
  throw pg::Failure(ERRCODE_OBJECT_IN_USE, pg::format("file \"%s\" changed while it was read", path.c_str()), "",
                    "A location can leave files alone that have just been written: stable_for of "
                    "setup.create_location().");
}

TimestampTz timestamp_of(int64_t ns_since_1970) {
  constexpr int64_t kEpochs = static_cast<int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
  return ns_since_1970 / 1000 - kEpochs;
}

}  // namespace etl
