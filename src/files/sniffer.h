// What a file looks like.
#pragma once

#include "files/module.h"

namespace etl::files {

// Module::sniff().
Shape sniff_shape(const Source& source, const ReaderOptions& options, int64_t rows, const Limits& limits);

}  // namespace etl::files
