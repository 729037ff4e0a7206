// Files of the server's machine. Nothing here checks a right: callers do, before they look.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// What is in a directory; nothing where it cannot be read.
std::vector<std::string> names_in(const std::string& directory);

// The path of the file in the directory of `path` whose name equals that of `path` without regard to case; `path`
// itself where it exists or none does. Failure (ambiguous_alias) where several do.
std::string find_ignoring_case(const std::string& path);

}  // namespace etl::pg
