#include "locations/fence.h"

#include "locations/file_type.h"

#include <array>

namespace etl::locations {
namespace {

struct Extension {
  std::string_view name;
  FileType type;
};

// Types that have two names stand under the one that name_of() gives first.
constexpr std::array<Extension, 9> kExtensions = {{
    {"csv", {Format::kCsv, Compression::kNone}},
    {"csv.gz", {Format::kCsv, Compression::kGzip}},
    {"json", {Format::kJson, Compression::kNone}},
    {"json.gz", {Format::kJson, Compression::kGzip}},
    {"ndjson", {Format::kNdjson, Compression::kNone}},
    {"ndjson.gz", {Format::kNdjson, Compression::kGzip}},
    {"parquet", {Format::kParquet, Compression::kNone}},
    {"jsonl", {Format::kNdjson, Compression::kNone}},
    {"jsonl.gz", {Format::kNdjson, Compression::kGzip}},
}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::string_view file_name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// A name that is nothing but an extension has none: ".csv" is a hidden file.
const Extension* extension_of(std::string_view path) {
  const std::string name = lower(file_name_of(path));
  for (const Extension& it : kExtensions) {
    if (name.size() > it.name.size() + 1 && name.ends_with(it.name) && name[name.size() - it.name.size() - 1] == '.')
      return &it;
  }
  return nullptr;
}

}  // namespace

std::optional<FileType> file_type_of(std::string_view path) {
  const Extension* const found = extension_of(path);
  if (found == nullptr) return std::nullopt;
  return found->type;
}

std::string name_of(FileType type) {
  for (const Extension& it : kExtensions) {
    if (it.type == type) return std::string(it.name);
  }
  return "parquet.gz";  // no file is called so
}

std::optional<FileType> file_type_called(std::string_view name) {
  const std::string wanted = lower(name);
  for (const Extension& it : kExtensions) {
    if (it.name == wanted) return it.type;
  }
  return std::nullopt;
}

const std::vector<FileType>& all_file_types() {
  static const std::vector<FileType> all = [] {
    std::vector<FileType> types;
    for (const Extension& it : kExtensions) {
      if (name_of(it.type) == it.name) types.push_back(it.type);
    }
    return types;
  }();
  return all;
}

std::string stem_of(std::string_view path) {
  std::string_view name = file_name_of(path);
  if (const Extension* const extension = extension_of(path)) name.remove_suffix(extension->name.size() + 1);
  return std::string(name);
}

}  // namespace etl::locations
