#include "engine/file_attempt.h"

#include "engine/executor.h"
#include "pg/wait.h"

namespace etl {

FileAttempt::FileAttempt(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop,
                         NoticeKeeper* notices, log_store::Entry* entry)
    : run_(run),
      attempt_(task.attempt),
      work_(work),
      stop_(stop),
      notices_(notices),
      entry_(entry),
      job_{work.layer, work.job, work.location},
      table_(work.table),
      files_(work.location, work.file, work.load.reader_options) {}

FileAttempt::~FileAttempt() {
  count_rows_from(0);
}

std::vector<file_store::Version> FileAttempt::find_files() {
  file_store::use([&] { file_store::require_job(job_); });
  return files_.find();
}

bool FileAttempt::is_of_file(const FileProblem& problem) const {
  if (stop_() != StopReason::kNone || problem.ends_attempt) return false;
  pg::check_interrupts();
  pg::leave_if_server_stops();
  return true;
}

void FileAttempt::write_loaded(const file_store::Load& load) const {
  file_store::use([&] { file_store::write_loaded(run_, attempt_, job_, load); });
}

void FileAttempt::write_failed(const Version& file, const FileProblem& problem) const {
  const pg::CancelHeld held;
  pg::Transaction transaction;
  file_store::use([&] {
    file_store::write_failed(run_, attempt_, job_, {file, 0, 0, problem.message, problem.sqlstate, std::nullopt});
  });
  transaction.commit();
}

void FileAttempt::write_log() const {
  file_store::use([&] { log_store::write(run_, {*entry_}); });
}

}  // namespace etl
