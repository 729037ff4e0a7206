// Files of a data set, whatever their type: what the path "/data/crm/customers.*" of a discovered job means.
#pragma once

#include "pg/error.h"

namespace etl {

// True for a path that ends with ".*".
bool names_data_set(const std::string& path);

// The files of the directory that are called as the path says, without regard to case, and have one of the known types:
// full paths, sorted. Of several that differ in case only the one is taken that is called exactly so. Checks no right.
std::vector<std::string> files_of_data_set(const std::string& path);

// The same for a path that begins with a {key} of setup.etl_config, on behalf of the current user: none where that may
// not read files of the server, or there is no such key.
std::optional<std::vector<std::string>> visible_files_of_data_set(const std::string& path);

}  // namespace etl
