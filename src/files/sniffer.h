// What a file looks like.
#pragma once

#include "files/duckdb_api.h"

namespace etl::files {

// Session::sniff(). Throws QueryError, too.
Shape sniff_shape(const Database& database, const Source& source, const ReaderOptions& options, int64_t rows);

}  // namespace etl::files
