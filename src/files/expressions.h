// What DuckDB is asked for, so that a file's value comes as text that a type's input function of PostgreSQL takes.
#pragma once

#include "files/module.h"
#include "pg/server.h"

namespace etl::files {

// A column of a file.
struct FileColumn {
  Format format;
  std::string type;        // as DuckDB calls it; VARCHAR for all columns of a CSV file
  std::string expression;  // as the query calls it
};

std::string text_expression(const FileColumn& column, Oid target, const ReaderOptions& options);

}  // namespace etl::files
