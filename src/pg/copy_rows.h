// COPY's own reading of CSV and text, from whatever gives the bytes.
#pragma once

#include <functional>

#include "pg/error.h"

namespace etl::pg {

// How COPY is to read; options that are not given are COPY's.
struct CopyDialect {
  bool csv = true;  // otherwise its text format: tabs, \N, backslashes
  bool header = false;
  std::optional<std::string> delimiter;
  std::optional<std::string> quote;
  std::optional<std::string> escape;
  std::optional<std::string> null_string;
  std::optional<std::string> encoding;
};

// Fills the buffer with up to `most` bytes; 0 at the end. May throw.
using CopySource = std::function<size_t(char* buffer, size_t most)>;

// Where COPY is in what it reads, when an error is raised.
struct CopyPlace {
  int64_t line = 0;  // from 1; 0: the error is of no line
  std::string column;
  std::string value;
};

// Copies rows into columns of a table, as COPY table (columns) FROM would, errors included. They go into `heap`: the
// table itself, by COPY's ways with all triggers and partitions, or the heap of a Replacement of it. Returns their
// number. Checks no right: require_insert() does. Needs an active snapshot. `size`: bytes to come, for
// pg_stat_progress_copy. After an error, `place` says where.
int64_t copy_rows(Oid table, Oid heap, const std::vector<std::string>& columns, const CopyDialect& dialect,
                  int64_t size, const CopySource& source, CopyPlace* place = nullptr);

// Failure, as COPY raises it, if the current user may not copy into these columns of a table: the right to INSERT is
// missing, or row level security applies.
void require_insert(Oid table, const std::vector<std::string>& columns);

// A value of COPY's text format, added to a line.
void append_copy_text(std::string* line, std::string_view value);
void append_copy_null(std::string* line);

}  // namespace etl::pg
