// Files that arrive in a watched location start the jobs that read them.
//
// A job whose pattern matches is started for a file once: a row of setup.file_arrivals, written together with the run,
// says as what (size and time) the file was seen. So a restart repeats nothing, a file that fails is not tried again
// until it changes, and what came while nobody watched is found by comparing the list of files with the rows. What a
// job has loaded otherwise (setup.load_files) needs no run either.
#pragma once

#include "engine/locations.h"

namespace etl {

struct Looked {
  int64_t due_ns = 0;   // when the first of the files that are left alone for now may be read; 0: there are none
  std::string problem;  // why a run could not be started, to be tried again; empty: none
};

// Looks through a location, and starts one run for the jobs of each owner, in the owner's name, if they have new files.
// Runs nothing of a user's. `forgets`: rows of files that are gone are removed. Called outside a transaction.
Looked start_for_arrivals(const Location& location, bool forgets);

}  // namespace etl
