// Hive partitions: directories that say a column's value, as in "year=2024/month=01/part.csv".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etl::locations {

struct Partition {
  std::string name;
  std::optional<std::string> value;  // none: null

  bool operator==(const Partition&) const = default;
};

// Those of a file's path, in its order. Names and values are percent-decoded where that gives UTF-8 without NUL, and
// as they stand otherwise; __HIVE_DEFAULT_PARTITION__ is null. A directory without '=', or with nothing before it, is
// none. A name may come twice: that is for the caller to judge.
std::vector<Partition> partitions_of(std::string_view path);

// The directory for rows whose column `name` has a value (none: null): what partitions_of() reads back. The two that
// cannot be told apart: null, and the text __HIVE_DEFAULT_PARTITION__.
std::string partition_directory(std::string_view name, const std::optional<std::string>& value);

// The directory of a path without its trailing partitions: "sales" for "sales/year=2024/part.csv".
std::string directory_above_partitions(std::string_view path);

}  // namespace etl::locations
