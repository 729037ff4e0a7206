// Loads a CSV file into a table.
#pragma once

#include "pg/relations.h"

namespace etl {

struct Loaded {
  int64_t rows = 0;
  std::string note;  // what the user should know about it, or empty
};

// Replaces the content of a table by that of a CSV file, in the transaction block that is open, with the current
// user's rights.
//
// The first line names the columns, in any order and case. Where no name is a column's, columns are matched by
// position, with a note; where only some are, it is an error. CRLF, a missing last newline and a byte order mark
// are fine. The rows are built aside and swapped in (pg/replacement.h), so that readers go on meanwhile and no snapshot
// ever finds the table empty or half full. Where that is impossible they are deleted and inserted, with a note.
//
// `filled` is told the number of rows when this transaction finds them in the table, and readers are not locked out
// yet.
//
// `must_be_owned`: the table must belong to the current user, as it did when the job was discovered from it. A
// superuser's load is refused where a trigger would run another role's code with its rights.
Loaded load_file(const std::string& table, const std::string& file, bool must_be_owned,
                 const std::function<void(int64_t rows)>& filled);

}  // namespace etl
