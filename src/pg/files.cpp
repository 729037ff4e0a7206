#include "pg/files.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg/guard.h"

extern "C" {
#include "storage/fd.h"
}

namespace etl::pg {

namespace {

// A header longer than this is none.
constexpr size_t kLongestHeader = 1024 * 1024;

Failure cannot_read(const std::string& path, int error) {
  return Failure(error == ENOENT ? ERRCODE_UNDEFINED_FILE : ERRCODE_IO_ERROR,
                 format("could not read file \"%s\": %s", path.c_str(), strerror(error)));
}

// Everything up to the first line end outside quotes.
std::string first_line(const std::string& path) {
  FILE* file = guard([&] { return AllocateFile(path.c_str(), PG_BINARY_R); });
  if (file == nullptr) throw cannot_read(path, errno);
  std::string line;
  bool quoted = false;
  int c;
  while ((c = fgetc(file)) != EOF && line.size() < kLongestHeader) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) break;
    line.push_back(static_cast<char>(c));
  }
  const int error = ferror(file) ? errno : 0;
  guard([&] { FreeFile(file); });
  if (error != 0) throw cannot_read(path, error);
  return line;
}

}  // namespace

std::string unreadable_because(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return "does not exist";
    return format("cannot be read: %s", strerror(errno));
  }
  if (S_ISDIR(facts.st_mode)) return "is a directory";
  if (!S_ISREG(facts.st_mode)) return "is not a regular file";
  if (access(path.c_str(), R_OK) != 0) return format("cannot be read by the server: %s", strerror(errno));
  return "";
}

std::string find_ignoring_case(const std::string& path) {
  struct stat facts;
  const size_t slash = path.rfind('/');
  if (stat(path.c_str(), &facts) == 0 || slash == std::string::npos) return path;
  const std::string folder = path.substr(0, slash == 0 ? 1 : slash);
  const std::string wanted = path.substr(slash + 1);

  std::vector<std::string> found;
  DIR* directory = guard([&] { return AllocateDir(folder.c_str()); });
  if (directory == nullptr) return path;
  while (const dirent* entry = guard([&] { return ReadDirExtended(directory, folder.c_str(), LOG); })) {
    if (strcasecmp(entry->d_name, wanted.c_str()) == 0) found.emplace_back(entry->d_name);
  }
  guard([&] { FreeDir(directory); });

  if (found.empty()) return path;
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    throw Failure(ERRCODE_AMBIGUOUS_ALIAS,
                  format("several files in \"%s\" are called %s without regard to case: \"%s\" and \"%s\"",
                         folder.c_str(), wanted.c_str(), found[0].c_str(), found[1].c_str()),
                  "", "Leave one of them there, or give the job the path of one.");
  return folder + (folder == "/" ? "" : "/") + found.front();
}

std::vector<std::string> csv_header(const std::string& path) {
  std::string line = first_line(path);
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  std::vector<std::string> fields;
  if (line.empty()) return fields;
  fields.emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back().push_back('"');
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  return fields;
}

}  // namespace etl::pg
