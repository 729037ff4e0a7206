// Rows into a table through COPY's own machinery, which knows of triggers, partitions and foreign keys.
#pragma once

#include <functional>

#include "pg/server.h"

namespace etl::files {

// Appends rows in COPY's text format to `buffer`; false if there are none left.
using TextRows = std::function<bool(std::string* buffer)>;

// Adds a value, or null, to a line of that format. Columns are separated by tabs, lines end with a newline.
void append_text(std::string* line, std::string_view value);
void append_null(std::string* line);

// Copies rows into columns of a table, given by their numbers. Returns how many were written.
int64_t copy_rows(Oid table, const std::vector<int>& attributes, TextRows rows);

}  // namespace etl::files
