#include "engine/file_job.h"

#include "engine/new_files.h"
#include "engine/replace_files.h"

namespace etl {

void run_file_job(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop,
                  NoticeKeeper* notices, log_store::Entry* entry) {
  if (work.load.mode == LoadMode::kReplace) {
    ReplaceFiles(run, task, work, stop, notices, entry).run();
  } else {
    NewFiles(run, task, work, stop, notices, entry).run();
  }
}

}  // namespace etl
