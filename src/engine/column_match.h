// Which column of a table takes which column of a file.
#pragma once

#include "engine/reader_options.h"
#include "pg/relations.h"

namespace etl {

struct ColumnMatch {
  std::vector<files::Match> matches;
  std::string note;  // what the user should know, or empty
};

// What the match is about, for its errors.
struct MatchedFile {
  std::string table;
  std::string name;
  files::Format format;
  std::vector<std::string> columns;      // of the file, in its order
  std::vector<std::string> filled_else;  // columns of the table that the load fills with something else
  std::string delimiter = ",";
};

// What becomes of the columns of a file that the table has not.
enum class Rest { kNotAllowed, kIgnored, kKept };

// A job whose files have a known shape: they must have just these columns, JSON files some of them. Otherwise names
// decide, in any order and case; where no name of a CSV file's header is a column's, and there are as many of them as
// columns (those at the end that have a default may be more), these are matched by position, with a note. Where only
// some are, it is an error, unless something is done with the rest: then the others are left over. At least one
// matches, unless all of them are kept. Failure (undefined_column, duplicate_column, bad_copy_file_format).
ColumnMatch match_columns(const MatchedFile& file, const std::vector<pg::Column>& columns, const JobReader& reader,
                          Rest rest);

// The number of the column of that name, else of one that equals it without regard to case; 0: none.
int attribute_of(const std::string& name, const std::vector<pg::Column>& columns);

}  // namespace etl
