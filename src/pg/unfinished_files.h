// Files of relations that are being built, so that a crash of the server in the middle does not leave them for ever.
//
// The server itself forgets whose they were. So a process that builds keeps a note of them: a file beside the server's
// own, locked until its transaction has ended, and removed then. A note that nobody has locked is that of a process
// that was killed; whoever builds next in its database drops what it names and no relation has. That cannot be anybody
// else's: as long as a file exists, its number is not given away again. Without a note (a full disk) nothing is worse
// than it would be.
#pragma once

#include "pg/error.h"

extern "C" {
#include "utils/relcache.h"
}

namespace etl::pg {

// Notes the present file of a relation that this transaction has made. For use inside guard().
void note_unfinished_file(Relation relation);

// Drops, when this transaction commits, the files that killed processes have left in this database.
void drop_unfinished_files();

}  // namespace etl::pg
