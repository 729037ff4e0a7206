// Opening beneath a directory, as the operating system does it. For directory.cpp.
#pragma once

#include <string>

#include "locations/directory.h"

namespace etl::locations {

// Opens a normalized path that does not leave the directory. `flags` as for openat(2). FileError.
Descriptor resolve_by_kernel(int directory, const std::string& path, int flags, bool& is_supported);
Descriptor resolve_by_walking(int directory, const std::string& path, int flags);

// What an error number of an open means.
FileError error_of_open(int number);

}  // namespace etl::locations
