#include "pg/files.h"

#include <strings.h>
#include <sys/stat.h>

#include "pg/guard.h"

extern "C" {
#include "storage/fd.h"
}

namespace etl::pg {

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* opened = guard([&] { return AllocateDir(directory.c_str()); });
  if (opened == nullptr) return names;
  while (const dirent* entry = guard([&] { return ReadDirExtended(opened, directory.c_str(), LOG); }))
    names.emplace_back(entry->d_name);
  guard([&] { FreeDir(opened); });
  return names;
}

std::string find_ignoring_case(const std::string& path) {
  struct stat facts;
  const size_t slash = path.rfind('/');
  if (stat(path.c_str(), &facts) == 0 || slash == std::string::npos) return path;
  const std::string folder = path.substr(0, slash == 0 ? 1 : slash);
  const std::string wanted = path.substr(slash + 1);

  std::vector<std::string> found;
  for (const std::string& name : names_in(folder))
    if (strcasecmp(name.c_str(), wanted.c_str()) == 0) found.push_back(name);
  if (found.empty()) return path;
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    throw Failure(ERRCODE_AMBIGUOUS_ALIAS,
                  format("several files in \"%s\" are called %s without regard to case: \"%s\" and \"%s\"",
                         folder.c_str(), wanted.c_str(), found[0].c_str(), found[1].c_str()),
                  "", "Leave one of them there, or give the job the path of one.");
  return folder + (folder == "/" ? "" : "/") + found.front();
}

}  // namespace etl::pg
