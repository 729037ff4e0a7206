// One DuckDB for many files.
#pragma once

#include "files/module.h"

namespace etl::files {

// Module::open(). Each file is read through the same descriptor, the only one that this DuckDB may open.
std::unique_ptr<Session> open_session(const Limits& limits);

}  // namespace etl::files
