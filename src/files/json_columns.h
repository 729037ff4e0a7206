// The fields of a JSON file's objects.
//
// They are asked for here, field by field, and not left to DuckDB's own look at the structure of a file, which goes
// down into the values: the stack ends before a file's brackets do.
#pragma once

#include "files/reader.h"

namespace etl::files {

// In the order of their places in the objects. Fails if a record is no object.
std::vector<std::string> json_names(const Database& database, const Source& source);

// With types that hold all values: BIGINT, DOUBLE, BOOLEAN, VARCHAR, or JSON where values have an inside.
std::vector<Described> json_columns(const Database& database, const Source& source);

}  // namespace etl::files
