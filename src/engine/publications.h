// Files that appear when the transaction commits.
//
// They get their names just before the commit, when everything else has succeeded; what had these names is kept until
// the commit is done. What can still fail then (a rename, a serialization conflict) is rare, and everything has its
// name back. So a transaction that is rolled back leaves nothing, and one that commits has its files in place; only a
// crash in between leaves a file without its row.
#pragma once

#include "engine/locations.h"
#include "locations/publication.h"

namespace etl {

// Keeps it until the end of the transaction. A rollback, also to a savepoint of before, gives it up, and so does the
// end of the process, which no destructor sees.
locations::Publication& keep_publication(const Location& location, locations::Publication publication);

// It is complete. It replaces what the last export to its path wrote (`replaced`, if there was one), and with
// `may_replace` whatever else is there at commit.
void publish_at_commit(const locations::Publication& publication, std::optional<locations::Written> replaced,
                       bool may_replace);

// Failure (duplicate_file) where something else is under a path than what the last export to it wrote. That is looked
// at again at commit, and only then where this transaction has exported to the path before.
void require_replaceable(const Location& location, const std::string& path,
                         const std::optional<locations::Written>& written);

}  // namespace etl
