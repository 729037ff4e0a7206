// Who was at work when the server went down: a small file, mapped by every process, because after a crash nobody can
// write to a table any more.
//
// A worker notes the task that it begins, and takes the note back when it has ended. However the process leaves in
// order, also because another one has crashed (SIGQUIT), it takes the note back; what is found at the next start is
// work whose own process was killed. Such notes become reports, which the conductor of their database takes.
//
// Whoever holds a slot writes its note without a lock. Reports are written by the postmaster before there is any other
// process, and taken under the lock of the shared state.
#pragma once

#include "engine/shared_state.h"

namespace etl::crash_notes {

struct Note {
  Oid database;  // InvalidOid: empty
  RunKey run;
  StepId step_id;
  int attempt;
};

// In the postmaster, when shared memory is made, at the start or after a crash: maps the file, and turns notes that
// were left into reports.
void start_up(int slot_count);

void note(int place, const Note& note);
void take_back(int place);

// Takes back the note of this process whenever it is told to quit because another one has crashed.
void mind_quit_signal(int place);

// Reports about work in a database; forget() removes one when it has been dealt with. Both under the lock.
std::vector<Note> reports(const Locked& locked, Oid database);
void forget(const Locked& locked, const Note& report);

}  // namespace etl::crash_notes
