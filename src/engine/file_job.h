// An attempt of a job that loads files of a location.
//
// replace: all files that its pattern means, in the order of their paths, in one transaction with the log row.
//
// append, upsert: each file that the table does not hold yet, in a transaction of its own that also writes the file's
// row of setup.load_files. That row is what the next attempt goes by, so that a file is loaded exactly once, whenever
// this one ends. A file that fails leaves a row that says so; the others are loaded, then the attempt fails.
//
// What a file is to the table is found out in this order:
//
//   path, size and time are known         it is not opened
//   path and content are known            touched: only its time is noted
//   the content is known from a path      renamed: its path is noted, with provenance also in its rows; what was known
//     where it is not any more              at this path before is forgotten, with provenance together with its rows
//   the path is known                     replaced: loaded again, with provenance after its earlier rows are deleted
//   else                                  loaded, also where it is a copy of another file
//
// All renames come first. Files that have failed as they are now come last, so that 100 of them, after which an attempt
// gives up, never keep the others out.
#pragma once

#include "engine/attempt.h"
#include "engine/log_store.h"
#include "engine/notices.h"

namespace etl {

// Commits what it loads, and the log row of a success. Raises what made it fail, with nothing left open but what
// forget_failure() ends. Called outside a transaction.
void run_file_job(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop,
                  NoticeKeeper* notices, log_store::Entry* entry);

}  // namespace etl
