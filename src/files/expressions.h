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

// What a text in the file was, of which text_expression() has made this one: where decimal marks were exchanged, with
// those of the file. (In JSON that cannot be told.)
std::string text_in_file(const FileColumn& column, Oid target, const ReaderOptions& options, std::string text);

std::string text_expression(const FileColumn& column, Oid target, const ReaderOptions& options);

}  // namespace etl::files
