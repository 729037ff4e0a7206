// What stands above the rows of a CSV file: lines to skip, and the header.
//
// DuckDB heeds quotes in these lines, too: it skips records, where a user counts lines. And where one of them is no
// CSV, or ends otherwise than the rest, it gives no row at all, and no error. So they are read here before: what it has
// to be told is found, and what it would stumble over is refused.
#pragma once

#include "files/module.h"

namespace etl::files {

struct CsvTop {
  int64_t skipped_records = 0;       // what DuckDB takes the skipped lines for
  std::string line_end = "\n";       // of the whole file: "\n", "\r\n" or "\r"
  std::vector<std::string> columns;  // fields of the first record behind: the header, or a row; none: there is none
};

// Throws pg::Failure (22P04, 22021, 54000, 54011), as for a file that is refused.
CsvTop read_top(const Source& source, const ReaderOptions& options);

}  // namespace etl::files
