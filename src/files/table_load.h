// From a file to the rows of a table.
#pragma once

#include "files/input.h"

namespace etl::files {

// Session::load(). Throws QueryError, too.
LoadResult load_table(const Database& database, const LoadRequest& request, const PutPiece& put_piece);

}  // namespace etl::files
