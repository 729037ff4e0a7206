#include "locations/fence.h"

#include "locations/partitions.h"

#include "locations/text.h"

namespace etl::locations {
namespace {

constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";

std::string decoded(std::string_view text) {
  std::string result = percent_decoded(text);
  if (result.find('\0') != std::string::npos || !is_valid_utf8(result)) return std::string(text);
  return result;
}

std::optional<Partition> partition(std::string_view component) {
  const size_t equals = component.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  Partition result{decoded(component.substr(0, equals)), std::nullopt};
  const std::string_view value = component.substr(equals + 1);
  if (value != kNull) result.value = decoded(value);
  return result;
}

// Bytes that are written as they are: all but those that a file system, or who reads such a path, could take for
// something else.
bool is_plain(char c) {
  constexpr std::string_view kSpecial = "\"#%'*/:=?\\{}[]^\x7f";
  return static_cast<unsigned char>(c) >= ' ' && kSpecial.find(c) == std::string_view::npos;
}

std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_plain(c)) {
      result.push_back(c);
    } else {
      constexpr const char* kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      result.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return result;
}

std::string_view directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

std::vector<Partition> partitions_of(std::string_view path) {
  std::vector<Partition> result;
  for (size_t slash; (slash = path.find('/')) != std::string_view::npos; path.remove_prefix(slash + 1)) {
    if (auto found = partition(path.substr(0, slash))) result.push_back(*std::move(found));
  }
  return result;
}

std::string partition_directory(std::string_view name, const std::optional<std::string>& value) {
  std::string result = encoded(name) + "=" + (value ? encoded(*value) : std::string(kNull));
  return result.starts_with('.') ? "%2E" + result.substr(1) : result;  // not hidden
}

std::string directory_above_partitions(std::string_view path) {
  std::string_view directory = directory_of(path);
  while (partition(directory.substr(directory.rfind('/') + 1))) directory = directory_of(directory);
  return std::string(directory);
}

}  // namespace etl::locations
