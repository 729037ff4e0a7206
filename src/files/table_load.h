// From a file to the rows of a table.
#pragma once

#include "files/module.h"

namespace etl::files {

// Module::load().
LoadResult load_table(const LoadRequest& request);

}  // namespace etl::files
