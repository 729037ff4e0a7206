// How long exported files are kept.

#include "engine/export.h"
#include "engine/export_store.h"
#include "engine/publications.h"
#include "pg/guard.h"
#include "pg/roles.h"

namespace etl {

namespace {

void warn(const Location& location, const std::string& path, const char* reason) {
  pg::guard([&] {
    ereport(WARNING,
            (errmsg("expired file \"%s\" of location \"%s\" %s", path.c_str(), location.name.c_str(), reason)));
  });
}

// A file that somebody has changed is not the export's any more, and stays.
void remove_files(const Location& location, const locations::Directory& root, const export_store::Expired& expired,
                  std::vector<RemovedFile>* removed) {
  for (const ExportedFile& file : expired.files) {
    pg::guard([] { CHECK_FOR_INTERRUPTS(); });
    try {
      switch (locations::remove_if_unchanged(root, file.path, {file.bytes, file.modified_ns})) {
        case locations::Removal::kRemoved:
          removed->push_back({location.name, file.path, file.bytes, expired.exported_at});
          break;
        case locations::Removal::kChanged:
          warn(location, file.path, "was changed, and stays");
          break;
        case locations::Removal::kMissing:
          break;
      }
    } catch (const locations::FileError& error) {
      throw failure_of(location, file.path, error);
    }
  }
  if (expired.is_folder) locations::remove_empty_directories(root, expired.path);
}

void drop_expired(const Location& location, std::vector<RemovedFile>* removed) {
  const locations::Directory root = open_directory(location);
  for (const export_store::Expired& expired : export_store::take_expired(location.name))
    remove_files(location, root, expired, removed);
}

}  // namespace

std::vector<RemovedFile> drop_expired_files(const std::optional<std::string>& name) {
  const Oid user = GetUserId();
  std::vector<RemovedFile> removed;
  if (name) {
    const Location location = find_location(*name);
    if (!pg::may_act_as(user, location.owner_oid))
      pg::fail_not_owner(pg::format("location \"%s\"", location.name.c_str()), location.owner);
    drop_expired(location, &removed);
    return removed;
  }
  for (const std::string& each : export_store::locations_with_retention()) {
    const Location location = find_location(each);
    if (pg::may_act_as(user, location.owner_oid)) drop_expired(location, &removed);
  }
  return removed;
}

}  // namespace etl
