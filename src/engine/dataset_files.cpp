#include "engine/dataset_files.h"

#include <strings.h>

#include "locations/file_type.h"
#include "pg/engine_rights.h"
#include "pg/files.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl {

namespace {

constexpr std::string_view kAnyType = ".*";

// What a name has after its stem, in lower case: ".csv.gz".
std::string extension_of(const std::string& name) {
  std::string extension = name.substr(locations::stem_of(name).size());
  for (char& c : extension) c = static_cast<char>(pg_ascii_tolower(static_cast<unsigned char>(c)));
  return extension;
}

}  // namespace

bool names_data_set(const std::string& path) {
  return path.ends_with(kAnyType);
}

std::vector<std::string> files_of_data_set(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash == 0 ? 1 : slash);
  const std::string stem = path.substr(slash + 1, path.size() - slash - 1 - kAnyType.size());
  std::vector<std::string> names = pg::names_in(folder);
  std::erase_if(names, [&](const std::string& name) {
    return !locations::file_type_of(name) || strcasecmp(locations::stem_of(name).c_str(), stem.c_str()) != 0;
  });
  std::vector<std::string> files;
  for (const std::string& name : names) {
    const std::string exact = stem + extension_of(name);
    const bool has_better = name != exact && std::find(names.begin(), names.end(), exact) != names.end();
    if (!has_better) files.push_back(folder + (slash == 0 ? "" : "/") + name);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<std::vector<std::string>> visible_files_of_data_set(const std::string& path) {
  static pg::Statement find{"SELECT config_value FROM setup.etl_config WHERE config_key = $1", {TEXTOID}};
  const size_t end = path.find('}');
  if (!path.starts_with('{') || end == std::string::npos || !pg::may_read_server_files(GetUserId()))
    return std::nullopt;
  const std::string key = path.substr(1, end - 1);
  std::string directory;
  {
    const pg::EngineRights rights;
    const pg::Spi spi;
    const pg::Rows rows = find.run({pg::value(key)});
    if (rows.size() == 0) return std::nullopt;
    directory = rows.text(0, 0);
  }
  if (!directory.starts_with('/')) return std::nullopt;
  return files_of_data_set(directory + path.substr(end + 1));
}

}  // namespace etl
