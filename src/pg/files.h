// Files of the server's machine. Nothing here checks a right: callers do, before they look.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// Why a file cannot be read, as a message without the file's name ("does not exist"), or empty if it can.
std::string unreadable_because(const std::string& path);

// The path of the file in the directory of `path` whose name equals that of `path` without regard to case; `path`
// itself where it exists or none does. Failure (ambiguous_alias) where several do.
std::string find_ignoring_case(const std::string& path);

// The fields of the first line of a CSV file, without byte order mark. Quotes may span lines. Empty file: no
// fields. Failure where it cannot be read.
std::vector<std::string> csv_header(const std::string& path);

}  // namespace etl::pg
