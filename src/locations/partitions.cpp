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

std::string directory_above_partitions(std::string_view path) {
  std::string_view directory = directory_of(path);
  while (partition(directory.substr(directory.rfind('/') + 1))) directory = directory_of(directory);
  return std::string(directory);
}

}  // namespace etl::locations
