// Files that appear when the transaction commits.
//
// They are renamed just before the commit, when everything else has succeeded: what can still fail then (the rename, a
// serialization conflict, the write of the commit record) is rare. So a transaction that is rolled back leaves nothing,
// and one that commits has its files in place; only a crash in between leaves a file without its row.
#pragma once

#include "engine/locations.h"
#include "locations/publication.h"

namespace etl {

// Keeps it until the end of the transaction. A rollback, also to a savepoint of before, gives it up, and so does the
// end of the process, which no destructor sees.
locations::Publication& keep_publication(const Location& location, locations::Publication publication);

// It is complete. `may_replace`: what has the name at commit.
void publish_at_commit(const locations::Publication& publication, bool may_replace);

// That something is in the way which no export wrote.
pg::Failure already_there(const Location& location, const std::string& path);

}  // namespace etl
