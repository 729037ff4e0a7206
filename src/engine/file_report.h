// What setup.validate_file() says about a file.
#pragma once

#include "engine/locations.h"
#include "locations/file_check.h"

namespace etl {

// All findings at once; raises nothing for what is wrong with the file. Can be cancelled.
locations::FileReport validate_file(const Location& location, const std::string& path,
                                    const std::optional<std::vector<std::string>>& expected_columns);

}  // namespace etl
