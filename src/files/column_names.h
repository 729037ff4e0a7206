// The names of a file's columns.
#pragma once

#include "files/module.h"

namespace etl::files {

// Module::column_names().
std::vector<std::string> read_column_names(const Source& source, const ReaderOptions& options, const Limits& limits);

}  // namespace etl::files
