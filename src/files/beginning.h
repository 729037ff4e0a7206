// What the first bytes of a file say: in plain words what DuckDB would say in others, or take for text.
#pragma once

#include "files/module.h"

namespace etl::files {

// Fails where a file is not what its name says. `strict`: also where it is empty, or a text has a NUL byte anywhere in
// its beginning; else a load decides, and a row with a NUL is one that does not fit.
void check_beginning(const Source& source, const ReaderOptions& options, bool strict);

}  // namespace etl::files
