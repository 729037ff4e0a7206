// The marks of a CSV file.
#pragma once

#include "files/duckdb_api.h"

namespace etl::files {

// Completes delimiter, quote, escape, skip and encoding, where they are not given, from the file's first lines. DuckDB
// finds them; COPY's hold where it finds nothing, and where what it finds is no help: a delimiter that the first line
// does not have though it has another, lines to skip that have fields.
ReaderOptions complete_dialect(const Database& database, const Source& source, const ReaderOptions& given);

}  // namespace etl::files
