// Lets go of a database that somebody drops, renames, moves or copies, or drops the extension from.
#pragma once

namespace etl {

// Asks the idle conductor and workers of a database to leave before a statement that needs it unused. One with a run
// stays, and the statement fails as with any other connection. After DROP EXTENSION all of them leave. Called when the
// postmaster loads the library.
void install_database_hook();

}  // namespace etl
