// COPY of a CSV file into the heap of a Replacement.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// Reads a file whose first line is a header as COPY table (columns) FROM 'file' WITH (FORMAT csv, HEADER true) would,
// errors included, and writes its rows to `heap`, that of a Replacement of the table. Returns their number. Checks no
// right but that to write at all, as COPY does. Needs an active snapshot.
int64_t copy_csv(const std::string& file, Oid table, const std::vector<std::string>& columns, Oid heap);

}  // namespace etl::pg
